"""The data stage: validated examples per second and core, memory by size, and what the rows are made of.

    python bench/data.py [--domain pnr] [--sizes 5000 50000]

Each size is a process of its own with one job. Speed is by CPU time of the whole stage (making, validating, duplicates,
writing), so that a busy machine does not count; "rows alone" is making and validating. Memory is the process's largest
resident set.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_ROWS = 10


def measure(domain: str, num: int, out: str) -> dict[str, Any]:
    """Figures of one data set, made in this process."""
    from localgen_training.data.rows import RowMaker
    from localgen_training.data.settings import DataSettings, read_material
    from localgen_training.data.writer import make_data

    settings = DataSettings((domain,), num=num, spread=0)
    maker = RowMaker(settings, read_material(settings))
    maker.chunk(0)  # families are read, grammars compiled
    begin = time.process_time()
    rows = sum(len(maker.chunk(number).rows) for number in range(1, 1 + _ROWS))
    alone = rows / (time.process_time() - begin)
    begin = time.process_time()
    facts = make_data(settings, Path(out) / "d", jobs=1, report=lambda _: None)
    seconds = time.process_time() - begin
    return {
        "num": num,
        "kept": facts["telemetry"]["kept"],
        "passed": facts["telemetry"]["passed"],
        "tried": facts["telemetry"]["tried"],
        "seconds": seconds,
        "alone": alone,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "distinct": facts["diversity"]["instructions"]["3-grams"]["share"],
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Speed and memory of the data stage.")
    parser.add_argument("--domain", default="pnr")
    parser.add_argument("--sizes", type=int, nargs="+", default=[5000, 50_000])
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.one:
        with tempfile.TemporaryDirectory() as out:
            print(json.dumps(measure(args.domain, args.one, out)))
        return 0
    heads = ("examples", "tried", "passed", "kept/s")
    print("".join(f"{h:>9}" for h in heads) + f"{'rows alone/s':>14}{'memory':>10}{'distinct 3-grams':>18}")
    for size in args.sizes:
        command = [sys.executable, __file__, "--domain", args.domain, "--one", str(size)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        f = json.loads(done.stdout)
        print(
            f"{f['kept']:>9}{f['tried']:>9}{f['passed']:>9}{f['kept'] / f['seconds']:>9.0f}{f['alone']:>14.0f}"
            f"{f['memory']:>7.0f} MB{f['distinct']:>18.1%}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
