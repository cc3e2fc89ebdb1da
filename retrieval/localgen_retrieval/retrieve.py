"""Ranks a domain's symbols for an instruction: sentence-encoder similarity and BM25, whole text and clauses.

Both scores become z-scores over the domain's symbols, so that they can be added; the weights below were set on one
held-out domain and on virtual catalogs of fields that nothing is trained on (bench/mixture.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from localgen_retrieval.encoder import Encoder
from localgen_retrieval.index import Index
from localgen_retrieval.once import once_per_catalog
from localgen_retrieval.symbols import Kind, Symbol
from localgen_retrieval.text import split_clauses

Scores = NDArray[np.float32]

# In a tiny catalog the spread of a few scores is chance: below these it counts as this much.
_MIN_SPREAD_COSINE, _MIN_SPREAD_BM25 = 0.05, 1.0


@dataclass(frozen=True)
class Mixture:
    """How the scores are mixed.

    Attributes:
        bm25: weight of BM25's z-score beside the encoder's.
        clauses: weight of a symbol's best clause against the whole instruction (0: whole only, 1: clauses only).
    """

    bm25: float = 0.2
    clauses: float = 0.0


@dataclass(frozen=True)
class Ranking:
    """How well each of n symbols fits an instruction of m clauses.

    Attributes:
        scores: (n,) what decides: whole instruction and best clause together.
        clause_scores: (m, n) the hybrid score of each clause alone.
        whole_scores: (n,) the hybrid score of the whole instruction alone.
        encoder_scores: (n,) cosines with the whole instruction.
        bm25_scores: (n,) BM25 of the whole instruction.
    """

    instruction: str
    clauses: tuple[str, ...]
    symbols: tuple[Symbol, ...]
    scores: Scores
    clause_scores: Scores
    whole_scores: Scores
    encoder_scores: Scores
    bm25_scores: Scores

    def top(self, kind: Kind | None, n: int) -> list[tuple[Symbol, float]]:
        """The n best symbols of a kind (None: of any), best first; ties keep the catalog's order."""
        index = np.arange(len(self.symbols)) if kind is None else self.of(kind)
        order = index[np.argsort(-self.scores[index], kind="stable")[:n]]
        return [(self.symbols[i], float(self.scores[i])) for i in order.tolist()]

    def of(self, kind: Kind) -> NDArray[np.intp]:
        """Where the symbols of a kind are."""
        return _by_kind(self.symbols).get(kind, np.empty(0, np.intp))


@once_per_catalog
def _by_kind(symbols: tuple[Symbol, ...]) -> dict[Kind, NDArray[np.intp]]:
    kinds = np.array([s.kind for s in symbols], object)
    return {kind: np.flatnonzero(kinds == kind) for kind in get_args(Kind)}


class Retriever:
    """Ranks the symbols of one index. The encoder is the one that the index was built with."""

    def __init__(self, index: Index, encoder: Encoder, mixture: Mixture = Mixture()) -> None:
        self.index = index
        self.encoder = encoder
        self.mixture = mixture
        # Examples are phrased like instructions: their higher cosines must not shift the other symbols' scores.
        self._base = np.array([s.kind != "example" for s in index.symbols], bool)
        if not self._base.any():
            self._base[:] = True

    def rank(self, instruction: str) -> Ranking:
        """Score all symbols; the whole instruction and its clauses are encoded together."""
        clauses = split_clauses(instruction)
        texts = [instruction] if len(clauses) == 1 else [instruction, *clauses]
        cosines = self.index.similarities(self.encoder.encode(texts))
        bm25 = self._bm25(texts)
        hybrid = self._z(cosines, _MIN_SPREAD_COSINE) + self.mixture.bm25 * self._z(bm25, _MIN_SPREAD_BM25)
        hybrid = hybrid.astype(np.float32)
        clause_scores = hybrid if len(texts) == 1 else hybrid[1:]
        share = self.mixture.clauses
        return Ranking(
            instruction=instruction,
            clauses=tuple(clauses),
            symbols=self.index.symbols,
            scores=(1 - share) * hybrid[0] + share * clause_scores.max(axis=0),
            clause_scores=clause_scores,
            whole_scores=hybrid[0],
            encoder_scores=cosines[0],
            bm25_scores=bm25[0],
        )

    def _bm25(self, texts: Sequence[str]) -> Scores:
        return np.stack([self.index.bm25.scores(t) for t in texts])

    def _z(self, scores: Scores, min_spread: float) -> Scores:
        """z-scores of each row (m, n) by the mean and spread of the symbols that are not examples."""
        if scores.shape[1] == 0:
            return scores
        base = scores[:, self._base]
        spread = np.maximum(base.std(axis=1, keepdims=True), min_spread)
        found: Scores = (scores - base.mean(axis=1, keepdims=True)) / spread
        return found
