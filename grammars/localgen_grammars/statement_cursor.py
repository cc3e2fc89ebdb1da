"""Where in a statement a text ends: which word of the language, or which place for a value, comes next.

A statement has one pattern for each choice of its optional parts; a text may fit several of them so far, and where a
value may be whole or go on, several places of one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from .statements import Element, Literal, Nested, Pattern, Place, Repeated, Statement


@dataclass(frozen=True)
class Cursor:
    """One way to read a text as the beginning of a statement.

    Attributes:
        statement, part: which of the statements, and which of its `parts`.
        at: index into `full` of the element that comes next or has begun; len(full) at the end.
        inner: (pattern, element) inside a `Repeated`, else None.
        element: what comes next; None at the end.
        begun: what is written of it.
    """

    statement: int
    part: tuple[int, ...]
    at: int
    inner: tuple[int, int] | None
    element: Element | None
    begun: str


def cursors(statements: Sequence[Statement], text: str) -> list[Cursor]:
    """All ways to read a text (one line, without the white space around it) as the beginning of a statement."""
    out = []
    for i, s in enumerate(statements):
        for part in s.parts:
            elements = tuple(s.full[k] for k in part)
            for n, inner, element, begun in _walk(elements, 0, text):
                at = part[n] if n < len(part) else len(s.full)
                out.append(Cursor(i, part, at, inner, element, begun))
    return list(dict.fromkeys(out))


_State = tuple[int, tuple[int, int] | None, Element | None, str]


def _walk(elements: Pattern, n: int, text: str) -> Iterator[_State]:
    """The states after reading a text from element n on."""
    if n == len(elements):
        if not text.strip():
            yield n, None, None, ""
        return
    e = elements[n]
    if isinstance(e, Nested):
        return
    if isinstance(e, Repeated):
        yield from _walk_repeated(elements, n, e, text, first=True)
        return
    rest = text.lstrip()
    if _begins(e, rest):
        yield n, None, e, rest
    for end in _ends(e, rest):
        yield from _walk(elements, n + 1, rest[end:])


def _walk_repeated(elements: Pattern, n: int, e: Repeated, text: str, *, first: bool) -> Iterator[_State]:
    for p, pattern in enumerate(e.patterns):
        for k, inner, element, begun in _walk(pattern, 0, text):
            if element is not None:
                yield n, (p, k) if inner is None else inner, element, begun
        for end in _whole(pattern, text):
            yield from _walk_repeated(elements, n, e, text[end:], first=False)
    if not first:
        yield from _walk(elements, n + 1, text)


def _whole(pattern: Pattern, text: str, n: int = 0, used: int = 0) -> Iterator[int]:
    """The ends of a pattern that stands whole at the beginning of a text."""
    if n == len(pattern):
        if used:
            yield used
        return
    e = pattern[n]
    if isinstance(e, Nested | Repeated):
        return
    rest = text[used:]
    skipped = len(rest) - len(rest.lstrip())
    for end in _ends(e, rest.lstrip()):
        yield from _whole(pattern, text, n + 1, used + skipped + end)


def _begins(e: Literal | Place, rest: str) -> bool:
    """Whether a text, whole, is a beginning of the element (an empty one too)."""
    if isinstance(e, Literal):
        return e.text.startswith(rest)
    if e.values:
        return any(v.startswith(rest) for v in e.values)
    m = _compiled(e.pattern).match(rest)
    if m is not None and m.end():
        return m.end() == len(rest)  # what a value cannot take in is behind it
    return not re.search(r"\s", rest) or rest[:1] in "\"'"


def _ends(e: Literal | Place, rest: str) -> list[int]:
    """Where the element may end, if the text begins with it."""
    if isinstance(e, Literal):
        return [len(e.text)] if rest.startswith(e.text) else []
    if e.values:
        return [len(v) for v in e.values if rest.startswith(v)]
    m = _compiled(e.pattern).match(rest)
    return [m.end()] if m and m.end() else []


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
