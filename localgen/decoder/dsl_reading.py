"""DSL statements as the reader reads them: each statement of the grammar is a symbol, its places for values are slots.

`DslReader` makes the symbols of a domain's DSL once; `DslReading` is what was read of them for one instruction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from localgen.decoder.assignment import Assignment, Opening
from localgen.decoder.said import Said, SaidValues
from localgen.decoder.value_hints import hinted
from localgen_grammars.dsl import DslGrammar
from localgen_grammars.statement_cursor import Cursor, cursors
from localgen_grammars.statements import Literal, Nested, Place, Repeated, Statement, match_example, statements_of
from localgen_retrieval.catalog import Dsl
from localgen_retrieval.reader import SlotReading, SymbolReading
from localgen_retrieval.reading import ReadSlot, ReadSymbol
from localgen_retrieval.text import name_words

# Odds of an optional part: the most they count, of one that nothing fits, and of what repeats, by whether it is said.
MOST, NOTHING_FITS, SEVERAL, ONE = 6.0, -4.0, 4.0, -4.0
# A value that stands in this statement already, and in an earlier one of the same kind.
USED_HERE, USED_BEFORE = -1.5, -1.5
# Of a planned list: an item that is written, and one whose turn has not come.
LISTED, LATER = -6.0, -2.0
MOST_ALIKE = 6
# A clause asks for a statement of its own from this prior and these odds on.
CLAUSE_PRIOR, CLAUSE_ODDS = 0.8, 1.5


class DslReader:
    """The statements of one DSL, for the reader.

    Attributes:
        statements: those whose form the grammar fixes; symbols: as the reader sees them, in the same order.
        productions: the index of the catalog's production for each, -1 for none.
        examples: the values of its example, by element.
        vocabulary: stems of the words that the catalog is written in.
    """

    def __init__(self, dsl: Dsl, grammar: DslGrammar, vocabulary: frozenset[str] = frozenset()) -> None:
        self.dsl, self.vocabulary = dsl, vocabulary
        known = statements_of(grammar)
        about: dict[int, tuple[int, dict[int, str]]] = {}
        for n, p in enumerate(dsl.productions):
            found = match_example(grammar, known, p.example) if p.example else None
            if found is not None:
                at, tokens = found
                about.setdefault(at, (n, _values(known[at], [(t.type, str(t)) for t in tokens])))
        statements, symbols, productions = list[Statement](), list[ReadSymbol](), list[int]()
        examples = list[dict[int, str]]()
        for i, s in enumerate(known):
            if any(isinstance(e, Nested) for e in s.full) or not isinstance(s.full[0], Literal | Place):
                continue
            n, values = about.get(i) or _alike(s, known, about)
            name, summary = (dsl.productions[n].name, dsl.productions[n].summary) if n >= 0 else ("", "")
            statements.append(s)
            symbols.append(_symbol(f"{dsl.name}.{i}", name, summary, s, values))
            productions.append(n)
            examples.append(values)
        self.examples = tuple(examples)
        self.statements, self.symbols, self.productions = tuple(statements), tuple(symbols), tuple(productions)


class DslReading:
    """What was read of a DSL's statements for one instruction.

    Args:
        prior: (clauses, statements) what else speaks for each statement, in nats, by clause; the first is the whole.

    Attributes:
        odds: that each statement is asked for.
        asked: indices of the statements that are, in the order in which the instruction asks; one as often as it does.
    """

    def __init__(
        self, reader: DslReader, readings: Sequence[SymbolReading], said: SaidValues, prior: NDArray[np.float64]
    ) -> None:
        self.dsl = reader.dsl
        self.statements, self._examples, self._vocabulary = reader.statements, reader.examples, reader.vocabulary
        self._readings = readings
        self._said = said
        self._slots = [{int(s.slot.name): s for s in r.slots} for r in readings]
        self._found: dict[tuple[int, int], tuple[Said, ...]] = {}
        self._cursors: dict[str, list[Cursor]] = {}
        self._planned: list[tuple[int, Assignment]] = []
        asked = np.array([r.asked for r in readings])
        self.odds = asked + prior.max(axis=0)
        wanted = {int(self.odds.argmax())} if len(readings) else set[int]()
        for clause in prior[1:]:  # the likeliest statement of each clause that may ask for one
            best = int((asked + clause).argmax())
            if clause[best] > CLAUSE_PRIOR and self.odds[best] > CLAUSE_ODDS:
                wanted.add(best)
        order = sorted(wanted, key=lambda i: said.reading.middle(readings[i]))
        self.asked = [i for i in order for _ in range(self._times(i))]

    def cursors(self, text: str) -> list[Cursor]:
        """The readings of a text as the beginning of a statement; kept, since candidates write the same."""
        if text not in self._cursors:
            self._cursors[text] = cursors(self.statements, text)
        return self._cursors[text]

    def used(self, lines: Sequence[str]) -> Counter[int]:
        """How often each statement stands in whole lines."""
        return Counter(i for line in lines for i in {c.statement for c in self.cursors(line) if c.element is None})

    def left(self, lines: Sequence[str]) -> list[int]:
        """The statements that are asked for and not written yet."""
        used, out = self.used(lines), list[int]()
        for i in self.asked:
            if used[i] > 0:
                used[i] -= 1
            else:
                out.append(i)
        return out

    def part_odds(self, statement: int, part: Sequence[int], at: int, lines: Sequence[str] = ()) -> float:
        """What speaks for a part by its optional elements from `at` on, beside the likeliest part (at most 0)."""
        plan = self._instance(statement, lines)
        best = max(self._part_score(statement, p, at, plan) for p in self.statements[statement].parts)
        return self._part_score(statement, part, at, plan) - best

    def _part_score(self, statement: int, part: Sequence[int], at: int, plan: Assignment | None) -> float:
        s = self.statements[statement]
        total = 0.0
        for i in range(at, len(s.full)):
            if all(i in p for p in s.parts):
                continue
            e = s.full[i]
            if isinstance(e, Place):
                slot = self._slots[statement].get(i)
                odds = slot.filled if slot is not None and self.of(statement, i) else NOTHING_FITS
                odds = odds if plan is None else plan.odds(str(i), plan.fillings)
            elif isinstance(e, Repeated) and plan is not None:
                odds = SEVERAL if len(plan.items(str(i - 1), plan.fillings)) > 1 else ONE
            elif isinstance(e, Repeated):
                odds = SEVERAL if len(self._said.several(self.of(statement, i - 1))) > 1 else ONE
            else:
                continue
            odds = float(np.clip(odds, -MOST, MOST))
            total += odds if i in part else 0.0
        return total

    def goes_on(self, c: Cursor, begun: str, lines: Sequence[str]) -> int:
        """Whether a planned list goes on with another item: 1 or -1; 0 where no list is being written."""
        plan = self._instance(c.statement, lines)
        full = self.statements[c.statement].full
        if plan is None or c.at >= len(full) or not isinstance(full[c.at], Repeated):
            return 0
        items = plan.items(str(c.at - 1), plan.fillings)
        return 1 if any(t not in _parts(begun) for t in items) else -1

    def values(self, statement: int, place: int, before: str, lines: Sequence[str]) -> dict[str, float]:
        """How likely each value is in a place, less where it is written already: before it, or in a like statement."""
        here = _parts(before)
        plan = self._instance(statement, lines)
        if plan is not None:
            found, items = plan.values(str(place), plan.fillings), plan.items(str(place), plan.fillings)
            todo = [t for t in items if t not in here] if len(items) > 1 else []
            return {t: s + LISTED * (t in here) + LATER * (bool(todo) and t != todo[0]) for t, s in found.items()}
        same = [line for line in lines if statement in self.used([line])]
        earlier = {w for line in same for w in _parts(line)} if self._times(statement) > 1 else set()
        return {
            s.text: s.score + USED_HERE * (s.text in here) + USED_BEFORE * (s.text in earlier)
            for s in self.of(statement, place)
        }

    def of(self, statement: int, place: int) -> tuple[Said, ...]:
        """What may stand in a place, likeliest first."""
        key = (statement, place)
        if key not in self._found:
            e, slot = self.statements[statement].full[place], self._slots[statement].get(place)
            known = isinstance(e, Place) and slot is not None
            self._found[key] = self._read(statement, place, e, slot, self._said) if known else ()  # type: ignore[arg-type]
        return self._found[key]

    def _read(self, statement: int, place: int, e: Place, slot: SlotReading, said: SaidValues) -> tuple[Said, ...]:
        if e.values:
            return said.choices(slot)
        found = said.of_pattern(slot, e.pattern)
        labels = _labels(self.statements[statement])
        example = self._examples[statement].get(place, "")
        return hinted(found, said, example, labels[place], labels.values(), self._vocabulary)

    def openings(
        self, statement: int, again: tuple[SymbolReading, SaidValues] | None = None
    ) -> tuple[Opening, ...]:
        """The places of a statement, by the number of their element.

        Args:
            again: another reading of it, of some of the instruction's words.
        """
        s = self.statements[statement]
        slots = self._slots[statement] if again is None else {int(r.slot.name): r for r in again[0].slots}
        out = []
        for i, e in enumerate(s.full):
            if not isinstance(e, Place):
                continue
            slot = slots.get(i)
            given = self.of(statement, i)
            if again is not None:
                given = self._read(statement, i, e, slot, again[1]) if slot is not None else ()
            optional = any(i not in p for p in s.parts)
            odds = float(np.clip(slot.filled, -MOST, MOST)) if optional and slot is not None else 0.0
            repeats = i + 1 < len(s.full) and isinstance(s.full[i + 1], Repeated)
            out.append(Opening(str(i), given, odds, optional, "list" if repeats else "value"))
        return tuple(out)

    @property
    def planned(self) -> bool:
        """Whether a task's plan says what is asked for."""
        return bool(self._planned)

    def plan(self, planned: Sequence[tuple[int, Assignment]]) -> None:
        """Take the statements of a task's plan as what is asked for."""
        if planned:
            self.asked = [i for i, _ in planned]
            self._planned = list(planned)

    def _instance(self, statement: int, lines: Sequence[str]) -> Assignment | None:
        """The plan of a statement that is being written after some lines: that of its next time."""
        mine = [a for i, a in self._planned if i == statement]
        return mine[min(self.used(lines)[statement], len(mine) - 1)] if mine else None

    def _times(self, statement: int) -> int:
        """How often a statement is asked for: as often as all its places have another value, or one enumerates some."""
        s = self.statements[statement]
        counts, listed = list[int](), 1
        for i, e in enumerate(s.full):
            repeats = i + 1 < len(s.full) and isinstance(s.full[i + 1], Repeated)
            if isinstance(e, Place) and not e.values and not repeats and all(i in p for p in s.parts):
                found = self.of(statement, i)
                counts.append(len(self._said.several(found)))
                listed = max(listed, counts[-1] if found and self._said.listed_with(found[0].text) else 1)
        return min(MOST_ALIKE, max(listed, min(counts, default=1), 1))


