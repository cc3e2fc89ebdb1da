"""From offsets to lines, columns and bytes."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from itertools import accumulate, count
from operator import add


class Lines:
    """The line table of one text."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _starts(self) -> list[int]:
        """Where each line begins."""
        ends = map(add, accumulate(map(len, self._text.split("\n"))), count(1))
        return [0, *ends][:-1]

    def position(self, offset: int) -> tuple[int, int]:
        """(line, column), both from 1, columns in characters."""
        offset = max(0, min(offset, len(self._text)))
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def places(self, start: int, end: int) -> tuple[int, int, int, int]:
        """Line and column of both ends of a range within the text."""
        starts = self._starts
        line = bisect_right(starts, start)
        column = start - starts[line - 1] + 1
        if line == len(starts) or end < starts[line]:
            return line, column, line, column + end - start
        return line, column, *self.position(end)

    def span(self, line: int) -> tuple[int, int]:
        """Where a line (from 1) begins and ends, its newline left out; of a number beyond the last line, that one."""
        line = max(1, min(line, len(self._starts)))
        return self._starts[line - 1], self._starts[line] - 1 if line < len(self._starts) else len(self._text)

    def byte(self, offset: int) -> int:
        """The offset in the text's UTF-8 form."""
        return len(self._text[:offset].encode("utf-8", "surrogatepass"))
