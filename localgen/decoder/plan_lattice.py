"""All ways to cut an instruction into statements and remarks, and the best of them.

The instruction's clauses are cut into runs; each run is one statement (a call, a catalog's variable, a statement of a
DSL) or a remark that asks for nothing. `Lattice` has all runs and what speaks for each statement there; the best cut
is found by dynamic programming (Viterbi).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from localgen.decoder.assignment import LEFT_OVER, Assignment, Mention, Opening
from localgen.decoder.conditions import is_condition
from localgen.decoder.plan_features import (
    FILLED,
    Evidence,
    PlanWeights,
    Run,
    asked_for,
    filled,
    follows,
    plan_weights,
    remark,
)
from localgen.decoder.said import SaidValues

Floats = NDArray[np.float64]

_REFERS = re.compile(
    r"\b(?:its?|them|their|they|there|that|this|those|these|same|each|both|all|one|ones|her|his|him)\b", re.IGNORECASE
)
# How many clauses a statement may take, how many symbols are tried for each run, and how widely.
LONGEST, TRIED, NARROW = 5, 5, 24


@dataclass(frozen=True)
class Candidate:
    """A symbol that a statement may be of.

    Attributes:
        branch: what the statement begins with: a proc's name, `set NAME`, or what opens a DSL's block.
        evidence: what speaks for it.
        statement: of a DSL: (its index in the catalog, the statement's index); None for calls.
        reopen: the openings as the characters from start to end alone fill them; None where nothing reads them.
    """

    branch: str
    evidence: Evidence
    openings: tuple[Opening, ...]
    pairs: tuple[tuple[str, str], ...] = ()
    statement: tuple[int, int] | None = None
    reopen: Callable[[int, int], Sequence[Opening]] | None = None

    @property
    def calls(self) -> bool:
        """Whether it is a proc."""
        return self.statement is None and not self.branch.startswith("set ")

    @property
    def kind(self) -> tuple[bool, bool]:
        """Whether it is a rule of a DSL, and whether it is a proc that answers."""
        return self.statement is not None, self.evidence.answers


@dataclass(frozen=True)
class Step:
    """A statement in a run of clauses: (first clause, the one behind), which candidate, and its features."""

    first: int
    last: int
    which: int
    features: Floats


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


class Lattice:
    """All ways to cut an instruction into statements and remarks.

    Attributes:
        spans: (start, end) of the clauses, in characters.
        steps: the statements that are tried for each run, by the run's end. remarks: (clauses, REMARK) features.
        transitions: (candidates + 1, candidates, FOLLOWS) features of each after each; the last row is of the first.

    Args:
        cost: of a statement in this catalog; see `roomy`. weights: those that ship, if none. tried: candidates of each
            run.
    """

    def __init__(
        self, candidates: Sequence[Candidate], spans: Sequence[tuple[int, int]], said: SaidValues,
        mentions: Sequence[Mention], cost: float = 1.0, weights: PlanWeights | None = None, tried: int = TRIED,
    ) -> None:  # fmt: skip
        self.candidates, self.spans = candidates, spans
        self.said, self.mentions, self.weights = said, mentions, weights or plan_weights()
        n = len(spans)
        self.steps: list[list[Step]] = [[] for _ in range(n + 1)]
        for j in range(1, n + 1):
            for i in sorted({*range(max(0, j - LONGEST), j), *([0] if j == n else [])}):  # or the whole instruction
                self.steps[j] += self._tried(self._run(i, j), cost, tried)

    @cached_property
    def remarks(self) -> Floats:
        """(clauses, REMARK)."""
        evidence = [c.evidence for c in self.candidates]
        costs = [float(self._costs(*span).sum()) for span in self.spans]
        return np.stack([remark(evidence, j, self._run(j, j + 1), cost) for j, cost in enumerate(costs)])

    @cached_property
    def transitions(self) -> Floats:
        """(candidates + 1, candidates, FOLLOWS)."""
        before = [*[c.kind for c in self.candidates], None]
        return np.array([[follows(b, c.kind, i == k) for k, c in enumerate(self.candidates)]
                         for i, b in enumerate(before)])  # fmt: skip

    def best(self) -> tuple[tuple[Step, ...], bool]:
        """The statements of the best plan, and whether they are better than none; one at least."""
        n, k = len(self.spans), len(self.candidates)
        move, remarks = self.transitions @ self.weights.follows, self.remarks @ self.weights.remark
        score = np.full((n + 1, k + 1), -np.inf)
        score[0, k] = 0.0
        taken: dict[tuple[int, int], tuple[Step, int]] = {}
        for j in range(1, n + 1):
            score[j] = score[j - 1] + remarks[j - 1]
            for step in self.steps[j]:
                ways = score[step.first] + move[:, step.which]
                before = int(ways.argmax())
                value = float(ways[before] + step.features @ self.weights.statement)
                if value > score[j, step.which]:
                    score[j, step.which] = value
                    taken[j, step.which] = step, before
        state = int(score[n, :k].argmax())
        out, j = list[Step](), n
        sure = bool(score[n, state] > score[n, k])
        while state != k:
            while (j, state) not in taken:  # the clause asks for nothing
                j -= 1
            step, state = taken[j, state]
            out.append(step)
            j = step.first
        return tuple(reversed(out)), sure

    def score(self, steps: Sequence[Step]) -> float:
        """A plan's score, above that of one that asks for nothing."""
        remarks, move = self.remarks @ self.weights.remark, self.transitions @ self.weights.follows
        total, before = 0.0, len(self.candidates)
        for s in steps:
            total += float(s.features @ self.weights.statement + move[before, s.which])
            total -= float(remarks[s.first : s.last].sum())
            before = s.which
        return total

    def best_call(self) -> float:
        """The score of the best plan of one call."""
        calls = (s for some in self.steps for s in some if self.candidates[s.which].calls)
        return max((self.score([s]) for s in calls), default=-np.inf)

    def fill(
        self, c: Candidate, first: int, last: int, beam: int, known: Mapping[str, Mapping[str, int]] | None = None,
        *, again: bool = False,
    ) -> Assignment:  # fmt: skip
        """The ways to fill a statement from a run of clauses.

        Args:
            known: what the values of other statements are; see `Opening.kindred`.
            again: read the run's words alone.
        """
        start, end = self.spans[first][0], self.spans[last - 1][1]
        refers = _REFERS.search(self._text(start, end)) is not None
        whole = (first, last) == (0, len(self.spans))
        openings: Sequence[Opening] = c.openings
        if again and c.reopen is not None and not whole:
            new = c.reopen(start, end)
            openings = [o.reread(n, start, end, refers=refers) for o, n in zip(openings, new, strict=True)]
        elif not whole:
            openings = [o.within(start, end, refers=refers) for o in openings]
        if known:
            openings = [o.kindred(known) for o in openings]
        in_turn = c.statement is not None
        return Assignment(openings, self.said, self.mentions, self._costs(start, end), c.pairs, beam, in_turn)

    def _tried(self, run: Run, cost: float, tried: int) -> list[Step]:
        features = [
            asked_for(c.evidence, run, cost, rule=c.statement is not None, variable=c.branch.startswith("set "))
            for c in self.candidates
        ]
        rough = np.array([f @ self.weights.statement for f in features])
        start, end = self.spans[run.first][0], self.spans[run.last - 1][1]
        inside = frozenset(i for i, m in enumerate(self.mentions) if start <= m.start < end)
        out = []
        for k in np.argsort(-rough, kind="stable")[:tried]:
            c = self.candidates[k]
            ways = self.fill(c, run.first, run.last, NARROW)
            given, used = ways.best.values, ways.taken()
            missing = sum(not o.optional and o.name not in given for o in c.openings)
            left = sum(self.mentions[i].weight for i in inside - used)
            features[k][-FILLED:] = filled(ways.score, missing, left, len(used - inside))
            out.append(Step(run.first, run.last, int(k), features[k]))
        return out

    def _run(self, first: int, last: int) -> Run:
        start, end = self.spans[first][0], self.spans[last - 1][1]
        text = self._text(start, end)
        n = len(self.spans)
        said = sum(start <= m.start < end for m in self.mentions)
        whole = n > 1 and (first, last) == (0, n)
        refers = _REFERS.search(text) is not None
        return Run(first, last, whole, len(text.split()), said, refers, is_condition(text))

    def _costs(self, start: int, end: int) -> Floats:
        """(mentions,) of leaving each over."""
        return np.array([LEFT_OVER * m.weight if start <= m.start < end else 0.0 for m in self.mentions])

    def _text(self, start: int, end: int) -> str:
        return self.said.reading.instruction[start:end]
