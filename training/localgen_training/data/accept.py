"""Which rows of the chunks are kept: no near-duplicates, no category beyond its share, as many as are asked for.

Rows are judged in the order of the chunks, so that what is kept does not depend on who made which chunk when.
"""

from __future__ import annotations

from collections import Counter

from ..examples import Example
from .dedupe import NearDuplicates
from .settings import CATEGORY_SHARES, DataSettings

# What a category may have beyond its share, so that others can stand in for what a domain lacks.
_ROOM = 1.25
_ASKING = frozenset({"clarification", "refusal"})
# Chunks in a row that bring next to nothing: then shares count no longer, then there is no more to be had.
_STALLED, _EXHAUSTED = 4, 12
_NOTHING = 3


class Acceptor:
    """Keeps count; show it every row of every chunk in order."""

    def __init__(self, settings: DataSettings, duplicates: NearDuplicates) -> None:
        self._num = settings.num
        self._duplicates = duplicates
        self._caps = {
            c: round(share / 100 * settings.num * (1.0 if c in _ASKING else _ROOM)) + (0 if c in _ASKING else 10)
            for c, share in CATEGORY_SHARES.items()
        }
        self._kept: Counter[str] = Counter()
        self._stalled = 0
        self.kept = 0
        self.refused: Counter[str] = Counter()

    def accepts(self, example: Example) -> bool:
        """Whether this row is kept."""
        category = "clarification" if example.category in _ASKING else example.category
        if self.full:
            return False
        if self._stalled < _STALLED and self._kept[category] >= self._caps[category]:
            self.refused["more of its category than its share"] += 1
            return False
        if self._duplicates.seen(f"{example.instruction}\n{example.response}"):
            self.refused["near-duplicate"] += 1
            return False
        self._kept[category] += 1
        self.kept += 1
        return True

    def after_chunk(self, kept: int) -> None:
        """Note how many rows of a chunk were kept."""
        self._stalled = self._stalled + 1 if kept < _NOTHING else (self._stalled if self._stalled >= _STALLED else 0)

    @property
    def full(self) -> bool:
        """Whether as many rows are kept as were asked for."""
        return self.kept >= self._num

    @property
    def done(self) -> bool:
        """Whether no further chunk is needed, or of any use."""
        return self.full or self._stalled >= _EXHAUSTED
