"""Abstract values: the few texts that a word may stand for, or that nothing is known of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from localgen_grammars.blocks import FILLER
from localgen_retrieval.catalog import Returns

MAX_TEXTS = 16
MAX_LENGTH = 100_000


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that only a run can tell.

    `prefix` is the text it certainly begins with; `returns` the declared type where it is a proc's result as it is.
    """

    prefix: str = ""
    returns: Returns | None = None


Value: TypeAlias = tuple[str, ...] | Unknown

UNKNOWN = Unknown()
EMPTY: Value = ("",)


def known(value: Value) -> str | None:
    """The text, where there is exactly one."""
    return value[0] if type(value) is tuple and len(value) == 1 else None


def texts(values: Iterable[str]) -> Value:
    """The value that is one of these texts; unknown where they are too many or one is a cut-out block."""
    found = tuple(dict.fromkeys(values))
    if not found or len(found) > MAX_TEXTS or any(FILLER in t or len(t) > MAX_LENGTH for t in found):
        return UNKNOWN
    return found


def join(a: Value, b: Value) -> Value:
    """What may be either."""
    if a == b:
        return a
    if isinstance(a, Unknown) or isinstance(b, Unknown):
        return UNKNOWN
    return texts((*a, *b))


def concatenate(values: Sequence[Value]) -> Value:
    """The texts put together, in all combinations."""
    if len(values) == 1:
        return values[0]
    out: list[str] = [""]
    for value in values:
        if isinstance(value, Unknown):
            return Unknown(prefix=_common(out) + (value.prefix if len(out) == 1 else ""))
        if len(out) * len(value) > MAX_TEXTS or len(out[0]) > MAX_LENGTH:
            return Unknown(prefix=_common(out)[:MAX_LENGTH])
        out = [left + right for left in out for right in value]
    return texts(out)


def apply(function: Callable[..., str | None], *arguments: Value) -> Value:
    """A pure function on all combinations of texts; unknown where an argument is, or where it gives None or fails."""
    rows: list[tuple[str, ...]] = [()]
    for argument in arguments:
        if isinstance(argument, Unknown) or len(rows) * len(argument) > MAX_TEXTS:
            return UNKNOWN
        rows = [(*row, text) for row in rows for text in argument]
    out: list[str] = []
    for row in rows:
        try:
            result = function(*row)
        except (ValueError, ArithmeticError, IndexError):
            return UNKNOWN
        if result is None or len(result) > MAX_LENGTH:
            return UNKNOWN
        out.append(result)
    return texts(out)


def _common(found: Sequence[str]) -> str:
    if len(found) == 1:
        return found[0]
    first, last = min(found), max(found)
    size = 0
    while size < min(len(first), len(last)) and first[size] == last[size]:
        size += 1
    return first[:size]
