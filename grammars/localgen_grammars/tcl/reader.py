"""Reads commands, words and substitutions at a place of a text: the twelve rules of Tcl(n), with recovery.

A hand-written parser: it knows what a command, a word and a substitution is, and *not* what any command means. An
error ends its command only: parsing goes on at a place that indentation suggests, so that one dropped brace gives one
finding.
Most words are plain, so each is tried with one regular expression first, its blanks included.

Problem kinds: missing-brace, missing-quote, missing-bracket, missing-paren, missing-variable-brace, extra-after-brace,
extra-after-quote, too-deep.
"""

from __future__ import annotations

import re

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
from localgen_grammars.tcl.recovery import guess_close
from localgen_grammars.tcl.source import Source

MAX_DEPTH = 60  # nested brackets and array indices: far more than scripts have, far less than Python's stack

_BLANK = r"[ \t\v\f\r]"
_GAP = re.compile(rf"(?:{_BLANK}|\\\n)+")
_BETWEEN = re.compile(r"(?:[ \t\v\f\r\n;]|\\\n)+")
_COMMENT = re.compile(r"#[^\\\n]*(?:\\.[^\\\n]*)*\\?", re.DOTALL)
_NAME = r"(?:[A-Za-z0-9_]++|::++)++"
_VARIABLE = re.compile(_NAME)
# By what ends the whole: literal text (group 1), or a variable without index (group 2: its name).
_PIECE = {
    mode: re.compile(rf"([^{ends}$\[\\]++)|\$({_NAME})(?!\()")
    for mode, ends in {
        "top": r" \t\v\f\r\n;",
        "nested": r" \t\v\f\r\n;\]",
        "quoted": '"',
        "index": ")",
        "text": "",
    }.items()
}
# A plain word, and the blanks after it: bare (group 1), one variable (2: its name), in quotes without substitutions
# (3), in braces without braces (4).
_SIMPLE = {
    nested: re.compile(
        rf'(?:([^ \t\v\f\r\n;$\[\]\\{{"][^ \t\v\f\r\n;$\[\]\\]*+)|\$({_NAME})'
        r'|"([^"$\[\\]*+)"|\{([^{}\\]*+)\})'
        rf"(?:(?:{_BLANK}++|\\\n)++|(?=[\n;{close}])|\Z)"
    )
    for nested, close in ((False, ""), (True, r"\]"))
}
_SPACES = " \t\v\f\r"
_AFTER_WORD = frozenset(" \t\v\f\r\n;")
_RAN_OUT = frozenset(("missing-quote", "missing-bracket", "missing-paren", "missing-variable-brace"))


class Broken(Exception):
    """An error inside the current command."""

    def __init__(self, kind: str, message: str, start: int, end: int, hint: str = "") -> None:
        super().__init__(message)
        self.problem = SyntaxProblem(kind, message, start, end, hint)


