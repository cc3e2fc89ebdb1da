"""The tokens that a grammar allows next, and one of them drawn by its probability."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class TokenMasks:
    """Masks of one vocabulary, computed into a buffer that is made once.

    Args:
        n_vocab: how many tokens the model has. of_grammar: how many the grammar's tokenizer has, if more.
    """

    def __init__(self, n_vocab: int, of_grammar: int = 0) -> None:
        self._n_vocab = n_vocab
        self._size = (max(n_vocab, of_grammar) + 31) // 32 * 4
        self._words = np.zeros((self._size + 7) // 8, np.uint64)
        self._bytes = self._words.view(np.uint8).reshape(-1, 8)
        self._address = int(self._words.ctypes.data)

    def allowed(self, matcher: Any) -> NDArray[np.int64]:
        """Ids of the tokens that may come next, in order; ends of text among them where the grammar accepts."""
        matcher.unsafe_compute_mask_ptr(self._address, self._size)
        # Nearly all words are 0: only the others are unpacked.
        some = np.flatnonzero(self._words)
        bits = np.unpackbits(self._bytes[some], axis=1, bitorder="little")
        row, bit = np.divmod(np.flatnonzero(bits), 64)
        found = some[row] * 64 + bit
        return found if not len(found) or found[-1] < self._n_vocab else found[: np.searchsorted(found, self._n_vocab)]


def log_softmax(row: NDArray[np.float32], allowed: NDArray[np.int64]) -> Floats:
    """Log probabilities (n,) of the allowed tokens (n,) by a row of logits (vocabulary,)."""
    logits = row[allowed].astype(np.float64)
    logits -= logits.max()
    found: Floats = logits - np.log(np.exp(logits).sum())
    return found


def draw(log_probs: Floats, temperature: float, rng: np.random.Generator) -> int:
    """An index drawn at a temperature above 0: what `Generator.choice` gives, without its checks of the input."""
    hot = log_probs / temperature
    p = np.exp(hot - hot.max())
    sums = (p / p.sum()).cumsum()
    sums /= sums[-1]
    return int(sums.searchsorted(rng.random(), side="right"))
