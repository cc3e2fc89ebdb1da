"""Values that an instruction says, scored by the reader: what may stand in a slot, and how likely each is.

Candidates are what the constraint allows there (grounded words and numbers); the reader's pointers say which of them
the instruction gives for that slot.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from localgen.decoder.names import enumerations
from localgen_grammars.constraint.finite import grounded_matches
from localgen_grammars.constraint.grounding import Words, is_stop_word, takes_text
from localgen_grammars.constraint.patterns import Grounder
from localgen_grammars.constraint.places import Spans, name_places, number_places
from localgen_grammars.constraint.quantities import number_text, same_amount
from localgen_grammars.constraint.units import canonical_unit
from localgen_grammars.constraint.values import said_numbers
from localgen_grammars.quoting import quote_word
from localgen_retrieval.catalog import Arg, Variable
from localgen_retrieval.reader import Reading, SlotReading

# What is not said at all (a default), a function word, a part of a word, and capitals that are said small, in nats.
UNSAID, STOP_WORD, PIECE, OTHER_CASE = -9.0, -2.0, -2.5, -2.0
# Items of a list share the pointer's probability: so far below the best, and so likely, a value is one of several.
ALSO, SURE, LISTED = 1.2, -1.8, 4.0
# How far below the likeliest value of an enum another one may be that the instruction names too.
CHOSEN = 4.0
_TIMES = re.compile(r"(\d\d:\d\d)\D+(\d\d:\d\d)")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_STRING = re.compile(r"([\"'`]).+\1", re.DOTALL)
_IN_NAME = re.compile(r"[^\d]+(\d+)[^\d]*")
_END = re.compile(r"[^\w.]")


@dataclass(frozen=True)
class Said:
    """A value and how likely it is the one that a slot is given, in nats; `at`: where it is said (-1: nowhere)."""

    text: str
    score: float
    at: int


class SaidValues:
    """The values of one instruction."""

    def __init__(self, reading: Reading, words: Words) -> None:
        self.reading = reading
        self.words = words
        self._places: dict[str, Spans] = {}
        self.lists = enumerations(reading.instruction, words)

    def of_arg(self, slot: SlotReading, value: Arg | Variable) -> tuple[Said, ...]:
        """What an arg or variable may be given, likeliest first; values of enums and bools by their choice."""
        if slot.slot.values:
            return self.choices(slot)
        if value.numeric:
            unit = value.unit if value.unit_suffix else ""
            texts: Iterable[str] = (t + unit for t in said_numbers(value, self.words))
            return self._scored(slot, texts, value.unit)
        if value.pattern:
            return self.of_pattern(slot, value.pattern)
        spans = self.words.spans if takes_text(value.name, value.kind) else ()
        return self._scored(slot, (*self.words.all(), *spans), "")

    def of_pattern(self, slot: SlotReading, pattern: str, flags: int = 0) -> tuple[Said, ...]:
        """What a regular expression leaves of the instruction's words and numbers."""
        if slot.slot.values:
            return self.choices(slot)
        return self._scored(slot, grounded_matches(pattern, flags, Grounder(self.words)), None)

    @staticmethod
    def choices(slot: SlotReading) -> tuple[Said, ...]:
        """The values of an enum or bool, by the reader's choice."""
        pairs = zip(slot.slot.values, slot.choices, strict=False)
        return tuple(sorted((Said(v, float(p), -1) for v, p in pairs), key=lambda s: -s.score))

    def listed_with(self, name: str) -> tuple[str, ...]:
        """The enumeration of the instruction that a name stands in; empty where it stands in none."""
        return next((names for names in self.lists if name in names), ())

    def named(self, choice: str) -> Spans:
        """Where an enum's value is said by its name, or by the number in it ("metal 4" for M4) if nowhere else."""
        places = name_places(self.reading.instruction, choice)
        number = _IN_NAME.fullmatch(choice)
        if places or number is None:
            return places
        value = Decimal(number.group(1))
        return tuple(place for q in self.words.quantities if q.value == value and not q.unit for place in q.at)

    def several(self, found: tuple[Said, ...]) -> list[Said]:
        """The values of a slot that is given more than one, in the order in which they are said.

        Those that share the pointer's probability, and of an enumeration in the instruction the other names too; of an
        enum those that are named.
        """
        if found and found[0].at < 0 and (named := self._choices_named(found)):
            return named
        close: list[Said] = []
        listed = self.listed_with(found[0].text) if found else ()
        for s in found:
            near = s.score >= max(found[0].score - ALSO, SURE) or (
                s.text in listed and s.score >= found[0].score - LISTED
            )
            if near and s.at >= 0 and all(s.at != c.at for c in close):
                close.append(s)
        return sorted(close, key=lambda s: s.at) or list(found[:1])

    def _choices_named(self, found: tuple[Said, ...]) -> list[Said]:
        """The values of an enum that the instruction names, in its order."""
        places = {s.text: self.named(s.text) for s in found if s.score >= found[0].score - CHOSEN}
        return sorted((s for s in found if places.get(s.text)), key=lambda s: places[s.text])

    def _scored(self, slot: SlotReading, texts: Iterable[str], unit: str | None) -> tuple[Said, ...]:
        out = [self._score(slot, text, unit) for text in dict.fromkeys(texts) if text]
        return tuple(sorted(out, key=lambda s: -s.score))

    def _score(self, slot: SlotReading, text: str, unit: str | None) -> Said:
        best, at = UNSAID, -1
        for start, end in self._places_of(text, unit):
            score = self.reading.span(slot, start, end) / 2
            if score > best:
                # Where the word begins of which it may be a part.
                best, at = score, next((a for a, b in self.reading.offsets if a <= start < b), start)
        if text in self.words.pieces:
            best += PIECE
        if is_stop_word(text):
            best += STOP_WORD
        if at >= 0 and text.isupper() and text not in self.reading.instruction:
            best += OTHER_CASE
        return Said(text, best, at)

    def _places_of(self, text: str, unit: str | None) -> Spans:
        key = f"{unit}|{text}"
        if key not in self._places:
            self._places[key] = self._find(text, unit)
        return self._places[key]

    def _find(self, text: str, unit: str | None) -> Spans:
        if _STRING.fullmatch(text):  # the quotes are the DSL's
            text, unit = text[1:-1], ""
        if (times := _TIMES.fullmatch(text)) is not None:  # from the first to where the second is said after it
            first, second = (name_places(self.reading.instruction, t) for t in times.groups())
            return tuple((a, min(ends)) for a, _ in first if (ends := [e for b, e in second if b > a]))
        number = _NUMBER.search(text)
        if unit is None and number and number.start() == 0:  # what a pattern has behind a number may be its unit
            unit = canonical_unit(text[number.end() :])
        if unit and number:  # a value with a unit of its own: where that amount is said
            known = number_places(self.words.quantities, unit)
            amount = number_text(abs(Decimal(number.group(0))))
            return known.get(amount, known.get(f"-{amount}", ()))
        if not (number and number.group(0) == text):
            named = name_places(self.reading.instruction, text)
            if named or number is None:
                return named
        size = abs(Decimal(number.group(0)))
        exact = [q for q in self.words.quantities if abs(q.value) == size]
        close = exact or [q for q in self.words.quantities if same_amount(q, size)]
        return tuple(place for q in close for place in q.at if place[0] < len(self.reading.instruction))


class Spellings:
    """Texts with their scores, by their first sign: which of them a piece of text begins or is.

    Args:
        scores: by text.
        quoted: as a script writes them, not as they are.
    """

    def __init__(self, scores: Mapping[str, float], *, quoted: bool = False) -> None:
        self._by_sign: dict[str, list[tuple[str, float]]] = {}
        for text, score in scores.items():
            form = quote_word(text) if quoted else text
            self._by_sign.setdefault(form[:1], []).append((form, score))

    def best(self, text: str) -> float:
        """The best score of what a text begins, or is with something else behind it; -inf for nothing."""
        return max((s for form, s in self._by_sign.get(text[:1], ()) if _spells(text, form)), default=-np.inf)

    def whole(self, text: str) -> float:
        """The score of exactly this text, quoted or not; -inf where there is none."""
        return max((s for form, s in self._by_sign.get(text[:1], ()) if form == text), default=-np.inf)


def _spells(text: str, form: str) -> bool:
    return form.startswith(text) or (text.startswith(form) and _END.match(text, len(form)) is not None)
