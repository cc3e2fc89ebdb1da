"""The tokens a grammar allows, and the draw among them: the same as by the plain way."""

from __future__ import annotations

import llguidance
import numpy as np
import pytest
from constraint_kit import constraint, minimal

from localgen.decoder.masks import TokenMasks, draw, log_softmax

GRAMMAR = constraint(minimal(), "route CLK and RST on M2, keep 2.5 um away in the fast corner").grammar


def plainly(matcher: llguidance.LLMatcher, n_vocab: int) -> list[int]:
    bits = np.unpackbits(np.frombuffer(matcher.compute_bitmask(), np.uint8), bitorder="little")
    return [i for i in np.flatnonzero(bits).tolist() if i < n_vocab]


@pytest.mark.parametrize("n_vocab", [257, 256, 128, 117, 33])
def test_masks_hold_what_the_engine_allows_and_nothing_beyond_the_vocabulary(n_vocab: int) -> None:
    tokenizer = llguidance.LLTokenizer("byte")
    masks = TokenMasks(n_vocab, tokenizer.vocab_size)
    rng = np.random.default_rng(0)
    seen = 0
    for _ in range(5):
        matcher = llguidance.LLMatcher(tokenizer, GRAMMAR, log_level=0)
        while not matcher.is_stopped() and seen < 2000:
            allowed = masks.allowed(matcher.deep_copy())
            assert allowed.tolist() == plainly(matcher.deep_copy(), n_vocab)
            every = plainly(matcher, tokenizer.vocab_size)
            matcher.consume_token(int(rng.choice(every)))
            seen += 1
    assert seen > 50


@pytest.mark.parametrize("temperature", [0.05, 0.3, 1.0, 4.0])
def test_a_draw_is_what_numpy_chooses_and_takes_as_much_of_the_seed(temperature: float) -> None:
    for seed in range(200):
        size = 1 + seed % 40
        log_probs = log_softmax(np.random.default_rng(seed).normal(size=64).astype(np.float32), np.arange(size))
        p = np.exp(log_probs / temperature - (log_probs / temperature).max())
        ours, numpys = np.random.default_rng(seed), np.random.default_rng(seed)
        assert draw(log_probs, temperature, ours) == int(numpys.choice(size, p=p / p.sum()))
        assert ours.random() == numpys.random()


def test_log_probabilities_are_over_the_allowed_tokens_alone() -> None:
    row = np.array([9.0, 1.0, 2.0, 9.0], np.float32)
    assert np.exp(log_softmax(row, np.array([1, 2]))).sum() == pytest.approx(1.0)
