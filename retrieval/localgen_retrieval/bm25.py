"""Okapi BM25 over short texts (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009).

Knows nothing of symbols; texts are addressed by position.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from localgen_retrieval.text import words

# Texts are a line or two: their length says less than in documents, so b is below the usual 0.75.
K1, B = 1.2, 0.5


class Bm25:
    """Word statistics of n texts."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._n = len(texts)
        counts = [Counter(_terms(t)) for t in texts]
        lengths = [sum(c.values()) for c in counts]
        mean = sum(lengths) / self._n if self._n else 1.0
        postings: dict[str, list[tuple[int, float]]] = {}
        for i, (count, length) in enumerate(zip(counts, lengths, strict=True)):
            norm = K1 * (1 - B + B * length / (mean or 1.0))
            for term, n in count.items():
                postings.setdefault(term, []).append((i, n * (K1 + 1) / (n + norm)))
        self._postings: dict[str, tuple[NDArray[np.intp], NDArray[np.float32]]] = {}
        for term, found in postings.items():
            rarity = math.log(1 + (self._n - len(found) + 0.5) / (len(found) + 0.5))
            where = np.array([i for i, _ in found], np.intp)
            self._postings[term] = where, np.array([w * rarity for _, w in found], np.float32)

    def scores(self, query: str) -> NDArray[np.float32]:
        """The score of each text, shape (n,); 0 where no word is shared. A repeated query word counts once."""
        out = np.zeros(self._n, np.float32)
        for term in set(_terms(query)):
            found = self._postings.get(term)
            if found is not None:
                out[found[0]] += found[1]
        return out


def _terms(text: str) -> list[str]:
    # A bare number is a value, not a subject.
    return [w for w in words(text) if not w.replace(".", "").isdigit()]
