"""When a question is asked, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from constraint_kit import domain_of

from localgen.clarify import (
    OUTSIDE_COSINE,
    OUTSIDE_OF_NAMES,
    Clarification,
    missing_value,
    nothing_fits,
    outside_catalog,
    unsaid_value,
)
from localgen.decoder.assignment import Assignment, call_plan, mentions_of
from localgen.decoder.plan_features import Evidence
from localgen.decoder.plan_lattice import Candidate
from localgen.decoder.said import SaidValues
from localgen.decoder.task_plan import Planned
from localgen.guide import Plan
from localgen_grammars.constraint.grounding import words_of
from localgen_retrieval.reading import read_proc
from localgen_retrieval.retrieve import Ranking
from localgen_retrieval.symbols import Symbol

from .readings import Given, reading

CATALOG = domain_of(
    {
        "description": "routing helpers",
        "procs": [
            {
                "name": "route",
                "summary": "Route one net on a layer.",
                "args": [
                    {"name": "net", "kind": "net", "doc": "Net to route."},
                    {"name": "layer", "values": ["M1", "M2"]},
                    {"name": "width", "type": "float", "unit": "um", "min": 0, "max": 10, "required": False},
                ],
                "examples": ["route -net CLK -layer M1"],
            },
            {
                "name": "keep",
                "summary": "Keep away.",
                "args": [{"name": "space", "type": "float", "unit": "um", "min": 0, "max": 5}],
            },
            {"name": "drop", "args": [{"name": "hard", "type": "flag"}, {"name": "cell", "positional": True}]},
        ],
    }
).catalog
SYMBOLS = tuple(Symbol("proc", p.name, p.summary, i) for i, p in enumerate(CATALOG.procs))


def ranking(*cosines: float) -> Ranking:
    scores = np.array(cosines)
    return Ranking("", ("",), SYMBOLS, scores, scores[None, :], scores, scores, scores)


def ask(body: str, instruction: str, excluded: Mapping[str, str] | None = None) -> Clarification | None:
    return missing_value(body, instruction, CATALOG, excluded or {}, ranking(0.6, 0.2, 0.1))


def test_an_instruction_about_something_else_is_asked_about() -> None:
    question = outside_catalog(ranking(0.1, OUTSIDE_COSINE - 0.01, 0.0), CATALOG)
    assert question is not None
    assert "routing helpers" in question.message
    assert question.suggestions[0] == "keep: Keep away."
    assert outside_catalog(ranking(0.1, OUTSIDE_COSINE + 0.01, 0.0), CATALOG) is None


def test_a_catalog_of_names_alone_has_less_to_be_like() -> None:
    bare = CATALOG.model_copy(update={"procs": tuple(p.model_copy(update={"summary": ""}) for p in CATALOG.procs)})
    assert outside_catalog(ranking(0.1, OUTSIDE_COSINE - 0.01, 0.0), bare) is None
    assert outside_catalog(ranking(0.1, OUTSIDE_OF_NAMES - 0.01, 0.0), bare) is not None


@pytest.mark.parametrize(
    ("body", "instruction"),
    [
        ("route -net CLK -layer M1\n", "Route CLK on M1"),
        ("route -net clk -layer M1\n", "Route clk on M1"),
        ("foreach n {A B} {\n  route -net $n -layer M1\n}\n", "Route A and B on M1"),
        ("keep -space 0.5\n", "keep half a micron clear"),
        ("drop -hard u1\n", "drop u1 hard"),
        ("drop u1\n", "drop u1"),
        ("", "nothing"),
    ],
)
def test_a_value_that_is_given_is_not_asked_for(body: str, instruction: str) -> None:
    assert ask(body, instruction) is None


def test_a_name_that_is_no_name_is_asked_for() -> None:
    question = ask("route -net route -layer M1\n", "Route it on M1")
    assert question is not None
    assert question.message == "What is the net for route? (Net to route)"
    assert question.suggestions == ("name the net", "for example: route -net CLK -layer M1")


def test_a_number_that_nobody_said_is_asked_for_with_its_range() -> None:
    question = ask("keep -space 3.7\n", "keep away from it")
    assert question is not None
    assert "space (in um)" in question.message
    assert question.suggestions == ("space between 0 and 5 (in um)",)


def test_a_positional_that_is_no_name_is_asked_for() -> None:
    question = ask("drop -hard cell\n", "drop the cell hard")
    assert question is not None
    assert "cell" in question.message


def test_the_best_proc_that_cannot_be_written_is_asked_about() -> None:
    question = ask("drop u1\n", "route", {"route": "no value for net"})
    assert question is not None
    assert "net" in question.message
    assert ask("drop u1\n", "route", {"keep": "no value for space"}) is None


def unsaid(instruction: str, proc: int, given: Mapping[str, Given]) -> Clarification | None:
    """The question where this proc fits best and nothing could be planned."""
    wanted = CATALOG.procs[proc]
    read = reading(instruction, (read_proc(wanted), given))
    words = words_of(instruction)
    call = call_plan(wanted, read.symbols[0], SaidValues(read, words), mentions_of(instruction, words, ()))
    best = ranking(*(0.9 if i == proc else 0.1 for i in range(3)))
    return unsaid_value(Plan({wanted.name: call}, ()), best, CATALOG)


def test_a_required_value_that_is_not_said_is_asked_for_before_anything_is_written() -> None:
    question = unsaid("keep them apart", 1, {})
    assert question is not None
    assert question.message.startswith("What is the space (in um) for keep?")
    assert unsaid("keep them 3 um apart", 1, {"space": "3"}) is None


def test_a_common_word_in_the_place_of_a_name_is_asked_about() -> None:
    question = unsaid("drop that thing over there", 2, {})
    assert question is not None
    assert "cell" in question.message
    assert unsaid("drop u_7 over there", 2, {"cell": "u_7"}) is None


def test_what_the_reader_finds_no_symbol_for_is_asked_about_where_the_plan_is_poor() -> None:
    question = nothing_fits(Plan({}, (), score=2.0, asked=-3.0), ranking(0.9, 0.2, 0.1), CATALOG)
    assert question is not None and question.reason == "outside-catalog"
    assert question.suggestions[0] == "route: Route one net on a layer."
    for plan in (Plan({}, (), score=2.0, asked=0.0), Plan({}, (), score=9.0, asked=-3.0)):
        assert nothing_fits(plan, ranking(0.9, 0.2, 0.1), CATALOG) is None


def test_a_value_that_the_reader_finds_unsaid_is_asked_for_whatever_stands_in_for_it() -> None:
    instruction, keep = "keep u_7 and u_9 apart in 3 rows", CATALOG.procs[1]
    read = reading(instruction, (read_proc(keep), {"space": "3"}))
    words = words_of(instruction)
    said, mentions = SaidValues(read, words), mentions_of(instruction, words, ())
    call = call_plan(keep, read.symbols[0], said, mentions)
    assert call.best.values["space"] == ("3",)

    def asked(odds: float) -> Clarification | None:
        openings = tuple(replace(o, said=odds) for o in call.openings)
        evidence = Evidence(2.0, np.array([2.0]), 2.0, np.array([1.0]))
        filled = Assignment(openings, said, mentions, np.zeros(len(mentions)))
        planned = Planned(Candidate("keep", evidence, openings), filled)
        return unsaid_value(Plan({"keep": call}, (planned,)), ranking(0.1, 0.9, 0.1), CATALOG)

    question = asked(-5.0)
    assert question is not None and question.arg == "space"
    assert asked(5.0) is None
