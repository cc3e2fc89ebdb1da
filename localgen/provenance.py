"""Where each value of a script comes from: words of the instruction, facts of the situation, the catalog, the script.

The constraint lets nothing else be written; this says, value by value, which of them it was. A value may have several
sources: the instruction goes before the context, that before the catalog.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from localgen.script_values import BlockText, Given, Loop, ScriptCall, Setting, read_script
from localgen_grammars.constraint.places import name_places
from localgen_grammars.constraint.quantities import Quantity, convert, quantities_of, same_amount, unit_of
from localgen_grammars.dsl import DslGrammar
from localgen_retrieval.catalog import Arg, Catalog, Value, word

Source = Literal[
    "instruction", "answer", "context", "default", "limit", "choice", "variable", "result", "script", "grammar", ""
]  # fmt: skip
_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)")
_PART = re.compile(r"[A-Za-z]+|\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Origin:
    """One value and where it comes from.

    Attributes:
        place: the proc, `set NAME`, the loop's variable, or the DSL. name: the argument or terminal. line: from 1.
        source: "" where nothing of what is known says it (only with grounding off).
        words: the instruction's, as they stand there; at: where they begin (-1: nowhere).
        how: "as said", "converted", "part", "composed", "" where the source is not a text.
    """

    place: str
    name: str
    value: str
    line: int
    source: Source
    words: str = ""
    at: int = -1
    how: str = ""

    def to_document(self) -> dict[str, Any]:
        """The value's entry in `values` of `generate --json`."""
        return {"place": self.place, "name": self.name, "value": self.value, "line": self.line,
                "source": self.source or None, "words": self.words or None, "how": self.how or None,
                "start": self.at if self.at >= 0 else None}  # fmt: skip


class Sources:
    """What values may come from.

    Args:
        instruction: the text whose words are named. context: further texts.
        asked: how much of the text is the instruction; answers to questions follow (None: all of it).
    """

    def __init__(self, instruction: str, context: Sequence[str] = (), asked: int | None = None) -> None:
        self._asked = len(instruction) if asked is None else asked
        named: list[tuple[Source, str]] = [("instruction", instruction)]
        named += [("context", text) for text in context]
        self.texts = tuple((source, text, quantities_of(text)) for source, text in named)

    def find(self, value: str, unit: str, numeric: bool) -> tuple[Source, str, int, str]:
        """(source, words, where they begin, how) of a value; ("", "", -1, "") where no text says it."""
        for source, text, quantities in self.texts:
            found = _number(value, unit, text, quantities) if numeric else None
            found = found or _name(value, text)
            if found is None and not numeric:
                found = _number(value, unit, text, quantities) or _composed(value, text, quantities)
            if found is not None:
                answer = source == "instruction" and found[1] >= self._asked
                return ("answer" if answer else source, *found)
        return ("", "", -1, "")


def origins(
    script: str, catalog: Catalog, grammars: Mapping[str, DslGrammar], sources: Sources
) -> tuple[Origin, ...]:  # fmt: skip
    """The values of a script with their sources, in order."""
    out: list[Origin] = []
    for said in read_script(script, catalog, grammars):
        if isinstance(said, ScriptCall):
            for g in said.given:
                out += _of(said.proc.name, g, said.line, sources)
        elif isinstance(said, Setting):
            out += _of(f"set {said.name}", said.given, said.line, sources)
        elif isinstance(said, Loop):
            out += [Origin(f"${said.name}", said.name, i, said.line, *sources.find(i, "", False)) for i in said.items]
        else:
            out += _of_block(said, grammars[said.dsl], sources)
    return tuple(out)


def grounded(found: Sequence[Origin]) -> bool:
    """Whether every value has a source."""
    return all(o.source for o in found)


def _of(place: str, g: Given, line: int, sources: Sources) -> list[Origin]:
    if g.spec.type == "flag" or g.kind == "script":
        return []
    if g.kind != "literal":
        source: Source = "variable" if g.kind == "variable" else "script" if g.kind == "expression" else "result"
        return [Origin(place, g.name, g.written, line, source)]
    return [_origin(place, g.name, item, line, g.spec, sources) for item in g.items]


