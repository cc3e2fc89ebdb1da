"""What every stage shares: shortages become messages with a hint and an exit status; orphans notice that they are."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from localgen_retrieval.errors import ModelError, ToolError
from localgen_training.stage import PARENT, need_space, parent_is_gone, run_stage


def fail(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (ModelError("no such thing", hint="make it", code="x"), 5, "hint: make it"),
        (RuntimeError("Error while serializing: IoError(Os { code: 28, message: \"No space left on device\" })"), 6,
         "out of disk"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), 6, "sft.method=lora"),
        (MemoryError(), 6, "out of memory"),
        (PermissionError(13, "Permission denied", "/x"), 2, "not allowed"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)  # fmt: skip
def test_what_went_wrong_is_said_and_has_a_status(
    error: BaseException, status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_stage(lambda: fail(error)) == status
    assert said in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_disk_that_is_really_full_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> None:
        with open("/dev/full", "wb", buffering=0) as f:
            f.write(b"x")

    assert run_stage(work) == 6 and "finished stages are kept" in capsys.readouterr().err


def test_errors_that_nobody_expects_are_not_hidden() -> None:
    with pytest.raises(RuntimeError, match="a bug"):
        run_stage(lambda: fail(RuntimeError("a bug")))


def test_what_will_not_fit_is_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need_space(tmp_path / "not" / "there" / "yet", 0.001)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9 - 5_000_000, 5_000_000))
    with pytest.raises(ToolError, match="about 6 MB are needed, 5 MB are free"):
        need_space(tmp_path / "x", 6)
    assert list(tmp_path.iterdir()) == []


def test_a_stage_notices_that_the_pipeline_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PARENT, raising=False)
    assert not parent_is_gone(), "a stage that somebody called himself has no pipeline"
    code = "from localgen_training.stage import parent_is_gone; print(parent_is_gone())"
    for parent, gone in ((os.getpid(), "False"), (os.getpid() + 1, "True")):
        environment = {**os.environ, PARENT: str(parent), "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        got = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        assert got.stdout.strip() == gone
