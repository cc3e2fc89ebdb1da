"""Where in a statement a text ends."""

from __future__ import annotations

import pytest

from localgen_grammars.dsl import load_grammar
from localgen_grammars.statement_cursor import cursors
from localgen_grammars.statements import Literal, Place, statements_of

GRAMMAR = load_grammar("""
start: (order ";")+
?order: halt | keep | share
halt: "halt" NAME "when" WIND ("for" INT)?
keep: "keep" KIND "off" NAME
share: "share" NAME ("," NAME)* "max" INT
KIND: "fire" | "ice"
NAME: /[A-Z][A-Z0-9]*/
WIND: /[0-9]+mps/
INT: /[0-9]+/
%import common.WS
%ignore WS
""")


def states(text: str) -> set[str]:
    """What may come next, with what is written of it."""
    out = set()
    for c in cursors(statements_of(GRAMMAR), text):
        name = c.element.text if isinstance(c.element, Literal) else ""
        name = c.element.terminal if isinstance(c.element, Place) else name
        out.add(f"{name}|{c.begun}")
    return out


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {"halt|", "keep|", "share|"}),
        ("ke", {"keep|ke"}),
        ("keep", {"KIND|", "keep|keep"}),
        ("keep ice", {"off|", "KIND|ice"}),
        ("keep ice off B2", {";|", "NAME|B2"}),
        ("keep ice off B2;", {"|", ";|;"}),
        ("halt S3 when 17mps", {"for|", ";|", "WIND|17mps"}),
        ("halt S3 when 17", {"WIND|17"}),
        ("share A", {"max|", ",|", "NAME|A"}),
        ("share A,", {"NAME|", ",|,"}),
        ("share A, B", {"max|", ",|", "NAME|B"}),
        ("share A, B max 3", {";|", "INT|3"}),
        ("drop", set()),
        ("halt keep", {"NAME|keep"}),
    ],
)
def test_the_next_word_is_told_from_what_is_written(text: str, expected: set[str]) -> None:
    assert states(text) == expected