def _origin(place: str, name: str, item: str, line: int, spec: Value, sources: Sources) -> Origin:
    found = sources.find(item, unit_of(spec), spec.numeric)
    if spec.type in ("enum", "bool"):  # the catalog gives the values; the words say which, where they are the same
        return Origin(place, name, item, line, "choice", *(found[1:] if found[3] == "as said" else ()))
    if found[0]:
        return Origin(place, name, item, line, *found)
    return Origin(place, name, item, line, _of_catalog(item, spec))


def _of_catalog(item: str, spec: Value) -> Source:
    default: Any = getattr(spec, "default", None)
    defaults = default if isinstance(default, list) else [default]
    if item in {word(d) for d in defaults if d is not None} or (
        isinstance(spec, Arg) and item == spec.default_text
    ):
        return "default"
    number = _decimal(item)
    limits = {Decimal(str(x)) for x in (spec.min, spec.max) if x is not None}
    return "limit" if spec.numeric and number is not None and number in limits else ""


def _of_block(said: BlockText, grammar: DslGrammar, sources: Sources) -> list[Origin]:
    """The values of a block: what its grammar does not fix."""
    fixed = {t.name for t in grammar.lark.terminals if t.pattern.type == "str"}
    out = []
    for statement in said.statements:
        for kind, text in statement:
            bare = text.strip()
            if kind in fixed or not re.search(r"\w", bare):
                continue
            value = bare[1:-1] if len(bare) > 1 and bare[0] == bare[-1] and bare[0] in "\"'" else bare
            m = re.fullmatch(rf"({_NUMBER.pattern})\s*([A-Za-z%µ/]*)", value)
            found = sources.find(value, m.group(2) if m else "", bool(m))
            if not found[0] and re.fullmatch(r"[a-z_]+", value):
                found = ("grammar", "", -1, "")  # one of the words that a terminal's pattern lists
            out.append(Origin(said.dsl, kind, value, said.line, *found))
    return out


def _number(value: str, unit: str, text: str, quantities: Sequence[Quantity]) -> tuple[str, int, str] | None:
    """The words that say a number, in whatever unit."""
    m = _NUMBER.match(value)
    number = _decimal(m.group(0)) if m else None
    if number is None or (m is not None and not re.fullmatch(r"[A-Za-z%µμ/]*", value[m.end() :])):
        return None
    for exact in (True, False):
        for q in quantities:
            as_said = abs(q.value) == abs(number)
            if as_said if exact else any(abs(v) == abs(number) for v in convert(q, unit)) or same_amount(q, number):
                start, end = q.at[0]
                rest = re.match(r"[\s-]?(per cent|[A-Za-zµμΩ°%]+)", text[end:]) if q.unit else None
                said = text[start : end + (rest.end() if rest else 0)]
                digits = _decimal(text[start:end].replace(",", ""))
                how = "as said" if as_said and digits is not None and abs(digits) == abs(number) else "converted"
                return said, start, how
    return None


def _name(value: str, text: str) -> tuple[str, int, str] | None:
    """Where a text has a value: as a word or run of words, or as a part of one."""
    places = name_places(text, value) if value else ()
    if not places:
        return None
    start, end = places[0]
    whole = not re.search(r"[A-Za-z0-9_]$", text[:start]) and not re.match(r"[A-Za-z0-9_]", text[end:])
    said = text[start:end]
    return said, start, "as said" if whole and said == value else "converted" if whole else "part"


def _composed(value: str, text: str, quantities: Sequence[Quantity]) -> tuple[str, int, str] | None:
    """The words that a value is put together from, with fixed characters of a pattern between them (`left:100-400`)."""
    parts = _PART.findall(value)
    found = [_name(p, text) or _number(p, "", text, quantities) for p in parts]
    known = [f for f in found if f is not None]
    if not known:
        return None
    return " … ".join(dict.fromkeys(said for said, _, _ in known)), min(at for _, at, _ in known), "composed"


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
