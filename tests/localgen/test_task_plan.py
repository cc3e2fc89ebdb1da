"""Which statements an instruction asks for, clause by clause."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from localgen.decoder.assignment import Opening, call_openings, mentions_of
from localgen.decoder.plan_features import Evidence
from localgen.decoder.plan_lattice import Candidate, Lattice, clause_spans
from localgen.decoder.said import Said, SaidValues
from localgen.decoder.task_plan import Planned, branches_of, by_branch, plan_task
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


def evidence(fits: tuple[float, ...]) -> Evidence:
    """Of a symbol with these z-scores, the whole's first, and a reader that believes them."""
    clauses = np.array(fits[1:], np.float64)
    share = np.exp(clauses) / np.exp(clauses).sum()
    return Evidence(fits[0], clauses, float(max(fits)) - 2.0, share)


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
        Candidate(p.name, evidence(fits[p.name]), call_openings(p, replace(r, clause=flat), said))
        for p, r in zip((OPEN, DRAIN), found.symbols, strict=True)
    ]
    return plan_task(Lattice(candidates, clause_spans(task, clauses), said, mentions_of(task, words, NAMES)))


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
    made = plan({"open": (-4, -4, -4, -4), "drain": (-4, -4, -4, -4)})
    assert [(p.branch, p.sure) for p in made] == [("drain", False)]
    assert dict(values(made[0])) == {"tank": ("T4",), "level": ("20",)}
    assert all(p.sure for p in plan({"open": (1, 0, 5, 0), "drain": (1, 5, 0, 0)}))


def test_a_value_may_be_said_in_an_earlier_step() -> None:
    task = "Drain T4 to 20, then open it up again"
    words, clauses = words_of(task), split_clauses(task)
    found = reading(task, (read_proc(OPEN), {"valve": "T4"}), (read_proc(DRAIN), {"tank": "T4", "level": "20"}))
    said = SaidValues(found, words)
    rows = {"open": (1, 0, 6), "drain": (1, 6, 0)}
    candidates = [
        Candidate(p.name, evidence(rows[p.name]), call_openings(p, r, said))
        for p, r in zip((OPEN, DRAIN), found.symbols, strict=True)
    ]
    made = plan_task(Lattice(candidates, clause_spans(task, clauses), said, mentions_of(task, words, ("T4",))))
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
    rule = Candidate("rules {", evidence((0, 0)), (), (), (0, 1))
    call = Candidate("go", evidence((0, 0)), ())
    made = plan({"open": (1, 0, 5, 0), "drain": (1, 5, 0, 0)})
    steps = [Planned(c, made[0].assignment) for c in (rule, rule, call, rule)]
    assert branches_of(steps) == ("rules {", "go", "rules {")
    assert list(by_branch(steps)) == ["go"]


def test_names_that_are_enumerated_get_a_statement_each_where_one_fits() -> None:
    task = "open valves V1, V2 and V7 now"
    words = words_of(task)
    found = reading(task, (read_proc(OPEN), {"valve": ("V1", "V2", "V7")}))
    said = SaidValues(found, words)
    candidates = [Candidate("open", evidence((5, 5)), call_openings(OPEN, found.symbols[0], said))]
    made = plan_task(Lattice(candidates, [(0, len(task))], said, mentions_of(task, words, ("V1", "V2", "V7"))))
    assert [values(p)["valve"] for p in made] == [("V1",), ("V2",), ("V7",)]
    assert branches_of(made) == ("open", "open", "open")


def test_a_name_keeps_its_subject_in_all_statements() -> None:
    first, second = (
        Opening("room", (Said("R31", -1.0, 3), Said("HB_2", -0.5, 9)), subject="room"),
        Opening("room", (Said("R31", -1.0, 3), Said("HB_2", -0.5, 9)), subject=""),
    )
    known = {"R31": {"room": 1}, "HB_2": {"booking": 2}}
    assert [s.text for s in first.kindred(known).given] == ["R31", "HB_2"]
    assert first.kindred({}) is first
    assert second.kindred(known) is second  # nothing says what its values name


def test_a_statement_read_again_has_the_values_of_its_own_words() -> None:
    before = Opening("who", (Said("drivers", -0.1, -1), Said("lifties", -3.0, -1)), odds=1.0)
    again = Opening("who", (Said("lifties", -0.1, -1), Said("drivers", -4.0, -1)), odds=2.0)
    found = before.reread(again, 10, 20)
    assert [s.text for s in found.given] == ["lifties", "drivers"] and found.odds == 2.0
    names = Opening("net", (Said("A1", -0.1, 2), Said("B1", -2.0, 12)))
    alone = Opening("net", (Said("B1", -0.2, 12), Said("A1", -9.0, -1)))
    assert [(s.text, s.score) for s in names.reread(alone, 10, 20).given] == [("B1", -0.2), ("A1", -2.6)]
    assert names.reread(alone, 10, 20, refers=True).given[0].text == "B1"
