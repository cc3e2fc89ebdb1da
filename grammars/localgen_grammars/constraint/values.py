"""Values of arguments and variables as terminals: what may be written where a value of some type stands.

Arguments with the same type and limits share one value class, so that a variable which is known to hold a value of a
class fits wherever that class is wanted. Knows how a literal is written and grounded; where it stands is
`host_values`' business.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from localgen_retrieval.catalog import Returns, Value

from ..quoting import balanced, quote_word
from .grounding import Words, digits_of
from .numbers import number_regexes
from .patterns import Grounder, Unsupported, alternatives, characters, escape, rewrite
from .quantities import number_text, number_texts, unit_of

_BARE = re.compile(r"[^\s\\{}\[\]$\";#]+(?:#[^\s\\{}\[\]$\";#]*)*")
_BARE_CHARACTERS = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+./:,*=@%^~<>|!?'&()")
FREE_WORD = r"[A-Za-z_][A-Za-z0-9_.\/:*-]{0,40}"
MAX_ITEMS = 24
# Words that say a limit of the catalog's.
_LEAST = frozenset({"min", "minimum", "minimal", "least", "lowest", "smallest", "slowest"})
_MOST = frozenset({"max", "maximum", "maximal", "full", "fully", "highest", "largest", "fastest"})


@dataclass(frozen=True)
class ValueClass:
    """Values that are interchangeable: same type, same limits.

    Attributes:
        value: one of the values that fall into this class (limits and type are what counts).
        names: what the values are called: the names of the arguments of this class, in the order of the pack.
    """

    key: str
    value: Value
    text: bool
    names: tuple[str, ...] = ()

    @property
    def numeric(self) -> bool:
        return self.value.numeric


def class_key(value: Value, text: bool) -> str:
    """Equal for values that accept the same literals."""
    v = value
    kind = v.kind if v.type == "string" and not v.pattern and not v.unit else None
    return _key_of(
        v.type, v.values, v.min, v.max, v.pattern, v.unit if v.numeric else "", v.unit_suffix, v.list_, v.min_items,
        v.max_items, text, kind,
    )  # fmt: skip


@lru_cache(maxsize=4096, typed=True)
def _key_of(*limits: object) -> str:
    return json.dumps(limits)


def takes_result(cls: ValueClass, returns: Returns | None) -> bool:
    """Whether the result of a command surely fits a value class, as far as the catalog says."""
    if returns is None or not returns.type:
        return False
    v = cls.value
    if v.list_ != returns.list_ or v.type in ("enum", "flag", "script", "expr") or v.unit_suffix:
        return False
    if v.numeric:
        numbers = ("int",) if v.type == "int" else ("int", "float")
        free = (v.min is None or v.min <= 0) and (v.max is None or v.max >= 1)
        return returns.type in numbers and free and not (v.unit and returns.unit and v.unit != returns.unit)
    if v.type == "bool":
        return returns.type == "bool"
    return returns.type == "string" and not v.pattern and (not v.kind or not returns.kind or v.kind == returns.kind)


@dataclass(frozen=True)
class Literals:
    """Terminal expressions of one class, each without a leading space; None where nothing can be written.

    `single` stands alone as a word; `element` stands inside the braces of a list.
    """

    single: str | None
    element: str | None


def literals(cls: ValueClass, words: Words | None, *, positional: bool = False) -> Literals:
    """What may be written for a class, grounded in `words` (None: grounding is off)."""
    v = cls.value
    if v.type == "bool":
        return _both(_slashes("(true|false)"))
    if v.type == "enum":
        bare = [x for x in v.values if _BARE.fullmatch(x)]
        alone = bare if v.list_ else v.values  # one element of a list stands alone only where it needs no quoting
        every = _slashes(alternatives(quote_word(x) for x in v.values)) if v.values else None
        return Literals(_slashes(alternatives(quote_word(x) for x in alone)) if alone else None, every)
    if v.numeric:
        suffix = escape(v.unit) if v.unit_suffix else ""
        if v.type == "int" and v.min is not None and v.max is not None and math.ceil(v.min) > math.floor(v.max):
            return Literals(None, None)
        if words is not None:
            known = said_numbers(v, words) or unsaid_numbers(v, words)
            return _both(_slashes(f"{alternatives(known)}{suffix}") if known else None)
        regexes = number_regexes(integer=v.type == "int", low=v.min, high=v.max)
        terms = [_slashes(f"({r}){suffix}") for r in regexes]
        return _both(" & ".join(terms))
    if v.pattern:
        written = _pattern(v.pattern, words, positional)
        return Literals(None if v.list_ and _quoted(written) else written, written)
    return _strings(cls, words, positional)


def _quoted(expression: str | None) -> bool:
    """Whether a terminal may write braces or backslashes around or into a word."""
    return expression is not None and (expression.startswith("/\\{") or "\\\\" in expression)


def said_numbers(v: Value, words: Words | None) -> list[str]:
    """The instruction's numbers that can be this value, converted to its unit; with a word for it, a limit too."""
    if words is None:
        return []
    said = number_texts(words.quantities, unit_of(v), integer=v.type == "int", low=v.min, high=v.max)
    limits = [x for x, cue in ((v.min, _LEAST), (v.max, _MOST)) if x is not None and cue & words.lower]
    return list(dict.fromkeys((*said, *(number_text(Decimal(str(x))) for x in limits if _allowed(v, str(x))))))


