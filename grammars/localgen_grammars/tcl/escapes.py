"""Backslash sequences (rule 9), as Tcl 8.6 reads them."""

from __future__ import annotations

import re

_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_SEQUENCE = re.compile(
    r"\\(?:(?P<line>\n[ \t]*)|x(?P<x>[0-9A-Fa-f]{1,2})|u(?P<u>[0-9A-Fa-f]{1,4})|U(?P<U>[0-9A-Fa-f]{1,8})"
    r"|(?P<octal>[0-3]?[0-7]{1,2})|(?P<char>.))",
    re.DOTALL,
)


def read_escape(text: str, pos: int, end: int) -> tuple[str, int]:
    """The value of the backslash sequence at `pos`, and where it ends; a lone backslash at the end is itself."""
    m = _SEQUENCE.match(text, pos, end)
    if m is None:
        return "\\", pos + 1
    group = m.lastgroup
    if group == "char":
        char = m["char"]
        return _SIMPLE.get(char, char), m.end()
    if group == "line":
        return " ", m.end()
    code = int(m[group], 8 if group == "octal" else 16) if group else 0
    return (chr(code) if code <= 0x10FFFF else "\ufffd"), m.end()


def join_lines(text: str) -> str:
    """A braced word's content as Tcl passes it on: backslash-newline and the blanks after it become one space."""
    if "\\\n" not in text:
        return text
    return join_lines_with_map(text)[0]


def join_lines_with_map(text: str) -> tuple[str, list[tuple[int, int]]]:
    """`join_lines`, with pairs (offset in the result, offset in `text`) after which both run in step."""
    out: list[str] = []
    pairs = [(0, 0)]
    pos = size = 0
    for m in re.finditer(r"\\(?:(\n[ \t]*)|.)", text, re.DOTALL):
        if m[1] is None:
            continue
        out.append(text[pos : m.start()] + " ")
        size += m.start() - pos + 1
        pos = m.end()
        pairs.append((size, pos))
    out.append(text[pos:])
    return "".join(out), pairs


def map_back(pairs: list[tuple[int, int]], offset: int) -> int:
    """The offset in the original text of an offset in the joined one."""
    last = (0, 0)
    for pair in pairs:
        if pair[0] > offset:
            break
        last = pair
    return last[1] + offset - last[0]
