"""How well the procs outside a pack fit the instruction: scores of all names that a text may become, by bisection."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Set

import numpy as np
from numpy.typing import NDArray

from localgen_retrieval.once import once_per_catalog
from localgen_retrieval.retrieve import Ranking
from localgen_retrieval.symbols import Symbol

# A proc of the tail beside one of the pack with the same score, in z-scores: its arguments were not read.
OUTSIDE = 1.0
# The share of the best score, in nats, below which one counts as this.
LEAST = 30.0
_BEHIND = re.compile(r"[ \n]")


class TailScores:
    """The votes of a tail, added up over every name that a text leads to.

    Args:
        names: those of the tail. weight: share of the vote, in nats a z-score.
    """

    def __init__(self, ranking: Ranking, names: Set[str], weight: float) -> None:
        self._names, where = _by_name(ranking.symbols)
        mine = np.array([name in names for name in self._names], bool)
        votes = weight * (ranking.scores[where].astype(np.float64) - OUTSIDE)
        self._best = float(votes[mine].max()) if mine.any() else 0.0
        shares = np.where(mine, np.exp(np.maximum(np.minimum(votes - self._best, 0.0), -LEAST)), 0.0)
        self._sums, self._counts = np.concatenate(([0.0], shares.cumsum())), np.concatenate(([0], mine.cumsum()))

    def count(self, start: str) -> int:
        """How many names begin so."""
        return int(self._counts[self._end(start)] - self._counts[bisect_left(self._names, start)])

    def leading(self, text: str) -> list[float]:
        """The vote of the names that a text begins, or just has ended, in nats; none for none."""
        head = _BEHIND.split(text, maxsplit=1)[0]
        low = bisect_left(self._names, head)
        if head == text:
            high = self._end(text)
        else:  # it has ended: one name alone
            high = low + (self._names[low : low + 1] == [head])
        total = float(self._sums[high] - self._sums[low])
        return [self._best + float(np.log(total))] if total > 0 else []

    def _end(self, start: str) -> int:
        return bisect_right(self._names, start + chr(0x10FFFF))


@once_per_catalog
def _by_name(symbols: tuple[Symbol, ...]) -> tuple[list[str], NDArray[np.intp]]:
    """The names of all procs in order, and where each is among the symbols."""
    found = sorted((s.name, i) for i, s in enumerate(symbols) if s.kind == "proc")
    return [name for name, _ in found], np.array([i for _, i in found], np.intp)
