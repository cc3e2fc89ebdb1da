"""Where braces close, and where code whose closing brace is missing probably ends, judged by its indentation."""

from __future__ import annotations

import re

_ESCAPED = re.compile(r"\\.", re.DOTALL)
_BLANKS = re.compile(r"[ \t]*")


def closing_braces(text: str) -> dict[int, int]:
    """By the offset of each brace that is closed, the offset after the one that closes it.

    One pass for all of them: a scan from each open brace takes quadratic time where many are never closed.
    """
    if "\\" in text:
        text = _ESCAPED.sub("  ", text)
    closes: dict[int, int] = {}
    waiting: list[int] = []
    find, size = text.find, len(text)
    opening, closing = find("{") % (size + 1), find("}") % (size + 1)
    while opening < size or closing < size:
        if opening < closing:
            waiting.append(opening)
            opening = find("{", opening + 1) % (size + 1)
        else:
            closing += 1
            if waiting:
                closes[waiting.pop()] = closing
            closing = find("}", closing) % (size + 1)
    return closes


def guess_close(text: str, pos: int, end: int) -> tuple[int, int]:
    """For the unclosed brace at `pos`: where its content ends, and where parsing may go on.

    That is the first following line that is indented no more than the brace's own: at its closing brace if it begins
    with one, else before it; or `end`.
    """
    own = _indent(text, text.rfind("\n", 0, pos) + 1)
    at = text.find("\n", pos, end)
    while 0 <= at < end:
        blanks = _BLANKS.match(text, at + 1, end)
        begin = blanks.end() if blanks else at + 1
        if begin < end and text[begin] not in "\r\n" and _indent(text, at + 1) <= own:
            if text[begin] == "}" and (begin + 1 >= end or text[begin + 1] in " \t\r\n;"):
                return begin, begin + 1
            return at, at
        at = text.find("\n", at + 1, end)
    return end, end


def _indent(text: str, line_start: int) -> int:
    width = 0
    for char in text[line_start : line_start + 400]:
        if char == " ":
            width += 1
        elif char == "\t":
            width += 8 - width % 8
        else:
            break
    return width
