"""A DSL error names the production that the text leaves."""

from __future__ import annotations

import pytest

from localgen_grammars.dsl import DslGrammar, DslSyntaxError, load_grammar

RULES = """\
start: (spacing | width)+
spacing: "rule" ID "apply_to:" NET "spacing:" _length
width: "rule" ID "width:" _length ["for" nets]
nets: NET ("," NET)*
_length: LENGTH
ID: /"[^"]*"/
NET: /[A-Za-z_]+/
LENGTH: /[0-9]+um/
%import common.WS
%ignore WS
"""
# Which of the two is begun is only seen after the word that ends `a` or `b`, so this is no LALR grammar.
EARLEY = """\
start: one | two
one: a "k" "one"
two: b "k" "two"
a: "x" "y"?
b: "x" "y"?
%ignore " "
"""


def error_of(grammar: DslGrammar, text: str) -> DslSyntaxError:
    with pytest.raises(DslSyntaxError) as caught:
        grammar.parse(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "productions", "expected"),
    [
        ('rule "A" apply_to: CLK 0', ("spacing",), ('"spacing:"',)),
        ('rule "A" apply_to: %', ("spacing",), ("NET",)),
        ('rule "A" 0', ("spacing", "width"), ('"apply_to:"', '"width:"')),
        ('rule "A" width: 3um for a, 9', ("nets",), ("NET",)),
        ('rule "A" width: 3um rule "B" apply_to: CLK', ("spacing",), ('"spacing:"',)),
        ("foo", ("start",), ('"rule"',)),
        ("", ("start",), ('"rule"',)),
        ('rule "A" width:', ("width",), ("LENGTH",)),
    ],
)
def test_the_production_is_the_rule_that_is_begun_and_not_ended(
    text: str, productions: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    error = error_of(load_grammar(RULES, "rules"), text)
    assert error.productions == productions
    assert error.expected == expected
    assert f" in {' or '.join(productions)}" in error.message


def test_the_hint_shows_what_a_terminal_looks_like() -> None:
    assert error_of(load_grammar(RULES, "rules"), 'rule "A" width: 3').hint == "expected LENGTH /[0-9]+um/"


def test_what_is_left_may_be_a_rule_that_could_have_ended_there() -> None:
    error = error_of(load_grammar(RULES, "rules"), 'rule "A" apply_to: CLK spacing: 2um %')
    assert error.productions in {("_length",), ("spacing",)}


def test_an_earley_grammar_names_its_productions_too() -> None:
    grammar = load_grammar(EARLEY, "d")
    assert grammar.algorithm == "earley"
    assert error_of(grammar, "x y q").productions == ("one", "two")


def test_at_most_three_productions_are_named() -> None:
    many = "start: a | b | c | d\n" + "".join(f'{n}: "x" "{n}"\n' for n in "abcd") + '%ignore " "\n'
    assert len(error_of(load_grammar(many), "x q").productions) == 3
