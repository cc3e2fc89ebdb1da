"""Numbers of an instruction: digits and number words with their units, converted to the unit that a value is in.

A number in a generated script comes from here (or is a catalog's default): it is never made up digit by digit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from localgen_retrieval.catalog import Value

from .number_words import ARTICLES, MULTIPLIERS, WORDS, number_at
from .units import alike, canonical_unit, is_rate, is_time, per_places, scale_of, with_rate

_DIGITS = re.compile(r"(?<![\w.])(-?)(\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?|\.\d+)(?:[eE]([+-]?\d+))?(?![\d])")
ORDINALS = [
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth",
]  # fmt: skip
_ORDINAL = re.compile(rf"\bthe\s+({'|'.join(ORDINALS)}|\d+(?:st|nd|rd|th))\b", re.IGNORECASE)
_INTERVAL = re.compile(
    r"\b(twice|thrice|(?:two|three|four|five|six|eight|ten|twelve|\d+)\s+times)\s+(?:a|an|per|each|every)\s+"
    r"(week|day|hour|minute)\b", re.IGNORECASE,
)  # fmt: skip
_PRICE = re.compile(r"\b(\d+)\s+(?:euros?|dollars?|pounds?|francs?|kronor|crowns?)\s+(\d\d)\b", re.IGNORECASE)
# "23 and a half", and a unit with its half: "an hour and a half", "the next day and a half", "two hours and a half".
_MIXED = re.compile(r"(?<![\w.])(\d+)\s+and\s+(a half|a quarter|three quarters)\b", re.IGNORECASE)
_UNIT_AND_PART = re.compile(r"(?:\b(\d+|[a-z]+)[\s-]+)?\b([a-z]{3,})\s+and\s+a\s+(half|quarter)\b", re.IGNORECASE)
# Between numbers of which only the last has the unit: "1.19 to 1.21 V", "5, 10 or 15 mm".
_RANGE = re.compile(
    r"\s*(?:,?\s*(?:to|up to|and|or|through|till?|until)\b(?:\s+(?:plus|minus)\b)?|-|–|\.\.+)\s*", re.IGNORECASE
)
_SERIES = re.compile(r"\s*,\s*")
_BELOW_ZERO = re.compile(r"\s*(?:degrees?\s|°C?\s|C\s)?\s*(?:below (?:zero|freezing)|of frost)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Quantity:
    """A number that an instruction says.

    Attributes:
        value: the number; unit: canonical, "" where none is said; said: the words it was read from.
        at: (start, end) of the number in the text, wherever it is said; not part of its identity.
    """

    value: Decimal
    unit: str
    said: str
    at: tuple[tuple[int, int], ...] = field(default=(), compare=False)


def quantities_of(text: str) -> tuple[Quantity, ...]:
    """The numbers of a text in order, each once."""
    found: dict[tuple[Decimal, str], Quantity] = {}
    phrases = _from_phrases(text)
    whole = [place for q in phrases for place in q.at if " " in text[slice(*place)]]
    whole += per_places(text)
    parts = [q for q in (*_from_digits(text), *_from_words(text)) if not _within(q, whole)]
    for q in (*_units_shared(text, parts), *phrases):
        first = found.setdefault((q.value, q.unit), q)
        if first is not q:
            found[q.value, q.unit] = replace(first, at=first.at + q.at)
    return tuple(found.values())


def convert(q: Quantity, unit: str) -> list[Decimal]:
    """What a quantity is in a unit: converted where both are of one dimension, itself where either has none.

    Nothing where they are of different dimensions (a time is no length); per cent is a fraction too where no unit is
    asked for. Of a rate the time may be left unsaid, on either side: "80 litres" for litres a minute.
    """
    wanted = canonical_unit(unit)
    if not q.unit or not wanted:
        values = [q.value]
        if q.unit == "%" and not unit:
            values.append(q.value / 100)
        return values + ([q.value * 100] if not q.unit and wanted == "%" and abs(q.value) < 1 else [])
    have, want = q.unit, wanted
    if is_rate(have) != is_rate(want):
        have, want = have.partition("/")[0], want.partition("/")[0]
    (dimension, scale), (asked, to) = scale_of(have), scale_of(want)
    if dimension != asked:
        # "20 degrees" is a temperature as often as an angle.
        return [q.value] if {dimension, asked} == {"angle", "temperature"} and q.unit == "deg" else []
    value = (q.value * scale / to).normalize()
    return [round(value, 6).normalize() if is_rate(want) else value]


def same_amount(q: Quantity, value: Decimal) -> bool:
    """Whether a quantity is this number in some unit of its dimension."""
    if not q.unit:
        return q.value == value
    return any(value in convert(q, u) for u in alike(q.unit))


def number_texts(
    quantities: tuple[Quantity, ...], unit: str, *, integer: bool, low: float | None, high: float | None
) -> list[str]:
    """The numbers that a value of this unit and range may take, as scripts write them.

    Where the range has negative numbers, each is there with either sign: people say "20 below" and "back by 150".
    """
    out: dict[str, None] = {}
    for q in quantities:
        for value in convert(q, unit):
            for v in (value, -value) if q.value > 0 and (low is None or low < 0) else (value,):
                if integer and v != v.to_integral_value():
                    continue
                if (low is not None and v < Decimal(str(low))) or (high is not None and v > Decimal(str(high))):
                    continue
                text = number_text(v)
                if len(text) <= 24:
                    out[text] = None
    return list(out)


def number_text(value: Decimal) -> str:
    """A number as scripts write it: no exponent, no trailing zeros."""
    return format(value.normalize(), "f") if value else "0"


def unit_of(value: Value) -> str:
    """The unit that a value is in: the catalog's, else the one that its doc names or that it is named after."""
    name = str(getattr(value, "name", "")).rpartition(":")[2]  # a result has none
    return value.unit or unit_in(value.doc) or (canonical_unit(name) if len(name) > 3 else "")


