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


def clear_nearest(name: str, known: Iterable[str]) -> str | None:
    """The one known name that `name` surely means, or None: few slips away, no second one as near, no digit differs.

    `M12` is no misspelt `M1`: a number is another thing, not another spelling.
    """
    names = list(dict.fromkeys(known))
    wanted = name.removeprefix("::").lower()
    plain = {n: n.removeprefix("::").lower() for n in names}
    same = [n for n in names if plain[n] == wanted] or [n for n in names if plain[n].endswith(f"::{wanted}")]
    if same:
        return same[0] if len(same) == 1 else None
    slips = sorted((_slips(wanted, plain[n]), n) for n in nearest(name, names))
    if not slips or (len(slips) > 1 and slips[1][0] == slips[0][0]):
        return None
    fewest, best = slips[0]
    digits = [c for c in wanted if c.isdigit()] == [c for c in best if c.isdigit()]
    return best if digits and len(wanted) > 2 and fewest <= min(3, len(wanted) // 3) else None


def did_you_mean(name: str, known: Iterable[str], *, prefix: str = "") -> str:
    """A hint with the closest names, or "" where none is close."""
    found = [prefix + n for n in nearest(name, known)]
    if not found:
        return ""
    return f"did you mean {' or '.join(found)}?"


def _ratio(name: str, known: str) -> float:
    return SequenceMatcher(None, known, name.lower()).ratio()


def _slips(a: str, b: str) -> int:
    """How many letters are left out, put in, changed or swapped (optimal string alignment distance)."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, last, row = row, before, [i]
        for j, y in enumerate(b, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and y == a[i - 2]:
                best = min(best, last[j - 2] + 1)
            row.append(best)
    return row[-1]
