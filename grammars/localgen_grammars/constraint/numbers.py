"""Numbers as regular expressions: ranges enforced digit by digit, in canonical decimal form.

Every function returns the text of a llguidance terminal expression: `/regex/`, or two of them joined by `&`.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

DIGITS_AFTER = 6
DIGITS_BEFORE = 9
_ANY_INT = rf"(0|[1-9][0-9]{{0,{DIGITS_BEFORE - 1}}})"
_ANY_FRACTION = rf"(\.[0-9]{{1,{DIGITS_AFTER}}})?"


def number_regexes(*, integer: bool, low: float | None, high: float | None) -> list[str]:
    """Regular expressions whose intersection is the numbers from `low` to `high` (None: no limit), both included.

    Numbers have at most 9 digits before and 6 after the point, no exponent and no leading zeros.
    """
    lo = None if low is None else Decimal(str(low))
    hi = None if high is None else Decimal(str(high))
    if integer:
        lo = None if lo is None else lo.to_integral_value(ROUND_CEILING)
        hi = None if hi is None else hi.to_integral_value(ROUND_FLOOR)
    at_least = _at_least(lo, integer)
    if hi is None:
        return [at_least]
    return [at_least, _at_most(hi, integer)]


def _any(integer: bool) -> str:
    return _ANY_INT if integer else _ANY_INT + _ANY_FRACTION


def _at_least(lo: Decimal | None, integer: bool) -> str:
    if lo is None:
        return f"-?{_any(integer)}"
    if lo >= 0:
        return _magnitude_at_least(lo, integer)
    return f"({_any(integer)}|-({_magnitude_at_most(-lo, integer)}))"


def _at_most(hi: Decimal, integer: bool) -> str:
    if hi >= 0:
        return f"({_magnitude_at_most(hi, integer)}|-{_any(integer)})"
    return f"-({_magnitude_at_least(-hi, integer)})"


def _split(v: Decimal) -> tuple[int, str]:
    """Integer part and fraction digits without trailing zeros."""
    whole, _, fraction = f"{v:f}".partition(".")
    return int(whole), fraction.rstrip("0")


def _magnitude_at_least(v: Decimal, integer: bool) -> str:
    whole, fraction = _split(v)
    if integer:
        return f"({_int_at_least(whole)})"
    return f"(({_int_at_least(whole + 1)}){_ANY_FRACTION}|{whole}{_fraction_at_least(fraction)})"


def _magnitude_at_most(v: Decimal, integer: bool) -> str:
    whole, fraction = _split(v)
    if integer:
        return f"({_int_at_most(whole)})"
    same = f"{whole}{_fraction_at_most(fraction)}"
    return same if whole == 0 else f"(({_int_at_most(whole - 1)}){_ANY_FRACTION}|{same})"


def _int_at_least(n: int) -> str:
    if n == 0:
        return _ANY_INT
    s = str(n)
    options = [s]
    for i, d in enumerate(s):
        if d != "9":
            options.append(s[:i] + _digits(int(d) + 1, 9) + _more(len(s) - i - 1))
    options.append(f"[1-9][0-9]{{{len(s)},{max(len(s), DIGITS_BEFORE - 1)}}}")
    return "|".join(options)


def _int_at_most(n: int) -> str:
    s = str(n)
    options = [s]
    for i, d in enumerate(s):
        first = 1 if i == 0 and len(s) > 1 else 0
        if int(d) > first:
            options.append(s[:i] + _digits(first, int(d) - 1) + _more(len(s) - i - 1))
    if len(s) > 1:
        options.append(f"0|[1-9][0-9]{{0,{len(s) - 2}}}")
    return "|".join(options)


def _fraction_at_least(s: str) -> str:
    """Optional fractions of at least 0.s (a missing one is 0)."""
    if not s:
        return _ANY_FRACTION
    options = [s + f"[0-9]{{0,{max(0, DIGITS_AFTER - len(s))}}}"]
    for i, d in enumerate(s):
        if d != "9":
            options.append(s[:i] + _digits(int(d) + 1, 9) + f"[0-9]{{0,{max(0, DIGITS_AFTER - i - 1)}}}")
    return rf"\.({'|'.join(options)})"


def _fraction_at_most(s: str) -> str:
    """Optional fractions of at most 0.s."""
    if not s:
        return rf"(\.0{{1,{DIGITS_AFTER}}})?"
    options = [s + f"0{{0,{max(0, DIGITS_AFTER - len(s))}}}"]
    options += [s[:i] for i in range(1, len(s))]
    for i, d in enumerate(s):
        if d != "0":
            options.append(s[:i] + _digits(0, int(d) - 1) + f"[0-9]{{0,{max(0, DIGITS_AFTER - i - 1)}}}")
    return rf"(\.({'|'.join(options)}))?"


def _digits(a: int, b: int) -> str:
    return str(a) if a == b else f"[{a}-{b}]"


def _more(n: int) -> str:
    return "" if n == 0 else "[0-9]" if n == 1 else f"[0-9]{{{n}}}"
