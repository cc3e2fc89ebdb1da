"""Checking many scripts: in order with any number of processes, and with an answer when one of them dies."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import pytest
from lab_domain import CATALOG, write_domain

from localgen import checking
from localgen.checking import Checked, Job, check_all, read_script
from localgen_retrieval.errors import UsageError


def die(job: Job) -> Checked:
    """As a process that the system ends."""
    os._exit(9)


@pytest.fixture
def jobs(tmp_path: Path) -> list[Job]:
    """Scripts with 0 to 5 findings each."""
    domain = str(write_domain(tmp_path / "domain", CATALOG))
    out = []
    for i in range(6):
        (tmp_path / f"{i}.tcl").write_text("my::route -net A -layer M9\n" * i)
        out.append(Job(f"{i}.tcl", tmp_path / f"{i}.tcl", domain))
    return out


@pytest.mark.parametrize("processes", [None, 1, 2, 5, 50])
def test_answers_come_in_the_order_of_the_jobs(jobs: list[Job], processes: int | None) -> None:
    answers = list(check_all(jobs, processes=processes))
    assert [a.name for a in answers] == [j.name for j in jobs]
    assert [a.report and a.report.errors for a in answers] == [0, 1, 2, 3, 4, 5]


def test_the_source_lines_are_those_of_the_findings(jobs: list[Job]) -> None:
    (answer,) = check_all(jobs[2:3])
    assert dict(answer.source) == dict.fromkeys((1, 2), "my::route -net A -layer M9")


def test_few_small_scripts_are_not_worth_a_process(jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "usable_processors", lambda: 4)
    assert checking._worthwhile(jobs) == 1
    monkeypatch.setattr(checking, "PARALLEL_BYTES", 100)
    assert checking._worthwhile(jobs) == 4
    assert checking._worthwhile(jobs[5:]) == 1


@pytest.mark.skipif(multiprocessing.get_start_method() != "fork", reason="the process must inherit the test's `die`")
def test_a_process_that_dies_is_told_and_not_waited_for(jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "check", die)
    with pytest.raises(UsageError, match="ended from outside"):
        list(check_all(jobs, processes=2))


def test_a_domain_that_cannot_be_used_is_told_before_any_answer(jobs: list[Job]) -> None:
    answers = check_all([*jobs, Job("x", jobs[0].path, "/nowhere")])
    with pytest.raises(UsageError, match="no such domain"):
        next(answers)


def test_a_script_that_is_too_long_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "MAX_SCRIPT_BYTES", 10)
    (tmp_path / "a.tcl").write_text("0123456789")
    assert read_script("a.tcl", tmp_path / "a.tcl") == "0123456789"
    (tmp_path / "a.tcl").write_text("0123456789\n")
    with pytest.raises(UsageError) as caught:
        read_script("a.tcl", tmp_path / "a.tcl")
    assert caught.value.code == "script-too-long"
    monkeypatch.setattr(checking, "MAX_SCRIPT_BYTES", 3 * 1024 * 1024)
    (tmp_path / "a.tcl").write_text(" " * (3 * 1024 * 1024 + 1))
    with pytest.raises(UsageError, match=r"a\.tcl: longer than 3 MB"):
        read_script("a.tcl", tmp_path / "a.tcl")
