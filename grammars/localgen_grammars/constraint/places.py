"""Where in an instruction a value is said: what the reader's pointers are compared with."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .clocks import clocks_of
from .quantities import Quantity, convert, number_text

Spans = tuple[tuple[int, int], ...]


def name_places(text: str, name: str) -> Spans:
    """The places of a name in a text, as it is written or else in other case; of a time of day, where it is said."""
    pattern = rf"(?<![A-Za-z0-9_]){re.escape(name)}(?![A-Za-z0-9_])"
    for flags in (0, re.IGNORECASE):
        found = tuple(m.span() for m in re.finditer(pattern, text, flags))
        if found:
            return found
    if re.fullmatch(r"\d\d:\d\d", name):
        return clocks_of(text).get(name, ())
    # A part of a word, or two words that were glued together.
    m = re.search(re.escape(name), text) or re.search(r"\s?".join(map(re.escape, name)), text)
    return (m.span(),) if m else ()


def number_places(quantities: Sequence[Quantity], unit: str) -> dict[str, Spans]:
    """The numbers that a value in a unit may be, with the places where they are said; without the sign of the range."""
    found: dict[str, Spans] = {}
    for q in quantities:
        for value in convert(q, unit):
            text = number_text(value)
            found[text] = (*found.get(text, ()), *q.at)
    return found
