"""Evaluates a run's model: suites, with and without the constraint, in several processes.

    python -m localgen_training.evaluation.command --run training/runs/pnr --data training/data/pnr

Leaves eval.json (figures) and eval-rows.jsonl (every task's answer and scores) in the run folder. The same seed, model
and settings give the same figures, whatever the number of processes; after a kill it goes on with the tasks left.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from localgen_bundle.domains import resolve_domain
from localgen_retrieval.errors import ModelError, UsageError

from ..evaluate import default_suites
from ..export.quantise import quantised_path
from ..measures import table
from ..run_config import RunConfig, load_config
from ..stage import run_stage
from .figures import MODES, errors, lines, mode
from .own_rows import exact_answers
from .tasks import TaskSet, held_out, split_tasks
from .work import Order, do_all, processes

REPORT, ROWS = "eval.json", "eval-rows.jsonl"


def exported_model(run: Path, config: RunConfig) -> Path:
    """The GGUF that the run's export and quantise stages leave."""
    return run / "model.gguf" if config.kind == "virtual" else quantised_path(run, config.quantisation)


def task_sets(run: Path, data: Path | None, config: RunConfig) -> list[TaskSet]:
    """The sets that the config names; else all held-out suites (virtual), or the domains' and the test split (base).

    Raises:
        UsageError: nothing to evaluate on.
    """
    e = config.eval
    folders = [Path(s) for s in e.suites]
    sets: list[TaskSet] = []
    if not folders and config.kind == "virtual":
        folders = default_suites()
    elif not folders:
        domains = [resolve_domain(d) for d in config.domains(run.resolve().name)]
        folders = [p for p in default_suites() if p.name in [d.name for d in domains]]
        if data is not None and (data / "test.jsonl").is_file():
            share = max(1, e.test_tasks // len(domains))
            split = [split_tasks(data / "test.jsonl", d, share, config.seed) for d in domains]
            sets += [s for s in split if s.tasks]
    sets = [*(held_out(f, e.limit) for f in folders), *sets]
    if not any(s.tasks for s in sets):
        raise UsageError(
            "there is nothing to evaluate on",
            hint="name folders with tasks.jsonl (--suite), or make data: localgen-train data", code="suite-missing",
        )  # fmt: skip
    return sets


def evaluate_run(run: Path, data: Path | None, model: Path | None = None) -> dict[str, Any]:
    """Evaluate, write eval.json and eval-rows.jsonl, and return the figures.

    Raises:
        ModelError: the run has no exported model yet.
        UsageError: nothing to evaluate on, or a suite that is none.
    """
    config = load_config(run)
    path = model or exported_model(run, config)
    if not path.is_file():
        raise ModelError(f"{path}: no such model", hint=f"make it: localgen-train all --name {run.name}",
                         code="run-incomplete")  # fmt: skip
    sets = task_sets(run, data, config)
    total = sum(len(s.tasks) for s in sets)
    run.mkdir(parents=True, exist_ok=True)
    order = Order(path, config.eval, config.seed)
    count = processes(config.eval, path, total)
    print(f"eval: {total} tasks, {count} processes", file=sys.stderr)
    begin, rows = time.monotonic(), []
    kept = run / f"{ROWS}.partial"
    for row in do_all(sets, order, kept):
        rows.append(row)
        _progress(len(rows), total, time.monotonic() - begin)
    own = None
    if config.kind == "base" and data is not None and config.eval.test_tasks:
        e = config.eval
        own = exact_answers(path, data / "test.jsonl", e.test_tasks, seed=config.seed, limit=e.max_tokens)
    places = {f"{s.name}/{t.id}": i for i, (s, t) in enumerate((s, t) for s in sets for t in s.tasks)}
    rows.sort(key=lambda r: places[f"{r['set']}/{r['id']}"])
    document = {
        "model": path.name, "seed": config.seed, "tasks": total, "processes": count,
        "wall_seconds": round(time.monotonic() - begin, 1), "settings": config.eval.model_dump(mode="json"),
        "lines": lines(rows), "test_rows": own, **{m: mode(rows, m) for m in MODES}, "failures": errors(rows),
    }  # fmt: skip
    plain: dict[str, Any] = json.loads(json.dumps(document, default=_plain))
    _write(run / ROWS, "".join(json.dumps(r) + "\n" for r in rows))
    _write(run / REPORT, json.dumps(plain, indent=1) + "\n")
    kept.unlink(missing_ok=True)
    print(table(document["lines"]))  # type: ignore[arg-type]
    return plain


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(type(value).__name__)


def _write(path: Path, text: str) -> None:
    partial = path.with_name(path.name + ".writing")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _progress(done: int, total: int, seconds: float) -> None:
    left = int(seconds / done * (total - done))
    end = "\r" if sys.stderr.isatty() and done < total else "\n"
    if end == "\r" or done == total or done % max(1, total // 20) == 0:
        print(f"eval: {done}/{total} tasks  ETA {left // 60}:{left % 60:02}", end=end, file=sys.stderr, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Evaluate a run."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--run", type=Path, required=True)
    ap.add_argument("--data", type=Path, help="folder with test.jsonl")
    ap.add_argument("--model", type=Path, help="a GGUF file (default: the run's)")
    a = ap.parse_args(argv)

    def work() -> None:
        evaluate_run(a.run, a.data, a.model)

    return run_stage(work)


if __name__ == "__main__":
    sys.exit(main())
