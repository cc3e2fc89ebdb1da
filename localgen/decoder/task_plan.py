"""A plan of the whole task: which symbols an instruction asks for, in which of its clauses, and with which words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from localgen.decoder.assignment import BEAM, Assignment, Mention
from localgen.decoder.plan_lattice import NARROW, Candidate, Lattice
from localgen.decoder.said import SaidValues

# Of so many statements each is read again, from its own words alone.
AGAIN = 2
_PLURAL = re.compile(r"\b(?:them|their|they|those|these|each|both|all|every|ones)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Planned:
    """One statement of a plan, and the ways to fill it from its clauses.

    Attributes:
        sure: whether it was worth its price; where nothing is, the plan is the best single statement all the same.
        span: (start, end) of the clauses that ask for it.
    """

    candidate: Candidate
    assignment: Assignment
    sure: bool = True
    span: tuple[int, int] = (0, 0)

    @property
    def branch(self) -> str:
        """What the statement begins with."""
        return self.candidate.branch

    def covers(self, other: Planned) -> bool:
        """Whether another statement would say nothing that this one does not."""
        if self.candidate is not other.candidate:
            return False
        return other.assignment.best.values.items() <= self.assignment.best.values.items()


def plan_task(lattice: Lattice) -> tuple[Planned, ...]:
    """The statements of the best plan in the order of their clauses; where none is worth it, the best guess."""
    if not lattice.candidates or not lattice.spans:
        return ()
    said, mentions, spans = lattice.said, lattice.mentions, lattice.spans
    steps, sure = lattice.best()
    planned: list[Planned] = []
    names: tuple[str, ...] = ()
    alone = [lattice.fill(lattice.candidates[s.which], s.first, s.last, NARROW) for s in steps]
    for i, step in enumerate(steps):
        c = lattice.candidates[step.which]
        start, end = spans[step.first][0], spans[step.last - 1][1]
        known = _subjects([a for k, a in enumerate(alone) if k != i])
        ways = lattice.fill(c, step.first, step.last, BEAM, known, again=len(steps) >= AGAIN)
        new = Planned(c, ways, sure, (start, end))
        if not any(p.covers(new) for p in planned):
            several = _PLURAL.search(said.reading.instruction[start:end]) is not None
            group = _each(new, said, mentions, names if several else ())
            names = _names_of(group) or names
            planned += group
    return tuple(planned)


def _subjects(others: Sequence[Assignment]) -> Mapping[str, Mapping[str, int]]:
    """By value, how many statements give it for each subject."""
    out: dict[str, Counter[str]] = {}
    for a in others:
        for o in a.openings:
            for value in a.best.values.get(o.name, ()) if o.subject else ():
                out.setdefault(value, Counter())[o.subject] += 1
    return out


def _names_of(group: Sequence[Planned]) -> tuple[str, ...]:
    """What the statements of a group differ in, where they go over several names; none for a single one."""
    for o in group[0].candidate.openings if len(group) > 1 else ():
        values = [p.assignment.best.values.get(o.name, ()) for p in group]
        if o.kind == "value" and all(len(v) == 1 for v in values) and len(set(values)) == len(group):
            return tuple(v[0] for v in values)
    return ()


def _each(p: Planned, said: SaidValues, mentions: Sequence[Mention], names: Sequence[str] = ()) -> list[Planned]:
    """A statement for each value that it gives to an opening which takes one; mostly just the statement.

    Args:
        names: that the statements before went over, and this one may refer to ("then lock each of them").
    """
    values = p.assignment.best.values
    places = (o for o in p.candidate.openings if o.kind == "value" and set(values.get(o.name, ())) & set(names))
    if (again := next(places, None)) is not None and len(values[again.name]) == 1:
        values = {**values, again.name: tuple(names)}
    singles = [o.name for o in p.candidate.openings if o.kind == "value" and len(values.get(o.name, ())) > 1]
    if not singles:
        return [p]
    out = []
    for turn in range(max(len(values[name]) for name in singles)):
        openings = tuple(
            o.settled(values.get(o.name)) if o.name not in singles
            else o.only(values[o.name][min(turn, len(values[o.name]) - 1)]) for o in p.candidate.openings
        )  # fmt: skip
        candidate = replace(p.candidate, openings=openings)
        filled = Assignment(openings, said, mentions, np.zeros(len(mentions)), candidate.pairs)
        out.append(Planned(candidate, filled, p.sure, p.span))
    return out


def left_over(plan: Sequence[Planned], mentions: Sequence[Mention]) -> float:
    """The share of the names and numbers of an instruction that no planned statement takes; 0 where it has none."""
    taken = frozenset[int]().union(*(p.assignment.taken() for p in plan))
    left = sum(m.weight for i, m in enumerate(mentions) if i not in taken)
    return left / total if (total := sum(m.weight for m in mentions)) else 0.0


def branches_of(plan: Sequence[Planned]) -> tuple[str, ...]:
    """What the statements of a script begin with; what stands together in one block counts once."""
    out: list[str] = []
    for p in plan:
        if p.candidate.statement is None or not out or out[-1] != p.branch:
            out.append(p.branch)
    return tuple(out)


def by_branch(plan: Sequence[Planned]) -> Mapping[str, tuple[Assignment, ...]]:
    """The planned calls of each proc and variable, in order."""
    names = dict.fromkeys(p.branch for p in plan if p.candidate.statement is None)
    return {name: tuple(p.assignment for p in plan if p.branch == name) for name in names}
