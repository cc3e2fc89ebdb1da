"""What a doc says about each value of an enum: "G green, R red", "m1, m10: mean over one or ten minutes".

Codes say little; their glosses are often the only words that an instruction shares with them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

# What may stand before a value that is explained, and between a value and its gloss.
_BEFORE = r"(?:^|(?<=[,;.(\n])\s*|(?<=:)\s+|(?<=\bor)\s+|(?<=\band)\s+)"
_QUOTE = "[\"'`]?"
_DEFINES = re.compile(r"\s*(?:[:=]|--?|\u2013|\bmeans?\b|\bis\b|\bfor\b|\bstands for\b)\s*|\s*\(", re.IGNORECASE)
_ENDS = re.compile(r"[;\n]|\.(?:\s|$)")
LONGEST = 60


def glosses(doc: str, values: Sequence[str]) -> dict[str, str]:
    """The gloss of each value that a doc explains; values without one are left out."""
    return dict(_parsed(doc, tuple(values))[1])


def without_glosses(doc: str, values: Sequence[str]) -> str:
    """The doc up to its first gloss: what the option is for."""
    return doc[: _parsed(doc, tuple(values))[0]].rstrip(" :,;(-\"'`\n")


@lru_cache(maxsize=4096)
def _parsed(doc: str, values: tuple[str, ...]) -> tuple[int, tuple[tuple[str, str], ...]]:
    """(where the glosses begin, (value, gloss) pairs)."""
    if not doc or len(values) < 2:
        return len(doc), ()
    names = "|".join(re.escape(v) for v in sorted(values, key=len, reverse=True) if v)
    places = [(m.start("v"), m.end(), m.group("v"))
              for m in re.finditer(rf"{_BEFORE}{_QUOTE}(?P<v>{names}){_QUOTE}(?![\w-])", doc)]  # fmt: skip
    defined = [p for p in places if re.match(r"\s*(?:[:=]|-\s|\()", doc[p[1] :])]
    if defined:  # "latched: up and pinned": what follows a colon explains, whatever words it has
        places = [p for p in places if p in defined or _lists_with(doc, p, places, defined)]
    out: dict[str, str] = {}
    for i, (_, end, value) in enumerate(places):
        # "m1, m10: mean over …" explains both.
        last = i
        while last + 1 < len(places) and re.fullmatch(r"[\s,/]*(?:(?:and|or)\s+)?[\"'`]?", _between(doc, places, last)):
            last += 1
        until = places[last + 1][0] if last + 1 < len(places) else len(doc)
        text = doc[places[last][1] if last > i else end : until]
        text = text[m.end() :] if (m := _DEFINES.match(text)) else text
        stop = _ENDS.search(text)
        gloss = re.sub(r"[\s,]+(?:and|or)\s*[\"'`]?$", "", text[: stop.start()] if stop else text)
        gloss = gloss.strip(" \t,:;()\"'`")[:LONGEST].strip()
        if gloss and value not in out:
            out[value] = gloss
    return (places[0][0] if out else len(doc)), tuple(out.items())


Place = tuple[int, int, str]


def _between(doc: str, places: Sequence[Place], i: int) -> str:
    return doc[places[i][1] : places[i + 1][0]]


def _lists_with(doc: str, place: Place, places: Sequence[Place], defined: Sequence[Place]) -> bool:
    """Whether a value stands in one list with one that is defined: `m1` of "m1, m10: …"."""
    at = places.index(place)
    while at + 1 < len(places) and re.fullmatch(r"[\s,/]*(?:(?:and|or)\s+)?", _between(doc, places, at)):
        at += 1
        if places[at] in defined:
            return True
    return False
