"""The file as it is, beside the text that is checked: its own line ends, its bytes, and those that are not UTF-8."""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import cached_property
from itertools import accumulate

_STEP = 4096
_ALIEN = re.compile("[\\udc80-\\udcff]")


def unified(text: str) -> str:
    """The text that offsets, lines and columns of a report are about.

    Line ends are newlines, and bytes that are not UTF-8 are the characters of that number, as Tcl 8.6 reads them.
    """
    out = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    return out if first_alien(text) is None else _ALIEN.sub(lambda m: chr(_byte(m)), out)


def first_alien(text: str) -> tuple[int, int] | None:
    """The first byte that is not UTF-8, as `surrogateescape` decodes it: its offset in the unified text, and itself."""
    found = None if text.isascii() else _ALIEN.search(text)
    if found is None:
        return None
    return found.start() - text.count("\r\n", 0, found.start()), _byte(found)


class Original:
    """Places and words of one file."""

    def __init__(self, text: str) -> None:
        self.content = text
        self._bytes: list[int] | None = None

    @cached_property
    def _wide(self) -> list[int]:
        """Offsets in the unified text of the newlines that are two characters in the file."""
        found = re.finditer("\r\n", self.content) if "\r" in self.content else ()
        return [m.start() - i for i, m in enumerate(found)]

    @cached_property
    def _line_end(self) -> str:
        ends = self.content.count("\n") + self.content.count("\r") - len(self._wide)
        return "\r\n" if 2 * len(self._wide) > ends else "\n"

    def offset(self, at: int) -> int:
        """The offset in the file of an offset in the unified text."""
        return at + bisect_left(self._wide, at)

    def text(self, text: str) -> str:
        """New text with the line ends that most lines of the file have."""
        return text.replace("\n", self._line_end)

    def byte(self, at: int) -> int:
        """The offset in the file's bytes of an offset in the file."""
        if self.content.isascii():
            return at
        if self._bytes is None:
            steps = range(0, len(self.content), _STEP)
            self._bytes = [0, *accumulate(_size(self.content[i : i + _STEP]) for i in steps)]
        step = at // _STEP
        return self._bytes[step] + _size(self.content[step * _STEP : at])


def _byte(alien: re.Match[str]) -> int:
    return ord(alien.group()) - 0xDC00


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass")) - 2 * len(_ALIEN.findall(text))
