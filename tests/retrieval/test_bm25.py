"""BM25 over short texts."""

from __future__ import annotations

import numpy as np

from localgen_retrieval.bm25 import Bm25

TEXTS = ["route one net on a layer", "place a macro at a location", "route the clock tree", "report timing of a net"]


def test_the_text_with_the_rarest_shared_word_wins() -> None:
    scores = Bm25(TEXTS).scores("routing of the clock")
    assert scores.shape == (4,) and scores.dtype == np.float32
    assert scores.argmax() == 2 and scores[1] == 0


def test_rare_words_weigh_more_than_common_ones() -> None:
    scores = Bm25(TEXTS).scores("timing route")
    assert scores[3] > scores[0] > 0


def test_a_bare_number_is_no_subject() -> None:
    assert not Bm25(["level 3", "layer 4"]).scores("3").any()


def test_an_exact_name_matches() -> None:
    assert Bm25(["metal M1 M2", "metal M4 M5"]).scores("use M4").argmax() == 1


def test_nothing_shared_nothing_scored() -> None:
    assert not Bm25(TEXTS).scores("zebra").any() and not Bm25(TEXTS).scores("").any()


def test_no_texts_and_empty_texts() -> None:
    assert Bm25([]).scores("a net").shape == (0,)
    assert not Bm25(["", ""]).scores("a net").any()
