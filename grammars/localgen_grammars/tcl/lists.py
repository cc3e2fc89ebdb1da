"""Tcl lists: splitting a text into elements with their places, and quoting elements."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from localgen_grammars.tcl.escapes import read_escape
from localgen_grammars.tcl.nodes import WordKind

_BLANKS = re.compile(r"[ \t\v\f\r\n]+")
_SPECIAL = re.compile(r'[{"\\]')
_ELEMENT = re.compile(r"[^ \t\v\f\r\n]+")
_PLAIN = re.compile(r"[^ \t\v\f\r\n\\]+")
_NEEDS_QUOTING = re.compile(r'[ \t\v\f\r\n\[\]$";\\]')
_PREFERS_BRACES = re.compile(r"[ \t\v\f\r\n\[$;\\]")


class ListError(ValueError):
    """A text that is not a Tcl list; the message is Tcl's, `offset` is where."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its value, its place with quotes or braces, and the place of what is inside them."""

    value: str
    start: int
    end: int
    inner_start: int
    inner_end: int
    kind: WordKind


def split_list(text: str, start: int = 0, end: int | None = None) -> list[Element]:
    """The elements of the list in `text[start:end]`.

    Raises:
        ListError: as Tcl would.
    """
    stop = len(text) if end is None else end
    out: list[Element] = []
    pos = start
    while True:
        if (m := _BLANKS.match(text, pos, stop)) is not None:
            pos = m.end()
        if pos >= stop:
            return out
        if text[pos] == "{":
            element = _braced(text, pos, stop)
        elif text[pos] == '"':
            element = _escaped(text, pos, stop, quoted=True)
        else:
            element = _escaped(text, pos, stop, quoted=False)
        out.append(element)
        pos = element.end


def list_values(text: str) -> list[str]:
    """The elements' values. Raises ListError."""
    if _SPECIAL.search(text) is None:
        return _ELEMENT.findall(text)
    return [element.value for element in split_list(text)]


def join_list(values: Iterable[str]) -> str:
    """The list of these values, as Tcl's `list` writes it for ordinary values."""
    return " ".join(quote_element(v, first=i == 0) for i, v in enumerate(values))


def quote_element(value: str, *, first: bool = False) -> str:
    """One value as a list element: bare, in braces, or with backslashes, as Tcl 8.6 chooses (tclUtil.c)."""
    if value == "":
        return "{}"
    hash_first = first and value.startswith("#")
    special = _NEEDS_QUOTING.search(value) is not None or value.startswith("{")
    if _braces_fit(value):
        if not special and not hash_first:
            return value
        if hash_first or _PREFERS_BRACES.search(value) or value[0] in '{"':
            return "{" + value + "}"
        # Only `]` and inner quotes: they are escaped, braces are not.
        return re.sub(r'([\]"])', r"\\\1", value)
    escaped = re.sub(r'([{}\[\]$"; \\])', r"\\\1", value)
    for char, name in (("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r"), ("\v", "\\v"), ("\f", "\\f")):
        escaped = escaped.replace(char, name)
    return "\\" + escaped if hash_first else escaped


def _braces_fit(value: str) -> bool:
    depth = 0
    for m in re.finditer(r"\\(.|\Z)|[{}]", value, re.DOTALL):
        if m[0] == "{":
            depth += 1
        elif m[0] == "}":
            depth -= 1
            if depth < 0:
                return False
        elif m[1] in ("", "\n"):
            return False
    return depth == 0


def _braced(text: str, pos: int, stop: int) -> Element:
    depth, at = 0, pos
    while at < stop:
        char = text[at]
        if char == "\\":
            at += 1
        elif char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
            if not depth:
                break
        at += 1
    if at >= stop:
        raise ListError("unmatched open brace in list", pos)
    _check_follows(text, at + 1, stop, "braces")
    return Element(text[pos + 1 : at], pos, at + 1, pos + 1, at, "braced")


def _escaped(text: str, pos: int, stop: int, *, quoted: bool) -> Element:
    out: list[str] = []
    at = inner = pos + 1 if quoted else pos
    plain = re.compile(r'[^"\\]+') if quoted else _PLAIN
    while at < stop:
        if (m := plain.match(text, at, stop)) is not None:
            out.append(m.group())
            at = m.end()
        elif text[at] == "\\":
            value, at = read_escape(text, at, stop)
            out.append(value)
        else:
            break
    if not quoted:
        return Element("".join(out), pos, at, inner, at, "bare")
    if at >= stop:
        raise ListError("unmatched open quote in list", pos)
    _check_follows(text, at + 1, stop, "quotes")
    return Element("".join(out), pos, at + 1, inner, at, "quoted")


def _check_follows(text: str, at: int, stop: int, what: str) -> None:
    if at < stop and not text[at].isspace():
        word = re.compile(r"\S+").match(text, at, stop)
        found = word.group() if word else ""
        raise ListError(f'list element in {what} followed by "{found}" instead of space', at)
