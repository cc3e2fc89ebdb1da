"""Which split a thing belongs to: sentence forms by their number, scripts by their name, fields of work by theirs.

What examples are made from is divided before any example is made, so that no form, script or field is in two splits.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from typing import Literal

from ..families import VALIDATION_FIELDS, Field, all_fields

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
# Of the examples, in percent.
SHARES = {"train": 90, "validation": 5, "test": 5}
# Of each row of sentence forms, one of eight is kept for validation and one for the test.
_EVERY = 8


def split_of_form(index: int) -> Split:
    """The split of the form at this place of its pool."""
    place = index % _EVERY
    return "validation" if place == _EVERY - 2 else "test" if place == _EVERY - 1 else "train"


def forms(pool: Sequence[str], split: Split) -> list[tuple[int, str]]:
    """(number, form) of the forms that a split may use; a pool has eight at least.

    Raises:
        ValueError: the pool is too small to be divided.
    """
    if len(pool) < _EVERY:
        raise ValueError(f"a pool of {len(pool)} forms cannot be divided: {pool[0]!r}")
    return [(i, form) for i, form in enumerate(pool) if split_of_form(i) == split]


def pick(pool: Sequence[str], split: Split, rng: random.Random) -> tuple[int, str]:
    """One of them at random."""
    return rng.choice(forms(pool, split))


def split_of_name(name: str) -> Split:
    """The split of a script (or of anything else with a name), by a hash of its name."""
    place = int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()[:4]) % 100
    if place < SHARES["train"]:
        return "train"
    return "validation" if place < SHARES["train"] + SHARES["validation"] else "test"


def draw_split(rng: random.Random) -> Split:
    """A split, as often as its share says."""
    return rng.choices(SPLITS, [SHARES[s] for s in SPLITS])[0]


def fields_of(split: Split) -> tuple[Field, ...]:
    """The fields of work of virtual catalogs in one split; those held out from reader and decoder are none of train."""
    held = {"validation": VALIDATION_FIELDS[:1], "test": VALIDATION_FIELDS[1:]}
    if split == "train":
        return tuple(f for f in all_fields() if f.name not in VALIDATION_FIELDS)
    return tuple(f for f in all_fields() if f.name in held[split])
