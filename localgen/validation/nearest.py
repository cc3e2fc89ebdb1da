"""Suggestions: the known names closest to one that is not known."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches


def nearest(name: str, known: Iterable[str], *, most: int = 3) -> list[str]:
    """The known names closest to `name`, best first; a name in another namespace counts as close."""
    wanted = name.removeprefix("::")
    names = list(dict.fromkeys(known))
    lowered = {n.lower(): n for n in names}
    tail = wanted.rsplit("::", 1)[-1]
    out = [n for n in names if n.removeprefix("::") == wanted or (tail and n.rsplit("::", 1)[-1] == tail)]
    close = get_close_matches(wanted.lower(), list(lowered), n=most, cutoff=0.7)
    # The second best is worth a mention only where it is nearly as good as the best.
    out += [lowered[m] for m in close if _ratio(wanted, m) >= _ratio(wanted, close[0]) - 0.1]
    if not out and "::" not in wanted:
        tails = {n.rsplit("::", 1)[-1].lower(): n for n in names}
        out = [tails[m] for m in get_close_matches(tail.lower(), list(tails), n=1, cutoff=0.8)]
    return list(dict.fromkeys(out))[:most]


def did_you_mean(name: str, known: Iterable[str], *, prefix: str = "") -> str:
    """A hint with the closest names, or "" where none is close."""
    found = [prefix + n for n in nearest(name, known)]
    if not found:
        return ""
    return f"did you mean {' or '.join(found)}?"


def _ratio(name: str, known: str) -> float:
    return SequenceMatcher(None, known, name.lower()).ratio()
