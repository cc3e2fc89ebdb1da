"""Which weights of BM25 and of clauses rank best: the figures behind the defaults of `Mixture`.

    python bench/mixture.py [--encoder bundle/default/encoder.gguf] [--catalogs 12] [--tasks 40]

Tasks over virtual catalogs of the task families' validation fields, which nothing is trained on, and the held-out suite
`irrigation`, which is the one for settings. Figures as in bench/retrieval.py; the score is their mean (top-1 and
recall@8 of both), the suite counting a quarter, as it has few tasks.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from localgen_retrieval.catalog import Catalog
from localgen_retrieval.catalog_io import Domain, load_domain
from localgen_retrieval.encoder import Encoder, GgufEncoder
from localgen_retrieval.index import open_index
from localgen_retrieval.retrieve import Mixture, Ranking, Retriever, Scores
from localgen_training.compose import Step, call_step, query_step
from localgen_training.families import Field, split_fields
from localgen_training.noise import dress
from localgen_training.virtual_api import Style, VirtualSymbol, make_symbol
from retrieval import ROOT, Task, measure, read_tasks

BM25_WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0)
CLAUSE_SHARES = (0.0, 0.15, 0.3, 0.4, 0.5, 0.6, 0.7)
SUITE_SHARE = 0.25


def virtual_suite(seed: int, n: int) -> tuple[Domain, list[Task]]:
    """A catalog of all validation concepts in one house style, and n tasks of one to four calls."""
    rng = random.Random(f"mixture-{seed}")
    fields = split_fields("validation")
    style = Style.draw(rng, rng.choice(fields).namespaces)
    made: list[tuple[VirtualSymbol, Field]] = []
    names = set[str]()
    for field in fields:
        for concept in field.concepts:
            symbol = make_symbol(concept, style, rng)
            if symbol.proc.name not in names:
                names.add(symbol.proc.name)
                made.append((symbol, field))
    tasks = []
    for _ in range(n):
        field = rng.choice(fields)
        own = [s for s, f in made if f is field]
        chosen = rng.sample(own, rng.choice((1, 1, 1, 1, 2, 2, 3, 4)))
        steps = [_step(s, field, rng).text for s in chosen]
        tasks.append(Task(dress(steps, rng), frozenset(s.proc.name for s in chosen)))
    catalog = Catalog(procs=tuple(s.proc for s, _ in made))
    return Domain(f"virtual{seed}", Path(), catalog, {}, {}, (), None, f"virtual{seed}", ()), tasks


def _step(symbol: VirtualSymbol, field: Field, rng: random.Random) -> Step:
    asks = symbol.concept.ask and symbol.concept.returns and rng.random() < 0.35
    return query_step(symbol, field, rng) if asks else call_step(symbol, field, rng)


class Parts:
    """The parts of the hybrid scores of some tasks, so that any mixture is a sum of them."""

    def __init__(self, domain: Domain, tasks: Sequence[Task], encoder: Encoder) -> None:
        index = open_index(domain, encoder, None)
        plain, mixed = Retriever(index, encoder, Mixture(bm25=0)), Retriever(index, encoder, Mixture(bm25=1))
        self.rankings = [(t, plain.rank(t.instruction), mixed.rank(t.instruction)) for t in tasks]

    def figures(self, bm25: float, share: float) -> tuple[float, float]:
        """(top-1, recall@8) of a mixture."""
        scored = {id(a): _mix(a, b, bm25, share) for _, a, b in self.rankings}
        return measure([(t, a) for t, a, _ in self.rankings], lambda r: scored[id(r)])


def _mix(plain: Ranking, mixed: Ranking, bm25: float, share: float) -> Scores:
    whole = plain.whole_scores + bm25 * (mixed.whole_scores - plain.whole_scores)
    clauses = plain.clause_scores + bm25 * (mixed.clause_scores - plain.clause_scores)
    found: Scores = (1 - share) * whole + share * clauses.max(axis=0)
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Print the score of each mixture, and the figures of the best and of the default."""
    parser = argparse.ArgumentParser(description="Weights of the retrieval scores.")
    parser.add_argument("--encoder", type=Path, default=ROOT / "bundle" / "default" / "encoder.gguf")
    parser.add_argument("--catalogs", type=int, default=12)
    parser.add_argument("--tasks", type=int, default=40, help="per catalog")
    args = parser.parse_args(argv)
    encoder = GgufEncoder(args.encoder)
    folder = ROOT / "tests" / "heldout" / "irrigation"
    domain = load_domain(folder)
    suite = Parts(domain, read_tasks(folder / "tasks.jsonl", domain), encoder)
    virtual = [Parts(*virtual_suite(seed, args.tasks), encoder) for seed in range(args.catalogs)]

    def figures(bm25: float, share: float) -> tuple[float, ...]:
        synthetic = np.mean([p.figures(bm25, share) for p in virtual], axis=0)
        return (*map(float, synthetic), *suite.figures(bm25, share))

    def score(bm25: float, share: float) -> float:
        top, recall, suite_top, suite_recall = figures(bm25, share)
        return (1 - SUITE_SHARE) * (top + recall) / 2 + SUITE_SHARE * (suite_top + suite_recall) / 2

    table = {(b, c): score(b, c) for b in BM25_WEIGHTS for c in CLAUSE_SHARES}
    print("bm25 \\ clauses" + "".join(f"{c:>8.2f}" for c in CLAUSE_SHARES))
    for b in BM25_WEIGHTS:
        print(f"{b:>14.2f}" + "".join(f"{table[b, c]:>8.4f}" for c in CLAUSE_SHARES))
    default = (Mixture().bm25, Mixture().clauses)
    for name, mixture in (("best", max(table, key=table.__getitem__)), ("default", default), ("encoder", (0.0, 0.0))):
        cells = " ".join(f"{x:.3f}" for x in figures(*mixture))
        print(f"{name:<8} bm25 {mixture[0]:.2f} clauses {mixture[1]:.2f}: virtual top-1, rec@8, irrigation: {cells}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
