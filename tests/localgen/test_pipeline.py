"""The whole road with a model of random weights: what must hold whatever the model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from constraint_kit import MINIMAL, domain_of, minimal, shipped

from localgen.advice import Weights
from localgen.options import Options
from localgen.pipeline import Generator
from localgen.repair import finish, with_header
from localgen.scripts import called_procs, statements, used_symbols
from localgen.validation.validate import validate_script
from localgen_retrieval.catalog_io import load_domain

TASK = "Route net CLK on M3 and keep 2.5 um away from RST in the slow corner."


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def generator(random_model: Path, cache: Path) -> Iterator[Generator]:
    made = Generator(minimal(), model=random_model, cache_dir=cache)
    yield made
    made.close()


def options(**more: object) -> Options:
    return Options(**{"k": 3, "temperature": 1.5, "max_tokens": 200, "ask": False, **more})  # type: ignore[arg-type]


def test_an_answer_is_a_valid_script_with_its_figures(generator: Generator) -> None:
    answer = generator.generate(TASK, options())
    assert answer.type == "script" and answer.valid and answer.script
    assert validate_script(answer.script, minimal(), strict=True).valid
    assert answer.candidates == 3
    assert 0 < answer.tokens <= 3 * 200 + 60
    assert 0 <= answer.confidence <= 1
    assert {"load", "retrieve", "compile", "decode", "validate"} <= set(answer.timings)
    assert answer.symbols == used_symbols(answer.script, minimal().catalog)


def test_the_same_seed_gives_the_same_script_also_after_other_tasks(generator: Generator) -> None:
    first = generator.generate(TASK, options(seed=5)).script
    generator.generate("keep 1 um clear around VREF", options(seed=1, max_tokens=30))
    assert generator.generate(TASK, options(seed=5)).script == first


def test_another_generator_gives_the_same_script(generator: Generator, random_model: Path, cache: Path) -> None:
    other = Generator(load_domain(MINIMAL), model=random_model, cache_dir=cache)
    assert other.generate(TASK, options(seed=5)).script == generator.generate(TASK, options(seed=5)).script
    other.close()


@pytest.mark.parametrize("seed", range(3))
def test_a_budget_that_is_too_small_leaves_a_valid_script_and_says_so(generator: Generator, seed: int) -> None:
    answer = generator.generate(TASK, options(seed=seed, max_tokens=1))
    assert answer.truncated and answer.valid
    assert answer.script == ""
    assert answer.confidence <= 0.1


def test_what_a_vote_weight_of_zero_switches_off_still_gives_valid_scripts(random_model: Path, cache: Path) -> None:
    weights = Weights(statements=0, words=0, reader=0)
    plain = Generator(minimal(), model=random_model, cache_dir=cache, weights=weights)
    assert plain.generate(TASK, options()).valid
    plain.close()


def test_facts_are_sources_for_values(random_model: Path, cache: Path) -> None:
    domain = domain_of({"procs": [{"name": "select", "args": [{"name": "net"}]}]})
    made = Generator(domain, model=random_model, cache_dir=cache)
    texts = {
        made.generate("select", options(seed=s), {"current net": ["SEL_7"], "count": 3}).script or "" for s in range(6)
    }
    assert any("SEL_7" in t for t in texts)
    made.close()


def test_the_header_of_the_policy_comes_first(random_model: Path, cache: Path) -> None:
    header = shipped().catalog.policy.required_header
    assert header
    made = Generator(shipped(), model=random_model, cache_dir=cache)
    for budget in (1, 60):
        answer = made.generate("Place the macro u_ram at 10 20", options(max_tokens=budget))
        assert answer.valid and answer.script is not None and answer.script.startswith(header + "\n")
    made.close()


# ---------------------------------------------------------------- the last gate

GOOD = "my::route -net A -layer M1\n"


@pytest.mark.parametrize(
    ("body", "kept", "dropped"),
    [
        (GOOD, GOOD, 0),
        ("my::route -net A -layer M9\n" + GOOD, GOOD, 1),
        (GOOD + "foreach n {A} {\n  my::route -net $n\n}\n", GOOD, 1),
        (GOOD + "if {", GOOD, 1),
        ("if {\n" + GOOD, "", 1),
        ('dsl {\n  rule "A"\n}\n' + GOOD, GOOD, 1),
        ("my::nothing\n" * 40 + GOOD, GOOD, 40),
        ("", "", 0),
    ],
)
def test_what_is_not_valid_is_dropped_and_said(body: str, kept: str, dropped: int) -> None:
    script, report, gone = finish(body, minimal())
    assert (script, report.valid, len(gone)) == (kept, True, dropped)


def test_a_required_call_is_added_and_the_wrong_order_is_dropped() -> None:
    procs = [{"name": n, "args": []} for n in ("begin", "work", "end")]
    policy = {"required_calls": ["end"], "order": [["begin", "work"]], "required_header": "#!/usr/bin/env tclsh"}
    domain = domain_of({"procs": procs, "policy": policy})
    script, report, dropped = finish("work\nbegin\n", domain)
    assert report.valid
    assert script == with_header("begin\nend\n", domain)
    assert dropped == ["work"]


def test_a_required_call_that_a_dropped_statement_took_along_is_added() -> None:
    procs = [{"name": "work", "args": [{"name": "on", "required": True}]}, {"name": "end", "args": []}]
    domain = domain_of({"procs": procs, "policy": {"required_calls": ["end"], "allowed_builtins": ["set"]}})
    script, report, dropped = finish("set a [end]\nwork -on $b\n", domain)
    assert (script, report.valid, dropped) == ("set a [end]\n", True, ["work -on $b"])
    script, report, dropped = finish("work -on [end] -no x\n", domain)
    assert (script, report.valid, dropped) == ("end\n", True, ["work -on [end] -no x"])


def test_statements_keep_bodies_and_blocks_together() -> None:
    parts = [
        "my::route -net A -layer M1\n",
        "foreach net {A} {\n  my::route -net $net -layer M1\n  dsl {\n  rule x\n  }\n}\n",
        "if {[my::x] > 0} {\n  my::a\n} else {\n  my::b\n}\n",
        "my::route -net \\{\n",
        "my::route -net {a\u2028b {c}}\n",
        "puts x",
    ]
    assert statements("".join(parts), minimal().catalog) == parts


def test_called_procs_are_those_at_command_position() -> None:
    script = 'a -x [b]\nset c d\n  e "f"\nputs {b}\n# a\n'
    assert called_procs(script, ["a", "b", "c", "d", "e", "f"]) == ["a", "b", "e"]


def test_a_required_call_that_is_never_reached_is_added_at_the_end() -> None:
    policy = {"required_calls": ["end"], "allowed_builtins": ["set", "if", "foreach"]}
    domain = domain_of({"procs": [{"name": "end", "args": []}], "policy": policy})
    dead = "set n 1\nif {$n > 2} {\n  end\n}\n"
    script, report, dropped = finish(dead, domain)
    assert script == dead + "end\n" and report.valid and not dropped
    looped = "foreach n {1 2} {\n  end\n}\n"
    assert finish(looped, domain)[0] == looped


def test_a_dsl_without_statements_of_a_fixed_form_is_no_obstacle(random_model: Path, cache: Path) -> None:
    nested = 'start: item+\nitem: "(" item* ")" | NAME\nNAME: /[a-z]+/\n%ignore " "\n'
    catalog = {
        "procs": [{"name": "go", "args": [{"name": "to"}]}],
        "dsl": {"name": "trees", "embedding": {"open": "trees {", "close": "}"}, "grammar": "trees.lark",
                "productions": [{"name": "tree", "summary": "A tree of names."}]},
    }  # fmt: skip
    made = Generator(domain_of(catalog, trees=nested), model=random_model, cache_dir=cache)
    assert made.generate("write a tree of names a and b, in trees", options()).valid
    made.close()
