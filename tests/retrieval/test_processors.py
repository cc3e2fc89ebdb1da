"""How many processors a process takes for itself."""

from __future__ import annotations

import pytest

from localgen_retrieval.processors import usable_processors


@pytest.mark.parametrize("told", ["1", "0"])
def test_a_process_that_was_given_one_thread_takes_one(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert usable_processors() == 1


@pytest.mark.parametrize("told", ["", "many", "-3", "100000"])
def test_what_is_no_share_of_the_machine_changes_nothing(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    found = usable_processors()
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert usable_processors() == found >= 1
