"""Near-duplicates, found in constant memory: min-hashes in bands point to earlier texts, which are compared exactly.

A text is the set of its pairs of neighbouring words (shingles). Two texts are near-duplicates where these sets overlap
by `THRESHOLD` (Jaccard). Tables have a fixed size: an entry that is overwritten may let a duplicate of a text long past
through in that band, and there are many bands. Shingles of earlier texts are kept in a file. After Broder, "On the
resemblance and containment of documents", 1997.
"""

from __future__ import annotations

import re
import tempfile
import zlib
from types import TracebackType
from typing import Any

import numpy as np

THRESHOLD = 0.8
BANDS, ROWS = 16, 4
_SLOTS = 1 << 17
_PRIME = np.uint64((1 << 61) - 1)
_WORD = re.compile(r"[\w.]+")

Shingles = np.ndarray[Any, np.dtype[np.uint32]]


def shingles(text: str) -> Shingles:
    """Hashes of the pairs of neighbouring words, each once, sorted."""
    found = [w.lower() for w in _WORD.findall(text)]
    pairs = {zlib.crc32(f"{a} {b}".encode("utf-8", "replace")) for a, b in zip(["", *found], [*found, ""], strict=True)}
    return np.array(sorted(pairs), dtype=np.uint32)


def jaccard(a: Shingles, b: Shingles) -> float:
    """How much two sets overlap, 0 to 1."""
    common = len(np.intersect1d(a, b, assume_unique=True))
    return common / (len(a) + len(b) - common)


class NearDuplicates:
    """Tells whether a text is nearly one that was kept before. A context manager (the file goes at the end).

    Attributes:
        size: bytes of the tables.
    """

    def __init__(self) -> None:
        rng = np.random.default_rng(1)
        self._a = rng.integers(1, 1 << 31, BANDS * ROWS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
        self._b = rng.integers(0, 1 << 60, BANDS * ROWS, dtype=np.uint64)
        # (offset in the file << 16 | number of shingles) + 1 of the last text that fell into a slot; 0: none.
        self._table = np.zeros((BANDS, _SLOTS), dtype=np.uint64)
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it is open as long as this object
        self._end = 0
        self.size = self._table.nbytes

    def seen(self, text: str) -> bool:
        """Whether a kept text is near; if none is, this one is kept."""
        own = shingles(text)[:65535]
        slots = self._slots(own)
        entries = self._table[np.arange(BANDS), slots]
        for entry in set(entries[entries > 0].tolist()):
            if jaccard(own, self._read(int(entry) - 1)) >= THRESHOLD:
                return True
        self._file.seek(self._end)
        self._file.write(own.tobytes())
        self._table[np.arange(BANDS), slots] = np.uint64((self._end << 16 | len(own)) + 1)
        self._end += own.nbytes
        return False

    def _slots(self, own: Shingles) -> Any:
        with np.errstate(over="ignore"):
            hashed = (own.astype(np.uint64)[:, None] * self._a + self._b) % _PRIME
            least = hashed.min(axis=0).reshape(BANDS, ROWS)
            folded = np.zeros(BANDS, dtype=np.uint64)
            for column in range(ROWS):
                folded = (folded * np.uint64(1_000_003)) ^ least[:, column]
        return (folded ^ (folded >> np.uint64(29))) % np.uint64(_SLOTS)

    def _read(self, entry: int) -> Shingles:
        self._file.seek(entry >> 16)
        return np.frombuffer(self._file.read((entry & 0xFFFF) * 4), dtype=np.uint32)

    def __enter__(self) -> NearDuplicates:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
