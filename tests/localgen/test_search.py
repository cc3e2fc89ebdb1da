"""Search over commands: beams, commands that are taken back, and that nothing of it costs validity."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from constraint_kit import constraint, domain_of, minimal

from localgen.decoder.candidate import Candidate
from localgen.decoder.decode import DecodeSettings, GrammarEngine, decode
from localgen.decoder.model import LlamaModel
from localgen.decoder.search import RETURNS, SEARCHES, Boundary, Check, Search, mass
from localgen.repair import faults
from localgen.validation.validate import validate_script

TASK = "Route nets A and B on M1, keep 2 um clear around A."
GRAMMAR = constraint(minimal(), TASK).grammar


@pytest.fixture(scope="module")
def engine(random_model: Path) -> Iterator[GrammarEngine]:
    model = LlamaModel(random_model)
    yield GrammarEngine(model)
    model.close()


def write(
    engine: GrammarEngine, search: Search = "beam", *, grammar: str = GRAMMAR, k: int = 4, budget: int = 150,
    seed: int = 0, check: Check | None = None,
) -> list[Candidate]:  # fmt: skip
    prompt = engine.model.tokenize(TASK, special=True)
    return decode(engine, grammar, prompt, DecodeSettings(k, 1.5, budget, seed, boundary=Boundary(search, check)))


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("seed", range(3))
def test_every_search_writes_whole_valid_scripts(engine: GrammarEngine, search: Search, seed: int) -> None:
    for c in write(engine, search, seed=seed):
        assert c.finished and not c.resting
        assert validate_script(c.text, minimal(), strict=True).valid, c.text


def test_the_same_seed_searches_the_same(engine: GrammarEngine) -> None:
    assert [c.text for c in write(engine, seed=3)] == [c.text for c in write(engine, seed=3)]


def test_a_copied_beginning_goes_on_as_if_it_had_been_written_there(engine: GrammarEngine) -> None:
    """The log probability of each text is what the model gives it when it is written alone."""
    for c in write(engine, k=4, budget=60):
        forced = engine.matcher(GRAMMAR)
        tokens = engine.tokenizer.tokenize_str(c.text)
        assert forced.try_consume_tokens(tokens) == len(tokens)
        assert c.sequence in range(4)
    assert sorted(c.sequence for c in write(engine, k=4, budget=60)) == [0, 1, 2, 3]


def test_beams_begin_alike_where_one_beginning_is_better(engine: GrammarEngine) -> None:
    """After the first command at most half of the beginnings are left."""
    for seed in range(4):
        whole = [c.text for c in write(engine, k=6, seed=seed) if not c.truncated and c.text.count("\n") > 1]
        unfinished = {text.splitlines()[0] for text in whole}
        assert len(unfinished) <= 3 or len(whole) < 4


def test_what_the_mask_takes_away_counts(engine: GrammarEngine) -> None:
    row = np.log(np.array([0.5, 0.3, 0.2], np.float32))
    assert mass(row, np.array([0, 1, 2])) == pytest.approx(0, abs=1e-6)
    assert mass(row, np.array([2])) == pytest.approx(np.log(0.2), abs=1e-6)


def test_the_reach_of_a_beginning_counts_forced_tokens_too(engine: GrammarEngine) -> None:
    """One way to go on: no choice costs anything, but the model did not think of it."""
    made = write(engine, grammar='start: "my::route -net A -layer M1\\n"', k=1)[0]
    assert made.log_prob == 0 and made.text == "my::route -net A -layer M1\n"
    assert write(engine, "sample", grammar='start: "my::route -net A -layer M1\\n"', k=1)[0].reach == 0


# ---------------------------------------------------------------- rules beyond the grammar


def test_a_command_that_breaks_a_rule_is_taken_back_and_another_written(engine: GrammarEngine) -> None:
    seen: list[str] = []

    def check(text: str) -> bool:
        seen.append(text)
        return "keepout" not in text

    for search in SEARCHES:
        for seed in range(4):
            for c in write(engine, search, seed=seed, check=check):
                assert "keepout" not in c.text or c.truncated
    assert any("keepout" in t for t in seen), "the rule was put to the test"


def test_where_no_other_command_is_found_the_script_ends_before_it_and_says_so(engine: GrammarEngine) -> None:
    asked: list[str] = []

    def never(text: str) -> bool:
        asked.append(text)
        return False

    made = write(engine, "sample", k=1, check=never, grammar='start: ("go A\\n" | "go B\\n" | "go C\\n")+')[0]
    assert (made.finished, made.truncated, made.text) == (True, False, "")
    assert len(asked) == RETURNS + 1 and len(set(asked)) > 1 and made.lost == [asked[-1].strip()]


def test_the_order_of_calls_is_kept_while_writing(engine: GrammarEngine) -> None:
    procs = [{"name": n, "args": []} for n in ("begin", "work")]
    domain = domain_of({"procs": procs, "policy": {"order": [["begin", "work"]], "allowed_builtins": []}})
    grammar = constraint(domain, "begin work").grammar

    def wrong(check: Check | None) -> int:
        made = [c for s in range(6) for c in write(engine, "sample", grammar=grammar, budget=60, seed=s, check=check)]
        texts = [c.text.split() for c in made if not c.truncated]
        assert any({"begin", "work"} <= set(t) for t in texts)
        return sum(t[0] == "work" and "begin" in t for t in texts if t)

    assert wrong(None) > 0
    assert wrong(lambda text: not faults(text, domain)) == 0
