"""Questions and answers on the command line: `--answer`, several lines of a filter, `--lines`, batches."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Protocol

import pytest
from cli import Ran, run

ARGS = [{"name": "valve", "kind": "valve", "doc": "Which valve."}]
PROC = {"name": "valve_open", "summary": "Opens a valve.", "args": ARGS, "examples": ["valve_open -valve V3"]}
CATALOG = {"procs": [PROC]}
TASK = "Open the valve."
QUICK = ("--k", "1", "--max-tokens", "60", "--ask-below", "0")


class Generate(Protocol):
    """Runs `generate` over the domain of valves."""

    def __call__(self, *args: str, stdin: str = TASK) -> Ran: ...


@pytest.fixture(scope="module")
def domain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("valves")
    (folder / "catalog.json").write_text(json.dumps(CATALOG))
    return folder


@pytest.fixture
def generate(random_model: Path, domain: Path) -> Generate:
    def run_it(*args: str, stdin: str = TASK) -> Ran:
        return run("generate", "--model", random_model, "--domain", domain, *QUICK, *args, stdin=stdin.encode())

    return run_it


def test_a_question_names_what_is_missing_and_writes_nothing(generate: Generate) -> None:
    asked = generate("--json")
    document = json.loads(asked.out)
    assert asked.code == 3 and document["script"] is None
    assert document["reason"] == "missing-value"
    assert document["about"] == {"proc": "valve_open", "argument": "valve"} and document["suggestions"]


def test_an_answer_goes_on_with_the_task(generate: Generate) -> None:
    ran = generate("--answer", "V7", "--json")
    document = json.loads(ran.out)
    assert ran.code == 0 and "V7" in document["script"]
    assert {v["source"] for v in document["values"] if v["value"] == "V7"} == {"answer"}


def test_the_next_line_of_a_filter_is_the_answer(generate: Generate) -> None:
    ran = generate(stdin=f"{TASK}\nV7\n")
    assert ran.code == 0 and "V7" in ran.out


def test_an_empty_answer_is_refused(generate: Generate) -> None:
    ran = generate("--answer", " ")
    assert ran.code == 2 and ran.out == "" and "the answer is empty" in ran.err


def test_a_conversation_over_lines(generate: Generate) -> None:
    ran = generate("--lines", "--json", stdin=f"{TASK}\nV7\n{TASK}\n\nOpen V3\n")
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert [d["type"] for d in lines] == ["clarification", "script", "clarification", "script"]
    assert "V7" in lines[1]["script"] and "V3" in lines[3]["script"] and "V7" not in lines[3]["script"]
    assert ran.code == 0


def test_a_conversation_that_ends_with_a_question_says_so_in_its_status(generate: Generate) -> None:
    ran = generate("--lines", stdin=f"Open V3\n{TASK}\n")
    assert ran.code == 3 and "V3" in ran.out and "What is the valve" in ran.err


@pytest.mark.parametrize("more", [("--out", "x.tcl"), ("--answer", "V7"), ("--instruction", "task.txt")])
def test_lines_are_standard_input_and_output(generate: Generate, more: tuple[str, ...]) -> None:
    assert generate("--lines", *more).code == 2


def test_answers_in_a_batch(generate: Generate, tmp_path: Path) -> None:
    tasks = [
        {"id": 1, "instruction": TASK},
        {"id": 2, "instruction": TASK, "answer": "V8"},
        {"id": 1, "answer": "V7"},
        {"id": 1, "answer": "V9"},
        {"id": 4, "answer": ["V1"]},
        {"id": 5, "instruction": TASK, "answer": 7},
    ]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(t) + "\n" for t in tasks))
    ran = generate("--batch", str(tmp_path / "t.jsonl"), stdin="")
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert ran.code == 0
    assert [(d["id"], d["type"]) for d in lines] == [
        (1, "clarification"), (2, "script"), (1, "script"), (1, "error"), (4, "error"), (5, "error"),
    ]  # fmt: skip
    assert "V8" in lines[1]["script"] and "V7" in lines[2]["script"]


@pytest.mark.parametrize("value", ["-0.1", "1.5", "nan"])
def test_a_confidence_is_a_share(generate: Generate, value: str) -> None:
    ran = generate("--ask-below", value)
    assert ran.code == 2 and "ask-below" in ran.err
