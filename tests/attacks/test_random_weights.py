"""Validity does not depend on the model: whatever random weights write at a high temperature is valid."""

from __future__ import annotations

from pathlib import Path

import pytest
from oracle import TCLSH, requires_tcl
from random_scripts import BUDGETS, MINIMAL, PNR, Judge, Tally, attack, budgets, random_domain

from localgen.options import Options
from localgen.pipeline import Generator
from localgen_retrieval.catalog_io import load_domain
from localgen_retrieval.errors import UsageError

RANDOM_SEEDS = range(12)
_TALLIES: dict[str, dict[int, Tally]] = {}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def _check(name: str, tallies: dict[int, Tally]) -> None:
    _TALLIES[name] = tallies
    for budget, tally in sorted(tallies.items()):
        print(f"{name:<10}{budget:>5} tokens {tally}")
    failures = [f for t in tallies.values() for f in t.failures]
    assert not failures, f"{len(failures)} invalid scripts, the first:\n{failures[0]}"


@requires_tcl
def test_scripts_for_the_shipped_domain_are_valid(random_model: Path, cache: Path) -> None:
    _check("pnr", attack(load_domain(PNR), random_model, runs=budgets(48), seed=1, cache_dir=cache))


@requires_tcl
def test_scripts_for_the_minimal_catalog_are_valid(random_model: Path, cache: Path) -> None:
    _check("minimal", attack(load_domain(MINIMAL), random_model, runs=budgets(40), seed=2, cache_dir=cache))


@requires_tcl
@pytest.mark.parametrize("seed", RANDOM_SEEDS)
def test_scripts_for_a_catalog_made_at_random_are_valid(
    random_model: Path, cache: Path, tmp_path: Path, seed: int
) -> None:
    domain = random_domain(tmp_path, seed)
    _check(domain.catalog.name, attack(domain, random_model, runs=budgets(8), seed=seed, cache_dir=cache))


@requires_tcl
def test_enough_scripts_were_judged_and_long_ones_call_something() -> None:
    if len(_TALLIES) < 2 + len(RANDOM_SEEDS):
        pytest.skip("needs the tallies of the tests above")
    whole, long = Tally(), Tally()
    for tallies in _TALLIES.values():
        for budget, tally in tallies.items():
            whole.add(tally)
            if budget == BUDGETS[-1]:
                long.add(tally)
    table = f"all        {whole}\n400 tokens {long}"
    print(table)
    assert whole.scripts >= 300, table
    # 95% over many more in bench/soak.py; these few may hold a task or two that only ask for a block.
    assert long.calling >= 0.9 * long.answers, "\n".join([table, "dropped:", *long.dropped_examples[:20]])
    assert long.dropped <= 0.05 * long.scripts, "\n".join([table, "dropped:", *long.dropped_examples[:20]])


@pytest.mark.parametrize("max_tokens", [1, 8, 60, 400])
def test_a_pure_dsl_is_valid_or_the_budget_is_said_to_be_too_small(
    random_model: Path, cache: Path, tmp_path: Path, max_tokens: int
) -> None:
    domain = random_domain(tmp_path, 3, host="none")
    generator = Generator(domain, model=random_model, cache_dir=cache)
    with Judge(domain) as judge:
        for seed in range(4):
            options = Options(k=2, temperature=1.5, max_tokens=max_tokens, seed=seed, ask=False)
            try:
                outcome = generator.generate("limit net CLK to 5um on M2", options)
            except UsageError as e:
                assert e.code == "budget-too-small"
                assert max_tokens < 400
            else:
                assert outcome.script
                assert judge.complaints(outcome.script) == []
    generator.close()


@pytest.mark.skipif(TCLSH is None, reason="no tclsh on PATH")
def test_the_judges_do_find_faults(tmp_path: Path) -> None:
    domain = load_domain(MINIMAL)
    with Judge(domain) as judge:
        assert judge.complaints("my::route -net A -layer M1\n") == []
        for bad, judges in {
            "my::route -net A -layer M9\n": {"validator"},
            "if {1} {\n": {"validator", "tclsh"},
            'dsl {\n  rule "SR2" apply_to: spacing: 1um\n}\n': {"validator", "lark"},
        }.items():
            assert {c.split(":")[0] for c in judge.complaints(bad)} == judges, bad
