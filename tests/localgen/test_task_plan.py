"""Which statements an instruction asks for, clause by clause."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from localgen.decoder.assignment import call_openings, mentions_of
from localgen.decoder.said import SaidValues
from localgen.decoder.task_plan import Candidate, Planned, branches_of, by_branch, clause_spans, plan_task
from localgen_grammars.constraint.grounding import words_of
from localgen_retrieval.catalog import Proc
from localgen_retrieval.reading import read_proc
from localgen_retrieval.text import split_clauses

from .readings import Given, reading

OPEN = Proc.model_validate({"name": "open", "args": [{"name": "valve", "type": "string"}]})
DRAIN = Proc.model_validate({"name": "drain", "args": [
    {"name": "tank", "type": "string"}, {"name": "level", "type": "int", "required": False},
]})  # fmt: skip
TASK = "Drain T4 to 20 and then open up V2 fully, the plumber is waiting outside"
NAMES = ("T4", "V2")


def plan(
    fits: Mapping[str, tuple[float, ...]], task: str = TASK, drain: Mapping[str, Given] | None = None
) -> tuple[Planned, ...]:
    """The plan of a task with these z-scores, the whole's first, and a reader that finds its values."""
    words, clauses = words_of(task), split_clauses(task)
    assert all(len(f) == len(clauses) + 1 for f in fits.values())
    found = reading(
        task, (read_proc(OPEN), {"valve": "V2"}), (read_proc(DRAIN), drain or {"tank": "T4", "level": "20"})
    )
    said = SaidValues(found, words)
    flat = np.full(len(found.offsets), -np.log(len(found.offsets)))
    candidates = [
        Candidate(p.name, np.array(fits[p.name]), call_openings(p, replace(r, clause=flat), said))
        for p, r in zip((OPEN, DRAIN), found.symbols, strict=True)
    ]
    return plan_task(candidates, clause_spans(task, clauses), said, mentions_of(task, words, NAMES))


def values(p: Planned) -> Mapping[str, tuple[str, ...]]:
    return p.assignment.fillings[0].values


def test_each_step_has_its_own_clauses_and_its_own_words() -> None:
    made = plan({"open": (1, 0, 5, 0), "drain": (1, 5, 0, 0)})
    assert [(p.branch, dict(values(p))) for p in made] == [
        ("drain", {"tank": ("T4",), "level": ("20",)}), ("open", {"valve": ("V2",)})
    ]  # fmt: skip


def test_a_clause_that_nothing_fits_asks_for_nothing() -> None:
    assert [p.branch for p in plan({"open": (1, 0, 5, 1), "drain": (1, 5, 0, 1)})] == ["drain", "open"]
    assert [p.branch for p in plan({"open": (1, 0, 1, 1), "drain": (1, 5, 0, 1)})] == ["drain"]


def test_where_nothing_fits_the_best_statement_is_planned_and_known_to_be_a_guess() -> None:
    made = plan({"open": (1, 1, 1, 1), "drain": (1, 1, 1, 1)})
    assert [(p.branch, p.sure) for p in made] == [("drain", False)]
    assert dict(values(made[0])) == {"tank": ("T4",), "level": ("20",)}
    assert all(p.sure for p in plan({"open": (1, 0, 5, 0), "drain": (1, 5, 0, 0)}))


def test_a_value_may_be_said_in_an_earlier_step() -> None:
    task = "Drain T4 to 20, then open it up again at once"
    words, clauses = words_of(task), split_clauses(task)
    found = reading(task, (read_proc(OPEN), {"valve": "T4"}), (read_proc(DRAIN), {"tank": "T4", "level": "20"}))
    said = SaidValues(found, words)
    rows = {"open": (1, 0, 6), "drain": (1, 6, 0)}
    candidates = [
        Candidate(p.name, np.array(rows[p.name]), call_openings(p, r, said))
        for p, r in zip((OPEN, DRAIN), found.symbols, strict=True)
    ]
    made = plan_task(candidates, clause_spans(task, clauses), said, mentions_of(task, words, ("T4",)))
    assert [(p.branch, values(p).get("valve")) for p in made] == [("drain", None), ("open", ("T4",))]


def test_the_same_statement_is_planned_once() -> None:
    made = plan({"open": (1, 0, 0), "drain": (1, 6, 6)}, "Drain T4 to 20, I want that drained")
    assert [p.branch for p in made] == ["drain"]


@pytest.mark.parametrize("task", [TASK, "one thing", "First this; then that. And \"a, b\" too, if it works"])
def test_clauses_cover_the_instruction(task: str) -> None:
    spans = clause_spans(task, split_clauses(task))
    assert spans[0][0] == 0
    assert spans[-1][1] == len(task)
    assert all(a[1] == b[0] for a, b in itertools.pairwise(spans))


def test_statements_of_one_block_begin_it_once() -> None:
    rule = Candidate("rules {", np.zeros(2), (), (), (0, 1))
    call = Candidate("go", np.zeros(2), ())
    made = plan({"open": (1, 0, 5, 0), "drain": (1, 5, 0, 0)})
    steps = [Planned(c, made[0].assignment) for c in (rule, rule, call, rule)]
    assert branches_of(steps) == ("rules {", "go", "rules {")
    assert list(by_branch(steps)) == ["go"]


def test_names_that_are_enumerated_get_a_statement_each_where_one_fits() -> None:
    task = "open valves V1, V2 and V7 now"
    words = words_of(task)
    found = reading(task, (read_proc(OPEN), {"valve": ("V1", "V2", "V7")}))
    said = SaidValues(found, words)
    candidates = [Candidate("open", np.array([5.0, 5.0]), call_openings(OPEN, found.symbols[0], said))]
    made = plan_task(candidates, [(0, len(task))], said, mentions_of(task, words, ("V1", "V2", "V7")))
    assert [values(p)["valve"] for p in made] == [("V1",), ("V2",), ("V7",)]
    assert branches_of(made) == ("open", "open", "open")
