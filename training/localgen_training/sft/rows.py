"""Rows for the trainer: encoded examples, packed, in the order of the curriculum.

Packing is trl's (best-fit decreasing): several conversations in a row, none cut; positions start anew at each, so that
none attends to another. Packing stays within a phase of the curriculum.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from localgen_retrieval.errors import UsageError

from ..examples import Example, Phase, read_examples
from .conversation import ConversationEncoder, Encoded

PHASES: tuple[Phase, ...] = get_args(Phase)


@dataclass(frozen=True)
class Rows:
    """What training reads.

    Attributes:
        dataset: a `datasets.Dataset` with input_ids, labels and seq_lengths; all epochs after each other.
        examples, too_long: how many there are in an epoch, and how many did not fit. tokens: of an epoch.
    """

    dataset: Any
    examples: int
    too_long: int
    tokens: int


def encode_split(path: Path, encoder: ConversationEncoder, length: int) -> tuple[dict[Phase, list[Encoded]], int]:
    """The examples of a split that fit in `length` tokens, by phase, and how many did not.

    Raises:
        UsageError: the split is missing, empty, or no example fits.
    """
    if not path.is_file():
        raise UsageError(
            f"{path}: no training data", hint="make it: localgen-train data --name NAME", code="data-missing"
        )
    by_phase: dict[Phase, list[Encoded]] = {phase: [] for phase in PHASES}
    too_long = 0
    for example in _examples(path):
        made = encoder.encode(example)
        if len(made.input_ids) > length:
            too_long += 1
        else:
            by_phase[example.phase].append(made)
    if not any(by_phase.values()):
        raise UsageError(
            f"{path}: no example of at most {length} tokens ({too_long} are longer)",
            hint="raise sft.length, or make more data: localgen-train data --name NAME",
            code="data-empty",
        )
    return by_phase, too_long


def _examples(path: Path) -> Iterable[Example]:
    try:
        yield from read_examples(path)
    except ValueError as e:
        raise UsageError(f"{path}: a line is no example: {str(e).splitlines()[0]}", code="data-syntax") from None


def training_rows(
    path: Path, encoder: ConversationEncoder, *, length: int, epochs: int, packing: bool, curriculum: bool, seed: int
) -> Rows:
    """All epochs in order: the first in the curriculum's phases (if asked for), the others shuffled through.

    The order is a function of the arguments, so that training goes on from a checkpoint where it stopped.
    """
    by_phase, too_long = encode_split(path, encoder, length)
    packed = [_pack(by_phase[phase], length, packing) for phase in PHASES]
    rows = [row for phase in packed for row in phase]
    bounds = [0]
    for phase in packed:
        bounds.append(bounds[-1] + len(phase))
    order: list[int] = []
    for epoch in range(epochs):
        rng = random.Random(f"{seed}-{epoch}")
        if curriculum and epoch == 0:
            parts = [list(range(a, b)) for a, b in itertools.pairwise(bounds)]
        else:
            parts = [list(range(len(rows)))]
        for part in parts:
            rng.shuffle(part)
            order += part
    made = [e for phase in by_phase.values() for e in phase]
    return Rows(_dataset(rows).select(order), len(made), too_long, sum(len(e.input_ids) for e in made))


def validation_rows(path: Path, encoder: ConversationEncoder, *, length: int, most: int = 400) -> Rows:
    """Examples one a row, at most so many of them, from all over the split."""
    by_phase, too_long = encode_split(path, encoder, length)
    made = [e for phase in by_phase.values() for e in phase]
    if len(made) > most:
        made = random.Random(0).sample(made, most)
    rows = _pack(made, length, packing=False)
    return Rows(_dataset(rows), len(made), too_long, sum(len(e.input_ids) for e in made))


def _pack(made: list[Encoded], length: int, packing: bool) -> list[dict[str, list[int]]]:
    plain = [{"input_ids": e.input_ids, "labels": e.labels, "seq_lengths": [len(e.input_ids)]} for e in made]
    if not packing or len(made) < 2:
        return plain
    from datasets import Dataset
    from trl import pack_dataset

    columns = Dataset.from_list([{"input_ids": e.input_ids, "labels": e.labels} for e in made])
    return list(pack_dataset(columns, length, "bfd"))


def _dataset(rows: list[dict[str, list[int]]]) -> Any:
    from datasets import Dataset

    return Dataset.from_list(rows)
