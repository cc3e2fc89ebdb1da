"""One value against what the catalog says of it: type, values, range, unit, pattern, list.

Knows nothing of where the value stands; shared by arguments and catalog variables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from localgen.validation.nearest import did_you_mean
from localgen.validation.repairs import Swap, spelling
from localgen_grammars.tcl.lists import ListError, list_values
from localgen_retrieval.catalog import Value, word

_NUMBER = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*([A-Za-z%\u00b5\u03a9\u03bc]*)")
_BOOLEANS = frozenset(("0", "1", "true", "false", "yes", "no", "on", "off"))
_SHOWN_VALUES = 8


@dataclass(frozen=True)
class Problem:
    """What is wrong with a value: a code, a message that begins with the value, and what to write in its place."""

    code: str
    message: str
    hint: str = ""
    swaps: tuple[Swap, ...] = ()


def check_value(spec: Value, text: str) -> Iterator[Problem]:
    """The problems of a value as the script passes it on (a whole list where the spec says list)."""
    if not spec.list_:
        yield from check_scalar(spec, text)
        return
    try:
        elements = list_values(text)
    except ListError as e:
        yield Problem("CAT017", f"{shown(text)} is not a Tcl list: {e}")
        return
    low, high = spec.min_items, spec.max_items
    if low is not None and len(elements) < low:
        yield Problem("CAT018", f"{_count(len(elements))}, at least {low} needed")
    if high is not None and len(elements) > high:
        yield Problem("CAT018", f"{_count(len(elements))}, at most {high} allowed")
    for element in elements:
        yield from check_scalar(spec, element)


def check_scalar(spec: Value, text: str) -> Iterator[Problem]:
    """The problems of a single value, or of one element of a list."""
    stripped = text.strip()
    if spec.numeric:
        yield from _number(spec, stripped)
    elif spec.type == "bool" and stripped.lower() not in _BOOLEANS:
        meant = spelling(stripped, ("true", "false", "yes", "no", "off"))
        yield Problem("CAT012", f"{shown(stripped)} is not a boolean", "write true or false", meant)
    elif spec.type == "enum" and text not in spec.values and stripped not in spec.values:
        names = ", ".join(spec.values[:_SHOWN_VALUES]) + (", …" if len(spec.values) > _SHOWN_VALUES else "")
        hint = did_you_mean(stripped, spec.values)
        yield Problem("CAT013", f"{shown(stripped)} is not one of {names}", hint, spelling(stripped, spec.values))
    if spec.type in ("bool", "enum", "expr", "script"):
        return
    if spec.pattern and not _matches(spec.pattern, stripped if spec.numeric else text):
        yield Problem("CAT016", f"{shown(text)} does not match {spec.pattern}")


def shown(text: str) -> str:
    """A value as messages show it."""
    flat = " ".join(text.split())
    return f'"{flat if len(flat) <= 60 else flat[:57] + "..."}"'


def unit_text(text: str) -> str:
    """A unit with one spelling of micro."""
    return text.replace("\u00b5", "u").replace("\u03bc", "u")


def _number(spec: Value, text: str) -> Iterator[Problem]:
    kind = "an integer" if spec.type == "int" else "a number"
    m = _NUMBER.fullmatch(text)
    if m is None:
        yield Problem("CAT012", f"{shown(text)} is not {kind}")
        return
    digits, unit = m[1], unit_text(m[2])
    wanted = unit_text(spec.unit)
    if unit and not wanted:
        yield Problem("CAT012", f"{shown(text)} is not {kind}", f"write {digits}", (Swap(text, digits),))
        return
    if unit and unit != wanted:
        converted = _converted(spec, text, digits, m[2])
        hint = f"write {converted[0].new}" if converted else f"convert it to {spec.unit}"
        yield Problem("CAT015", f"{shown(text)} has the unit {m[2]}, not {spec.unit}", hint, converted)
        return
    if unit and not spec.unit_suffix:
        bare = (Swap(text, digits, safe=True),)
        yield Problem("CAT015", f"{shown(text)} has its unit attached", f"write {digits}", bare)
    if wanted and spec.unit_suffix and not unit:
        full = digits + spec.unit
        yield Problem("CAT015", f"{shown(text)} lacks its unit", f"write {full}", (Swap(text, full, safe=True),))
    try:
        number = Decimal(digits)
    except InvalidOperation:
        yield Problem("CAT012", f"{shown(text)} is not {kind}")
        return
    if spec.type == "int" and (abs(number.adjusted()) > 400 or number != number.to_integral_value()):
        yield Problem("CAT012", f"{shown(text)} is not an integer")
    if spec.min is not None and number < Decimal(repr(spec.min)):
        yield Problem("CAT014", f"{shown(text)} is below the minimum {spec.min:g}", swaps=_limit(spec, text, spec.min))
    if spec.max is not None and number > Decimal(repr(spec.max)):
        yield Problem("CAT014", f"{shown(text)} is above the maximum {spec.max:g}", swaps=_limit(spec, text, spec.max))


def _converted(spec: Value, text: str, digits: str, unit: str) -> tuple[Swap, ...]:
    """The same amount in the unit of the catalog, where one follows from the other."""
    from localgen_grammars.constraint.quantities import Quantity, convert, number_text
    from localgen_grammars.constraint.units import canonical_unit, scale_of

    known, wanted = canonical_unit(unit), canonical_unit(spec.unit)
    if not known or not wanted or scale_of(known)[0] != scale_of(wanted)[0]:
        return ()
    values = convert(Quantity(Decimal(digits), known, text), spec.unit)
    if len(values) != 1:
        return ()
    return (Swap(text, number_text(values[0]) + (spec.unit if spec.unit_suffix else ""), safe=True),)


def _limit(spec: Value, text: str, bound: float) -> tuple[Swap, ...]:
    return (Swap(text, word(bound) + (spec.unit if spec.unit_suffix else "")),)


def _count(n: int) -> str:
    return f"the list has {n} element" + ("" if n == 1 else "s")


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return None


def _matches(pattern: str, text: str) -> bool:
    compiled = _compiled(pattern)
    return compiled is None or compiled.fullmatch(text) is not None
