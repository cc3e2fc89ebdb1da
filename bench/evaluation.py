"""Whether the evaluation scales with its processes: the same tasks with one, two, … of them.

    python bench/evaluation.py [--suite tests/heldout/irrigation] [--limit 16] [--processes 1 2 4]

A process loads the model once, so few tasks do not scale. Seconds are of the clock: on a machine that does other things
they say little, and the processor's seconds per task (loading included) say whether the processes are in each
other's way. The answers must be the same whatever their number.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def spent() -> float:
    """Processor seconds of this process and of those that it has ended."""
    uses = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(u.ru_utime + u.ru_stime for u in uses)


def measure(suite: Path, limit: int, count: int) -> tuple[float, float, list[dict[str, Any]]]:
    """(clock seconds, processor seconds, rows by task) of one evaluation with so many processes."""
    from localgen_bundle.default import model_path
    from localgen_training.evaluation.tasks import held_out
    from localgen_training.evaluation.work import Order, do_all
    from localgen_training.run_config import Evaluation

    settings = Evaluation(processes=count, samples=0, unconstrained=False)
    with tempfile.TemporaryDirectory() as folder:
        begin, cpu = time.perf_counter(), spent()
        rows = list(do_all([held_out(suite, limit)], Order(model_path(), settings, 0), Path(folder) / "rows.jsonl"))
        taken = time.perf_counter() - begin, spent() - cpu
    return *taken, sorted(({k: v for k, v in r.items() if k != "seconds"} for r in rows), key=lambda r: str(r["id"]))


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Evaluation over processes.")
    parser.add_argument("--suite", type=Path, default=ROOT / "tests" / "heldout" / "irrigation")
    parser.add_argument("--limit", type=int, default=16)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4])
    args = parser.parse_args(argv)
    os.environ["OMP_NUM_THREADS"] = "1"  # so that one process does not use the processors of the others
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    print(f"{len(os.sched_getaffinity(0))} processors, load of the machine {load}")
    print(f"{'processes':>10}{'tasks/s':>10}{'times one':>11}{'processor s/task':>18}{'same answers':>14}")
    first: tuple[float, list[dict[str, Any]]] | None = None
    for count in args.processes:
        seconds, cpu, rows = measure(args.suite, args.limit, count)
        one, same = first = first or (seconds, rows)
        alike = "yes" if rows == same else "NO"
        figures = f"{len(rows) / seconds:>10.2f}{one / seconds:>11.2f}{cpu / len(rows):>18.2f}"
        print(f"{count:>10}{figures}{alike:>14}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
