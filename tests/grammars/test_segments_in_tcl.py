"""Tcl host and DSLs in one script: blocks at the top, in bodies, in script arguments; what real Tcl makes of each."""

from __future__ import annotations

import pytest
from constraint_kit import constraint, domain_of, stuck_at
from oracle import requires_tcl

from localgen.execution.trace import BlockEvent, CallEvent, Tracer
from localgen_grammars.quoting import quote_list, quote_word

NASTY = [
    "a b", "$v", "[exit]", "a\\", "{", "}", "#", "a;b", "\\n", "{a", "a}b{", "é ü", "日本", "x", "-1", "a\tb", "{*}x",
]  # fmt: skip
GRAMMAR = 'start: rule+\nrule: "keep" NAME ";"\nNAME: /[a-z]+/\n%ignore /[ \\n]+/\n'
DOMAIN = domain_of(
    {
        "procs": [
            {"name": "do", "args": [{"name": "x"}, {"name": "l", "list": True, "required": False},
                                    {"name": "p", "positional": True, "required": False}]},
            {"name": "each", "args": [{"name": "body", "type": "script"}]},
        ],
        "dsl": [
            {"name": "one", "embedding": {"open": "dsl {", "close": "}"}, "grammar": "one.lark"},
            {"name": "two", "embedding": {"open": "@two(", "close": ")"}, "grammar": "two.lark"},
        ],
    },
    one=GRAMMAR, two=GRAMMAR.replace("keep", "drop"),
)  # fmt: skip


def said(*values: str) -> str:
    """An instruction that quotes some values."""
    return "do each keep drop tea " + " ".join(f"`{v}`" for v in values)


@requires_tcl
@pytest.mark.parametrize("text", NASTY)
@pytest.mark.parametrize("indent", ["", "  "])
def test_a_value_arrives_unchanged_in_each_place_and_in_a_body(text: str, indent: str) -> None:
    line = f"{indent}do -x {quote_word(text)} -l {quote_list([text, 'tea'])} {quote_word(text)}\n"
    script = line if not indent else f"each -body {{\n{line}}}\n"
    made = constraint(DOMAIN, said(text))
    assert stuck_at(made, script) is None, script
    event = Tracer(DOMAIN).trace(script).rounds[0].events[0]
    assert isinstance(event, CallEvent)
    if indent:
        event = event.args["body"][0]
    assert event.args == {"x": text, "l": [text, "tea"], "p": text}


def test_a_positional_that_begins_with_a_dash_and_a_letter_cannot_be_written() -> None:
    made = constraint(DOMAIN, said("-x"))
    assert stuck_at(made, "do -x tea -x\n") is not None
    assert stuck_at(made, "do -x -x\n") is None, "as an option's value it can"


@requires_tcl
def test_the_language_changes_at_each_block_and_back_at_every_depth() -> None:
    body = "{i}do -x tea\n{i}dsl {{\n  {i}keep tea;\n{i}}}\n{i}@two(\n  {i}drop tea;\n{i})\n"
    top = body.format(i="")
    script = f"{top}each -body {{\n{body.format(i='  ')}  foreach x {{tea milk}} {{\n{body.format(i='    ')}  }}\n}}\n"
    made = constraint(DOMAIN, "do each keep drop tea milk")
    text = ""
    for raw in script.splitlines():  # the layout inside blocks is the constraint's own
        if raw.strip() in ("keep tea;", "drop tea;"):
            raw = "  " + raw.strip()
        text += raw + "\n"
    at = stuck_at(made, text)
    assert at is None, text[:at]
    trace = Tracer(DOMAIN).trace(text)
    assert trace.ran and not trace.problems, trace
    events = trace.rounds[0].events
    names = [e.dsl if isinstance(e, BlockEvent) else e.name for e in events]
    assert names == ["do", "one", "two", "each"]
    last = events[-1]
    assert isinstance(last, CallEvent)
    inner = [e.dsl if isinstance(e, BlockEvent) else e.name for e in last.args["body"]]
    assert inner == 3 * ["do", "one", "two"]


def test_the_other_languages_words_are_no_statements() -> None:
    made = constraint(DOMAIN, "do each keep drop tea")
    for script in ("keep tea;\n", "dsl {\n  drop tea;\n}\n", "dsl {\n  do -x tea\n}\n", "@two(\n  keep tea;\n)\n"):
        assert stuck_at(made, script) is not None, script
