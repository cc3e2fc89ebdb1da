"""Runs held-out suites through the generator and counts what comes out right, by what the scripts do.

    python -m localgen_training.evaluate tests/heldout/* [--model FILE.gguf] [--limit N] [--json FILE]
    python -m localgen_training.evaluate tests/heldout/pnr --results results.jsonl
    python -m localgen_training.evaluate --raw --model FILE.gguf --tasks 200

A suite is a folder with tasks.jsonl and a catalog.json (without one, the bundled domain of the folder's name). A task
has `id`, `suite`, `instruction`, `expect` (script or clarification), `reference`, `alternatives`, `ordered`,
`blocks_ordered`. A script is right where its trace equals the reference's or an alternative's (trace_match.py). `--raw`
asks the model alone, greedy and without any constraint, for synthetic tasks of unseen fields: a quick look at a
checkpoint, no measure of the product (raw_check.py).
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from localgen.execution.events import Trace
from localgen.execution.trace import Tracer
from localgen_bundle.default import DOMAINS, default_folder
from localgen_retrieval.catalog_io import Domain, load_domain
from localgen_retrieval.errors import LocalgenError, UsageError

from .measures import Rate, rate, table
from .trace_match import match


@dataclass(frozen=True)
class HeldOutTask:
    """One line of a tasks.jsonl."""

    id: str
    suite: str
    instruction: str
    expect: str
    references: tuple[str, ...]
    ordered: bool
    blocks_ordered: bool | None
    context: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What a generator gave for one task; `type` is script, clarification or error."""

    type: str
    script: str = ""
    valid: bool = False
    confidence: float = 0.0
    truncated: bool = False
    seconds: float = 0.0
    message: str = ""


@dataclass(frozen=True)
class Row:
    """One task's result.

    `right_proc` is None where the reference does not call exactly one proc; `calls` are the procs called.
    """

    id: str
    suite: str
    expect: str
    type: str
    valid: bool
    functional: bool
    right_proc: bool | None
    calls: tuple[str, ...]
    wanted: tuple[str, ...]
    confidence: float
    truncated: bool
    seconds: float
    script: str
    note: str


Answerer = Callable[[HeldOutTask], Answer]

# Seen from the checkout's root, where `make train` runs.
HELD_OUT = Path("tests/heldout")


def default_suites() -> list[Path]:
    """The held-out suites of the checkout."""
    return sorted(p.parent for p in HELD_OUT.glob("*/tasks.jsonl"))


def load_suite(folder: Path, domains: Path | None = None) -> tuple[Domain, list[HeldOutTask]]:
    """A suite's domain and its tasks; without a catalog of its own, the domain of its name in `domains` (the bundle's).

    Raises:
        UsageError: no tasks there, or a line that is no task.
        CatalogError: no usable catalog.
    """
    path = folder / "tasks.jsonl"
    if not path.is_file():
        raise UsageError(f"{folder}: no tasks.jsonl there", code="suite-missing")
    has_catalog = any((folder / f"catalog.{kind}").is_file() for kind in ("json", "yaml", "yml"))
    domain = load_domain(folder if has_catalog else (domains or default_folder() / DOMAINS) / folder.resolve().name)
    tasks = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            tasks.append(_task(json.loads(line)))
        except (ValueError, KeyError, TypeError, AttributeError) as e:
            raise UsageError(f"{path}:{number}: not a task: {e!r}", code="suite-syntax") from None
    return domain, tasks


def _task(d: dict[str, Any]) -> HeldOutTask:
    references = tuple(x for x in (d.get("reference"), *(d.get("alternatives") or ())) if x)
    expect = d.get("expect", "script")
    if expect == "script" and not references:
        raise ValueError("no reference")
    return HeldOutTask(
        d["id"],
        d.get("suite", "all"),
        d["instruction"],
        expect,
        references,
        d.get("ordered", True),
        d.get("blocks_ordered"),
        d.get("context") or {},
    )


def judge(tracer: Tracer, task: HeldOutTask, answer: Answer) -> Row:
    """What an answer is worth.

    Raises:
        UsageError: the task's own reference does not run.
    """
    wanted = [tracer.trace(r) for r in task.references]
    for trace in wanted:
        if not trace.ran or trace.problems:
            reason = trace.error or "; ".join(trace.problems)
            raise UsageError(f"{task.id}: its reference is not a right script: {reason}", code="suite-reference")
    got = tracer.trace(answer.script) if answer.type == "script" else Trace("", (), ())
    functional = task.expect == "script" and answer.type == "script"
    functional = functional and any(match(got, w, task.ordered, task.blocks_ordered) for w in wanted)
    names = wanted[0].procs if wanted else frozenset[str]()
    single = task.expect == "script" and len(names) == 1
    return Row(
        task.id,
        task.suite,
        task.expect,
        answer.type,
        answer.valid,
        functional,
        any(got.procs == w.procs for w in wanted) if single else None,
        tuple(sorted(got.procs)),
        tuple(sorted(names)),
        answer.confidence,
        answer.truncated,
        answer.seconds,
        answer.script,
        answer.message or got.error or "; ".join(got.problems),
    )


