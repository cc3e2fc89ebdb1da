"""Training survives kill -9: it goes on from its checkpoint, with the batch that would have come next."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("tokenizers")

import tokenizers
import torch

from localgen_training.batches import make_batch, stream

SHAPE = "--rows 4 --length 256 --width 32 --layers 1 --heads 2 --threads 1 --eager"
_DIGEST = """
import hashlib, sys
from tokenizers import Tokenizer
from localgen_training.batches import make_batch
batch = make_batch(Tokenizer.from_file(sys.argv[1]), int(sys.argv[2]), 4, 256, "train")
print(hashlib.sha256(batch.ids.tobytes() + batch.labels.tobytes()).hexdigest())
"""


def start(run: Path, minutes: float) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "localgen_training.train_decoder", "--run", str(run), "--minutes", str(minutes)]
    # A group of its own, so that the process that makes the batches goes with it.
    return subprocess.Popen([*command, *SHAPE.split()], start_new_session=True, env=environment())


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "OMP_NUM_THREADS": "1", **more}


def kill(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=20)


def checkpoint(run: Path) -> dict[str, Any]:
    saved: dict[str, Any] = torch.load(run / "checkpoint.pt", weights_only=True)
    return saved


@pytest.mark.slow
def test_training_goes_on_after_kill_and_the_loss_falls(tiny_tokenizer: Path, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_bytes(tiny_tokenizer.read_bytes())
    process = start(tmp_path, minutes=10)
    try:
        deadline = time.monotonic() + 400
        while not (tmp_path / "checkpoint.pt").exists():
            assert process.poll() is None and time.monotonic() < deadline, "no checkpoint was written"
            time.sleep(0.05)
    finally:
        kill(process)
    killed = checkpoint(tmp_path)
    assert killed["step"] == 200 and killed["tasks"] > 200

    process = start(tmp_path, minutes=0.04)
    try:
        assert process.wait(timeout=400) == 0
    finally:
        if process.poll() is None:
            kill(process)
    resumed = checkpoint(tmp_path)
    assert resumed["step"] > 200 and resumed["tokens"] > killed["tokens"]
    moved = [k for k in killed["model"] if not torch.equal(killed["model"][k], resumed["model"][k])]
    assert len(moved) == len(killed["model"]), "every tensor goes on learning"
    momentum = resumed["optimizers"][1]["state"][0]["step"]
    assert int(momentum) == resumed["step"], "the optimiser's state went on too"

    losses = [json.loads(line)["loss"] for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert len(losses) >= 2 and losses[1] < losses[0] - 0.3


def test_the_next_batch_is_the_same_in_another_process(tiny_tokenizer: Path) -> None:
    tokenizer = tokenizers.Tokenizer.from_file(str(tiny_tokenizer))
    step = 37
    batch = make_batch(tokenizer, step, 4, 256, "train")
    wanted = hashlib.sha256(batch.ids.tobytes() + batch.labels.tobytes()).hexdigest()
    for seed in ("0", "1"):
        got = subprocess.run(
            [sys.executable, "-c", _DIGEST, str(tiny_tokenizer), str(step)],
            capture_output=True, text=True, check=True, env=environment(PYTHONHASHSEED=seed),
        )  # fmt: skip
        assert got.stdout.strip() == wanted


def test_the_stream_starts_where_it_is_told(tiny_tokenizer: Path) -> None:
    tokenizer = tokenizers.Tokenizer.from_file(str(tiny_tokenizer))
    batches = stream(tokenizer, 5, 2, 256)
    try:
        for step in (5, 6):
            at, batch = next(batches)
            assert at == step
            assert (batch.ids == make_batch(tokenizer, step, 2, 256, "train").ids).all()
    finally:
        batches.close()  # type: ignore[attr-defined]
