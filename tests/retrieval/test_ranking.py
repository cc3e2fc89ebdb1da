"""Ranking symbols for an instruction."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from localgen_retrieval.bert_context import Vectors
from localgen_retrieval.catalog_io import load_domain
from localgen_retrieval.encoder import GgufEncoder
from localgen_retrieval.index import open_index
from localgen_retrieval.retrieve import Mixture, Ranking, Retriever

MakeDomain = Callable[..., Path]

SHOP = {
    "procs": [
        {"name": "door_open", "summary": "Opens a door.", "args": [{"name": "door"}]},
        {"name": "door_lock", "summary": "Locks a door.", "args": [{"name": "door"}]},
        {"name": "lamp_dim", "summary": "Sets the brightness of a lamp.", "args": [{"name": "lamp"}]},
        {"name": "heat_set", "summary": "Sets the temperature of a room.", "args": [{"name": "room"}]},
        {"name": "old_door", "summary": "Opens a door.", "deprecated": True},
    ],
    "variables": [{"name": "::house::season", "values": ["summer", "winter"], "doc": "Season of the year."}],
    "dsl": {
        "name": "rules",
        "embedding": {"open": "dsl {", "close": "}"},
        "productions": [{"name": "quiet_hours", "summary": "No noise between two times of day."}],
    },
}


@pytest.fixture
def retriever(make_domain: MakeDomain, encoder: GgufEncoder) -> Retriever:
    domain = load_domain(
        make_domain(SHOP, examples__a_tcl="# task: Let visitors in at the front.\ndoor_open -door f\n")
    )
    return Retriever(open_index(domain, encoder, None), encoder)


def names(ranking: Ranking, kind: str, n: int) -> list[str]:
    return [symbol.name for symbol, _ in ranking.top(kind, n)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("instruction", "proc"),
    [
        ("make the light in the hall darker", "lamp_dim"),
        ("the kitchen should be at 21 degrees", "heat_set"),
        ("lock up the cellar door", "door_lock"),
    ],
)
def test_the_right_proc_comes_first_though_the_words_differ(retriever: Retriever, instruction: str, proc: str) -> None:
    assert names(retriever.rank(instruction), "proc", 1) == [proc]


def test_every_clause_finds_its_proc(retriever: Retriever) -> None:
    ranking = retriever.rank("lock the cellar, open the garage door, then make the bedroom two degrees warmer")
    assert len(ranking.clauses) == 3 and ranking.clause_scores.shape == (3, 7)
    assert set(names(ranking, "proc", 3)) >= {"door_open", "heat_set"}
    last = [s.name for s in ranking.symbols][int(ranking.clause_scores[2].argmax())]
    assert last == "heat_set"


def test_other_kinds_are_ranked_too(retriever: Retriever) -> None:
    ranking = retriever.rank("it is winter now")
    assert names(ranking, "variable", 5) == ["::house::season"]
    assert names(ranking, "production", 5) == ["rules.quiet_hours"]
    assert names(ranking, "example", 5) == ["examples/a.tcl"]
    assert len(ranking.top(None, 100)) == len(ranking.symbols) == 7


def test_scores_are_finite_aligned_and_best_first(retriever: Retriever) -> None:
    ranking = retriever.rank("open the door")
    n = len(ranking.symbols)
    for scores in (ranking.scores, ranking.whole_scores, ranking.encoder_scores, ranking.bm25_scores):
        assert scores.shape == (n,) and scores.dtype == np.float32 and np.isfinite(scores).all()
    found = [score for _, score in ranking.top("proc", 10)]
    assert found == sorted(found, reverse=True) and len(found) == 4
    assert ranking.top("proc", 0) == []


def test_one_clause_is_the_whole(retriever: Retriever) -> None:
    ranking = retriever.rank("open the door")
    assert ranking.clauses == ("open the door",)
    assert np.allclose(ranking.scores, ranking.whole_scores) and np.allclose(ranking.clause_scores[0], ranking.scores)


def test_the_mixture_decides(make_domain: MakeDomain, encoder: GgufEncoder) -> None:
    index = open_index(load_domain(make_domain(SHOP)), encoder, None)
    alone = Retriever(index, encoder, Mixture(bm25=0)).rank("make it brighter")
    assert [s.name for s, _ in alone.top(None, 6)] == [
        alone.symbols[i].name for i in np.argsort(-alone.encoder_scores, kind="stable")
    ]


@pytest.mark.parametrize("instruction", ["", " ", "?", "zzqx", "说", "\ud800", "open " * 3000, "a, b; c. d\n" * 300])
def test_strange_instructions(retriever: Retriever, instruction: str) -> None:
    ranking = retriever.rank(instruction)
    assert np.isfinite(ranking.scores).all() and len(ranking.top("proc", 4)) == 4


@pytest.mark.parametrize("catalog", [{}, {"procs": [{"name": "only"}]}, {"variables": [{"name": "v"}]}])
def test_tiny_catalogs(make_domain: MakeDomain, encoder: GgufEncoder, catalog: dict[str, object]) -> None:
    ranking = Retriever(open_index(load_domain(make_domain(catalog)), encoder, None), encoder).rank(
        "do it, then do more of it"
    )
    assert np.isfinite(ranking.scores).all() and len(ranking.top(None, 9)) == len(ranking.symbols)


def test_a_large_catalog_is_encoded_once_and_then_only_the_instruction(
    make_domain: MakeDomain, encoder: GgufEncoder, tmp_path: Path
) -> None:
    encoded: list[str] = []

    class Watched:
        name, digest = encoder.name, encoder.digest

        def encode(self, texts: Sequence[str]) -> Vectors:
            encoded.extend(texts)
            return encoder.encode(texts)

    procs = [
        {"name": f"ns{i % 20}::act_{i}", "summary": f"Does number {i}.", "args": [{"name": "x", "doc": "A value."}]}
        for i in range(300)
    ]
    domain = load_domain(make_domain(json.loads(json.dumps({"procs": procs}))))
    open_index(domain, Watched(), tmp_path / "cache")
    assert len(encoded) >= len(procs)
    encoded.clear()
    Retriever(open_index(domain, Watched(), tmp_path / "cache"), Watched()).rank("do number 212")
    assert encoded == ["do number 212"]