def evaluate(domain: Domain, tasks: Iterable[HeldOutTask], answer: Answerer) -> list[Row]:
    """Ask for every task and judge what comes back."""
    tracer = Tracer(domain)
    return [judge(tracer, task, answer(task)) for task in tasks]


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """The figures of one line of the table; a rate is {n, of, rate, low, high} (Wilson, 95%) or None without cases."""
    scripts = [r for r in rows if r.type == "script"]
    single = [r for r in rows if r.right_proc is not None]
    asked = [r for r in rows if r.type == "clarification"]
    ambiguous = [r for r in rows if r.expect == "clarification"]
    hits = sum(r.expect == "clarification" for r in asked)
    return {
        "tasks": len(rows),
        "valid": rate(sum(r.valid for r in scripts), len(scripts)),
        "pass@1": rate(sum(r.functional for r in rows), sum(r.expect == "script" for r in rows)),
        "right_proc": rate(sum(r.right_proc is True for r in single), len(single)),
        "whole_call": rate(sum(r.functional for r in single), len(single)),
        "ask_precision": rate(hits, len(asked)),
        "ask_recall": rate(hits, len(ambiguous)),
        "truncated": sum(r.truncated for r in rows),
        "errors": sum(r.type == "error" for r in rows),
        "seconds": round(statistics.median([r.seconds for r in rows]), 3) if rows else None,
    }


def generator_answerer(domain: Domain, model: Path | None, options: Any) -> Answerer:
    """Asks the product's own pipeline; an error of the family becomes an answer of type error."""
    from localgen.pipeline import Generator

    generator = Generator(domain, model=model)

    def ask(task: HeldOutTask) -> Answer:
        begin = time.perf_counter()
        try:
            got = generator.generate(task.instruction, options, task.context)
        except LocalgenError as e:
            return Answer("error", message=e.message, seconds=time.perf_counter() - begin)
        seconds = time.perf_counter() - begin
        message = got.message or ""
        return Answer(got.type, got.script or "", got.valid, got.confidence, got.truncated, seconds, message)

    return ask


def results_answerer(path: Path) -> Answerer:
    """Reads the answers out of a results.jsonl of `generate --batch`."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    by_id = {d.get("id"): d for d in reversed(lines)}

    def look_up(task: HeldOutTask) -> Answer:
        d = by_id.get(task.id)
        if d is None:
            return Answer("error", message="no result")
        return Answer(
            d.get("type", "error"),
            d.get("script") or "",
            bool(d.get("valid")),
            float(d.get("confidence") or 0),
            bool(d.get("truncated")),
            float(d.get("seconds") or 0),
            d.get("message") or "",
        )

    return look_up


def report(results: dict[str, list[Row]]) -> dict[str, dict[str, Any]]:
    """Figures by line of the table: each folder's suites, the folder, and all of them together."""
    lines: dict[str, dict[str, Any]] = {}
    for folder, rows in results.items():
        for suite in dict.fromkeys(r.suite for r in rows):
            lines[f"{folder}/{suite}"] = summary([r for r in rows if r.suite == suite])
        lines[folder] = summary(rows)
    if len(results) > 1:
        lines["all"] = summary([r for rows in results.values() for r in rows])
    return lines


def main(argv: Sequence[str] | None = None) -> int:
    """Evaluate, print the table, and write the figures where asked."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("suites", nargs="*", type=Path, help="folders with tasks.jsonl")
    ap.add_argument("--model", type=Path, help="a GGUF file (default: the one that ships)")
    ap.add_argument("--results", type=Path, help="judge these answers of `generate --batch` instead of generating")
    ap.add_argument("--domains", type=Path, help="where suites without a catalog find theirs (default: the bundle)")
    ap.add_argument("--limit", type=int, help="only the first N tasks of each suite folder")
    ap.add_argument("--no-ask", action="store_true", help="never ask back")
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--k", type=int, help="candidates per task (default: the generator's)")
    ap.add_argument("--json", type=Path, help="write the figures there (- for stdout instead of the table)")
    ap.add_argument("--details", type=Path, help="write one line per task there")
    ap.add_argument("--raw", action="store_true", help="the model alone on synthetic tasks of unseen fields")
    ap.add_argument("--tasks", type=int, default=200, help="how many synthetic tasks --raw takes")
    a = ap.parse_args(argv)
    try:
        if a.raw:
            from .raw_check import raw_report

            lines, rows = raw_report(a.model, a.tasks, a.seed)
        else:
            lines, rows = _run(a)
    except LocalgenError as e:
        print(e, file=sys.stderr)
        return int(e.exit_code)
    document = {name: {k: asdict(v) if isinstance(v, Rate) else v for k, v in d.items()} for name, d in lines.items()}
    if a.details:
        a.details.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    if a.json and str(a.json) == "-":
        print(json.dumps(document, indent=1))
        return 0
    if a.json:
        a.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(table(lines))
    return 0


def _run(a: argparse.Namespace) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    if not a.suites:
        raise UsageError("no suite given", hint="name folders with tasks.jsonl, or use --raw", code="usage")
    results: dict[str, list[Row]] = {}
    for folder in a.suites:
        domain, tasks = load_suite(folder, a.domains)
        if a.results:
            answer = results_answerer(a.results)
        else:
            from localgen.options import Options

            settings: dict[str, Any] = {"seed": a.seed, "ask": not a.no_ask} | ({"k": a.k} if a.k else {})
            answer = generator_answerer(domain, a.model, Options(**settings))
        results[folder.name] = evaluate(domain, tasks[: a.limit], answer)
    rows = [asdict(r) | {"folder": name} for name, found in results.items() for r in found]
    return report(results), rows


if __name__ == "__main__":
    sys.exit(main())
