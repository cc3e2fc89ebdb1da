"""Sets of characters as sorted ranges of code points, exactly as Python's `re` understands them.

What one item of a parsed pattern matches is asked of `re` itself wherever flags or categories are involved (`\\w` and
case-folding differ between engines), so the ranges can be written out for an engine that knows neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from re import _constants as sre
from re import _parser
from typing import Any

Ranges = tuple[tuple[int, int], ...]

_LAST = 0x10FFFF
_SURROGATES = (0xD800, 0xDFFF)  # never part of a text
EVERYTHING: Ranges = ((0, _SURROGATES[0] - 1), (_SURROGATES[1] + 1, _LAST))


def normal(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The same characters as sorted ranges that neither touch nor overlap, without surrogates."""
    out: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if out and low <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(out[-1][1], high))
        else:
            out.append((low, high))
    return _without_surrogates(out)


def _without_surrogates(ranges: list[tuple[int, int]]) -> Ranges:
    out: list[tuple[int, int]] = []
    first, last = _SURROGATES
    for low, high in ranges:
        if high < first or low > last:
            out.append((low, high))
            continue
        if low < first:
            out.append((low, first - 1))
        if high > last:
            out.append((last + 1, high))
    return tuple(out)


def complement(ranges: Ranges) -> Ranges:
    """Every other character."""
    out, start = [], 0
    for low, high in ranges:
        if low > start:
            out.append((start, low - 1))
        start = high + 1
    if start <= _LAST:
        out.append((start, _LAST))
    return _without_surrogates(out)


def partition(sets: Iterable[Ranges]) -> list[Ranges]:
    """The coarsest classes of characters such that each of the sets is a union of classes."""
    cuts = {0, _LAST + 1, _SURROGATES[0], _SURROGATES[1] + 1}
    distinct = list(dict.fromkeys(sets))
    for ranges in distinct:
        for low, high in ranges:
            cuts |= {low, high + 1}
    edges = sorted(cuts)
    members: dict[int, list[int]] = {}
    for i, ranges in enumerate(distinct):
        at = 0
        for k, edge in enumerate(edges[:-1]):
            while at < len(ranges) and ranges[at][1] < edge:
                at += 1
            if at < len(ranges) and ranges[at][0] <= edge:
                members.setdefault(k, []).append(i)
    classes: dict[tuple[int, ...], list[tuple[int, int]]] = {}
    for k, edge in enumerate(edges[:-1]):
        if edge == _SURROGATES[0]:
            continue
        classes.setdefault(tuple(members.get(k, ())), []).append((edge, edges[k + 1] - 1))
    return [normal(c) for c in classes.values()]


def of_item(item: tuple[Any, Any], flags: int) -> Ranges:
    """What one item of a parsed pattern (a literal, a class, `.`) matches under flags."""
    op, av = item
    if not flags & (re.IGNORECASE | re.LOCALE):
        if op is sre.LITERAL:
            return normal([(av, av)])
        if op is sre.NOT_LITERAL:
            return complement(((av, av),))
        if op is sre.ANY:
            return EVERYTHING if flags & re.DOTALL else complement(((10, 10),))
        if op is sre.IN and all(o in (sre.LITERAL, sre.RANGE, sre.NEGATE) for o, _ in av):
            ranges = normal((a, a) if o is sre.LITERAL else a for o, a in av if o is not sre.NEGATE)
            return complement(ranges) if av[0][0] is sre.NEGATE else ranges
    return _asked(repr(item), flags & ~re.DEBUG, _Item(item))


class _Item:
    """Carries an item into the cache without being part of its key."""

    def __init__(self, item: tuple[Any, Any]) -> None:
        self.item = item

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Item)

    def __hash__(self) -> int:
        return 0


@cache
def _asked(_text: str, flags: int, carried: _Item) -> Ranges:
    """Python's own answer for every character there is."""
    state = _parser.State()
    state.flags = flags
    compiler: Any = import_module("re._compiler")  # it takes a parsed pattern, and typeshed does not have it
    pattern: Any = compiler.compile(_parser.SubPattern(state, [carried.item]), flags)
    found = pattern.findall(_every_character())
    out: list[tuple[int, int]] = []
    for c in map(ord, found):
        if out and out[-1][1] + 1 == c:
            out[-1] = (out[-1][0], c)
        else:
            out.append((c, c))
    return tuple(out)


@cache
def _every_character() -> str:
    return "".join(chr(c) for low, high in EVERYTHING for c in range(low, high + 1))
