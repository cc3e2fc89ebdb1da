"""The decoding loop: budgets, safe points, seeds, votes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from constraint_kit import constraint, minimal

from localgen.decoder.candidate import Candidate
from localgen.decoder.closing import closing_lines, safe_point
from localgen.decoder.decode import DecodeSettings, GrammarEngine, decode
from localgen.decoder.masks import log_softmax
from localgen.decoder.model import Continuation, LlamaModel
from localgen.decoder.votes import arbitrate
from localgen.validation.validate import validate_script
from localgen_retrieval.errors import GrammarError

INSTRUCTION = "route CLK and RST on M2, keep 2.5 um away, rule SR2 for CLK 0.12um in the fast corner"
GRAMMAR = constraint(minimal(), INSTRUCTION).grammar


@pytest.fixture(scope="module")
def engine(random_model: Path) -> Iterator[GrammarEngine]:
    model = LlamaModel(random_model)
    yield GrammarEngine(model)
    model.close()


def write(
    engine: GrammarEngine, *, k: int = 4, budget: int = 200, seed: int = 0, temperature: float = 1.5
) -> list[Candidate]:
    prompt = engine.model.tokenize(INSTRUCTION, special=True)
    return decode(engine, GRAMMAR, prompt, DecodeSettings(k, temperature, budget, seed))


@pytest.mark.parametrize("budget", [1, 2, 7, 20, 45, 120, 400])
def test_a_budget_is_kept_and_what_is_cut_is_a_whole_script(engine: GrammarEngine, budget: int) -> None:
    for seed in range(3):
        for c in write(engine, budget=budget, seed=seed):
            assert c.finished
            assert len(c.data) == 0 or c.data.endswith(b"\n")
            assert c.truncated or c.tokens <= budget
            if c.text:
                matcher = engine.matcher(GRAMMAR)
                tokens = engine.tokenizer.tokenize_str(c.text)
                assert matcher.try_consume_tokens(tokens) == len(tokens), c.text
                assert matcher.is_accepting(), c.text
                assert validate_script(c.text, minimal(), strict=True).valid, c.text


def test_the_same_seed_writes_the_same(engine: GrammarEngine) -> None:
    first, again, other = write(engine, seed=3), write(engine, seed=3), write(engine, seed=4)
    assert [c.text for c in first] == [c.text for c in again]
    assert [c.text for c in first[1:]] != [c.text for c in other[1:]]


def test_the_first_candidate_is_greedy_whatever_the_seed_and_the_temperature(engine: GrammarEngine) -> None:
    texts = {write(engine, k=k, seed=s, temperature=t)[0].text for k, s, t in [(1, 0, 0.3), (3, 5, 1.5), (4, 9, 4.0)]}
    assert len(texts) == 1


def test_a_sequence_is_not_disturbed_by_its_neighbours(engine: GrammarEngine) -> None:
    alone = write(engine, k=1, temperature=0)[0]
    for c in write(engine, k=3, temperature=0):
        assert c.text == alone.text
        assert c.log_prob == pytest.approx(alone.log_prob, rel=1e-3)


def test_candidates_that_wrote_the_same_are_evaluated_once(
    engine: GrammarEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    real = LlamaModel._evaluate

    def counted(self: LlamaModel, flat: list[tuple[int, int, int, int]], count: int) -> object:
        seen.append(len(flat))
        return real(self, flat, count)

    def evaluated(k: int, temperature: float) -> tuple[int, set[str]]:
        engine.model.open(length=2000, sequences=8)
        engine.model.forget_prompt()
        seen.clear()
        texts = {c.text for c in write(engine, k=k, temperature=temperature)}
        return sum(seen), texts

    monkeypatch.setattr(LlamaModel, "_evaluate", counted)
    (alone, text), (together, texts), (apart, others) = evaluated(1, 0), evaluated(6, 0), evaluated(6, 1.5)
    assert together == alone and texts == text
    assert apart > alone and len(others) > 1


@pytest.mark.parametrize("temperature", [0.5, 1.5])
def test_what_was_taken_over_is_gone_on_with_as_if_it_had_been_read_there(
    engine: GrammarEngine, temperature: float
) -> None:
    """Candidates part at some token: behind it, each has the odds that the model gives its text alone."""
    prompt = engine.model.tokenize(INSTRUCTION, special=True)
    heard: dict[tuple[str, bytes], list[Any]] = {}

    def listen(text: str, tokens: Any, log_probs: Any) -> None:
        heard.setdefault((text, tokens.tobytes()), []).append(log_probs)

    made = decode(engine, GRAMMAR, prompt, DecodeSettings(5, temperature, 40, 1), listen)
    texts = [c.whole or c.text for c in made]
    engine.model.forget_prompt()
    for text in dict.fromkeys(texts):
        ids = next(c.ids for c in made if (c.whole or c.text) == text)
        pieces = [engine.model.piece(t) for t in ids]
        for n in (len(ids) // 2, len(ids) - 1):
            begun = b"".join(pieces[:n]).decode()
            rows = [(k, v) for k, v in heard.items() if k[0] == begun]
            for (_, tokens), log_probs in rows:
                engine.model.open(length=len(prompt) + n + 64, sequences=1)
                engine.model.forget_prompt()
                row = engine.model.prompt(prompt, 1)
                if n:
                    row = engine.model.step([Continuation(0, ids[:n], len(prompt))])[0]
                expected = log_softmax(row, np.frombuffer(tokens, np.int64))
                assert all(np.allclose(v, expected, atol=0.05) for v in log_probs), begun


def test_forced_tokens_are_not_choices(engine: GrammarEngine) -> None:
    for c in write(engine, seed=1):
        assert c.choices + c.forced <= c.tokens + 1
        assert c.log_prob <= 0


def test_a_vote_is_heard(engine: GrammarEngine) -> None:
    prompt = engine.model.tokenize(INSTRUCTION, special=True)
    seen: list[str] = []

    def vote(text: str, tokens: np.ndarray, log_probs: np.ndarray) -> np.ndarray | None:
        seen.append(text)
        wanted = [engine.model.piece(int(t)).startswith(b"s") for t in tokens]
        return log_probs + 50.0 * np.array(wanted) if not text else None

    made = decode(engine, GRAMMAR, prompt, DecodeSettings(2, 0.3, 60, 0), vote)
    assert seen.count("") == 2
    assert all(c.text.startswith("set ") or c.truncated for c in made)


def test_a_grammar_that_cannot_be_compiled_is_an_error_with_a_reason(engine: GrammarEngine) -> None:
    with pytest.raises(GrammarError, match="cannot be compiled"):
        engine.matcher("start: missing\n")


# ---------------------------------------------------------------- safe points


@pytest.mark.parametrize(
    ("text", "closing"),
    [
        ("a\n", ""),
        ("if {1} {\n", "}\n"),
        ("if {1} {\n  foreach x {A} {\n    a\n", "  }\n}\n"),
        ("if {1} {\n  a\n} else {\n  b\n", "}\n"),
        ("foreach x {A B} {\n  a\n}\n", ""),
        ("a -x \\{\n", ""),
    ],
)
def test_open_bodies_are_closed_innermost_first(text: str, closing: str) -> None:
    assert closing_lines(text) == closing


@pytest.mark.parametrize(
    ("text", "closing"),
    [
        ("@limits(\n  range vdd\n", ")\n"),
        ("if {1} {\n  @limits(\n    range vdd\n", "  )\n}\n"),
        ("@limits(\n  range vdd\n)\n", ""),
        ("<<DECK\n  a\n", "DECK\n"),
    ],
)
def test_open_blocks_are_closed_by_what_closes_them(text: str, closing: str) -> None:
    assert closing_lines(text, (("@limits(", ")"), ("<<DECK", "DECK"))) == closing


def test_a_line_that_could_end_is_a_safe_point_although_the_next_token_goes_on_behind_it(engine: GrammarEngine) -> None:
    text = "foreach net {CLK} {\n  my::route -net $net -layer M2"
    matcher = engine.matcher(GRAMMAR)
    tokens = engine.tokenizer.tokenize_str(text)
    assert matcher.try_consume_tokens(tokens) == len(tokens)
    assert safe_point(matcher, engine.tokenizer, text, len(tokens)) is None
    point = safe_point(matcher, engine.tokenizer, text, len(tokens), line_end="\n")
    assert point is not None and point.text == text + "\n}\n"


def test_a_safe_point_is_only_where_the_grammar_may_end(engine: GrammarEngine) -> None:
    whole = "foreach net {CLK} {\n  my::route -net $net -layer M2\n"
    for text, safe in {whole: whole + "}\n", "foreach net {CLK} {\n": None, whole + "  my::route -net": None}.items():
        matcher = engine.matcher(GRAMMAR)
        tokens = engine.tokenizer.tokenize_str(text)
        assert matcher.try_consume_tokens(tokens) == len(tokens)
        point = safe_point(matcher, engine.tokenizer, text, len(tokens))
        assert (point.text if point else None) == safe
        if point:
            assert point.tokens > len(tokens)
        assert not matcher.is_accepting()


def test_stopping_goes_back_to_the_last_safe_point_that_fits() -> None:
    from localgen.decoder.closing import SafePoint

    def stopped(budget: int) -> str:
        c = Candidate(0, None, 0.0, 0, safe=[SafePoint("a\n", 2), SafePoint("a\nb\n", 5), SafePoint("a\nb\nc\n", 9)])
        c.data = bytearray(b"a\nb\nc\nd")
        c.stop_at_budget(budget)
        assert c.finished and c.truncated
        return c.text

    assert [stopped(b) for b in (1, 2, 4, 5, 8, 9, 100)] == [
        "",
        "a\n",
        "a\n",
        "a\nb\n",
        "a\nb\n",
        "a\nb\nc\n",
        "a\nb\nc\n",
    ]


# ---------------------------------------------------------------- votes


def test_a_vote_arbitrates_among_its_branches_and_keeps_their_total() -> None:
    log_probs = np.log(np.array([0.5, 0.2, 0.2, 0.1]))
    out = arbitrate(log_probs, np.array([-np.inf, 0.0, 3.0, -np.inf]))
    assert out is not None
    p = np.exp(out)
    assert p.sum() == pytest.approx(1)
    assert p[[0, 3]] == pytest.approx([0.5, 0.1])
    assert p[2] / p[1] == pytest.approx(np.exp(3.0))


@pytest.mark.parametrize("vote", [[-np.inf, -np.inf], [1.0, -np.inf]])
def test_with_fewer_than_two_branches_there_is_nothing_to_arbitrate(vote: list[float]) -> None:
    assert arbitrate(np.log(np.array([0.5, 0.5])), np.array(vote)) is None
