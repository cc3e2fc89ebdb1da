"""Values as traces compare them: equal values are equal texts (`2.0` and `2`, `2um` and `2`, `yes` and `true`)."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from localgen_retrieval.catalog import Arg, Value

_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*([A-Za-z%\u00b5\u03bc\u03a9/]*)")
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


def canonical(value: Value, text: str) -> str:
    """One value (one element of a list) in the form in which equal values are equal texts."""
    bare = text.strip()
    if bare.startswith(("@mock:", "@var:")):
        return bare
    if value.numeric:
        m = _NUMBER.fullmatch(bare)
        if m and (not m[2] or _micro(m[2]) == _micro(value.unit)):
            return _number(m[1])
        return bare
    if value.type == "bool":
        low = bare.lower()
        return "true" if low in _TRUE else "false" if low in _FALSE else bare
    if value.type == "expr":
        return "".join(bare.split())
    if value.type == "script":
        return " ".join(bare.split())
    return bare if value.type == "enum" else text


def canonical_word(value: Value, word: dict[str, Any]) -> Any:
    """A whole word: a list of canonical elements where the value is a list."""
    if not value.list_:
        return canonical(value, word["text"])
    items = word["items"] if word["items"] is not None else word["text"].split()
    return [canonical(value, i) for i in items]


def default_value(arg: Arg) -> Any:
    """An arg's default as `canonical_word` would have it."""
    if arg.list_ and isinstance(arg.default, list):
        return [canonical(arg, str(x)) for x in arg.default]
    text = arg.default_text or ""
    return [canonical(arg, x) for x in text.split()] if arg.list_ else canonical(arg, text)


def _number(text: str) -> str:
    d = Decimal(text)
    return format(d.normalize(), "f") if d else "0"


def _micro(unit: str) -> str:
    return unit.replace("\u00b5", "u").replace("\u03bc", "u")


def token(text: str) -> str:
    """A DSL token: white space collapsed, a number (with its unit) canonical; leading zeros are kept, as in codes."""
    text = " ".join(text.split())
    m = _NUMBER.fullmatch(text)
    return _number(m[1]) + _micro(m[2]) if m and not re.match(r"[+-]?0\d", m[1]) else text
