"""How different the tasks of a data set are: distinct n-grams, distance in the sentence encoder's space, counts.

Everything is counted while rows go by, in constant memory: n-grams in bitmaps (linear counting, Whang et al. 1990),
tasks to embed in a reservoir.
"""

from __future__ import annotations

import random
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..examples import Example

NGRAMS = (1, 2, 3)
_BITS = 1 << 22
_WORD = re.compile(r"[\w.]+|[^\w\s]")


class _Distinct:
    """Counts different things by their hashes; about 1% off up to some millions."""

    def __init__(self) -> None:
        self._bits = np.zeros(_BITS, dtype=np.bool_)
        self.total = 0

    def add(self, hashes: Sequence[int]) -> None:
        """Count these."""
        self.total += len(hashes)
        if hashes:
            self._bits[np.array(hashes, dtype=np.int64) % _BITS] = True

    @property
    def distinct(self) -> int:
        """How many different ones there were."""
        free = _BITS - int(np.count_nonzero(self._bits))
        return round(-_BITS * float(np.log(max(free, 1) / _BITS)))


class Diversity:
    """Figures over the rows that were shown to it.

    Args:
        seed: of the sample to embed.
        sample: its size.
    """

    def __init__(self, seed: int, sample: int) -> None:
        self._rng = random.Random(f"diversity {seed}")
        self._size = sample
        self._sample: list[str] = []
        self._seen = 0
        self._instructions = {n: _Distinct() for n in NGRAMS}
        self._answers = {n: _Distinct() for n in NGRAMS}
        self.counts: dict[str, Counter[str]] = {k: Counter() for k in ("split", "category", "style", "phase", "domain")}

    def add(self, example: Example, split: str) -> None:
        """Count a row."""
        for n in NGRAMS:
            self._instructions[n].add(_ngrams(example.instruction, n))
            self._answers[n].add(_ngrams(example.response, n))
        facts = {
            "split": split, "category": example.category, "style": example.style.partition("-")[0],
            "phase": example.phase, "domain": _domain(example.domain),
        }  # fmt: skip
        for kind, value in facts.items():
            self.counts[kind][value] += 1
        self.counts.setdefault(f"category in {split}", Counter())[example.category] += 1
        self._seen += 1
        if len(self._sample) < self._size:
            self._sample.append(example.instruction)
        elif self._size and (at := self._rng.randrange(self._seen)) < self._size:
            self._sample[at] = example.instruction

    def figures(self) -> dict[str, Any]:
        """What data.json says: distinct n-grams (`distinct`, of `total`), spread of the sample, counts."""
        return {
            "instructions": {f"{n}-grams": _share(d) for n, d in self._instructions.items()},
            "answers": {f"{n}-grams": _share(d) for n, d in self._answers.items()},
            "spread": spread(self._sample),
            "counts": {k: dict(sorted(c.items())) for k, c in self.counts.items() if c},
        }


def spread(texts: Sequence[str]) -> dict[str, Any] | None:
    """Mean cosine distance of tasks, and of each to its nearest, by the encoder that ships; None for less than two.

    Raises:
        ModelError: the encoder is missing or damaged.
    """
    if len(texts) < 2:
        return None
    from localgen_bundle.default import encoder_path
    from localgen_retrieval.encoder import GgufEncoder

    encoder = GgufEncoder(encoder_path(), threads=1)
    try:
        vectors = np.asarray(encoder.encode([" ".join(t.split())[:600] for t in texts]))
    finally:
        encoder.close()
    distance = 1 - vectors @ vectors.T
    others = ~np.eye(len(texts), dtype=bool)
    nearest = np.where(others, distance, 2.0).min(axis=1)
    return {
        "tasks": len(texts),
        "mean distance": round(float(distance[others].mean()), 3),
        "mean distance to the nearest": round(float(nearest.mean()), 3),
    }


def _domain(label: str) -> str:
    name, renamed, _ = label.partition("~")
    return "virtual" if name.startswith("virtual-") else f"{name} (renamed)" if renamed else name


def _ngrams(text: str, n: int) -> list[int]:
    found = _WORD.findall(text.lower())
    return [zlib.crc32(" ".join(found[i : i + n]).encode("utf-8", "replace")) for i in range(len(found) - n + 1)]


def _share(d: _Distinct) -> dict[str, Any]:
    return {"distinct": d.distinct, "total": d.total, "share": round(d.distinct / d.total, 3) if d.total else 0.0}
