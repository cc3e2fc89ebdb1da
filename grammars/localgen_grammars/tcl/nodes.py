"""The parts of a Tcl text: scripts, commands, words, and what is substituted in a word. Pure values.

Every node knows its place as character offsets `[start, end)` into the whole text, also inside nested bodies;
`lines.Lines` turns them into lines, columns and UTF-8 byte offsets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

WordKind = Literal["bare", "quoted", "braced"]


@dataclass(slots=True)
class Text:
    """Literal characters, or one backslash sequence; `value` is what Tcl makes of them."""

    start: int
    end: int
    value: str
    escape: bool = False


@dataclass(slots=True)
class Variable:
    """`$name`, `${name}` or `$name(index)`; `index` is None for a scalar."""

    start: int
    end: int
    name: str
    index: tuple[Part, ...] | None = None
    braced: bool = False


@dataclass(slots=True)
class Substitution:
    """`[script]`."""

    start: int
    end: int
    script: Script


Part: TypeAlias = Text | Variable | Substitution


@dataclass(slots=True)
class Word:
    """One word of a command.

    `value` is the word as Tcl passes it on, None where that depends on variables or commands. `expand` marks a `{*}`
    prefix, which belongs to `[start, end)`; `inner_start` and `inner_end` are the word's text without prefix, quotes
    and braces. `unclosed` is set where the closing brace is missing and was guessed. `given` are the parts where they
    are more than one text that stands there as it is: most words are just that, and nobody asks for their parts.
    """

    start: int
    end: int
    kind: WordKind
    inner_start: int
    inner_end: int
    value: str | None
    given: tuple[Part, ...] | None = None
    expand: bool = False
    unclosed: bool = False

    @property
    def parts(self) -> tuple[Part, ...]:
        """What the word is put together from; at least one part."""
        if self.given is not None:
            return self.given
        return (Text(self.inner_start, self.inner_end, self.value or ""),)

    @property
    def verbatim(self) -> bool:
        """Whether the value stands in the text as it is, character by character (line continuations aside)."""
        return self.given is None or all(isinstance(p, Text) and not p.escape for p in self.given)


@dataclass(slots=True)
class Comment:
    """`# …` up to, not including, the end of its (last) line."""

    start: int
    end: int


@dataclass(slots=True)
class Command:
    """One command; `broken` where a syntax error cut it short."""

    start: int
    end: int
    words: tuple[Word, ...]
    broken: bool = False

    @property
    def name(self) -> str | None:
        """The first word's value, None where it is computed."""
        return None if self.words[0].expand else self.words[0].value


@dataclass(slots=True)
class Script:
    """A sequence of commands: a file, a body, or what stands between brackets."""

    start: int
    end: int
    commands: list[Command] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SyntaxProblem:
    """Where a text is not Tcl; `kind` is a stable name (see `parser`), `message` is Tcl's own where it has one."""

    kind: str
    message: str
    start: int
    end: int
    hint: str = ""
