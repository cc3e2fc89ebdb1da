"""What a newcomer sees first: the shipped model on the task of `make demo`."""

from __future__ import annotations

from pathlib import Path

from cli import run

TASK = Path(__file__).resolve().parents[2] / "examples" / "task.txt"


def test_the_demos_script_does_what_its_task_says() -> None:
    ran = run("generate", "--instruction", TASK, "--out", "-")
    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[1:] == ["set ::tech::corner ff", "sta::worst_slack -clock sys"]
