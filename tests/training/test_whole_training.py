"""The whole pipeline on a tiny model, every stage really run; and started again after kill -9 at stage after stage."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("trl")
pytest.importorskip("llama_cpp")
pytest.importorskip("llguidance")

import tiny_bases
from filelock import FileLock
from oracle import requires_tcl

from localgen_training import cli
from localgen_training.gguf_model import GgufModel
from localgen_training.run_record import load_record, metrics
from localgen_training.sft.checkpoints import last_checkpoint, step_of

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = """\
kind = "base"
[base]
width = 64
layers = 2
vocab = 700
[sft]
length = 512
epochs = 3
accumulate = 2
learning_rate = 5e-3
eval_steps = 5
save_steps = 5
log_steps = 5
[export]
texts = 8
quantise = "q8_0"
[eval]
suites = ["tests/heldout/pnr"]
limit = 2
k = 1
samples = 2
temperatures = [0.8]
max_tokens = 24
processes = 1
[targets]
tcl_parse = 1.0
"""
STAGES = ("base", "sft", "merge", "export", "quantize", "eval", "report")


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    run = tmp_path / "runs" / "tiny"
    run.mkdir(parents=True)
    (run / "config.toml").write_text(SETTINGS)
    data = tiny_bases.write_data(tmp_path / "data", train=48, validation=6, test=4)
    return ["--name", "tiny", "--runs", str(tmp_path / "runs"), "--data", str(data)]


def start(words: list[str], log: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "OMP_NUM_THREADS": "1"}
    with log.open("ab") as f:
        return subprocess.Popen(
            [sys.executable, "-m", "localgen_training.cli", "all", *words],
            cwd=ROOT, env=environment, stderr=f, stdout=f, start_new_session=True,
        )  # fmt: skip


def finished(run: Path) -> None:
    """Every stage has left what it is for."""
    losses = [m["loss"] for m in metrics(run) if m.get("stage") == "sft" and "loss" in m]
    assert losses[-1] < 0.7 * losses[0], "training learns"
    record = load_record(run)
    assert set(STAGES) <= set(record["stages"]) and record["versions"]["trl"] and len(record["data"][0]["digest"]) == 64
    assert record["figures"]["export"]["cosine"] >= 0.999 and record["figures"]["export"]["prompt_tokens_equal"]
    assert record["figures"]["quantize"]["kind"] == "q8_0"
    model = GgufModel(run / "tiny-q8_0.gguf", context=256)
    assert model.metadata["general.name"] == "localgen-tiny"
    # So small a model may end at once behind one prompt, not behind all.
    assert any(model.greedy(begun, limit=5) for begun in ("<|im_start|>user\nx", "set ", "pnr::route -net", "# "))
    figures = json.loads((run / "eval.json").read_text())
    assert figures["tasks"] == 2 and figures["constrained"]["greedy"]["valid"]["rate"] == 1
    assert {m["stage"] for m in metrics(run)} == {"sft", "export", "quantize", "eval"}
    assert "GO: all 1 targets are met" in (run / "report.html").read_text()
    left = [p.name for p in run.iterdir() if "partial" in p.name or "writing" in p.name]
    assert left == []


@requires_tcl
@pytest.mark.slow
def test_after_kill_9_at_every_stage_the_training_comes_to_its_end(words: list[str], tmp_path: Path) -> None:
    run, log = tmp_path / "runs" / "tiny", tmp_path / "log"
    for stage in ("base", "sft", "export", "eval"):
        process = start(words, log)
        try:
            deadline = time.monotonic() + 400
            told = log.read_text().count(f"\n{stage}: localgen_training")
            while log.read_text().count(f"\n{stage}: localgen_training") == told:
                assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-2000:]
                time.sleep(0.05)
            while stage == "sft" and not list((run / "sft").glob("checkpoint-*/localgen.json")):
                assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-2000:]
                time.sleep(0.02)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=20)
    process = start(words, log)
    assert process.wait(timeout=600) == 0, log.read_text()[-3000:]
    text = log.read_text()
    assert "sft: goes on from" in text and text.count("base: done before") >= 2
    finished(run)
    before = (run / "metrics.jsonl").read_bytes()
    assert cli.main(["all", *words]) == 0
    assert (run / "metrics.jsonl").read_bytes() == before, "nothing is done twice"


def test_stages_fail_with_a_hint_and_their_own_exit_status(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["sft", *words, "--base", "/no/such/folder"]) == 2
    said = capfd.readouterr().err
    assert "/no/such/folder: no such base model folder" in said and "hint: BASE" in said
    assert cli.main(["export", *words]) == 5
    assert "localgen-train merge --name tiny" in capfd.readouterr().err
    assert cli.main(["eval", *words, "--set", "eval.samples=99"]) == 2
    assert "eval.samples" in capfd.readouterr().err


@pytest.mark.slow
def test_training_ends_with_the_pipeline_that_was_killed_and_keeps_what_it_learnt(
    words: list[str], tmp_path: Path
) -> None:
    run, log = tmp_path / "runs" / "tiny", tmp_path / "log"
    process = start([*words, "--set", "sft.epochs=500", "--set", "sft.patience=0"], log)
    try:
        deadline = time.monotonic() + 400
        while not any(m.get("step", 0) >= 5 for m in metrics(run)):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-2000:]
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)  # the pipeline alone
        process.wait(timeout=20)
        with FileLock(run / ".sft.lock", timeout=120):  # the stage has ended
            assert not (run / "sft" / "result.json").exists(), "half a training is no result"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    checkpoint = last_checkpoint(run / "sft")
    assert checkpoint is not None and step_of(checkpoint) >= 5
    assert (checkpoint / "localgen.json").is_file(), "it can be gone on from"
