"""Strings that match a regular expression, at random: values for patterns of a catalog and terminals of a grammar.

Walks the tree of Python's own regex parser. What cannot be sampled (look-around, back references) gives None, as does
a string that the expression does not match after all.
"""

from __future__ import annotations

import importlib
import random
import re
import string
from functools import lru_cache
from typing import Any

# Repetitions beyond the least: few, so that values look like values.
_MORE = 4
_VISIBLE = string.ascii_letters + string.digits + "_"
_CATEGORIES = {"CATEGORY_DIGIT": string.digits, "CATEGORY_WORD": _VISIBLE, "CATEGORY_SPACE": " "}
_TRIES = 12


class _NoSample(Exception):
    """The expression has something that is not sampled."""


@lru_cache(maxsize=4096)
def _tree(pattern: str, flags: int) -> Any:
    # Public until 3.10 as sre_parse; there is no other parser of Python's regular expressions.
    return importlib.import_module("re._parser").parse(pattern, flags)


@lru_cache(maxsize=4096)
def _compiled(pattern: str, flags: int) -> re.Pattern[str]:
    return re.compile(pattern, flags)


def sample(pattern: str, rng: random.Random, flags: int = 0) -> str | None:
    """A string that the whole pattern matches, None where none was found.

    Raises:
        re.error: the pattern is no regular expression.
    """
    tree, compiled = _tree(pattern, flags), _compiled(pattern, flags)
    for _ in range(_TRIES):
        try:
            text = _sequence(tree, rng, {})
        except _NoSample:
            return None
        if compiled.fullmatch(text):
            return text
    return None


def _sequence(items: Any, rng: random.Random, groups: dict[int, str]) -> str:
    return "".join(_one(str(op), argument, rng, groups) for op, argument in items)


def _one(op: str, argument: Any, rng: random.Random, groups: dict[int, str]) -> str:
    if op == "LITERAL":
        return chr(argument)
    if op == "NOT_LITERAL":
        return rng.choice([c for c in _VISIBLE if c != chr(argument)])
    if op == "ANY":
        return rng.choice(_VISIBLE)
    if op == "IN":
        return rng.choice(_characters(argument))
    if op == "BRANCH":
        return _sequence(rng.choice(argument[1]), rng, groups)
    if op == "SUBPATTERN":
        text = _sequence(argument[3], rng, groups)
        if argument[0] is not None:
            groups[argument[0]] = text
        return text
    if op == "ATOMIC_GROUP":
        return _sequence(argument, rng, groups)
    if op in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        least, most, inner = argument
        count = rng.randint(least, min(int(most), least + _MORE))
        return "".join(_sequence(inner, rng, groups) for _ in range(count))
    if op == "GROUPREF" and argument in groups:
        return groups[argument]
    if op == "AT":
        return ""
    # Look-around is tried as if it were not there: what comes out is checked by the expression itself.
    if op in ("ASSERT", "ASSERT_NOT"):
        return ""
    raise _NoSample


def _characters(parts: Any) -> str:
    negated = str(parts[0][0]) == "NEGATE"
    found: list[str] = []
    for op, argument in parts[1:] if negated else parts:
        name = str(op)
        if name == "LITERAL":
            found.append(chr(argument))
        elif name == "RANGE":
            low, high = argument
            found.extend(chr(c) for c in range(low, min(high, low + 255) + 1))
        elif name == "CATEGORY":
            chars = _CATEGORIES.get(str(argument))
            if chars is None:
                opposite = _CATEGORIES.get(str(argument).replace("_NOT_", "_"))
                if opposite is None:
                    raise _NoSample
                chars = "".join(c for c in _VISIBLE + "-" if c not in opposite)
            found.extend(chars)
    if negated:
        found = [c for c in _VISIBLE if c not in found]
    if not found:
        raise _NoSample
    return "".join(found)
