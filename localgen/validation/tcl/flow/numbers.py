"""Numbers and truth as Tcl 8.6 reads and writes them."""

from __future__ import annotations

import math
import re

from localgen.validation.tcl.flow.values import Unknown, Value
from localgen_grammars.tcl.expr import is_boolean_word

_INTEGER = re.compile(r"([+-]?)(?:0[xX]([0-9A-Fa-f]+)|0[bB]([01]+)|0[oO]([0-7]+)|(0[0-7]+)|([0-9]+))")
_FLOAT = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?(?i:inf(?:inity)?|nan)")


def number(text: str) -> int | float | None:
    """The number a text is, None for any other text (leading zeros mean octal, so `09` is none)."""
    stripped = text.strip()
    m = _INTEGER.fullmatch(stripped)
    if m is not None:
        sign = -1 if m[1] == "-" else 1
        for group, base in ((2, 16), (3, 2), (4, 8), (5, 8), (6, 10)):
            if m[group] is not None:
                if base == 10 and len(m[group]) > 1 and m[group].startswith("0"):
                    return None
                return sign * int(m[group], base) if len(m[group]) < 1000 else None
    if _FLOAT.fullmatch(stripped) and not re.fullmatch(r"[+-]?[0-9]+", stripped):
        return float(stripped)
    return None


def integer(text: str) -> int:
    """The integer a text is. Raises ValueError."""
    found = number(text)
    if not isinstance(found, int):
        raise ValueError(text)
    return found


def written(value: float) -> str:
    """A number as Tcl prints it."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int):
        return str(value)
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    if math.isnan(value):
        return "NaN"
    text = repr(value)
    m = re.fullmatch(r"(-?[0-9.]+)e([+-])0*([0-9]+)", text)
    return f"{m[1]}e{m[2]}{m[3]}" if m else text


def boolean(text: str) -> bool | None:
    """What a text means as a condition, None where Tcl refuses it."""
    found = number(text)
    if found is not None:
        return found != 0
    stripped = text.strip().lower()
    if not is_boolean_word(stripped):
        return None
    return stripped.startswith(("t", "y")) or stripped == "on"


def truth(value: Value) -> bool | None:
    """The condition's outcome where it is certain, else None."""
    if isinstance(value, Unknown):
        return None
    outcomes = {boolean(text) for text in value}
    return outcomes.pop() if len(outcomes) == 1 else None
