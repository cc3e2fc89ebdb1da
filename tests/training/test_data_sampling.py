"""Values and texts drawn from patterns and grammars are what the patterns and grammars say."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from training.data_kit import HARBOUR, MINIMAL

from localgen_grammars.dsl import load_grammar
from localgen_grammars.statements import statements_of
from localgen_training.data.grammar_sample import joined, sample_statement, sample_whole, value_of
from localgen_training.data.regex_sample import sample
from localgen_training.data.renaming import Renaming, rename_dsl
from localgen_training.data.scripts import rename_script, scripts_of
from localgen_training.data.source import Source, open_source
from localgen_training.data.world import World, WorldDsl

PATTERNS = [
    r"[A-Z]{4}\d{7}", r"(?:M|V)[1-6]", r"[^\s,]+", r"\d{1,3}(\.\d+)?um", r"(a|b)+c?", r"x.y", r"(?i:ab)\w*", r"\S\D\W",
    r"^a{2,}$", r"(ab)\1", r"[\w.-]+@[a-z]+", r"(?!no)[a-z]{2}",
]  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
@given(seed=st.integers(0, 1 << 20))
def test_a_sample_matches_its_pattern(pattern: str, seed: int) -> None:
    text = sample(pattern, random.Random(seed))
    assert text is not None and re.fullmatch(pattern, text)


@given(st.from_regex(r"[a-c\d](\[[a-z]+\]|\(x\|y\)|z)?[*+?]?", fullmatch=True), st.integers(0, 99))
def test_a_sample_of_any_pattern_matches_it_or_is_none(pattern: str, seed: int) -> None:
    text = sample(pattern, random.Random(seed))
    assert text is None or re.fullmatch(pattern, text)


def test_what_cannot_be_sampled_is_none_not_wrong() -> None:
    assert sample(r"(?<=x)y", random.Random(0)) is None


@pytest.mark.parametrize("pattern", [r"[0-9]+(\.[0-9]+)?um", r"[1-9][0-9]?", r"[0-2][0-9]:[0-5][0-9]", r'"[A-Z]\w*"'])
def test_values_of_terminals_match_them(pattern: str) -> None:
    for seed in range(60):
        value = value_of(pattern, random.Random(seed))
        assert value is not None and re.fullmatch(pattern, value)


@pytest.mark.parametrize("domain", ["pnr", MINIMAL, HARBOUR])
def test_every_statement_of_a_grammar_is_drawn_and_accepted(domain: str) -> None:
    for dsl in open_source(domain).dsls:
        for statement in dsl.statements:
            parts = set()
            for seed in range(40):
                got = sample_statement(dsl.grammar, statement, random.Random(seed))
                assert got is not None
                text = joined(got[0], dsl.grammar)
                assert text is not None and dsl.grammar.accepts(text)
                parts.add(got[1])
            assert parts == set(statement.parts), "its optional parts come and go"


def test_a_grammar_that_nests_is_drawn_from_and_ends() -> None:
    text = 'start: sum\nsum: sum "+" product | product\nproduct: product "*" atom | atom\n'
    text += 'atom: N | "(" sum ")"\nN: /[0-9]/\n'
    grammar = load_grammar(text + "%ignore /\\s+/\n", "sums")
    drawn = {joined(sample_whole(grammar, random.Random(seed)) or [], grammar) for seed in range(80)}
    assert None not in drawn and len(drawn) > 30 and any("(" in d for d in drawn if d)
    assert statements_of(grammar) is not None


# ---------------------------------------------------------------- renaming


def renamed(source: Source, seed: str) -> World:
    dsls = []
    for dsl in source.dsls:
        got = rename_dsl(source, dsl, seed)
        assert got is not None
        dsls.append(WorldDsl(*got))
    return World(source, random.Random(seed), "test", "x", tuple(dsls), Renaming(source, seed))


@pytest.mark.parametrize("domain", ["pnr", HARBOUR])
def test_new_names_are_different_and_the_same_everywhere(domain: str) -> None:
    source = open_source(domain)
    for seed in ("1", "2"):
        world = renamed(source, seed)
        procs = [world.proc(i) for i in range(len(source.domain.catalog.procs))]
        assert len({p.name for p in procs}) == len(procs)
        by_old: dict[str, set[str]] = {}
        for old, new in zip(source.domain.catalog.procs, procs, strict=True):
            assert len({a.name for a in new.args}) == len(new.args)
            assert [a.type for a in new.args] == [a.type for a in old.args]
            space = old.name.rpartition("::")[0]
            by_old.setdefault(space, set()).add(new.name.rpartition("::")[0])
        assert all(len(spaces) == 1 for spaces in by_old.values()), "a namespace has one new name"


def test_groups_of_options_follow_their_new_names() -> None:
    source = open_source("pnr")
    world = renamed(source, "3")
    for i, old in enumerate(source.domain.catalog.procs):
        new = world.proc(i)
        names = {a.name for a in new.args}
        assert all(n in names for group in new.exclusive for n in group)
        assert len(new.exclusive) == len(old.exclusive) and set(new.requires) <= names


def test_real_scripts_keep_their_meaning_under_other_names() -> None:
    """The same calls with the same values, told by the number of words and everything that is no name."""
    source = open_source("pnr")
    world = renamed(source, "5")
    done = 0
    for script in scripts_of(source, None):
        text = rename_script(world, script.body)
        assert text is not None, script.path
        assert len(text.split()) == len(script.body.split())
        assert not re.search(r"(?<![\w:])(?:fp|place|power|route|sta)::", text)
        values = re.findall(r"(?<![\w:.-])\d+(?:\.\d+)?|[A-Z]{2,}\w*", script.body)
        assert all(v in text for v in values), (text, values)
        done += 1
    assert done == len(source.domain.examples)