class Reader:
    """Parses one range of a text, up to `end`."""

    def __init__(self, source: Source, end: int) -> None:
        self.source = source
        self.text = source.text
        self.end = end
        self.nesting = 0

    def script(self, start: int, depth: int) -> Script:
        """Commands up to the range's end, with recovery (depth 0), or up to `]` (depth > 0; `end` is at the `]`)."""
        text, end, noted = self.text, self.end, self.source.noted
        script = Script(start, end)
        pos = start
        while True:
            if (gap := _BETWEEN.match(text, pos, end)) is not None:
                pos = gap.end()
            if pos >= end:
                if depth:
                    raise Broken("missing-bracket", "missing close-bracket", start - 1, start)
                return script
            char = text[pos]
            if char == "#":
                m = _COMMENT.match(text, pos, end)
                assert m is not None
                script.comments.append(Comment(pos, m.end()))
                pos = m.end()
                continue
            if depth and char == "]":
                script.end = pos
                return script
            words: list[Word] = []
            found = len(noted)
            try:
                after = self.command(pos, words, depth)
            except Broken as e:
                if depth:
                    raise self._outermost(e, "missing-bracket", "missing close-bracket", start - 1) from None
                self.nesting = 0
                noted.append(e.problem)
                after = self._resume(e.problem, pos)
                if words:
                    script.commands.append(Command(pos, max(words[-1].end, pos), tuple(words), broken=True))
                pos = after
                continue
            script.commands.append(Command(pos, words[-1].end, tuple(words), len(noted) > found))
            pos = after

    def command(self, pos: int, words: list[Word], depth: int) -> int:
        """Append the words of the command at `pos`; the offset of what ended it."""
        text, end = self.text, self.end
        simple = _SIMPLE[depth > 0].match
        ends = "\n;]" if depth else "\n;"
        while True:
            m = simple(text, pos, end)
            if m is None:
                word = self.word(pos, depth)
                words.append(word)
                pos = word.end
                if (gap := _GAP.match(text, pos, end)) is not None:
                    pos = gap.end()
            else:
                which = m.lastindex
                if which == 1:
                    after = m.end(1)
                    words.append(Word(pos, after, "bare", pos, after, m[1]))
                elif which == 2:
                    after = m.end(2)
                    words.append(Word(pos, after, "bare", pos, after, None, (Variable(pos, after, m[2]),)))
                elif which == 3:
                    after = m.end(3)
                    words.append(Word(pos, after + 1, "quoted", pos + 1, after, m[3]))
                else:
                    after = m.end(4)
                    words.append(Word(pos, after + 1, "braced", pos + 1, after, m[4]))
                pos = m.end()
            if pos >= end or text[pos] in ends:
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
                raise Broken("missing-quote", 'missing "', pos, pos + 1)
            self._check_end("quote", pos, at + 1, depth)
            return Word(start, at + 1, "quoted", pos + 1, at, *_value(parts), expand)
        parts, at = self.parts(pos, "nested" if depth else "top", depth)
        return Word(start, at, "bare", pos, at, *_value(parts), expand)

    def _braced(self, start: int, pos: int, expand: bool, depth: int) -> Word:
        text, end = self.text, self.end
        close = self.source.braces(pos, end)
        unclosed = False
        if close is None:
            problem = Broken("missing-brace", "missing close-brace", pos, pos + 1)
            if depth:
                raise problem
            inner_end, close = guess_close(text, pos, end)
            self.source.noted.append(problem.problem)
            unclosed = True
        else:
            inner_end = close - 1
            if close < end and text[close] not in _AFTER_WORD:
                self._check_end("brace", pos, close, depth)
        inner = join_lines(text[pos + 1 : inner_end])
        return Word(start, close, "braced", pos + 1, inner_end, inner, None, expand, unclosed)

    def parts(self, pos: int, mode: str, depth: int) -> tuple[tuple[Part, ...], int]:
        """Literal text and substitutions up to what ends the mode: a separator, `"`, `)` or the range's end."""
        text, end, piece = self.text, self.end, _PIECE[mode].match
        parts: list[Part] = []
        self.nesting += 1
        if self.nesting > MAX_DEPTH:
            raise Broken("too-deep", "too many nested substitutions", pos - 1, pos)
        while pos < end:
            if (m := piece(text, pos, end)) is not None:
                after = m.end()
                parts.append(Text(pos, after, m[1]) if m.lastindex == 1 else Variable(pos, after, m[2]))
                pos = after
                continue
            char = text[pos]
            if char == "$":
                part, pos = self.variable(pos, depth)
                parts.append(part)
            elif char == "[":
                parts.append(self.bracket(pos, depth))
                pos = parts[-1].end
            elif char == "\\":
                if mode in ("top", "nested") and text.startswith("\n", pos + 1) and pos + 1 < end:
                    break
                value, after = read_escape(text, pos, end)
                parts.append(Text(pos, after, value, escape=True))
                pos = after
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
                raise Broken("missing-variable-brace", "missing close-brace for variable name", pos, pos + 2)
            return Variable(pos, close + 1, text[at + 1 : close], braced=True), close + 1
        m = _VARIABLE.match(text, at, end)
        name_end = m.end() if m else at
        if name_end < end and text[name_end] == "(":
            try:
                index, after = self.parts(name_end + 1, "index", depth)
            except Broken as e:
                raise self._outermost(e, "missing-paren", "missing )", name_end) from None
            if after >= end:
                raise Broken("missing-paren", "missing )", name_end, name_end + 1)
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
        broken = Broken(f"extra-after-{what}", f"extra characters after close-{what}", pos, pos + 1, hint)
        if what == "quote" and spans_lines:
            raise broken
        # As if a space stood there: the rest of the command stays in step.
        self.source.noted.append(broken.problem)

    def _outermost(self, inner: Broken, kind: str, message: str, opened: int) -> Broken:
        """What an error inside a bracket or index means: where both ran out of text, the one opened lines before."""
        if inner.problem.kind in _RAN_OUT and "\n" in self.text[opened : inner.problem.start]:
            return Broken(kind, message, opened, opened + 1)
        return inner

    def _resume(self, problem: SyntaxProblem, command_start: int) -> int:
        """Where to go on after a broken command: the line after the one with the cause."""
        opened = problem.start
        if problem.kind == "extra-after-quote" and problem.hint:
            # A quote missing somewhere above turned strings inside out: the lines in between are real commands.
            opened = command_start
        at = self.text.find("\n", opened, self.end)
        return self.end if at < 0 else at


def _value(parts: tuple[Part, ...]) -> tuple[str | None, tuple[Part, ...] | None]:
    """A word's value (None: only a run can tell) and the parts that it must keep."""
    if len(parts) == 1:
        only = parts[0]
        if isinstance(only, Text):
            return only.value, parts if only.escape else None
        return None, parts
    if not parts:
        return "", None
    if all(isinstance(p, Text) for p in parts):
        return "".join(p.value for p in parts if isinstance(p, Text)), parts
    return None, parts