def unsaid_numbers(v: Value, words: Words) -> list[str]:
    """What a number may be where none is said: digits of names, and the catalog's default and limits."""
    default = getattr(v, "default", None)
    own = [str(x) for x in (default, v.min, v.max) if isinstance(x, (int, float)) and not isinstance(x, bool)]
    texts = [*digits_of(words), *(number_text(Decimal(x)) for x in own)]
    return list(dict.fromkeys(t for t in texts if _allowed(v, t)))


def _allowed(v: Value, text: str) -> bool:
    number = Decimal(text)
    whole = v.type != "int" or number == number.to_integral_value()
    return whole and (v.min is None or number >= Decimal(str(v.min))) and (
        v.max is None or number <= Decimal(str(v.max))
    )


def _both(expression: str | None, list_ok: bool = True) -> Literals:
    return Literals(expression, expression if list_ok else None)


def _slashes(regex: str) -> str:
    return f"/{regex}/"


def _pattern(pattern: str, words: Words | None, positional: bool) -> str | None:
    """A pattern's matches, quoted for Tcl where its characters ask for it."""
    chars = characters(pattern)
    bare = chars is not None and chars <= _BARE_CHARACTERS
    try:
        regex = rewrite(pattern, 0, Grounder(words, forbidden_characters="" if bare else "{}\\\n"))
    except Unsupported:
        regex = None
    if bare:
        return None if regex is None else _slashes(regex)
    fitting = [w for w in (words.all() if words else ()) if re.fullmatch(pattern, w)]
    if fitting:
        return _slashes(alternatives(quote_word(w) for w in fitting if not (positional and _dashed(w))))
    if regex is None or (chars is not None and chars & set("{}\\")):
        return None
    return _slashes(r"\{" + regex + r"\}")


def _strings(cls: ValueClass, words: Words | None, positional: bool) -> Literals:
    """Words of the instruction (and the default), quoted."""
    if words is None:
        return _both(_slashes(FREE_WORD))
    found = list(words.content)
    if cls.text:
        found += words.spans
    else:
        found = [w for w in found if " " not in w] + list(words.quoted)
    default = getattr(cls.value, "default_text", None)
    if default:
        found.append(default)
    found = [w for w in dict.fromkeys(found) if w and not (positional and _dashed(w))]
    if not found:
        return Literals(None, None)
    bare = [w for w in found if _BARE.fullmatch(w)]
    element = alternatives(quote_word(w) for w in found if balanced(quote_word(w)))
    if cls.value.list_:
        return Literals(_slashes(alternatives(bare)) if bare else None, _slashes(element))
    return Literals(_slashes(alternatives(quote_word(w) for w in found)), _slashes(element))


def _dashed(word: str) -> bool:
    return re.match(r"-[A-Za-z]", word) is not None
