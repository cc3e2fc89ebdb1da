"""The matches of a regular expression that has few of them: what a grounded terminal can be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from re import _constants as sre
from re import _parser
from typing import Any

from .patterns import Grounder, Unsupported, rewrite

MAX_MATCHES = 600


class _TooMany(Exception):
    pass


def grounded_matches(pattern: str, flags: int, grounder: Grounder) -> tuple[str, ...]:
    """What a terminal's pattern can be under a grounding; of a great many, the words that match it as they are."""
    try:
        regex = rewrite(pattern, flags, grounder)
    except (Unsupported, re.error):
        return ()
    if regex is None:
        return ()
    return matches(regex) or (tuple(grounder.matching(pattern, flags)) if grounder.words is not None else ())


def matches(regex: str) -> tuple[str, ...]:
    """All texts that a regex matches whole, each once; none where there are more than `MAX_MATCHES`."""
    try:
        return tuple(dict.fromkeys(_sequence(list(_parser.parse(regex)))))
    except (_TooMany, re.error):
        return ()


def _sequence(items: Sequence[Any]) -> list[str]:
    out = [""]
    for item in items:
        more = _item(item)
        if len(out) * len(more) > MAX_MATCHES:
            raise _TooMany
        out = [a + b for a in out for b in more]
    return out


def _item(item: Any) -> list[str]:
    op, av = item
    if op is sre.LITERAL:
        return [chr(av)]
    if op is sre.SUBPATTERN:
        return _sequence(list(av[3]))
    if op is sre.BRANCH:
        found = [text for b in av[1] for text in _sequence(list(b))]
        if len(found) > MAX_MATCHES:
            raise _TooMany
        return found
    if op is sre.MAX_REPEAT and av[1] is not sre.MAXREPEAT and av[1] <= 2:
        once = _sequence(list(av[2]))
        return [text for n in range(av[0], av[1] + 1) for text in _power(once, n)]
    if op is sre.IN:
        size = sum(1 if o is sre.LITERAL else a[1] - a[0] + 1 if o is sre.RANGE else 10**6 for o, a in av)
        if size <= 10:
            return [chr(c) for o, a in av for c in ([a] if o is sre.LITERAL else range(a[0], a[1] + 1))]
    raise _TooMany


def _power(texts: list[str], n: int) -> list[str]:
    out = [""]
    for _ in range(n):
        out = [a + b for a in out for b in texts]
        if len(out) > MAX_MATCHES:
            raise _TooMany
    return out
