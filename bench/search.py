"""What the ways of searching differ in: right scripts, how different the candidates are, and time.

    python bench/search.py [--folders NAME…] [--limit N] [--temperature T]

Times are those of this machine under whatever else runs on it.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence

from _attempts import TUNING, attempts

from localgen.decoder.search import SEARCHES
from localgen.options import Options


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--folders", nargs="*", default=[*TUNING])
    ap.add_argument("--limit", type=int, help="only the first N tasks of each folder")
    ap.add_argument("--temperature", type=float, default=0.3)
    a = ap.parse_args(argv)
    print(f"{'search':<10}{'tasks':>6}{'pass@1':>9}{'any':>9}{'distinct':>10}{'median s':>10}")
    for search in SEARCHES:
        options = Options(ask=False, search=search, temperature=a.temperature)
        rows = [r for r in attempts(a.folders, options, a.limit) if r.expect == "script"]
        right, some = sum(r.right for r in rows), sum(any(s.right for s in r.scripts) for r in rows)
        distinct = statistics.mean(len(r.scripts) for r in rows)
        seconds = statistics.median(r.seconds for r in rows)
        n = len(rows)
        print(f"{search:<10}{n:>6}{right:>4} {right / n:.2f}{some:>4} {some / n:.2f}{distinct:>10.2f}{seconds:>10.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
