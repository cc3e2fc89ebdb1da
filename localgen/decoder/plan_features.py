"""What speaks for a statement where it is asked for, as numbers; and the weights that were fitted to them.

A plan's score is linear in these features: of each statement in its run of clauses, of each clause that asks for
nothing, and of which statement follows which. The weights are a semi-Markov conditional random field's (Sarawagi and
Cohen, 2004), as `localgen_training.train_plan` fits them to tasks of domains that no network was trained on; the model
card says what those that ship were fitted to.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WEIGHTS = Path(__file__).with_name("plan_weights.json")
# The highest z-score that a catalog of 40 symbols leaves room for; in a smaller one a statement costs less.
ROOMY = 6.0
# Share of a symbol's words that every clause has at least; the bounds of log odds, and of how well a run fills a call.
UNSEEN, ODDS, FILL = 0.02, (-6.0, 6.0), (-15.0, 10.0)

# Of a statement in a run of clauses; the last four depend on how the run's words fill it.
STATEMENT = (
    "fit", "fit_whole", "best_clause", "asked", "share", "statement", "rule", "variable", "opened", "whole", "clauses",
    "length", "short", "refers", "bare", "condition_query", "condition_other", "query", "fill", "missing", "left",
    "elsewhere",
)  # fmt: skip
FILLED = 4
# Of a clause that asks for nothing; of two statements that follow one another.
REMARK = ("left", "remark", "fit", "asked", "length", "said", "last")
FOLLOWS = ("again", "enters_block", "leaves_block", "after_query", "query_after")


@dataclass(frozen=True)
class Evidence:
    """What retrieval and the reader say of one symbol.

    Attributes:
        whole: z-score for the whole instruction; clauses: (n,) for each clause.
        asked: the reader's log odds that it is asked for; share: (n,) of the words that ask for it, by clause.
        opened: what speaks for its DSL as a whole. answers: whether it is a proc that returns something.
    """

    whole: float
    clauses: Floats
    asked: float
    share: Floats
    opened: float = 0.0
    answers: bool = False

    def odds(self, i: int, j: int) -> float:
        """Log odds that the clauses from i to j ask for it."""
        return float(np.clip(self.asked + math.log(self.share[i:j].sum() + UNSEEN), *ODDS))


@dataclass(frozen=True)
class Run:
    """A run of clauses.

    Attributes:
        first, last: the first clause, and the one behind it. whole: whether it is all of several clauses.
        words: how many. said: names and numbers in it. refers: to something said elsewhere.
        condition: it says when something is to be done.
    """

    first: int
    last: int
    whole: bool
    words: int
    said: int
    refers: bool
    condition: bool


@dataclass(frozen=True)
class PlanWeights:
    """Weights of the features, in their order."""

    statement: Floats
    remark: Floats
    follows: Floats

    @staticmethod
    def from_json(text: str) -> PlanWeights:
        """Of a file's text; what it lacks counts nothing."""
        data: Mapping[str, Mapping[str, float]] = json.loads(text)
        groups = (("statement", STATEMENT), ("remark", REMARK), ("follows", FOLLOWS))
        return PlanWeights(*(np.array([data[group].get(n, 0.0) for n in names]) for group, names in groups))

    def to_json(self) -> str:
        """The text of a file."""
        groups = (("statement", STATEMENT, self.statement), ("remark", REMARK, self.remark),
                  ("follows", FOLLOWS, self.follows))  # fmt: skip
        data = {group: {n: round(float(w), 4) for n, w in zip(names, values, strict=True)}
                for group, names, values in groups}  # fmt: skip
        return json.dumps(data, indent=1) + "\n"


@cache
def plan_weights(path: Path = WEIGHTS) -> PlanWeights:
    """The weights that ship."""
    return PlanWeights.from_json(path.read_text("utf-8"))


def roomy(symbols: int) -> float:
    """What a statement costs where z-scores are of so many symbols, at most 1: among n none is above (n - 1) / √n."""
    return min(1.0, (symbols - 1) / math.sqrt(max(1, symbols)) / ROOMY)


def asked_for(e: Evidence, run: Run, cost: float, *, rule: bool, variable: bool) -> Floats:
    """(STATEMENT,) of a symbol in a run, those of its filling 0.

    Args:
        cost: as `roomy` has it.
    """
    i, j = run.first, run.last
    best = float(e.clauses[i:j].max())
    alone = (i, j) == (0, len(e.clauses))
    return np.array([
        max(best, e.whole) if alone else best, e.whole, i <= int(e.clauses.argmax()) < j, e.odds(i, j),
        min(1.0, float(e.share[i:j].sum())), cost, rule, variable, e.opened, run.whole, j - i - 1,
        min(run.words, 20) / 10, run.words <= 2, run.refers, len(e.clauses) > 1 and not run.refers and not run.said,
        run.condition and e.answers, run.condition and not e.answers, e.answers and not run.condition, 0, 0, 0, 0,
    ], np.float64)  # fmt: skip


def filled(score: float, missing: int, left: float, elsewhere: int) -> Floats:
    """The last features of a statement.

    Args:
        score: of the best way to fill it, in nats. missing: required values that are not said. left: weights of the
            run's names and numbers that it does not take. elsewhere: how many it takes from outside.
    """
    return np.array([np.clip(score, *FILL), min(missing, 3), left, min(elsewhere, 3)], np.float64)


def remark(evidence: Sequence[Evidence], clause: int, run: Run, cost: float) -> Floats:
    """(REMARK,) of a clause that asks for nothing.

    Args:
        evidence: of all candidates. cost: of the names and numbers that stay behind there.
    """
    fit = max(float(e.clauses[clause]) for e in evidence)
    odds = max(e.odds(clause, clause + 1) for e in evidence)
    last = run.last == len(evidence[0].clauses)
    return np.array([cost, 1, fit, odds, min(run.words, 20) / 10, min(run.said, 3), last], np.float64)


def follows(before: tuple[bool, bool] | None, now: tuple[bool, bool], same: bool) -> Floats:
    """(FOLLOWS,) of two statements, each (of a rule, of a proc that answers); None before the first.

    Args:
        same: whether both are of one symbol.
    """
    if before is None:
        return np.zeros(len(FOLLOWS))
    (rule, query), (next_rule, next_query) = before, now
    return np.array([
        same and not rule, next_rule and not rule, rule and not next_rule, query and not next_query,
        next_query and not query,
    ], np.float64)  # fmt: skip
