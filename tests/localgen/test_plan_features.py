"""The plan's features and weights: what a file holds comes back, and the best cut is the best of all."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from localgen.decoder.plan_features import FOLLOWS, REMARK, STATEMENT, Evidence, PlanWeights, plan_weights, roomy
from localgen.decoder.plan_lattice import Candidate, Lattice, Step
from localgen.decoder.said import SaidValues
from localgen_grammars.constraint.grounding import words_of

from .readings import reading

TASK = "open it, close it, then wait for a while, then stop"


def test_weights_come_back_from_their_file() -> None:
    shipped = plan_weights()
    again = PlanWeights.from_json(shipped.to_json())
    for a, b, names in zip(
        (shipped.statement, shipped.remark, shipped.follows), (again.statement, again.remark, again.follows),
        (STATEMENT, REMARK, FOLLOWS), strict=True,
    ):  # fmt: skip
        assert len(a) == len(names)
        assert np.allclose(a, b, atol=1e-4)


def test_a_file_of_fewer_features_counts_the_others_nothing() -> None:
    weights = PlanWeights.from_json('{"statement": {"fit": 2}, "remark": {}, "follows": {}}')
    assert weights.statement[STATEMENT.index("fit")] == 2 and weights.statement.sum() == 2
    assert not weights.remark.any() and not weights.follows.any()


def test_a_statement_costs_less_in_a_small_catalog() -> None:
    assert roomy(2) < roomy(10) < roomy(40) == roomy(10_000) == 1.0


def total(lattice: Lattice, steps: tuple[Step, ...], weights: PlanWeights) -> float:
    """The score of a plan, added up one by one."""
    covered = {j for s in steps for j in range(s.first, s.last)}
    score = sum(float(lattice.remarks[j] @ weights.remark) for j in range(len(lattice.spans)) if j not in covered)
    before = len(lattice.candidates)
    for s in steps:
        score += float(s.features @ weights.statement + lattice.transitions[before, s.which] @ weights.follows)
        before = s.which
    return score


@pytest.mark.parametrize("seed", range(8))
def test_the_plan_is_the_best_of_all_cuts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    spans = [(0, 9), (9, 24), (24, 46), (46, len(TASK))]
    candidates = [
        Candidate(name, Evidence(1.0, rng.normal(size=4) * 3, 0.0, rng.dirichlet([1] * 4), answers=answers), ())
        for name, answers in (("open", False), ("close", False), ("ask", True))
    ]
    candidates[1] = replace(candidates[1], statement=(0, 0))
    weights = PlanWeights(*(rng.normal(size=len(names)) for names in (STATEMENT, REMARK, FOLLOWS)))
    lattice = Lattice(candidates, spans, SaidValues(reading(TASK), words_of(TASK)), (), 1.0, weights)
    steps = [s for some in lattice.steps for s in some]
    plans = (
        chosen for n in range(1, 5) for chosen in itertools.combinations(sorted(steps, key=lambda s: s.first), n)
        if all(a.last <= b.first for a, b in itertools.pairwise(chosen))
    )  # fmt: skip
    best = max(total(lattice, chosen, weights) for chosen in plans)
    found, sure = lattice.best()
    assert total(lattice, found, weights) == pytest.approx(best)
    assert sure == (best > total(lattice, (), weights))
