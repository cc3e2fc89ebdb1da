"""Answers go on with a task: what they become, and that a question comes back only for what is still open."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from constraint_kit import domain_of

from localgen.clarify import Clarification
from localgen.dialogue import Task, preferred
from localgen.options import Options
from localgen.pipeline import Generator
from localgen_retrieval.errors import UsageError
from localgen_retrieval.retrieve import Ranking
from localgen_retrieval.symbols import Symbol

LAYERS = ("layer: M1", "layer: M2", "for example: …")
VALUE = Clarification("Which layer?", LAYERS, "missing-value", "route", "layer", ("M1", "M2"))
PROC = Clarification("Which?", ("route: Route a net.", "keep: Keep away."), "two-procs", answers=("route", "keep"))


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("M2", "Route CLK with layer M2"),
        ("2", "Route CLK with layer M2"),
        ("layer: M2", "Route CLK with layer M2"),
        ("the layer is M2.", "Route CLK with layer M2"),
        ("layer = M7", "Route CLK with layer M7"),
        ("  M3 \n", "Route CLK with layer M3"),
    ],
)
def test_a_value_joins_the_instruction_beside_its_name(answer: str, text: str) -> None:
    assert Task("Route CLK.\n").answered(VALUE, answer).text == text


@pytest.mark.parametrize("answer", ["keep", "2", "keep: Keep away.", "KEEP"])
def test_a_proc_that_is_named_goes_first_and_the_text_stays(answer: str) -> None:
    task = Task("Route CLK.").answered(PROC, answer)
    assert (task.procs, task.text) == (("keep",), "Route CLK.")
    symbols = (Symbol("proc", "route", "", 0), Symbol("proc", "keep", "", 1))
    scores = np.array([2.0, -1.0], np.float32)
    ranking = Ranking("", ("",), symbols, scores, scores[None, :], scores, scores, scores)
    assert preferred(ranking, task.procs).top("proc", 1)[0][0].name == "keep"
    assert preferred(ranking, ()) is ranking


def test_anything_else_is_said_behind_the_instruction() -> None:
    assert Task("Do it.").answered(PROC, "the second net").text == "Do it, namely the second net"


def test_an_empty_answer_is_refused_and_repeats_the_question() -> None:
    with pytest.raises(UsageError) as caught:
        Task("Route CLK.").answered(VALUE, " \n")
    assert caught.value.code == "answer-empty" and "Which layer?" in caught.value.hint


def test_several_answers_add_up() -> None:
    task = Task("Route CLK!").answered(VALUE, "M1").answered(PROC, "keep").answered(VALUE, "M2")
    assert task.text == "Route CLK with layer M1 with layer M2"
    assert (task.procs, task.instruction) == (("keep",), "Route CLK!")


def test_the_answer_to_a_missing_value_leads_to_a_script_and_is_its_source(random_model: Path, tmp_path: Path) -> None:
    args = [{"name": "valve", "kind": "valve", "doc": "Which valve."}]
    domain = domain_of({"procs": [{"name": "valve_open", "summary": "Opens a valve.", "args": args,
                                   "examples": ["valve_open -valve V3"]}]})  # fmt: skip
    made = Generator(domain, model=random_model, cache_dir=tmp_path)
    asked = made.generate("Open the valve.", Options(k=1))
    assert asked.type == "clarification" and asked.reason == "missing-value"
    assert asked.about == {"proc": "valve_open", "argument": "valve"}
    answer = made.generate("Open the valve.", Options(k=1, ask_below=0), answers=["V7"])
    assert answer.type == "script" and answer.script and "V7" in answer.script  # random weights write more than that
    assert {(v["source"], v["words"]) for v in answer.values if v["value"] == "V7"} == {("answer", "V7")}
    made.close()
