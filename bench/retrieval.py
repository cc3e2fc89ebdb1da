"""How well retrieval finds the procs that a task needs, on domains that nothing was trained on.

    python bench/retrieval.py [--encoder bundle/default/encoder.gguf] [DOMAIN=TASKS.jsonl ...]

A task's needed procs are those that its reference calls. top-1: over the tasks that need one proc, how often it comes
first among the procs. recall@8: of all needed procs of all tasks, how many are among the first eight.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from localgen_retrieval.catalog_io import Domain, load_domain
from localgen_retrieval.encoder import GgufEncoder
from localgen_retrieval.index import open_index
from localgen_retrieval.retrieve import Mixture, Ranking, Retriever, Scores

ROOT = Path(__file__).resolve().parent.parent
SCORERS: dict[str, Callable[[Ranking], Scores]] = {
    "hybrid": lambda r: r.scores,
    "encoder": lambda r: r.encoder_scores,
    "BM25": lambda r: r.bm25_scores,
}


@dataclass(frozen=True)
class Task:
    """An instruction, and the names of the procs that its reference calls."""

    instruction: str
    needed: frozenset[str]


def read_tasks(path: Path, domain: Domain) -> list[Task]:
    """The tasks of a file whose reference calls at least one proc of the domain."""
    names = [p.name for p in domain.catalog.live_procs]
    out = []
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line) if line.strip() else {}
        reference = row.get("reference") or ""
        called = frozenset(n for n in names if re.search(rf"(?<![\w:-])(?:::)?{re.escape(n)}(?![\w:])", reference))
        if called:
            out.append(Task(row["instruction"], called))
    return out


def measure(rankings: Sequence[tuple[Task, Ranking]], score: Callable[[Ranking], Scores]) -> tuple[float, float]:
    """(top-1 over the tasks of one proc, recall@8 over all needed procs)."""
    first: list[bool] = []
    found = needed = 0
    for task, ranking in rankings:
        order = [ranking.symbols[i] for i in np.argsort(-score(ranking), kind="stable")]
        procs = [s.name for s in order if s.kind == "proc"]
        if len(task.needed) == 1:
            first.append(procs[0] in task.needed)
        found += len(task.needed & set(procs[:8]))
        needed += len(task.needed)
    return (sum(first) / len(first) if first else 0.0), (found / needed if needed else 0.0)


def default_suites() -> list[tuple[Path, Path]]:
    """(domain folder, task file) of every held-out suite; a suite without a catalog is about a shipped domain."""
    out = []
    for tasks in sorted((ROOT / "tests" / "heldout").glob("*/tasks.jsonl")):
        folder = tasks.parent
        out.append(
            (folder if (folder / "catalog.json").is_file() else ROOT / "bundle/default/domains" / folder.name, tasks)
        )
    return [(domain, tasks) for domain, tasks in out if (domain / "catalog.json").is_file()]


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Retrieval on held-out tasks.")
    parser.add_argument("--encoder", type=Path, default=ROOT / "bundle" / "default" / "encoder.gguf")
    parser.add_argument("suites", nargs="*", metavar="DOMAIN=TASKS", help="default: all of tests/heldout")
    args = parser.parse_args(argv)
    encoder = GgufEncoder(args.encoder)
    suites = [(Path(d), Path(t)) for d, _, t in (s.partition("=") for s in args.suites)] or default_suites()
    columns = [f"{name:>8} top-1 {'rec@8':>6}" for name in SCORERS]
    print(f"{'domain':<14}{'procs':>6}{'tasks':>6} " + " |".join(columns) + " |  ms a query")
    sums = np.zeros((len(SCORERS), 2))
    for folder, path in suites:
        domain = load_domain(folder)
        retriever = Retriever(open_index(domain, encoder, None), encoder, Mixture())
        tasks = read_tasks(path, domain)
        times, rankings = [], []
        for task in tasks:
            start = time.perf_counter()
            rankings.append((task, retriever.rank(task.instruction)))
            times.append((time.perf_counter() - start) * 1000)
        figures = np.array([measure(rankings, score) for score in SCORERS.values()])
        sums += figures
        cells = " |".join(f"{top:>14.2f} {recall:>6.2f}" for top, recall in figures)
        print(
            f"{domain.name:<14}{len(domain.catalog.procs):>6}{len(tasks):>6} {cells} | {statistics.median(times):>5.1f}"
        )
    if len(suites) > 1:
        cells = " |".join(f"{top:>14.2f} {recall:>6.2f}" for top, recall in sums / len(suites))
        print(f"{'mean':<26} {cells} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
