"""Evaluation: what is counted, with how much uncertainty, and that judging needs nothing but the answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("lark")

from oracle import requires_tcl

from localgen_retrieval.errors import UsageError
from localgen_training.evaluate import Answer, HeldOutTask, evaluate, load_suite, main, summary
from localgen_training.measures import rate, table, wilson
from localgen_training.raw_check import calls_in, procs_of

TASKS: list[dict[str, Any]] = [
    {"id": "1", "suite": "unit", "instruction": "do a 1", "reference": "a -n 1"},
    {"id": "2", "suite": "unit", "instruction": "do a 2", "reference": "a -n 2"},
    {"id": "3", "suite": "unit", "instruction": "do a 3", "reference": "a -n 3", "alternatives": ["b -n 3"]},
    {"id": "4", "suite": "flow", "instruction": "do both", "reference": "a -n 1\nb -n 2", "ordered": False},
    {"id": "5", "suite": "ask", "instruction": "do it", "expect": "clarification", "reference": None},
]
ANSWERS = [
    {"id": "1", "type": "script", "script": "a -n 1.0", "valid": True, "seconds": 1.0},
    {"id": "2", "type": "script", "script": "a -n 3", "valid": True, "seconds": 2.0},
    {"id": "3", "type": "clarification", "script": None, "message": "which?", "seconds": 3.0},
    {"id": "4", "type": "script", "script": "b -n 2\na -n 1", "valid": False, "seconds": 4.0},
    {"id": "5", "type": "clarification", "script": None, "message": "what?", "seconds": 5.0},
]


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    args = [{"name": "n", "type": "int"}]
    procs = [{"name": "a", "args": args}, {"name": "b", "args": args}]
    (folder / "catalog.json").write_text(json.dumps({"name": "mine", "procs": procs}))
    (folder / "tasks.jsonl").write_text("".join(json.dumps(t) + "\n" for t in TASKS))
    return folder


def test_wilson_intervals_are_those_of_the_tables() -> None:
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-3)
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-3)
    assert wilson(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-3)
    assert rate(0, 0) is None and str(rate(1, 2)) == "50% [9%-91%]"


@requires_tcl
def test_figures_of_a_results_file(suite: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "results.jsonl").write_text("".join(json.dumps(a) + "\n" for a in ANSWERS))
    out, details = tmp_path / "figures.json", tmp_path / "rows.jsonl"
    words = [str(suite), "--results", str(tmp_path / "results.jsonl"), "--json", str(out), "--details", str(details)]
    assert main(words) == 0
    figures = json.loads(out.read_text())
    assert set(figures) == {"mine", "mine/unit", "mine/flow", "mine/ask"}
    got = figures["mine"]
    counts = {k: (got[k]["n"], got[k]["of"]) for k in ("valid", "pass@1", "right_proc", "whole_call")}
    assert counts == {"valid": (2, 3), "pass@1": (2, 4), "right_proc": (2, 3), "whole_call": (1, 3)}
    assert (got["ask_precision"]["rate"], got["ask_recall"]["rate"]) == (0.5, 1.0)
    assert got["seconds"] == 3.0 and got["tasks"] == 5 and got["errors"] == 0
    assert len(details.read_text().splitlines()) == 5
    assert "mine/unit" in capsys.readouterr().out


@requires_tcl
def test_an_alternative_with_another_proc_is_right_too(suite: Path) -> None:
    domain, tasks = load_suite(suite)
    (row,) = evaluate(domain, tasks[2:3], lambda task: Answer("script", "b -n 3", True))
    assert row.functional and row.right_proc


@requires_tcl
def test_errors_are_counted_and_never_right(suite: Path) -> None:
    domain, tasks = load_suite(suite)
    got = summary(evaluate(domain, tasks, lambda task: Answer("error", message="no")))
    assert got["errors"] == 5 and got["pass@1"].n == 0 and got["valid"] is None and got["ask_recall"].n == 0


@requires_tcl
def test_a_reference_that_does_not_run_is_refused(suite: Path) -> None:
    domain, _ = load_suite(suite)
    task = HeldOutTask("x", "unit", "do", "script", ("a -n one two",), True, None)
    with pytest.raises(UsageError, match="its reference"):
        evaluate(domain, [task], lambda task: Answer("script", "a -n 1", True))


@pytest.mark.parametrize("line", ["{", '{"id": "1"}', '{"id": "1", "instruction": "x"}', "[]"])
def test_a_bad_task_line_is_named(suite: Path, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with (suite / "tasks.jsonl").open("a") as file:
        file.write(line + "\n")
    assert main([str(suite), "--results", str(suite / "tasks.jsonl")]) == 2
    assert "tasks.jsonl:6: not a task" in capsys.readouterr().err


def test_a_table_has_a_line_for_each_suite() -> None:
    text = table({"one": {"tasks": 3, "x": rate(1, 3)}, "all": {"tasks": 3, "x": None}})
    assert [line.split()[0] for line in text.splitlines()] == ["suite", "one", "all"] and text.endswith("-")


def test_procs_are_found_by_text_where_a_model_writes_without_constraint() -> None:
    pack = "a::b -c <int> : Does b.\nd <x>\nvar v <int>\nblock r { }\n  keep A\nexample do b\n  a::b -c 1"
    assert procs_of(pack) == {"a::b", "d"}
    script = "foreach d {1 2} {\n  a::b -c $d\n}\nif {[d 1] > 2} {d 3}; d 4"
    assert calls_in(script, procs_of(pack)) == ["a::b", "d", "d", "d"]
