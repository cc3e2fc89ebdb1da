"""A data set that is killed at any point is the same in the end, byte for byte, whatever the number of processes."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from training.data_kit import MINIMAL

from localgen_retrieval.errors import UsageError
from localgen_training.data.settings import DataSettings
from localgen_training.data.writer import FILES, make_data

NUM = 400
OUTPUT = [*(f"{name}.jsonl" for name in FILES), "progress.jsonl", "data.json"]


def command(out: Path, jobs: int = 1) -> list[str]:
    return [
        *(sys.executable, "-m", "localgen_training.cli", "data", "--name", "d", "--domain", MINIMAL, "--num", str(NUM)),
        *("--spread", "0", "--out", str(out), "--jobs", str(jobs)),
    ]


def environment(seed: str = "random") -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "PYTHONHASHSEED": seed}


def digests(folder: Path) -> dict[str, str]:
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in OUTPUT}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "d"
    make_data(DataSettings((MINIMAL,), num=NUM, spread=0), folder, jobs=1, report=lambda _: None)
    return folder


def test_nothing_is_left_but_the_output(whole: Path) -> None:
    assert sorted(p.name for p in whole.iterdir() if p.name != ".lock") == sorted(OUTPUT)
    facts = json.loads((whole / "data.json").read_text("utf-8"))
    rows = {name: entry["rows"] for name, entry in facts["files"].items()}
    assert sum(rows[f"{s}.jsonl"] for s in ("train", "validation", "test")) == NUM and facts["complete"]
    for name, entry in facts["files"].items():
        assert hashlib.sha256((whole / name).read_bytes()).hexdigest() == entry["sha256"]


def test_the_bytes_do_not_depend_on_the_processes_or_on_hash_seeds(whole: Path, tmp_path: Path) -> None:
    subprocess.run(command(tmp_path, jobs=2), env=environment("7"), check=True, capture_output=True)
    assert digests(tmp_path / "d") == digests(whole)


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_killed_again_and_again_the_bytes_are_the_same(whole: Path, tmp_path: Path, jobs: int) -> None:
    rng = random.Random(jobs)
    killed = 0
    progress = tmp_path / "d" / "progress.jsonl"
    for _ in range(60):
        before = progress.stat().st_size if progress.is_file() else 0
        process = subprocess.Popen(
            command(tmp_path, jobs), env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        deadline = time.monotonic() + 300
        # Killed at some moment after it has got somewhere.
        while process.poll() is None and time.monotonic() < deadline:
            if progress.is_file() and progress.stat().st_size > before:
                time.sleep(rng.random() * 0.3)
                break
            time.sleep(0.01)
        if process.poll() is not None:
            assert process.returncode == 0
            break
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        killed += 1
        _wait_for_workers(process.pid)
    assert killed >= 2
    assert digests(tmp_path / "d") == digests(whole)


def _wait_for_workers(session: int) -> None:
    """The workers of a master that was killed end by themselves."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.killpg(session, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError("a worker has outlived its master")


@pytest.mark.parametrize("damage", ["cut line", "cut part", "no part", "partial files", "finished but not cleared"])
def test_what_a_kill_leaves_half_done_is_made_again(whole: Path, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "d"
    settings = DataSettings((MINIMAL,), num=NUM, spread=0)

    class Killed(BaseException):
        pass

    def stop(line: str) -> None:
        raise Killed

    from localgen_training.data import writer

    before, writer._EVERY = writer._EVERY, 3
    try:
        with pytest.raises(Killed):
            make_data(settings, folder, jobs=1, report=stop)
    finally:
        writer._EVERY = before
    assert not (folder / "data.json").exists() and not (folder / "train.jsonl").exists()
    part = folder / "parts" / "000001.jsonl"
    if damage == "cut line":
        text = (folder / "progress.jsonl").read_bytes()
        (folder / "progress.jsonl").write_bytes(text[:-20])
    elif damage == "cut part":
        part.write_bytes(part.read_bytes()[:-50])
    elif damage == "no part":
        part.unlink()
    elif damage == "partial files":
        (folder / "train.jsonl").write_text("half\n")
        (folder / "data.json.partial").write_text("{")
        (folder / "parts" / "000003.partial").write_text("x")
    make_data(settings, folder, jobs=1, report=lambda _: None)
    if damage == "finished but not cleared":
        (folder / "parts").mkdir()
        (folder / "parts" / "000000.jsonl").write_text("left\n")
        make_data(settings, folder, jobs=1, report=lambda _: None)
        assert not (folder / "parts").exists()
    (folder / "data.json.partial").unlink(missing_ok=True)
    assert digests(folder) == digests(whole)


def test_a_finished_set_is_left_as_it_is(whole: Path) -> None:
    before = {p.name: p.stat().st_mtime_ns for p in whole.iterdir()}
    said: list[str] = []
    make_data(DataSettings((MINIMAL,), num=NUM, spread=0), whole, jobs=1, report=said.append)
    assert said == [f"{whole}: done before"]
    assert {p.name: p.stat().st_mtime_ns for p in whole.iterdir() if p.name != ".lock"}.items() <= before.items()


def test_other_settings_do_not_overwrite_a_set(whole: Path) -> None:
    before = digests(whole)
    with pytest.raises(UsageError) as e:
        make_data(DataSettings((MINIMAL,), num=NUM, seed=1, spread=0), whole, jobs=1, report=lambda _: None)
    assert e.value.code == "data-other" and "--fresh" in e.value.hint
    assert digests(whole) == before


def test_another_seed_gives_other_examples(whole: Path, tmp_path: Path) -> None:
    make_data(DataSettings((MINIMAL,), num=200, seed=1, spread=0), tmp_path / "d", jobs=1, report=lambda _: None)
    own = {json.loads(line)["instruction"] for line in (tmp_path / "d" / "train.jsonl").open(encoding="utf-8")}
    other = {json.loads(line)["instruction"] for line in (whole / "train.jsonl").open(encoding="utf-8")}
    assert len(own & other) < len(own) / 20


def test_fresh_begins_anew(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    make_data(DataSettings((MINIMAL,), num=100, spread=0), folder, jobs=1, report=lambda _: None)
    first = digests(folder)
    make_data(DataSettings((MINIMAL,), num=100, seed=5, spread=0), folder, jobs=1, report=lambda _: None, fresh=True)
    assert digests(folder) != first
    assert json.loads((folder / "data.json").read_text("utf-8"))["seed"] == 5
