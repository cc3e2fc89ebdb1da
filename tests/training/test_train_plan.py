"""The plan's weights are fitted: the sums are over all plans, and training makes the right ones likelier."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from localgen.decoder.plan_features import FOLLOWS, REMARK, STATEMENT, Evidence, PlanWeights, plan_weights
from localgen.decoder.plan_lattice import Candidate, Lattice
from localgen.decoder.said import SaidValues
from localgen_grammars.constraint.grounding import words_of
from localgen_retrieval.reader import Reading
from localgen_training.train_plan import PlanTask, _plan_task, asked_of, log_sum, right_plans, train
from localgen_training.written import WRITTEN, WrittenDomain

DOMAIN = WrittenDomain(WRITTEN / "agv_fleet")


def lattice(seed: int, names: tuple[str, ...], spans: list[tuple[int, int]], text: str) -> Lattice:
    """Candidates of the domain's procs with z-scores at random."""
    rng = np.random.default_rng(seed)
    n = len(spans)
    candidates = [
        Candidate(name, Evidence(0.0, rng.normal(size=n) * 2, float(rng.normal()), rng.dirichlet([1] * n)), ())
        for name in names
    ]
    return Lattice(candidates, spans, SaidValues(Reading(text, (), ()), words_of(text)), (), 1.0, tried=8)


@pytest.fixture(scope="module")
def tasks() -> list[PlanTask]:
    """Real tasks of several statements, with what speaks for their procs made up."""
    out = []
    for seed, task in enumerate(t for t in DOMAIN.tasks if t.clauses and not any("." in u.symbol for u in t.uses)):
        starts = sorted({task.instruction.find(words) for words, _ in task.clauses})
        ends = [*starts[1:], len(task.instruction)]
        spans = list(zip([0, *starts[1:]], ends, strict=True))
        names = tuple(dict.fromkeys([*(u.symbol for u in task.uses), DOMAIN.domain.catalog.procs[0].name]))
        made = _plan_task(task, DOMAIN, lattice(seed, names, spans, task.instruction))
        out += [made] if made is not None else []
    assert len(out) >= 8
    return out


def test_what_is_asked_for_stands_in_its_clause() -> None:
    pairs = (t for t in DOMAIN.tasks if len(t.clauses) == len(t.uses) == 2)
    task = next(t for t in pairs if t.instruction.startswith(t.clauses[0][0]))
    middle = len(task.clauses[0][0])
    asked = asked_of(task, DOMAIN, [(0, middle), (middle, len(task.instruction))])
    assert [a.clause for a in asked] == [0, 1]
    assert asked_of(task, DOMAIN, [(0, len(task.instruction))]) == ()  # one clause asks for two things


def test_the_sum_is_over_all_plans(tasks: list[PlanTask]) -> None:
    weights = plan_weights()
    groups = [torch.tensor(w, dtype=torch.float32) for w in (weights.statement, weights.remark, weights.follows)]
    for t in tasks[:5]:
        steps, n, k = [s for some in t.lattice.steps for s in some], len(t.silent), len(t.names)
        total = -math.inf
        for size in range(1, n + 1):
            for chosen in itertools.combinations(sorted(steps, key=lambda s: s.first), size):
                if any(a.last > b.first for a, b in itertools.pairwise(chosen)):
                    continue
                silent = set(range(n)) - {j for s in chosen for j in range(s.first, s.last)}
                score, before = sum(float(t.lattice.remarks[j] @ weights.remark) for j in silent), k
                for s in chosen:
                    score += float(s.features @ weights.statement)
                    score += float(t.lattice.transitions[before, s.which] @ weights.follows)
                    before = s.which
                total = np.logaddexp(total, score)
        assert float(log_sum(t, *groups, right=False)) == pytest.approx(total, abs=1e-3)
        assert float(log_sum(t, *groups, right=True)) < total


def test_training_makes_right_plans_likelier(tasks: list[PlanTask]) -> None:
    nothing = PlanWeights(*(np.zeros(len(names)) for names in (STATEMENT, REMARK, FOLLOWS)))

    def likelihood(w: PlanWeights) -> float:
        groups = [torch.tensor(x, dtype=torch.float32) for x in (w.statement, w.remark, w.follows)]
        return sum(float(log_sum(t, *groups, right=True) - log_sum(t, *groups, right=False)) for t in tasks)

    trained = train(tasks, nothing)
    assert likelihood(trained) > likelihood(nothing)
    assert train(tasks, nothing).to_json() == trained.to_json()  # the same seed, the same weights
    counted = right_plans(tasks, trained)
    assert sum(counted.values()) == len(tasks)