def _labels(s: Statement) -> dict[int, str]:
    """The words before each place of a statement, as in `pat = NAME`; its first word says what it is, not where."""
    out: dict[int, str] = {}
    words = list[str]()
    for i, e in enumerate(s.full):
        if isinstance(e, Place):
            out[i], words = " ".join(words), []
        elif isinstance(e, Literal) and i > 0:
            words += [e.text] if any(c.isalpha() for c in e.text) else []
        else:
            words = []
    return out


def _parts(text: str) -> set[str]:
    return set(text.replace(",", " ").replace(";", " ").split())


def _symbol(key: str, name: str, summary: str, s: Statement, values: dict[int, str]) -> ReadSymbol:
    """A statement as the reader sees it: as `read_production` has it, with what the example does not show."""
    head, slots, text, label, kind, choices = "", list[ReadSlot](), "", "", "", tuple[str, ...]()

    def close() -> None:
        if label:
            slots.append(ReadSlot(label, kind, text.strip(), choices))  # type: ignore[arg-type]

    for i, e in enumerate(s.full):
        if isinstance(e, Place):
            close()
            text = values.get(i, e.terminal.split("|")[0].lower() if not e.values else "")
            label, choices = str(i), e.values
            kind = "choice" if e.values else "text"
        else:
            shown = e.text if isinstance(e, Literal) else values.get(i, "")
            if label:
                text += f" {shown}"
            else:
                head += f" {shown}"
    close()
    first = s.full[0].text if isinstance(s.full[0], Literal) else ""
    return ReadSymbol("production", key, f"rule {name_words(name or first)} : {summary} . {head.strip()}", tuple(slots))


def _values(s: Statement, tokens: Sequence[tuple[str, str]]) -> dict[int, str]:
    """The example's words for the places of a statement, by element; what repeats is joined."""
    out: dict[int, str] = {}
    at = 0
    for i, e in enumerate(s.full):
        if isinstance(e, Literal):
            at += at < len(tokens) and tokens[at][0] == e.terminal
        elif isinstance(e, Place):
            if at < len(tokens) and tokens[at][0] in e.terminal.split("|"):
                out[i] = tokens[at][1]
                at += 1
        elif isinstance(e, Repeated):
            inside = {x.terminal for p in e.patterns for x in p if isinstance(x, Literal | Place)}
            shown = []
            while at < len(tokens) and tokens[at][0] in inside:
                shown.append(tokens[at][1])
                at += 1
            out[i] = " ".join(shown)
    return out


def _alike(
    s: Statement, known: Sequence[Statement], about: dict[int, tuple[int, dict[int, str]]]
) -> tuple[int, dict[int, str]]:
    """What is known of another form of the same statement: one that begins with the same word."""
    if not isinstance(s.full[0], Literal):
        return -1, {}
    return next(((n, {}) for i, (n, _) in about.items() if known[i].full[0] == s.full[0]), (-1, {}))
