"""A parsed Tcl text: its commands, the bodies in it on request, and every syntax error met.

What a command, a word and a substitution is, `reader` knows; which command has which bodies is `bodies`' business.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from localgen_grammars.tcl.nodes import Part, Script, Substitution, SyntaxProblem, Variable, Word
from localgen_grammars.tcl.reader import Broken, Reader
from localgen_grammars.tcl.source import Source


class Tree(Source):
    """A parsed text.

    Attributes:
        text: what was parsed.
        script: its commands; bodies are reached with `body`.
        noted: the syntax errors met so far, also those that `problems` leaves out.
        cache: what others found out about ranges of the text, by (what, start, end).
    """

    def __init__(self, text: str, *, parse: bool = True) -> None:
        super().__init__(text)
        self.cache: dict[tuple[str, int, int], Any] = {}
        self._bodies: dict[tuple[int, int], Script] = {}
        self._closed_outside: set[int] = set()
        self.script = Reader(self, len(text)).script(0, 0) if parse else Script(0, len(text))

    @property
    def problems(self) -> list[SyntaxProblem]:
        """The syntax errors found so far (asking for a body can add some)."""
        closed = self._closed_outside
        return [p for p in self.noted if p.kind != "missing-brace" or p.start not in closed]

    def body(self, word: Word) -> Script | None:
        """The word's text as a script, None where it is not literally in the text."""
        if word.value is None or not word.verbatim:
            return None
        return self.body_at(word.inner_start, word.inner_end, unclosed=word.start if word.unclosed else None)

    def body_at(self, start: int, end: int, *, unclosed: int | None = None) -> Script:
        """A range of the text as a script; `unclosed` is the offset of the brace whose partner was guessed."""
        key = (start, end)
        if key not in self._bodies:
            before = len(self.noted)
            self._bodies[key] = Reader(self, end).script(start, 0)
            if unclosed is not None and any(p.kind == "missing-brace" for p in self.noted[before:]):
                # The brace that is really missing is inside: the outer one was closed by its indentation.
                self._closed_outside.add(unclosed)
        return self._bodies[key]

    def substitutions(self, start: int, end: int) -> tuple[Part, ...]:
        """A range of the text as `subst` reads it."""
        try:
            return Reader(self, end).parts(start, "text", 0)[0]
        except Broken as e:
            self.noted.append(e.problem)
            return ()

    def variable(self, pos: int, end: int) -> tuple[Variable | None, int, SyntaxProblem | None]:
        """The variable whose `$` is at `pos` (None for a lone `$`), and the offset after it."""
        try:
            part, after = Reader(self, end).variable(pos, 0)
        except Broken as e:
            return None, pos, e.problem
        return (part if isinstance(part, Variable) else None), after, None

    def bracket(self, pos: int, end: int) -> tuple[Substitution | None, int, SyntaxProblem | None]:
        """The substitution whose `[` is at `pos`, and the offset after it."""
        try:
            part = Reader(self, end).bracket(pos, 0)
        except Broken as e:
            return None, pos, e.problem
        return part, part.end, None

    def quoted(self, pos: int, end: int) -> tuple[tuple[Part, ...], int, SyntaxProblem | None]:
        """The parts of the quoted string whose `"` is at `pos`, and the offset after its end."""
        try:
            parts, at = Reader(self, end).parts(pos + 1, "quoted", 0)
        except Broken as e:
            return (), pos, e.problem
        if at >= end:
            return parts, at, SyntaxProblem("missing-quote", 'missing "', pos, pos + 1)
        return parts, at + 1, None


def parse(text: str) -> Tree:
    """Parse a Tcl text. Never raises: errors are in `Tree.problems`."""
    return Tree(text)


def own_substitutions(parts: tuple[Part, ...]) -> Iterator[Substitution]:
    """The command substitutions of a word's parts, those in array indices included."""
    for part in parts:
        if isinstance(part, Substitution):
            yield part
        elif isinstance(part, Variable) and part.index:
            yield from own_substitutions(part.index)
