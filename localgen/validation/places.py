"""From offsets in the text that is checked to offsets in the file as it is: its own line ends, and bytes."""

from __future__ import annotations

import re
from bisect import bisect_left
from itertools import accumulate

_STEP = 4096


def unified(text: str) -> str:
    """The text with newlines as its only line ends, as Tcl reads a file."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


class Places:
    """The places of one file."""

    def __init__(self, original: str) -> None:
        self._original = original
        # Offsets in the unified text of the newlines that are two characters in the file.
        self._wide = [m.start() - i for i, m in enumerate(re.finditer("\r\n", original))]
        ends = original.count("\n") + original.count("\r") - len(self._wide)
        self._line_end = "\r\n" if 2 * len(self._wide) > ends else "\n"
        self._bytes: list[int] | None = None

    def offset(self, at: int) -> int:
        """The offset in the file of an offset in the unified text."""
        return at + bisect_left(self._wide, at)

    def text(self, text: str) -> str:
        """New text with the line ends that most lines of the file have."""
        return text.replace("\n", self._line_end)

    def byte(self, at: int) -> int:
        """The offset in the file's UTF-8 form of an offset in the file."""
        if self._original.isascii():
            return at
        if self._bytes is None:
            steps = range(0, len(self._original), _STEP)
            self._bytes = [0, *accumulate(_size(self._original[i : i + _STEP]) for i in steps)]
        step = at // _STEP
        return self._bytes[step] + _size(self._original[step * _STEP : at])


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
