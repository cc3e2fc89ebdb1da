"""What ranking is worth: how often the chosen candidate is right, the first one, and any of them, on held-out tasks.

    python bench/ranking.py [--attempts FILE] [--fresh] [--folders NAME…]

`greedy` is the first candidate alone (the likeliest token always), `rank` the choice by text alone, `choice` with votes
of traces and the likeness of the script's English, `any` whether some candidate is right (pass@k). The rows below say
what is lost where one of the reasons is left out; the weights were set on the tuning domains.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from _attempts import ATTEMPTS, OTHERS, TUNING, Judged, TaskAttempt, kept

from localgen import choose
from localgen.options import Options
from localgen.rank import AGREEMENT, COVERAGE, FIT

Score = Callable[[Judged], float]


def valid_first(s: Judged) -> float:
    """What every way of choosing has: a valid script goes first."""
    return -choose.INVALID * (not s.valid) - choose.DROPPED * s.dropped


def votes(s: Judged) -> float:
    """The votes of traces."""
    return choose.VOTES * math.log(max(s.agreement, 1e-6))


def english(s: Judged) -> float:
    """The likeness of the script's English."""
    return choose.SIMILARITY * s.similarity


def whole(s: Judged) -> float:
    """All of it."""
    return s.base + votes(s) + english(s) + valid_first(s)


WAYS: dict[str, Score] = {
    "rank": lambda s: s.base + valid_first(s),
    "choice": whole,
}
WITHOUT: dict[str, Score] = {
    "votes of traces": lambda s: whole(s) - votes(s),
    "likeness of the English": lambda s: whole(s) - english(s),
    "log probability": lambda s: whole(s) - s.log_prob,
    "votes of texts": lambda s: whole(s) - AGREEMENT * math.log(s.share),
    "coverage": lambda s: whole(s) - COVERAGE * s.coverage,
    "fit of the procs": lambda s: whole(s) - FIT * s.fit,
    "all but validity": valid_first,
}


def right(rows: Sequence[TaskAttempt], score: Score) -> int:
    """How many tasks the best by a score is right for."""
    return sum(max(r.scripts, key=score).right for r in rows if r.scripts)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--attempts", type=Path, default=ATTEMPTS, help="what was attempted is kept there")
    ap.add_argument("--fresh", action="store_true", help="attempt all tasks again")
    ap.add_argument("--folders", nargs="*", default=[*TUNING, *OTHERS])
    a = ap.parse_args(argv)
    rows = [r for r in kept(a.attempts, a.folders, Options(ask=False), fresh=a.fresh) if r.expect == "script"]
    groups = {name: [r for r in rows if r.folder == name] for name in a.folders}
    groups["tuning"] = [r for r in rows if r.folder in TUNING]
    groups["others"] = [r for r in rows if r.folder not in TUNING]
    groups["all"] = rows
    print(f"{'pass@1':<14}{'tasks':>6}{'greedy':>9}{'rank':>9}{'choice':>9}{'any':>9}")
    for name, mine in groups.items():
        if not mine:
            continue
        greedy = sum(any(s.greedy and s.right for s in r.scripts) for r in mine)
        some = sum(any(s.right for s in r.scripts) for r in mine)
        found = [greedy, *(right(mine, way) for way in WAYS.values()), some]
        print(f"{name:<14}{len(mine):>6}" + "".join(f"{n:>4} {n / len(mine):.2f}" for n in found))
    print("\nchoice without            tuning  others")
    for name, score in WITHOUT.items():
        print(f"{name:<25}" + "".join(f"{right(groups[g], score):>7}" for g in ("tuning", "others")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
