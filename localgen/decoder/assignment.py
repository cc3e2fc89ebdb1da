"""Which words of an instruction go into which argument of a call, decided for all arguments together.

Each argument on its own takes the words that fit it best, and two may then take the same ones while others are left
over. Here the ways to fill a whole call are enumerated (a beam over its arguments), each scored by the reader's odds,
less for words that are used twice and for names and numbers of the instruction that no argument takes. An argument's
odds, and a value's score, are the difference between the best ways with it and without it (max-marginals).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from localgen.decoder.option_scores import OptionScores, bounds_of
from localgen.decoder.said import Said, SaidValues
from localgen.decoder.value_hints import ValueHints
from localgen_grammars.constraint.clocks import clocks_of
from localgen_grammars.constraint.grounding import Words
from localgen_grammars.constraint.places import name_places
from localgen_grammars.constraint.quantities import ORDINALS
from localgen_retrieval.catalog import Proc
from localgen_retrieval.reader import Reading, SymbolReading

Floats = NDArray[np.float64]

# In nats: a name or number of the instruction that is left over; words that two arguments take; a value that a
# required argument takes from nowhere; a lower bound above the upper one.
LEFT_OVER, TWICE, NOWHERE, CROSSED = 2.0, 9.0, -8.0, -6.0
# Share of the reader's odds against a required value's being said.
UNSAID_SHARE = 1.0
MOST = 7.0
BEAM, VALUES = 300, 6
# One call for each name that the instruction enumerates, where an argument takes one.
EACH = -1.0
# Two values of one look (names, times) in another order than they are said, in a statement whose places have one.
TURNED = -1.0
# A name that other statements of the plan give for the same subject.
KINDRED = 2.0
# Names that are enumerated, of which a list takes some but not all.
TORN = -4.0
# Where only a part of the instruction counts: how much of the reader's doubt is taken back there, and what a value
# from elsewhere costs. How far
# below the worst of those planned a value is that no way to fill a call has.
WITHIN, ELSEWHERE, REFERRED, UNPLANNED = 0.5, -2.5, -2.5, 2.0
_UNSURE = frozenset({"one", "a", "an", "once", "single", *ORDINALS})


@dataclass(frozen=True)
class Mention:
    """A name or number that an instruction says: its characters, and how surely it is one (0 to 1)."""

    start: int
    end: int
    weight: float


@dataclass(frozen=True)
class Filling:
    """One way to fill a call: the values by argument (none for a flag), and its score in nats."""

    values: Mapping[str, tuple[str, ...]]
    score: float


@dataclass(frozen=True)
class _Choice:
    values: tuple[str, ...] | None  # None: the argument is not given
    score: float
    mentions: frozenset[int]


def mentions_of(instruction: str, words: Words, names: Sequence[str]) -> tuple[Mention, ...]:
    """The names and numbers of an instruction in order; what overlaps is one."""
    found: list[Mention] = []
    for q in words.quantities:
        for start, end in q.at:
            said = instruction[start:end].lower()
            sure = 1.0 if q.unit or re.search(r"\d", said) else 0.2 if said in _UNSURE else 0.7
            found.append(Mention(start, end, sure))
    found += [Mention(start, end, 1.0) for places in clocks_of(instruction).values() for start, end in places]
    for name in names:
        found += [Mention(start, end, 1.0) for start, end in name_places(instruction, name)]
    merged: list[Mention] = []
    for m in sorted((m for m in found if m.end <= len(instruction)), key=lambda m: (m.start, -m.end)):
        if merged and m.start < merged[-1].end:
            last = merged[-1]
            merged[-1] = Mention(last.start, max(last.end, m.end), max(last.weight, m.weight))
        else:
            merged.append(m)
    return tuple(merged)


@dataclass(frozen=True)
class Opening:
    """A place for a value in a call or statement.

    Attributes:
        odds: log odds that it is given; 0 and not `optional` where it must be.
        said: log odds that a value which must be given is said at all.
        given: what may stand there, likeliest first. extra: what else speaks for a value.
        kind: "flag" has no value, "list" takes several.
        subject: what its values name (`net`); empty where nothing says so.
    """

    name: str
    given: tuple[Said, ...]
    odds: float = 0.0
    optional: bool = False
    kind: Literal["value", "flag", "list"] = "value"
    extra: Mapping[str, float] = field(default_factory=dict)
    subject: str = ""
    said: float = MOST

    def kindred(self, known: Mapping[str, Mapping[str, int]]) -> Opening:
        """The same with names that other statements give for the same subject ahead.

        Args:
            known: by value, how many statements give it for each subject.
        """
        if not self.subject or not known:
            return self

        def hint(value: str) -> float:
            uses = known.get(value, {})
            same = uses.get(self.subject, 0)
            other = sum(uses.values()) - same
            return KINDRED if same > other else 0.0

        given = [replace(s, score=s.score + hint(s.text)) for s in self.given]
        return replace(self, given=tuple(sorted(given, key=lambda s: -s.score)))

    def reread(self, new: Opening, start: int, end: int, *, refers: bool = False) -> Opening:
        """The same as the characters from start to end are read alone; what is said elsewhere as `within` has it.

        Args:
            new: this opening, as those words alone fill it.
        """
        found = {s.text: s for s in new.given}
        elsewhere = REFERRED if refers else ELSEWHERE
        given = []
        for s in self.given:
            other = found.get(s.text)
            if other is not None and (start <= other.at < end or s.at < 0):
                given.append(other)
            else:
                given.append(replace(s, score=s.score + (elsewhere if s.at >= 0 else 0.0)))
        given.sort(key=lambda s: -s.score)
        return replace(self, given=tuple(given), odds=new.odds, extra=new.extra, said=new.said)

    def only(self, value: str) -> Opening:
        """The same with one value."""
        return replace(self, given=tuple(s for s in self.given if s.text == value))

    def settled(self, values: tuple[str, ...] | None) -> Opening:
        """The same, surely given (or not, for None) as some way to fill the whole has it."""
        odds = 0.0 if not self.optional else -MOST if values is None else MOST
        given = self.given if not values else tuple(s for s in self.given if s.text in values)
        return replace(self, odds=odds, given=given)

    def within(self, start: int, end: int, *, refers: bool = False) -> Opening:
        """The same from start to end: what is said elsewhere may only be referred back to ("put STS1 on her").

        Args:
            refers: whether those words refer to something.
        """
        elsewhere = REFERRED if refers else ELSEWHERE
        here = [s.score for s in self.given if start <= s.at < end]
        back = -WITHIN * min(0.0, float(np.logaddexp.reduce(here))) if here else 0.0
        given = [
            replace(s, score=s.score + (back if start <= s.at < end else elsewhere if s.at >= 0 else 0.0))
            for s in self.given
        ]
        return replace(self, given=tuple(sorted(given, key=lambda s: -s.score)))


def call_openings(
    proc: Proc, symbol: SymbolReading, said: SaidValues, scores: OptionScores | None = None,
    hints: ValueHints | None = None,
) -> tuple[Opening, ...]:  # fmt: skip
    """The arguments of a call as the reader has them; scores, hints: what else speaks for options and values."""
    slots = {s.slot.name: s for s in symbol.slots}
    out = []
    for a in proc.args:
        slot = slots.get(a.name)
        if slot is None:
            continue
        given = said.of_arg(slot, a) if a.type != "flag" else ()
        if hints is not None:
            given = hints.adjust(proc, a, given, said)
        extra = scores.values(proc, a, "") if scores is not None and given else {}
        odds = 0.0
        if not a.required:
            odds = float(np.clip(slot.filled, -MOST, MOST)) + (scores.option(proc, a, "") if scores else 0.0)
        kind: Literal["value", "flag", "list"] = "flag" if a.type == "flag" else "list" if a.list_ else "value"
        subject = a.kind or a.name if a.type == "string" else ""
        said_at_all = float(np.clip(slot.filled, -MOST, MOST)) if a.required else MOST
        out.append(Opening(a.name, given, odds, not a.required, kind, extra, subject.lower(), said_at_all))
    return tuple(out)


class Assignment:
    """The ways to fill a call or statement.

    Attributes:
        openings, pairs: as given. fillings: the ways, best first.

    Args:
        costs: (mentions,) of leaving each over.
        pairs: openings of which the first is a lower, the second an upper bound.
        in_turn: whether values of one look mostly come in the order in which they are said.
    """

    def __init__(
        self, openings: Sequence[Opening], said: SaidValues, mentions: Sequence[Mention], costs: Floats,
        pairs: Sequence[tuple[str, str]] = (), beam: int = BEAM, in_turn: bool = False,
    ) -> None:  # fmt: skip
        self._said, self._mentions = said, mentions
        self.openings, self.pairs = tuple(openings), tuple(pairs)
        self._given = {o.name: o.given for o in openings}
        order = [(o.name, self._choices(o)) for o in openings]
        found = _search(order, costs, beam)
        if in_turn:
            found = tuple(replace(f, score=f.score + TURNED * self._turned(f)) for f in found)
        lists = {o.name for o in openings if o.kind == "list"}
        if lists and said.lists:
            rows = [frozenset(names) for names in said.lists if len(names) > 1]
            found = tuple(replace(f, score=f.score + TORN * _torn(f, lists, rows)) for f in found)
            found = tuple(sorted(found, key=lambda f: -f.score))
        self.fillings = _in_order(found, pairs) if pairs or in_turn else found

    @property
    def best(self) -> Filling:
        """The best way; there always is one."""
        return self.fillings[0]

    @property
    def score(self) -> float:
        """Of the best way, in nats."""
        return self.best.score

    def taken(self) -> frozenset[int]:
        """The mentions that the best way takes."""
        chosen = ((name, set(values)) for name, values in self.best.values.items())
        used = self._of([s for name, values in chosen for s in self._given.get(name, ()) if s.text in values])
        return frozenset(i for i in used if i < len(self._mentions))

    def consistent(self, written: Mapping[str, tuple[str, ...]]) -> tuple[Filling, ...]:
        """The ways that agree with what is written; all where none does."""
        kept = tuple(f for f in self.fillings if all(f.values.get(k) == v for k, v in written.items()))
        return kept or self.fillings

    def odds(self, name: str, among: Sequence[Filling]) -> float:
        """Log odds that an argument is given."""
        with_ = max((f.score for f in among if name in f.values), default=None)
        without = max((f.score for f in among if name not in f.values), default=None)
        if with_ is None or without is None:
            return MOST if without is None else -MOST
        return max(-MOST, min(MOST, with_ - without))

    def values(self, name: str, among: Sequence[Filling]) -> dict[str, float]:
        """Scores of an argument's values (of a list: its items), the best way's 0."""
        best: dict[str, float] = {}
        for f in among:
            for value in f.values.get(name, ()):
                best[value] = max(best.get(value, -np.inf), f.score)
        top = max(best.values(), default=0.0)
        found = {v: s - top for v, s in best.items()}
        worst = min(found.values(), default=0.0) - UNPLANNED
        given = self._given.get(name, ())
        for s in given:
            if s.text not in found:
                found[s.text] = max(worst + min(0.0, s.score - given[0].score), -2 * MOST)
        return found

    def items(self, name: str, among: Sequence[Filling]) -> tuple[str, ...]:
        """What the best way gives to an argument."""
        return next((f.values[name] for f in among if name in f.values), ())

    def likely(self, name: str, values: Sequence[str]) -> float:
        """The best score that the reader and the hints give to one of some values."""
        return max((s.score for s in self._given.get(name, ()) if s.text in values), default=-MOST)

    def _turned(self, f: Filling) -> int:
        """How many neighbours of one look are in another order than they are said."""
        at = {(name, s.text): s.at for name, given in self._given.items() for s in given}
        places = [(re.sub(r"\w", "a", v[0]) if ":" in v[0] else "", at.get((name, v[0]), -1))
                  for name, v in f.values.items() if len(v) == 1]  # fmt: skip
        return sum(a == b and y < x for (a, x), (b, y) in itertools.pairwise(places) if min(x, y) >= 0)

    def _choices(self, o: Opening) -> list[_Choice]:
        out = [_Choice(None, 0.0, frozenset())] if o.optional else []
        if o.kind == "flag":
            return [*out, _Choice((), o.odds, frozenset())]
        given = [(s, max(s.score, -MOST) + o.extra.get(s.text, 0.0)) for s in o.given]
        given.sort(key=lambda g: -g[1])
        top = max(0.0, given[0][1] - given[0][0].score) if given and o.extra else 0.0
        if given:
            several = self._said.several(tuple(s for s, _ in given))
            row = self._said.listed_with(several[0].text)
            each = o.kind == "value" and all(s.text in row for s in several)
            if len(several) > 1 and (o.kind == "list" or each):
                score = o.odds + given[0][1] - top + EACH * each
                out.append(_Choice(tuple(s.text for s in several), score, self._of(several)))
        out += [_Choice((s.text,), o.odds + score - top, self._of([s])) for s, score in given[:VALUES]]
        if not o.optional:  # it is not said at all
            out.append(_Choice(None, NOWHERE + UNSAID_SHARE * max(0.0, -o.said), frozenset()))
        return out

    def _of(self, values: Sequence[Said]) -> frozenset[int]:
        """The mentions that some values are; of an enum's value too where the instruction has its very word or number.

        Words that are no mention count too, behind the mentions: they are not left over, but taken once at most.
        """
        said = [s.at for s in values if s.at >= 0]
        at = said + [a for s in values if s.at < 0 for a, _ in self._said.named(s.text)[:1]]
        found = {i for i, m in enumerate(self._mentions) if any(m.start <= a < m.end for a in at)}
        others = {len(self._mentions) + a for a in said if not any(m.start <= a < m.end for m in self._mentions)}
        return frozenset(found | others)


def _torn(f: Filling, lists: Set[str], rows: Sequence[Set[str]]) -> bool:
    """Whether a list has some but not all of what the instruction enumerates in one place."""
    given = [set(values) for name, values in f.values.items() if name in lists]
    return any(0 < len(row & values) < len(row) for values in given for row in rows)


def call_plan(
    proc: Proc, symbol: SymbolReading, said: SaidValues, mentions: Sequence[Mention],
    scores: OptionScores | None = None, hints: ValueHints | None = None,
) -> Assignment:  # fmt: skip
    """The ways to fill one call from the whole instruction."""
    costs = LEFT_OVER * relevance(said.reading, symbol, mentions)
    openings = call_openings(proc, symbol, said, scores, hints)
    return Assignment(openings, said, mentions, costs, bounds_of(proc))


def relevance(reading: Reading, symbol: SymbolReading, mentions: Sequence[Mention]) -> Floats:
    """(mentions,) weight of each, less where it stands outside the words that ask for the symbol."""
    n = len(reading.offsets)
    out = np.zeros(len(mentions))
    for i, m in enumerate(mentions):
        here = [float(symbol.clause[k]) for k, (a, b) in enumerate(reading.offsets) if a < m.end and b > m.start]
        out[i] = m.weight * (min(1.0, n * float(np.exp(max(here)))) if here else 0.0)
    return out


def _in_order(fillings: Sequence[Filling], pairs: Sequence[tuple[str, str]]) -> tuple[Filling, ...]:
    """The fillings with those marked down whose lower bound is above the upper one, best first."""
    out = []
    for f in fillings:
        both = [(f.values[a], f.values[b]) for a, b in pairs if a in f.values and b in f.values]
        wrong = sum(_number(low) > _number(high) for low, high in both)
        out.append(replace(f, score=f.score + CROSSED * wrong))
    return tuple(sorted(out, key=lambda f: -f.score))


def _number(values: tuple[str, ...]) -> float:
    found = re.match(r"-?[\d.]+", values[0]) if values else None
    return float(found.group(0)) if found else 0.0


def _search(order: Sequence[tuple[str, Sequence[_Choice]]], costs: Floats, width: int) -> tuple[Filling, ...]:
    """The best fillings, best first."""
    beam: list[tuple[float, frozenset[int], dict[str, tuple[str, ...]]]] = [(-float(costs.sum()), frozenset(), {})]
    for name, choices in order:
        grown = []
        for score, used, values in beam:
            for c in choices:
                fresh = c.mentions - used
                gain = sum(costs[i] for i in fresh if i < len(costs)) - TWICE * len(c.mentions & used)
                more = values if c.values is None else {**values, name: c.values}
                grown.append((score + c.score + float(gain), used | c.mentions, more))
        grown.sort(key=lambda g: -g[0])
        beam = grown[:width]
    return tuple(Filling(values, score) for score, _, values in beam)
