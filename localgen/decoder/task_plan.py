"""A plan of the whole task: which symbols an instruction asks for, in which of its clauses, and with which words.

The instruction's clauses are cut into runs; each run is one statement (a call, a catalog's variable, a statement of a
DSL) or a remark that asks for nothing. The best cut by dynamic programming: what retrieval says of the run's clauses,
how well the statement can be filled from the run's own words, less a price for each statement.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from localgen.decoder.assignment import BEAM, LEFT_OVER, Assignment, Mention, Opening
from localgen.decoder.said import SaidValues

Floats = NDArray[np.float64]

# What a point of z-score counts in nats, what each statement costs, and what one of a DSL gets back: all its values
# have to be found, where a call's options add to its score.
Z_SHARE, PRICE, RULE_BONUS = 5.0, 18.0, 2.0
# The highest z-score that a catalog of 40 symbols leaves room for; in a smaller one the price is less.
ROOMY = 6.0
# A statement of a DSL is often followed by another of its kind, which need not be named again ("and SENSE_B 30 mm").
SAME = 2.0
BARE = 0.0
_REFERS = re.compile(
    r"\b(?:its?|them|their|they|there|that|this|those|these|same|each|both|all|one|ones|her|his|him)\b", re.IGNORECASE
)
# How many clauses a statement may take, how many symbols are tried for each run, and how widely.
LONGEST, TRIED, NARROW = 4, 4, 24
_PLURAL = re.compile(r"\b(?:them|their|they|those|these|each|both|all|every|ones)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Candidate:
    """A symbol that a statement may be of.

    Attributes:
        branch: what the statement begins with: a proc's name, `set NAME`, or what opens a DSL's block.
        statement: of a DSL: (its index in the catalog, the statement's index); None for calls.
        fit: (clauses + 1,) z-scores; the first is of the whole instruction.
    """

    branch: str
    fit: Floats
    openings: tuple[Opening, ...]
    pairs: tuple[tuple[str, str], ...] = ()
    statement: tuple[int, int] | None = None


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


@dataclass(frozen=True)
class _Step:
    """A run of clauses, as characters, which of the candidates it asks for, and how well that fits."""

    start: int
    end: int
    which: int
    fit: float


def clause_spans(instruction: str, clauses: Sequence[str]) -> list[tuple[int, int]]:
    """Where the clauses stand in an instruction; each goes on to where the next one begins."""
    starts, at = [], 0
    for c in clauses:
        found = instruction.find(c, at)
        at = max(at, found if found >= 0 else at)
        starts.append(at)
        at += len(c) if found >= 0 else 0
    if starts:
        starts[0] = 0
    return [(a, b) for a, b in zip(starts, [*starts[1:], len(instruction)], strict=True)]


def price_among(symbols: int) -> float:
    """What a statement costs where z-scores are of so many symbols: among n none is above (n - 1) / √n."""
    return PRICE * min(1.0, (symbols - 1) / math.sqrt(max(1, symbols)) / ROOMY)


def plan_task(
    candidates: Sequence[Candidate], spans: Sequence[tuple[int, int]], said: SaidValues, mentions: Sequence[Mention],
    price: float = PRICE,
) -> tuple[Planned, ...]:  # fmt: skip
    """The statements of the best plan in the order of their clauses; of none that is worth its price, the best one."""
    n = len(spans)
    if not candidates or not n:
        return ()
    weights = np.array([LEFT_OVER * m.weight for m in mentions])

    def costs_in(start: int, end: int) -> Floats:
        return np.array([w if start <= m.start < end else 0.0 for w, m in zip(weights, mentions, strict=True)])

    def refers_in(start: int, end: int) -> bool:
        return _REFERS.search(said.reading.instruction[start:end]) is not None

    def fill(c: Candidate, start: int, end: int, beam: int) -> Assignment:
        whole = (start, end) == (spans[0][0], spans[-1][1])
        refers = refers_in(start, end)
        openings = c.openings if whole else [o.within(start, end, refers=refers) for o in c.openings]
        in_turn = c.statement is not None
        return Assignment(openings, said, mentions, costs_in(start, end), c.pairs, beam, in_turn)

    single: list[tuple[float, tuple[_Step, ...]]] = []
    best: list[tuple[float, tuple[_Step, ...]]] = [(0.0, ())]
    for j in range(1, n + 1):
        ways = []
        for i in sorted({*range(max(0, j - LONGEST), j), *([0] if j == n else [])}):  # or the whole instruction
            start, end = spans[i][0], spans[j - 1][1]
            before, steps = best[i]
            ways.append((before - float(costs_in(start, end).sum()), steps))  # a remark
            fit = np.array([_fit(c, i, j, n) for c in candidates])
            # A clause that names nothing and refers to nothing is mostly a remark.
            bare = n > 1 and not refers_in(start, end) and not any(start <= m.start < end for m in mentions)
            tried = {int(k): float(fit[k]) for k in np.argsort(-fit)[:TRIED]}
            if steps and candidates[steps[-1].which].statement is not None:  # more of the same rule
                tried[steps[-1].which] = float(fit[steps[-1].which]) + SAME / Z_SHARE
            for k, z in tried.items():
                c = candidates[k]
                value = Z_SHARE * z - price + fill(c, start, end, NARROW).score
                value += RULE_BONUS * (c.statement is not None) - BARE * bare
                ways.append((before + value, (*steps, _Step(start, end, k, z))))
                if (i, j) == (0, n):
                    single.append(ways[-1])
        best.append(max(ways, key=lambda w: w[0]))
    steps, sure = best[n][1], True
    if not steps:
        steps, sure = (max(single, key=lambda w: w[0])[1]), False
    planned: list[Planned] = []
    names: tuple[str, ...] = ()
    for step in steps:
        c = candidates[step.which]
        new = Planned(c, fill(c, step.start, step.end, BEAM), sure, (step.start, step.end))
        if not any(p.covers(new) for p in planned):
            several = _PLURAL.search(said.reading.instruction[step.start : step.end]) is not None
            group = _each(new, said, mentions, names if several else ())
            names = _names_of(group) or names
            planned += group
    return tuple(planned)


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


def _fit(c: Candidate, i: int, j: int, n: int) -> float:
    """How well a symbol fits the clauses i to j: the best of them, and all of them as the whole does."""
    best = float(c.fit[1:][i:j].max())
    return max(best, float(c.fit[0])) if (i, j) == (0, n) else best


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
