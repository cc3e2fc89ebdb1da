"""Values for the arguments of a catalog: as a script writes them, and as a person says them (marked, see `marks`)."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from localgen_grammars.constraint.quantities import unit_of
from localgen_grammars.quoting import quote_list, quote_word
from localgen_retrieval.catalog import Value

from ..families import ArgSpec
from ..values import draw_number, draw_string, invent_name, say_list, say_number
from .marks import keep
from .regex_sample import sample

_FILES = ("out/result.rpt", "run1.log", "reports/summary.txt", "work/top.v", "data/in.csv", "final.def", "a.json",
          "logs/night.log", "build/block_a.tcl", "export/list.dat")  # fmt: skip
_STRINGS = ("north", "alpha", "core_a", "unit7", "B12", "top", "main_1", "RX", "lane3", "blue", "spare", "K4")
_FILE_KINDS = re.compile(r"file|path|folder|directory|report|log", re.I)
_TRIES = 8


@dataclass(frozen=True)
class Drawn:
    """A value: one word of a command, its marked spoken form, and its elements unquoted (one for a scalar)."""

    written: str
    said: str
    items: tuple[str, ...]


def draw(value: Value, names: dict[str, tuple[str, ...]], rng: random.Random) -> Drawn | None:
    """A value for an arg or variable, None where none can be drawn (scripts, expressions, patterns beyond sampling).

    Args:
        names: strings of the domain's own, by kind.
    """
    if not value.list_:
        got = scalar(value, names, rng)
        return None if got is None else Drawn(quote_word(got[0]), got[1], (got[0],))
    least = value.min_items if value.min_items is not None else 1
    most = value.max_items if value.max_items is not None else max(least, 4)
    wanted = rng.randint(max(least, 1), max(least, 1, min(most, least + 3)))
    items: dict[str, str] = {}
    for _ in range(wanted * _TRIES):
        got = scalar(value, names, rng)
        if got is not None:
            items.setdefault(*got)
        if len(items) == wanted:
            break
    if len(items) < max(least, 1):
        return None
    return Drawn(quote_list(items), say_list(list(items.values()), rng), tuple(items))


def scalar(value: Value, names: dict[str, tuple[str, ...]], rng: random.Random) -> tuple[str, str] | None:
    """(written unquoted, said) of one value or one element of a list."""
    if value.type in ("script", "expr", "flag"):
        return None
    if value.type == "bool":
        yes = rng.random() < 0.5
        return ("true" if yes else "false"), keep(rng.choice(("on", "yes", "true") if yes else ("off", "no", "false")))
    if value.values:
        chosen = rng.choice(value.values)
        return chosen, keep(chosen)
    if value.numeric:
        return number(value, rng)
    if value.pattern:
        found = sample(value.pattern, rng)
        return None if not found else (found, keep(found))
    text = string(value.kind, names, rng, getattr(value, "name", ""))
    return text, keep(f'"{text}"' if rng.random() < 0.05 and text.isprintable() else text)


def number(value: Value, rng: random.Random) -> tuple[str, str]:
    """A number in range, with its unit where that is written."""
    unit = unit_of(value)
    low, high = _range(value, unit)
    spec = ArgSpec("v", "int" if value.type == "int" else "float", ("v",), unit=unit, low=low, high=high)
    text = draw_number(spec, rng)
    written = text + value.unit if value.unit_suffix else text
    return written, keep(say_number(text, unit, rng))


def _range(value: Value, unit: str) -> tuple[float, float]:
    low, high = value.min, value.max
    if low is None and high is None:
        return (0.0, 100.0) if unit == "%" else (1.0, 64.0) if value.type == "int" else (0.1, 100.0)
    if low is None:
        assert high is not None
        low = 0.0 if high > 0 else 2 * high - 10
    if high is None:
        high = max(low * 20, low + 100)
    return low, high


def string(kind: str, names: dict[str, tuple[str, ...]], rng: random.Random, arg: str = "") -> str:
    """A string that names something of this kind: often one that the domain's own examples use."""
    own = names.get(kind, ())
    if own and rng.random() < 0.45:
        return rng.choice(own)
    if _FILE_KINDS.search(kind or arg):
        return rng.choice(_FILES) if rng.random() < 0.6 else f"{invent_name(rng).strip('*[]/.')}.txt"
    for _ in range(_TRIES):
        text = draw_string(own or _STRINGS, rng)
        if not text.startswith("-"):
            return text
    return rng.choice(_STRINGS)