def unit_in(doc: str) -> str:
    """The unit that a doc names (`Width in um.`), "" for none."""
    for m in re.finditer(r"\b(?:in|of|,)\s+([A-Za-zµμ%°]+)", doc):
        unit = canonical_unit(m.group(1))
        if unit and m.group(1) not in ("a", "in"):
            return unit
    return ""


def _from_digits(text: str) -> list[Quantity]:
    out = []
    for m in _DIGITS.finditer(text):
        sign, digits, exponent = m.groups()
        value = Decimal(digits.replace(",", "") + (f"e{exponent}" if exponent else ""))
        before = text[: m.start()]
        minus = sign or re.search(r"\b(?:minus|negative)\s+$", before, re.I)
        rest = text[m.end() :]
        k = re.match(r"\s?(hundred|thousand|million|k)\b", rest)
        if k:
            value *= MULTIPLIERS[k.group(1)]
            rest = rest[k.end() :]
        below = bool(minus) or bool(_BELOW_ZERO.match(rest))
        out.append(Quantity(-value if below else value, _unit_after(rest), m.group(0) + rest[:8], (m.span(),)))
    for m in re.finditer(r"(?<=\d)[x×:-](\d+(?:\.\d+)?)", text):  # 2x2, 19:30, 100-400
        out.append(Quantity(Decimal(m.group(1)), _unit_after(text[m.end() :]), m.group(0), (m.span(1),)))
    return out


def _units_shared(text: str, found: Sequence[Quantity]) -> list[Quantity]:
    """The same numbers, those of a range or series with the unit that is said behind its last one."""
    out = list(found)
    order = sorted(range(len(out)), key=lambda i: out[i].at[0])
    shared = False
    for i, j in zip(reversed(order[:-1]), reversed(order[1:]), strict=True):
        between = text[out[i].at[0][1] : out[j].at[0][0]]
        joined = _RANGE.fullmatch(between) or (shared and _SERIES.fullmatch(between))
        shared = bool(joined and out[j].unit and not out[i].unit)
        if shared:
            out[i] = replace(out[i], unit=out[j].unit)
    return out


