"""Tcl's own syntax, the twelve rules of Tcl(n), with recovery after an error.

A hand-written parser: it knows what a command, a word and a substitution is, and *not* what any command means; bodies
are parsed on request (`Tree.body`), which command has which bodies is `bodies`' business. An error ends its command
only: parsing goes on at a place that indentation suggests, so that one dropped brace gives one finding.

Problem kinds: missing-brace, missing-quote, missing-bracket, missing-paren, missing-variable-brace, extra-after-brace,
extra-after-quote, too-deep.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from localgen_grammars.tcl.escapes import join_lines, read_escape
from localgen_grammars.tcl.nodes import (
    Command,
    Comment,
    Part,
    Script,
    Substitution,
    SyntaxProblem,
    Text,
    Variable,
    Word,
)
from localgen_grammars.tcl.recovery import closing_braces, guess_close

MAX_DEPTH = 60  # nested brackets and array indices: far more than scripts have, far less than Python's stack

_GAP = re.compile(r"(?:[ \t\v\f\r]|\\\n)+")
_BETWEEN = re.compile(r"(?:[ \t\v\f\r\n;]|\\\n)+")
_COMMENT = re.compile(r"#[^\\\n]*(?:\\.[^\\\n]*)*\\?", re.DOTALL)
_NAME = re.compile(r"(?:[A-Za-z0-9_]|::+)+")
_ENDS = {
    "top": re.compile(r"[^ \t\v\f\r\n;$\[\\]+"),
    "nested": re.compile(r"[^ \t\v\f\r\n;$\[\]\\]+"),
    "quoted": re.compile(r'[^"$\[\\]+'),
    "index": re.compile(r"[^)$\[\\]+"),
    "text": re.compile(r"[^$\[\\]+"),
}
_SPACES = " \t\v\f\r"
_RAN_OUT = frozenset(("missing-quote", "missing-bracket", "missing-paren", "missing-variable-brace"))


class _Broken(Exception):
    """An error inside the current command."""

    def __init__(self, kind: str, message: str, start: int, end: int, hint: str = "") -> None:
        super().__init__(message)
        self.problem = SyntaxProblem(kind, message, start, end, hint)


class Tree:
    """A parsed text.

    Attributes:
        text: what was parsed.
        script: its commands; bodies are reached with `body`.
        noted: the syntax errors met so far, also those that `problems` leaves out.
        cache: what others found out about ranges of the text, by (what, start, end).
    """

    def __init__(self, text: str, *, parse: bool = True) -> None:
        self.text = text
        self.noted: list[SyntaxProblem] = []
        self.cache: dict[tuple[str, int, int], Any] = {}
        self._bodies: dict[tuple[int, int], Script] = {}
        self._closed_outside: set[int] = set()
        self.script = _Parser(self, len(text)).script(0, 0) if parse else Script(0, len(text))

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
            self._bodies[key] = _Parser(self, end).script(start, 0)
            if unclosed is not None and any(p.kind == "missing-brace" for p in self.noted[before:]):
                # The brace that is really missing is inside: the outer one was closed by its indentation.
                self._closed_outside.add(unclosed)
        return self._bodies[key]

    def substitutions(self, start: int, end: int) -> tuple[Part, ...]:
        """A range of the text as `subst` reads it."""
        try:
            return _Parser(self, end).parts(start, "text", 0)[0]
        except _Broken as e:
            self.noted.append(e.problem)
            return ()

    def variable(self, pos: int, end: int) -> tuple[Variable | None, int, SyntaxProblem | None]:
        """The variable whose `$` is at `pos` (None for a lone `$`), and the offset after it."""
        try:
            part, after = _Parser(self, end).variable(pos, 0)
        except _Broken as e:
            return None, pos, e.problem
        return (part if isinstance(part, Variable) else None), after, None

    def bracket(self, pos: int, end: int) -> tuple[Substitution | None, int, SyntaxProblem | None]:
        """The substitution whose `[` is at `pos`, and the offset after it."""
        try:
            part = _Parser(self, end).bracket(pos, 0)
        except _Broken as e:
            return None, pos, e.problem
        return part, part.end, None

    def quoted(self, pos: int, end: int) -> tuple[tuple[Part, ...], int, SyntaxProblem | None]:
        """The parts of the quoted string whose `"` is at `pos`, and the offset after its end."""
        try:
            parts, at = _Parser(self, end).parts(pos + 1, "quoted", 0)
        except _Broken as e:
            return (), pos, e.problem
        if at >= end:
            return parts, at, SyntaxProblem("missing-quote", 'missing "', pos, pos + 1)
        return parts, at + 1, None

    def braces(self, pos: int, end: int) -> int | None:
        """The offset after the brace that closes the one at `pos`, None where there is none before `end`."""
        after = self._closes.get(pos)
        return after if after is not None and after <= end else None

    @cached_property
    def _closes(self) -> dict[int, int]:
        return closing_braces(self.text)


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


class _Parser:
    """Parses one range of a tree's text, up to `end`."""

    def __init__(self, tree: Tree, end: int) -> None:
        self.tree = tree
        self.text = tree.text
        self.end = end
        self.nesting = 0

    def script(self, start: int, depth: int) -> Script:
        """Commands up to the range's end, with recovery (depth 0), or up to `]` (depth > 0; `end` is at the `]`)."""
        text, end = self.text, self.end
        script = Script(start, end)
        pos = start
        while True:
            if (gap := _BETWEEN.match(text, pos, end)) is not None:
                pos = gap.end()
            if pos >= end:
                if depth:
                    raise _Broken("missing-bracket", "missing close-bracket", start - 1, start)
                return script
            if text[pos] == "#":
                m = _COMMENT.match(text, pos, end)
                assert m is not None
                script.comments.append(Comment(pos, m.end()))
                pos = m.end()
                continue
            if depth and text[pos] == "]":
                script.end = pos
                return script
            words: list[Word] = []
            found = len(self.tree.noted)
            try:
                after = self.command(pos, words, depth)
            except _Broken as e:
                if depth:
                    raise self._outermost(e, "missing-bracket", "missing close-bracket", start - 1) from None
                self.nesting = 0
                self.tree.noted.append(e.problem)
                after = self._resume(e.problem, pos)
                if words:
                    script.commands.append(Command(pos, max(words[-1].end, pos), tuple(words), broken=True))
                pos = after
                continue
            script.commands.append(Command(pos, words[-1].end, tuple(words), broken=len(self.tree.noted) > found))
            pos = after

    def command(self, pos: int, words: list[Word], depth: int) -> int:
        """Append the words of the command at `pos`; the offset of what ended it."""
        text, end = self.text, self.end
        while True:
            word = self.word(pos, depth)
            words.append(word)
            pos = word.end
            if (gap := _GAP.match(text, pos, end)) is not None:
                pos = gap.end()
            if pos >= end or text[pos] in "\n;" or (depth and text[pos] == "]"):
                return pos

    def word(self, pos: int, depth: int) -> Word:
        """The word at `pos`."""
        text, end = self.text, self.end
        start, expand = pos, False
        if text.startswith("{*}", pos) and pos + 3 < end and not self._ends_word(pos + 3, depth):
            expand = True
            pos += 3
        first = text[pos]
        if first == "{":
            return self._braced(start, pos, expand, depth)
        if first == '"':
            parts, at = self.parts(pos + 1, "quoted", depth)
            if at >= end:
                raise _Broken("missing-quote", 'missing "', pos, pos + 1)
            self._check_end("quote", pos, at + 1, depth)
            return Word(start, at + 1, "quoted", parts or (Text(at, at, ""),), pos + 1, at, expand)
        parts, at = self.parts(pos, "nested" if depth else "top", depth)
        return Word(start, at, "bare", parts, pos, at, expand)

    def _braced(self, start: int, pos: int, expand: bool, depth: int) -> Word:
        text, end = self.text, self.end
        close = self.tree.braces(pos, end)
        unclosed = False
        if close is None:
            problem = _Broken("missing-brace", "missing close-brace", pos, pos + 1)
            if depth:
                raise problem
            inner_end, close = guess_close(text, pos, end)
            self.tree.noted.append(problem.problem)
            unclosed = True
        else:
            inner_end = close - 1
            self._check_end("brace", pos, close, depth)
        inner = join_lines(text[pos + 1 : inner_end])
        return Word(
            start, close, "braced", (Text(pos + 1, inner_end, inner),), pos + 1, inner_end, expand, unclosed=unclosed
        )

    def parts(self, pos: int, mode: str, depth: int) -> tuple[tuple[Part, ...], int]:
        """Literal text and substitutions up to what ends the mode: a separator, `"`, `)` or the range's end."""
        text, end, plain = self.text, self.end, _ENDS[mode]
        parts: list[Part] = []
        self.nesting += 1
        if self.nesting > MAX_DEPTH:
            raise _Broken("too-deep", "too many nested substitutions", pos - 1, pos)
        while pos < end:
            char = text[pos]
            if (m := plain.match(text, pos, end)) is not None:
                parts.append(Text(pos, m.end(), m.group()))
                pos = m.end()
            elif char == "\\":
                if mode in ("top", "nested") and text.startswith("\n", pos + 1) and pos + 1 < end:
                    break
                value, after = read_escape(text, pos, end)
                parts.append(Text(pos, after, value, escape=True))
                pos = after
            elif char == "$":
                part, pos = self.variable(pos, depth)
                parts.append(part)
            elif char == "[":
                parts.append(self.bracket(pos, depth))
                pos = parts[-1].end
            else:
                break
        self.nesting -= 1
        return tuple(parts), pos

    def variable(self, pos: int, depth: int) -> tuple[Variable | Text, int]:
        """The substitution at a `$` (rule 8), or the `$` itself; and the offset after it."""
        text, end = self.text, self.end
        at = pos + 1
        if text.startswith("{", at) and at < end:
            close = text.find("}", at, end)
            if close < 0:
                raise _Broken("missing-variable-brace", "missing close-brace for variable name", pos, pos + 2)
            return Variable(pos, close + 1, text[at + 1 : close], braced=True), close + 1
        m = _NAME.match(text, at, end)
        name_end = m.end() if m else at
        if name_end < end and text[name_end] == "(":
            try:
                index, after = self.parts(name_end + 1, "index", depth)
            except _Broken as e:
                raise self._outermost(e, "missing-paren", "missing )", name_end) from None
            if after >= end:
                raise _Broken("missing-paren", "missing )", name_end, name_end + 1)
            return Variable(pos, after + 1, text[at:name_end], index=index), after + 1
        if m is None:
            return Text(pos, at, "$"), at
        return Variable(pos, name_end, m.group()), name_end

    def bracket(self, pos: int, depth: int) -> Substitution:
        """The command substitution at a `[`."""
        script = self.script(pos + 1, depth + 1)
        return Substitution(pos, script.end + 1, script)

    def _ends_word(self, pos: int, depth: int) -> bool:
        text, end = self.text, self.end
        if pos >= end:
            return True
        char = text[pos]
        if char in _SPACES or char in "\n;":
            return True
        if char == "]":
            return depth > 0
        return char == "\\" and text.startswith("\n", pos + 1) and pos + 1 < end

    def _check_end(self, what: str, opened: int, pos: int, depth: int) -> None:
        if self._ends_word(pos, depth):
            return
        hint = ""
        spans_lines = "\n" in self.text[opened:pos]
        if spans_lines:
            line = self.text.count("\n", 0, opened) + 1
            hint = f"it closes what was opened in line {line}: is a {what} missing?"
        broken = _Broken(f"extra-after-{what}", f"extra characters after close-{what}", pos, pos + 1, hint)
        if what == "quote" and spans_lines:
            raise broken
        # As if a space stood there: the rest of the command stays in step.
        self.tree.noted.append(broken.problem)

    def _outermost(self, inner: _Broken, kind: str, message: str, opened: int) -> _Broken:
        """What an error inside a bracket or index means: where both ran out of text, the one opened lines before."""
        if inner.problem.kind in _RAN_OUT and "\n" in self.text[opened : inner.problem.start]:
            return _Broken(kind, message, opened, opened + 1)
        return inner

    def _resume(self, problem: SyntaxProblem, command_start: int) -> int:
        """Where to go on after a broken command: the line after the one with the cause."""
        opened = problem.start
        if problem.kind == "extra-after-quote" and problem.hint:
            # A quote missing somewhere above turned strings inside out: the lines in between are real commands.
            opened = command_start
        at = self.text.find("\n", opened, self.end)
        return self.end if at < 0 else at
