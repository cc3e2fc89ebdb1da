"""Suggestions: the known names closest to one that is not known."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches
from functools import lru_cache


class Names:
    """Known names, prepared for many searches."""

    def __init__(self, known: Iterable[str]) -> None:
        self.names = list(dict.fromkeys(known))
        self._plain = {n: n.removeprefix("::") for n in self.names}
        self._tails: dict[str, list[str]] = {}
        for name in self.names:
            self._tails.setdefault(name.rsplit("::", 1)[-1], []).append(name)
        self._lowered = {n.lower(): n for n in self.names}
        self._last = {n.rsplit("::", 1)[-1].lower(): n for n in self.names}
        self._whole = _prepared(self._lowered)
        self._parts = _prepared(self._last)

    def nearest(self, name: str, *, most: int = 3) -> list[str]:
        """The names closest to `name`, best first; a name in another namespace counts as close."""
        wanted = name.removeprefix("::")
        tail = wanted.rsplit("::", 1)[-1]
        out = [n for n, plain in self._plain.items() if plain == wanted] if wanted.endswith(":") else []
        out += self._tails.get(tail, ()) if tail else ()
        close = _close(wanted.lower(), self._whole, most, 0.7)
        # The second best is worth a mention only where it is nearly as good as the best.
        if close:
            least = _ratio(wanted, close[0]) - 0.1
            out += [self._lowered[m] for m in close if _ratio(wanted, m) >= least]
        elif not out and "::" not in wanted:
            out = [self._last[m] for m in _close(tail.lower(), self._parts, 1, 0.8)]
        return list(dict.fromkeys(out))[:most]


@lru_cache(maxsize=64)
def names_of(known: tuple[str, ...]) -> Names:
    """Prepared names; those of one catalog are the same for all scripts."""
    return Names(known)


def nearest(name: str, known: Iterable[str], *, most: int = 3) -> list[str]:
    """The known names closest to `name`, best first; a name in another namespace counts as close."""
    return Names(known).nearest(name, most=most)


def _prepared(names: Iterable[str]) -> list[tuple[str, int, int]]:
    """Each name with its length and its letters, as bits; short ones first."""
    return sorted(((name, len(name), _letters(name)) for name in names), key=_length)


def _length(prepared: tuple[str, int, int]) -> int:
    return prepared[1]


@lru_cache(maxsize=4096)
def _letters(name: str) -> int:
    bits = 0
    for char in name:
        bits |= 1 << (ord(char) & 127)
    return bits


def _close(name: str, known: list[tuple[str, int, int]], most: int, cutoff: float) -> list[str]:
    """`get_close_matches`, of those names only that may reach the cutoff.

    A letter that the other name lacks matches nothing, so twice the smaller number of the letters left, by the length
    of both, is no less than the ratio.
    """
    size, bits = len(name), _letters(name)
    least = cutoff / 2
    longer = (1 - least) / least  # how many times as long the longer of two such names can be
    first = bisect_left(known, size / longer - 1e-9, key=_length)
    last = bisect_right(known, size * longer + 1e-9, key=_length)
    near = [
        other
        for other, length, letters in known[first:last]
        if min(size - (bits & ~letters).bit_count(), length - (letters & ~bits).bit_count()) >= least * (size + length)
    ]
    return get_close_matches(name, near, n=most, cutoff=cutoff) if near else []


def clear_nearest(name: str, known: Iterable[str]) -> str | None:
    """The one known name that `name` surely means, or None: few slips away, no second one as near, no digit differs.

    `M12` is no misspelt `M1`: a number is another thing, not another spelling.
    """
    names = list(dict.fromkeys(known))
    if not names:
        return None
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
