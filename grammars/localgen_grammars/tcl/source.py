"""A Tcl text while it is read: the text, the syntax errors noted in it, and where its braces close."""

from __future__ import annotations

from functools import cached_property

from localgen_grammars.tcl.nodes import SyntaxProblem
from localgen_grammars.tcl.recovery import closing_braces


class Source:
    """A text, the syntax errors noted in it, and where its braces close."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.noted: list[SyntaxProblem] = []

    def braces(self, pos: int, end: int) -> int | None:
        """The offset after the brace that closes the one at `pos`, None where there is none before `end`."""
        after = self._closes.get(pos)
        return after if after is not None and after <= end else None

    @cached_property
    def _closes(self) -> dict[int, int]:
        return closing_braces(self.text)
