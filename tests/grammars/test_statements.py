"""Statements of DSL grammars as flat patterns, and the finite languages of grounded terminals."""

from __future__ import annotations

import pytest

from localgen_grammars.constraint.finite import matches
from localgen_grammars.constraint.places import name_places, number_places
from localgen_grammars.constraint.quantities import quantities_of
from localgen_grammars.dsl import load_grammar
from localgen_grammars.statements import (
    Element,
    Literal,
    Nested,
    Place,
    Repeated,
    match_block,
    match_example,
    statements_of,
)

_TAIL = "\nNAME: /[a-z]+[0-9]*/\nINT: /[0-9]+/\n%import common.WS\n%ignore WS\n"


def shown(e: Element) -> str:
    """One element, for people."""
    if isinstance(e, Literal):
        return repr(e.text)
    if isinstance(e, Place):
        return f"{{{','.join(sorted(e.values))}}}" if e.values else e.terminal
    if isinstance(e, Repeated):
        return "(" + "/".join(" ".join(map(shown, p)) for p in e.patterns) + ")+"
    return f"<{e.rule}>"


def patterns(rules: str) -> list[str]:
    """The full pattern of each statement."""
    return [" ".join(map(shown, s.full)) for s in statements_of(load_grammar(rules + _TAIL))]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ('start: (go ";")+\ngo: "go" NAME "to" NAME', ["'go' NAME 'to' NAME ';'"]),
        ('start: s+\n?s: a | b\na: "a" NAME\nb: "b" INT', ["'a' NAME", "'b' INT"]),
        ('start: s+\ns: "a" NAME ("at" INT)?', ["'a' NAME 'at' INT"]),
        ('start: s+\ns: "a" NAME ("," NAME)* "x"', ["'a' NAME (',' NAME)+ 'x'"]),
        ('start: s+\ns: "set" ("on" | "off") NAME', ["'set' {off,on} NAME"]),
        ('start: s+\ns: NAME SIGN NAME\nSIGN: "->" | "><" | "+"', ["NAME {+,->,><} NAME"]),
        ('start: s+\ns: "turn" SIDE\nSIDE: /[+-]|up/', ["'turn' {+,-,up}"]),
        ('start: s+\ns: "limit" ("water" NAME | "power" INT)', ["'limit' 'water' NAME", "'limit' 'power' INT"]),
        ('start: "only" NAME', ["'only' NAME"]),
        ('start: s+\ns: "if" e\ne: NAME | "(" e ")"', ["'if' NAME", "'if' '(' <e> ')'"]),
    ],
)
def test_a_statement_is_a_row_of_words_and_places(rules: str, expected: list[str]) -> None:
    assert patterns(rules) == expected


def test_optional_parts_belong_to_the_statement_that_has_them_all() -> None:
    (s,) = statements_of(load_grammar('start: s+\ns: "a" NAME ("at" INT)? ("for" INT)?' + _TAIL))
    assert len(s.full) == 6
    assert set(s.parts) == {(0, 1, 2, 3, 4, 5), (0, 1, 2, 3), (0, 1, 4, 5), (0, 1)}


def test_an_example_tells_which_statement_it_is_of() -> None:
    grammar = load_grammar('start: (s ";")+\n?s: a | b\na: "a" NAME ("," NAME)*\nb: "b" NAME ("at" INT)?' + _TAIL)
    known = statements_of(grammar)
    for text, at in (("a x, y, z;", 0), ("b x;", 1), ("b x at 3;", 1)):
        found = match_example(grammar, known, text)
        assert found is not None
        assert found[0] == at
    assert match_example(grammar, known, "a x; b y;") is None
    assert match_example(grammar, known, "c x;") is None


def test_a_block_is_cut_into_its_statements() -> None:
    grammar = load_grammar('start: (s ";")+\n?s: a | b\na: "a" NAME ("," NAME)*\nb: "b" NAME ("at" INT)?' + _TAIL)
    found = match_block(grammar, statements_of(grammar), "b x; a x, y; b z at 3; a q;")
    assert [(i, " ".join(tokens)) for i, tokens in found] == [
        (1, "b x ;"), (0, "a x , y ;"), (1, "b z at 3 ;"), (0, "a q ;")
    ]  # fmt: skip
    assert match_block(grammar, statements_of(grammar), "c x;") == []


def test_a_grammar_that_nests_is_not_unfolded_for_ever() -> None:
    (s, *_) = statements_of(load_grammar('start: e\ne: "(" e "+" e ")" | NAME' + _TAIL))
    assert any(isinstance(e, Nested) for e in s.full)


@pytest.mark.parametrize(
    ("regex", "expected"),
    [
        ("abc", ("abc",)),
        ("(?:a|b)c?", ("a", "ac", "b", "bc")),
        ("x[1-3]", ("x1", "x2", "x3")),
        ("(?:2|17)mps", ("2mps", "17mps")),
        ("[a-z]+", ()),
        ("[0-9]{5}", ()),
    ],
)
def test_small_languages_are_listed(regex: str, expected: tuple[str, ...]) -> None:
    assert matches(regex) == expected


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("route clk and CLK", "clk", ["clk"]),
        ("Route CLK on M3", "clk", ["CLK"]),
        ("clk_core and clk", "clk", ["clk"]),
        ("open at half past nine in the evening", "21:30", ["half past nine in the evening"]),
        ("runway SR 7", "SR7", ["SR 7"]),
        ("nothing here", "x9", []),
    ],
)
def test_names_are_found_where_they_are_said(text: str, name: str, expected: list[str]) -> None:
    assert [text[a:b] for a, b in name_places(text, name)] == expected


@pytest.mark.parametrize(
    ("text", "unit", "number", "expected"),
    [
        ("250 nm wide", "um", "0.25", ["250"]),
        ("twenty five of them", "", "25", ["twenty five"]),
        ("2x3 grid", "", "3", ["3"]),
        ("5 um here, 5 um there", "um", "5", ["5", "5"]),
        ("two cubic metres", "m3", "2", ["two"]),
    ],
)
def test_numbers_are_found_where_they_are_said(text: str, unit: str, number: str, expected: list[str]) -> None:
    assert [text[a:b] for a, b in number_places(quantities_of(text), unit)[number]] == expected
