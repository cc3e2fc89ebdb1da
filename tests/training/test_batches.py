"""Rows of one pack and several tasks: their layout, and that the tasks do not see each other."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("tokenizers")

import tokenizers
import torch

from localgen_retrieval.prompt import END, PACK, SCRIPT, TASK, compact_prompt
from localgen_training.batches import Batch, encode_row, make_batch, row_tasks
from localgen_training.train_decoder import attention_mask

LENGTH = 512


@pytest.fixture(scope="module")
def tokenizer(tiny_tokenizer: Path) -> Any:
    return tokenizers.Tokenizer.from_file(str(tiny_tokenizer))


@pytest.fixture(scope="module")
def row(tokenizer: Any) -> Batch:
    """The first row with three tasks or more."""
    rows = (encode_row(tokenizer, row_tasks(seed, "train", None), LENGTH) for seed in range(200))
    return next(r for r in rows if r is not None and r.tasks >= 3)


def hidden(model: Any, ids: Any, positions: Any, segments: Any) -> Any:
    with torch.no_grad():
        return model.model(
            input_ids=torch.from_numpy(ids),
            position_ids=torch.from_numpy(positions),
            attention_mask=attention_mask(torch.from_numpy(segments)),
            use_cache=False,
        ).last_hidden_state[0]


def test_a_row_is_a_pack_then_tasks_then_padding(row: Batch) -> None:
    segments = row.segments[0]
    used = segments[segments >= 0]
    assert segments.shape == (LENGTH,)
    assert list(dict.fromkeys(used)) == list(range(row.tasks + 1)), "each segment is one run, in order"
    assert (np.diff(used) >= 0).all() and (segments[len(used) :] == -1).all()
    assert (row.ids[0, segments == -1] == 0).all()


def test_only_scripts_carry_loss_and_every_script_ends_with_the_end_token(row: Batch, tokenizer: Any) -> None:
    end, script = tokenizer.token_to_id(END), tokenizer.token_to_id(SCRIPT)
    for n in range(row.tasks + 1):
        here = row.segments[0] == n
        ids, labels = row.ids[0, here], row.labels[0, here]
        if n == 0:
            assert (labels == -100).all()
            continue
        learnt = labels != -100
        assert (ids[learnt] == labels[learnt]).all() and labels[-1] == end
        first = int(np.argmax(learnt))
        assert learnt[first:].all() and ids[first - 2] == script, "the loss begins after the script marker's line"
    assert (row.labels[0, row.segments[0] == -1] == -100).all()


def test_every_task_counts_its_positions_from_the_packs_end(row: Batch) -> None:
    pack = int((row.segments[0] == 0).sum())
    assert row.positions[0, :pack].tolist() == list(range(pack))
    for n in range(1, row.tasks + 1):
        positions = row.positions[0, row.segments[0] == n]
        assert positions.tolist() == list(range(pack, pack + len(positions)))


def test_changing_one_task_changes_nothing_outside_it(row: Batch, tiny_model: Any) -> None:
    before = hidden(tiny_model, row.ids, row.positions, row.segments)
    ids = row.ids.copy()
    own = row.segments[0] == 1
    ids[0, own] = (ids[0, own] + 7) % 1000 + 5
    after = hidden(tiny_model, ids, row.positions, row.segments)
    others = torch.from_numpy((row.segments[0] != 1) & (row.segments[0] >= 0))
    assert torch.allclose(before[others], after[others], atol=1e-5)
    assert not torch.allclose(before[torch.from_numpy(own)], after[torch.from_numpy(own)], atol=1e-2)


def test_changing_the_pack_changes_every_task(row: Batch, tiny_model: Any) -> None:
    before = hidden(tiny_model, row.ids, row.positions, row.segments)
    ids = row.ids.copy()
    ids[0, 1] = (ids[0, 1] + 11) % 1000 + 5
    after = hidden(tiny_model, ids, row.positions, row.segments)
    for n in range(1, row.tasks + 1):
        here = torch.from_numpy(row.segments[0] == n)
        assert not torch.allclose(before[here], after[here], atol=1e-4)


def test_a_task_in_a_row_is_what_the_prompt_alone_would_be(tokenizer: Any, tiny_model: Any) -> None:
    """What is learnt in shared rows is what `compact_prompt` asks at generation time."""
    made = ((s, encode_row(tokenizer, row_tasks(s, "train", None), LENGTH)) for s in range(200))
    seed, row = next((s, r) for s, r in made if r is not None and r.tasks >= 3)
    task = row_tasks(seed, "train", None)[1]
    text = compact_prompt(task.pack, task.instruction) + task.script + "\n" + END
    assert text.startswith(PACK) and TASK in text
    ids = np.array([tokenizer.encode(text, add_special_tokens=False).ids], dtype=np.int64)
    in_row = np.isin(row.segments[0], [0, 2])
    assert row.ids[0, in_row].tolist() == ids[0].tolist()
    alone = hidden(tiny_model, ids, np.arange(ids.shape[1])[None], np.zeros_like(ids))
    shared = hidden(tiny_model, row.ids, row.positions, row.segments)[torch.from_numpy(in_row)]
    assert torch.allclose(alone, shared, atol=1e-4)


def test_batches_have_fixed_shapes_and_depend_on_their_arguments_only(tokenizer: Any) -> None:
    one, again, next_one = (make_batch(tokenizer, s, 3, LENGTH, "train") for s in (5, 5, 6))
    assert one.ids.shape == one.labels.shape == one.segments.shape == one.positions.shape == (3, LENGTH)
    for name in ("ids", "positions", "segments", "labels"):
        assert (getattr(one, name) == getattr(again, name)).all()
    assert (one.ids != next_one.ids).any()


STREAMING = """
import multiprocessing, sys, time
from tokenizers import Tokenizer
from localgen_training.batches import stream
if __name__ == "__main__":
    batches = stream(Tokenizer.from_file(sys.argv[1]), 3, 1, 512)
    print(next(batches)[0], multiprocessing.active_children()[0].pid, flush=True)
    time.sleep(600)
"""


def running(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc to see a process that is not a child")
def test_the_worker_ends_when_the_trainer_is_killed(tiny_tokenizer: Path, tmp_path: Path) -> None:
    program = tmp_path / "streaming.py"
    program.write_text(STREAMING)
    command = [sys.executable, str(program), str(tiny_tokenizer)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as trainer:
        assert trainer.stdout is not None
        step, worker = map(int, trainer.stdout.readline().split())
        assert step == 3 and running(worker)
        trainer.kill()
    deadline = time.monotonic() + 60
    while running(worker) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not running(worker), "it quits although its queue is full and nobody reads"
