"""Batches for the small decoder: one pack and several tasks over it in each row, every task blind to the others.

A row is `pack, (task, script)+`: the pack is read once and serves several tasks, each of which attends to the pack and
to itself only and counts its positions from the pack's end. It learns several times more per token than one task a row.
Shapes are fixed (rows × row length), which matters on a CPU (varying ones keep the allocator busy).
"""

from __future__ import annotations

import itertools
import multiprocessing as mp
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import Full
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from localgen_retrieval.prompt import END, PACK, SCRIPT, TASK

from .corpus_tasks import corpus_tasks
from .synthesis import Task, examples

# Tasks made for a pack; as many of them as fit go into its row (with four a fifth of the row stayed empty).
TASKS_PER_PACK = 7
# Share of the training rows that is made of a corpus' help examples, where there is a corpus.
CORPUS_SHARE = 0.25
# How long the worker waits for room before it looks whether anybody is left to read.
LOOK_SECONDS = 2.0


@dataclass(frozen=True)
class Batch:
    """Arrays of one step: ids, positions, segments (rows, length) and labels (-100 where no loss).

    Segment 0 is the pack, 1.. the tasks, -1 padding.
    """

    ids: np.ndarray[Any, Any]
    positions: np.ndarray[Any, Any]
    segments: np.ndarray[Any, Any]
    labels: np.ndarray[Any, Any]
    tasks: int


def row_tasks(seed: int, split: str, corpus: Path | None) -> list[Task]:
    """The tasks of one row; of the corpus only in training, and there for a share of the seeds."""
    if corpus is not None and split == "train" and random.Random(f"row-{seed}").random() < CORPUS_SHARE:
        return corpus_tasks(corpus, seed, TASKS_PER_PACK)
    return examples(seed, TASKS_PER_PACK, split)


def encode_row(tokenizer: Tokenizer, made: list[Task], length: int) -> Batch | None:
    """One row of at most `length` tokens from tasks over one pack; None where not even one task fits."""
    ids = tokenizer.encode(f"{PACK}\n{made[0].pack}\n", add_special_tokens=False).ids
    positions = list(range(len(ids)))
    segments = [0] * len(ids)
    labels = [-100] * len(ids)
    base, n = len(ids), 0
    for task in made:
        asked = f"{TASK}\n{' '.join(task.instruction.split())}\n{SCRIPT}\n"
        prompt = tokenizer.encode(asked, add_special_tokens=False).ids
        answer = tokenizer.encode(f"{task.script}\n{END}", add_special_tokens=False).ids
        if len(ids) + len(prompt) + len(answer) > length:
            break
        n += 1
        ids += prompt + answer
        positions += range(base, base + len(prompt) + len(answer))
        segments += [n] * (len(prompt) + len(answer))
        labels += [-100] * len(prompt) + answer
    if n == 0:
        return None
    pad = length - len(ids)

    def row(values: list[int], padding: int) -> np.ndarray[Any, Any]:
        return np.array([values + [padding] * pad], dtype=np.int64)

    return Batch(row(ids, 0), row(positions, 0), row(segments, -1), row(labels, -100), n)


def make_batch(
    tokenizer: Tokenizer, step: int, rows: int, length: int, split: str, corpus: Path | None = None
) -> Batch:
    """The batch of one step; a pure function of its arguments (rows that do not fit are replaced, seed by seed)."""
    made: list[Batch] = []
    for r in range(rows):
        for attempt in range(50):
            tasks = row_tasks((step * rows + r) * 50 + attempt, split, corpus)
            row = encode_row(tokenizer, tasks, length)
            if row is not None:
                made.append(row)
                break
    return Batch(
        ids=np.concatenate([b.ids for b in made]),
        positions=np.concatenate([b.positions for b in made]),
        segments=np.concatenate([b.segments for b in made]),
        labels=np.concatenate([b.labels for b in made]),
        tasks=sum(b.tasks for b in made),
    )


def _work(tokenizer_json: str, start: int, rows: int, length: int, corpus: Path | None, queue: Any) -> None:
    """Fill the queue until the training process is gone: one that was killed cannot end its worker."""
    tokenizer = Tokenizer.from_str(tokenizer_json)
    parent = mp.parent_process()
    queue.cancel_join_thread()  # what nobody will read must not keep this process alive
    for step in itertools.count(start):
        batch = make_batch(tokenizer, step, rows, length, "train", corpus)
        while True:
            if parent is not None and not parent.is_alive():
                return
            try:
                queue.put((step, batch), timeout=LOOK_SECONDS)
            except Full:
                continue
            break


def stream(
    tokenizer: Tokenizer, start: int, rows: int, length: int, corpus: Path | None = None
) -> Iterator[tuple[int, Batch]]:
    """(step, batch) from `start` on, made in another process; the same for the same arguments on any machine."""
    context = mp.get_context("spawn")
    queue: Any = context.Queue(maxsize=8)
    worker = context.Process(target=_work, args=(tokenizer.to_str(), start, rows, length, corpus, queue), daemon=True)
    worker.start()
    try:
        while True:
            yield queue.get(timeout=300)
    finally:
        worker.terminate()
