"""DSL grammars: LALR or Earley, errors with file and line; texts parsed, errors with place and expectation."""

from __future__ import annotations

from pathlib import Path

import lark
import pytest

from localgen_grammars.dsl import DslSyntaxError, load_grammar
from localgen_retrieval.errors import ExitCode, GrammarError

GRAMMAR = """\
start: rule+
rule: "rule" ID "apply_to:" NET ("spacing:" SPACING)?
ID: /"[^"]*"/
NET: /[A-Z]+/
SPACING: /[0-9.]+um/
%import common.WS
%ignore WS
"""


def test_the_tree_keeps_all_tokens() -> None:
    grammar = load_grammar(GRAMMAR, "rules")
    tree = grammar.parse('rule "A" apply_to: CLK spacing: 0.1um')
    assert grammar.algorithm == "lalr" and isinstance(grammar.lark, lark.Lark)
    found = [str(t) for t in tree.scan_values(lambda v: isinstance(v, lark.Token))]
    assert found == ["rule", '"A"', "apply_to:", "CLK", "spacing:", "0.1um"]


@pytest.mark.parametrize(
    ("text", "line", "column", "expected"),
    [
        ("", 1, 1, '"rule"'),
        ("  \n ", 1, 1, '"rule"'),
        ("rul", 1, 1, '"rule"'),
        ('rule "A"', 1, 9, '"apply_to:"'),
        ('rule "A"\n  apply_to: clk', 2, 13, "NET"),
        ('rule "A" apply_to: CLK\nspacing: 3', 2, 10, "SPACING"),
        ('rule "A" apply_to: CLK xyz', 1, 24, '"spacing:"'),
    ],
)
def test_syntax_errors_have_a_place_and_say_what_was_expected(text: str, line: int, column: int, expected: str) -> None:
    grammar = load_grammar(GRAMMAR, "rules")
    with pytest.raises(DslSyntaxError) as caught:
        grammar.parse(text)
    error = caught.value
    assert (error.line, error.column) == (line, column) and expected in error.expected
    assert error.exit_code == ExitCode.INVALID and error.message.startswith("rules: ")
    assert not grammar.accepts(text)


def test_a_grammar_that_is_not_lalr_becomes_earley() -> None:
    grammar = load_grammar('start: a | b\na: "x" "y"?\nb: "x" "z"?\n')
    assert grammar.algorithm == "earley"
    assert grammar.accepts("xy") and grammar.accepts("xz") and not grammar.accepts("xq")
    with pytest.raises(DslSyntaxError) as caught:
        grammar.parse("xq")
    assert (caught.value.line, caught.value.column) == (1, 2)


def test_grammars_beside_the_file_can_be_imported(tmp_path: Path) -> None:
    (tmp_path / "tokens.lark").write_text("NET: /[A-Z]+/\n")
    grammar = load_grammar('start: NET+\n%import .tokens.NET\n%ignore " "\n', "d", tmp_path / "d.lark")
    assert grammar.accepts("A B")


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("start: a\n", ":1:", "'a' used but not defined"),
        ('start: b\n\nb: "x" c\n', ":3:", "'c' used but not defined"),
        ('start: "x"\n\nb: ( "x"\n', ":3:", "Unexpected token"),
        ('other: "x"\n', ":1:", "no rule named start"),
        ("", ":1:", "no rule named start"),
        ('start: A\nB: "b"\nA: /(/\n', ":3:", "Cannot compile token A"),
        ("start: A\nA: /a*/\n", ":2:", "zero-width"),
        ("%import .nofile (x)\nstart: x\n", ":1:", "nofile.lark"),
        ('start: "x"\nstart: "y"\n', ":1:", "defined more than once"),
        ("start: %%% \x00\n", ":1:", "Unexpected input"),
    ],
)
def test_a_bad_grammar_is_refused_with_file_and_line(text: str, where: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.lark"
    with pytest.raises(GrammarError) as caught:
        load_grammar(text, "bad", path)
    assert caught.value.message.startswith(f"{path}{where}") and message in caught.value.message
    assert caught.value.exit_code == ExitCode.CATALOG and caught.value.hint and "\n" not in caught.value.message