def _within(q: Quantity, places: Sequence[tuple[int, int]]) -> bool:
    """Whether a number is only a part of a longer phrase that is one."""
    return any(a <= start and end <= b for start, end in q.at for a, b in places)


def _from_phrases(text: str) -> list[Quantity]:
    """Ordinals ("the third tier"), intervals ("twice a day" is every 12 hours), and prices in two parts."""
    out = []
    for m in _ORDINAL.finditer(text):
        word = m.group(1).lower()
        number = int(re.sub(r"\D", "", word)) if word[0].isdigit() else ORDINALS.index(word) + 1
        out.append(Quantity(Decimal(number), "", m.group(0), (m.span(1),)))
    for m in _INTERVAL.finditer(text):
        times = m.group(1).lower()
        count = Decimal(times.split()[0]) if times[0].isdigit() else WORDS[times.split()[0]]
        unit = canonical_unit(m.group(2))
        if count and unit and is_time(unit):
            # In the next smaller unit, so that the number is a whole one: twice a day is 12 h, not 0.5 d.
            smaller = {"wk": "d", "d": "h", "h": "min", "min": "s"}.get(unit, unit)
            value = scale_of(unit)[1] / scale_of(smaller)[1] / count
            out.append(Quantity(round(value, 4).normalize(), smaller, m.group(0), (m.span(),)))
    for m in _MIXED.finditer(text):
        part = Decimal("0.75") if m.group(2)[0] in "tT" else WORDS[m.group(2).split()[1].lower()]
        out.append(Quantity(int(m.group(1)) + part, _unit_after(text[m.end() :]), m.group(0), (m.span(),)))
    for m in _UNIT_AND_PART.finditer(text):
        unit = canonical_unit(m.group(2))
        before = (m.group(1) or "").lower()
        count = Decimal(before) if before.isdigit() else WORDS.get(before, Decimal(1))
        if unit and m.group(2).lower() not in WORDS:
            at = m.span() if before.isdigit() or before in WORDS or before in ARTICLES else (m.start(2), m.end())
            out.append(Quantity(count + WORDS[m.group(3).lower()], unit, m.group(0), (at,)))
    for m in _PRICE.finditer(text):
        out.append(Quantity(Decimal(f"{m.group(1)}.{m.group(2)}"), "", m.group(0), (m.span(),)))
    return out


def _unit_after(rest: str) -> str:
    m = re.match(r"[\s-]?(per cent|cubic met(?:re|er)s?|[A-Za-zµμΩ°%]+3?(?:/[A-Za-z]+)?)", rest)
    return with_rate(canonical_unit(m.group(1)), rest[m.end() :]) if m else ""


def _from_words(text: str) -> list[Quantity]:
    # Offsets stay what they are: what is replaced keeps its length.
    text = re.sub(r"\bcubic met(?:re|er)s?\b", lambda m: "m3".ljust(len(m.group(0))), text)
    found = list(re.finditer(r"[A-Za-z%°µ]+3?|\S", text.replace("-", " ")))
    words, spans = [m.group(0) for m in found], [m.span() for m in found]
    out = []
    i = 0
    while i < len(words):
        value, j = number_at(words, i)
        if value is None:
            i += 1
            continue
        unit = canonical_unit(words[j]) if j < len(words) else ""
        if unit and words[j] in ("in", "a", "s"):
            unit = ""
        if unit:
            unit = with_rate(unit, text[spans[j][1] :])
        minus = i > 0 and words[i - 1].lower() in ("minus", "negative")
        minus = minus or bool(_BELOW_ZERO.match(" " + " ".join(words[j : j + 4])))
        at = ((spans[i][0], spans[j - 1][1]),)
        out.append(Quantity(-value if minus else value, unit, " ".join(words[i:j]), at))
        i = max(j, i + 1)
    return out
