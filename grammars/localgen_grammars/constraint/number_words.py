"""Numbers in words: "a hundred and eighty", "two and a half thousand", "three quarters of an hour", "half a dozen"."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from .units import canonical_unit

ONES = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
WORDS: dict[str, Decimal] = {
    **{w: Decimal(i) for i, w in enumerate(ONES)}, **{w: Decimal(10 * (i + 2)) for i, w in enumerate(TENS)},
    "half": Decimal("0.5"), "quarter": Decimal("0.25"), "dozen": Decimal(12), "couple": Decimal(2),
    "single": Decimal(1), "once": Decimal(1), "twice": Decimal(2), "thrice": Decimal(3), "double": Decimal(2),
    "triple": Decimal(3), "pair": Decimal(2),
}  # fmt: skip
_COUNTING = {w: v for w, v in WORDS.items() if w in ONES[1:] or w in TENS}
NUMBER_WORDS = frozenset({*WORDS, "hundred", "thousand", "million", "tenths", "quarters", "thirds", "fifth", "fifths"})
_PARTS = {
    **dict.fromkeys(("quarter", "quarters"), 4), **dict.fromkeys(("tenth", "tenths"), 10),
    **dict.fromkeys(("third", "thirds"), 3), **dict.fromkeys(("fifth", "fifths"), 5), "halves": 2,
}  # fmt: skip
MULTIPLIERS = {"hundred": Decimal(100), "thousand": Decimal(1000), "million": Decimal(10**6), "k": Decimal(1000)}
ARTICLES = frozenset({"a", "an", "one"})


def number_at(words: Sequence[str], i: int) -> tuple[Decimal | None, int]:
    """(number, index after it) for number words from index i on."""
    word = words[i].lower()
    after = words[i + 1].lower() if i + 1 < len(words) else ""
    if word in ARTICLES and word != "one":
        if after in ("tenth", "third", "fifth"):
            return Decimal(1) / _PARTS[after], _past_of(words, i + 2)
        if after not in MULTIPLIERS:
            unit = canonical_unit(after) if len(after) > 2 else ""
            return (Decimal(1), i + 1) if unit else (None, i)
    elif word in ("another", "hundred", "thousand") and (word != "another" or after in MULTIPLIERS):
        pass
    elif word not in WORDS:
        return None, i
    elif after in _PARTS:
        return WORDS[word] / _PARTS[after], _past_of(words, i + 2)
    elif word in ("half", "quarter"):
        j = i + 1
        while j < len(words) and words[j].lower() in ("a", "an", "of"):
            j += 1
        dozen = j < len(words) and words[j].lower() == "dozen"
        return (Decimal(12) * WORDS[word], j + 1) if dozen else (WORDS[word], j)
    value, i = _cardinal(words, i)
    if i < len(words) and words[i].lower() == "dozen":
        return value * 12, _past_of(words, i + 1)
    if word in ("couple", "pair", "dozen"):
        return value, _past_of(words, i)
    if [w.lower() for w in words[i : i + 3]] == ["and", "a", "half"]:
        value, i = value + Decimal("0.5"), i + 3
        while i < len(words) and words[i].lower() in MULTIPLIERS:  # two and a half thousand
            value, i = value * MULTIPLIERS[words[i].lower()], i + 1
    if i + 1 < len(words) and words[i].lower() == "point" and words[i + 1].lower() in ONES[:10]:
        digits, i = "", i + 1
        while i < len(words) and words[i].lower() in ONES[:10]:
            digits, i = digits + str(ONES.index(words[i].lower())), i + 1
        value += Decimal(f"0.{digits}")
    return value, i


def _past_of(words: Sequence[str], i: int) -> int:
    """The index behind "of", "of a", where that leads to a unit: a quarter of an hour, a couple of minutes."""
    if i < len(words) and words[i].lower() == "of":
        j = i + 1 + (i + 1 < len(words) and words[i + 1].lower() in ("a", "an"))
        if j < len(words) and canonical_unit(words[j]):
            return j
    return i


def _cardinal(words: Sequence[str], i: int) -> tuple[Decimal, int]:
    """The whole number that some words say ("a hundred and eighty", "two thousand five hundred"), and where it ends."""
    first = words[i].lower()
    total, part = Decimal(0), WORDS.get(first, Decimal(1))
    small = first in WORDS and (part % 10 != 0 or part == 10)  # nothing but a multiplier may follow
    i += first not in MULTIPLIERS
    while i < len(words):
        word = words[i].lower()
        joined = word == "and" and bool(part >= 100 or (total and not part)) and i + 1 < len(words)
        if joined:
            word = words[i + 1].lower()
        if word == "hundred" and not joined:
            part, small = (part or Decimal(1)) * 100, False
        elif word in ("thousand", "million") and not joined:
            total, part, small = total + (part or Decimal(1)) * MULTIPLIERS[word], Decimal(0), False
        elif word in _COUNTING and not small and (part % 100 == 0 or (part % 10 == 0 and _COUNTING[word] < 10)):
            part += _COUNTING[word]
            small = _COUNTING[word] % 10 != 0 or _COUNTING[word] == 10
        else:
            break
        i += 1 + joined
    return total + part, i
