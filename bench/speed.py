"""How long a script takes, from process start to the script, as a user waits for it.

    python bench/speed.py [--runs 5] [--instruction examples/task.txt]

Medians over processes of their own, after one run that fills the caches. The parts are those of `--json`; the rest is
the interpreter's start and the reading of files.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def run(*args: str) -> tuple[float, str]:
    """(seconds, standard output) of a Python process with these arguments.

    Raises:
        SystemExit: the process failed.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path[1:] if p)}
    start = time.perf_counter()
    done = subprocess.run([sys.executable, *args], cwd=ROOT, env=environment, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        sys.exit(f"{' '.join(args)}: exit status {done.returncode}\n{done.stderr}")
    return seconds, done.stdout


def median_of(runs: int, *args: str) -> float:
    """Median seconds of a process."""
    return statistics.median(run(*args)[0] for _ in range(runs))


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Time from process start to script.")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--instruction", default="examples/task.txt")
    args = parser.parse_args(argv)
    generate = ("-m", "localgen", "generate", "--instruction", args.instruction, "--json", "--out", os.devnull)
    first, _ = run(*generate)
    seconds: list[float] = []
    documents = []
    for _ in range(args.runs):
        taken, out = run(*generate)
        seconds.append(taken)
        documents.append(json.loads(out))
    total = statistics.median(seconds)
    print(f"{'process start to script, median of ' + str(args.runs):<46}{total:>8.2f} s")
    print(f"{'  the slowest of them':<46}{max(seconds):>8.2f} s")
    print(f"{'  the first run, which may build the index':<46}{first:>8.2f} s")
    parts = {
        part: statistics.median(d["timings"].get(part, 0.0) for d in documents) for part in documents[0]["timings"]
    }
    for part, value in parts.items():
        print(f"  {part:<44}{value:>8.2f} s")
    print(f"  {'the rest':<44}{total - sum(parts.values()):>8.2f} s")
    tokens = statistics.median(d["tokens"] for d in documents)
    if parts.get("decode"):
        print(f"{'tokens over all candidates':<46}{tokens:>8.0f}  ({tokens / parts['decode']:.0f} a second)")
    print(f"{'generate --help':<46}{median_of(args.runs, '-m', 'localgen', 'generate', '--help'):>8.3f} s")
    bare = median_of(args.runs, "-c", "pass")
    for module in ("localgen.commands.generate", "localgen.pipeline"):
        print(f"{'import ' + module:<46}{median_of(args.runs, '-c', f'import {module}') - bare:>8.3f} s")
    print(f"{'python -c pass':<46}{bare:>8.3f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
