"""Tcl quoting: the text that makes real Tcl pass exactly the intended string to a proc."""

from __future__ import annotations

import re
from collections.abc import Iterable

_BARE = re.compile(r"[^\s\\{}\[\]$\";#]+(?:#[^\s\\{}\[\]$\";#]*)*")
_SPECIAL = re.compile(r"([\\{}\[\]$\"; #])")


def quote_word(text: str) -> str:
    r"""One word of a command: bare where that is safe, else in braces, else with backslashes.

    >>> quote_word("net_1"), quote_word("a b"), quote_word("a[0]"), quote_word("a}")
    ('net_1', '{a b}', '{a[0]}', 'a\\}')
    """
    if text == "":
        return "{}"
    if _BARE.fullmatch(text):
        return text
    if "\\" not in text and "\n" not in text and balanced(text):
        return "{" + text + "}"
    escaped = _SPECIAL.sub(r"\\\1", text)
    return escaped.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")


def quote_list(items: Iterable[str]) -> str:
    """A list value: the bare element where there is one, in braces where there are more or fewer.

    An element that needs quoting is quoted as an element inside braces.
    """
    words = [quote_word(i) for i in items]
    if len(words) == 1 and _BARE.fullmatch(words[0]):
        return words[0]
    inner = " ".join(words)
    return "{" + inner + "}" if balanced(inner) else quote_word(inner)


def balanced(text: str) -> bool:
    """Whether braces pair up as Tcl counts them inside a braced word (a backslash hides the next character)."""
    depth, i = 0, 0
    while i < len(text):
        if text[i] == "\\":
            i += 1
        elif text[i] == "{":
            depth += 1
        elif text[i] == "}":
            depth -= 1
            if depth < 0:
                return False
        i += 1
    return depth == 0
