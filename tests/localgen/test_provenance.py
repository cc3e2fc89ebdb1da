"""Where values come from, and what a script says in plain English."""

from __future__ import annotations

import pytest
from constraint_kit import domain_of

from localgen.provenance import Sources, grounded, origins
from localgen.rendering import render_script
from localgen.script_values import BlockText, Loop, ScriptCall, Setting, read_script
from localgen.validation.grammars import grammars_of

RULES = 'start: rule+\nrule: "keep" NAME "off" NUMBER "um" [MODE]\nNAME: /[A-Z]\\w*/\nNUMBER: /\\d+(\\.\\d+)?/\n' \
        'MODE: "hard" | "soft"\n%ignore /[ \\n]+/\n'  # fmt: skip
DOMAIN = domain_of(
    {
        "procs": [
            {
                "name": "route",
                "summary": "Route one net.",
                "args": [
                    {"name": "net", "kind": "net"},
                    {"name": "width", "type": "float", "unit": "um", "min": 0.1, "max": 10, "required": False},
                    {"name": "fill", "type": "float", "min": 0, "max": 1, "required": False},
                {"name": "layer", "values": ["M1", "M2"], "required": False},
                    {"name": "vias", "type": "int", "default": 4, "max": 9, "required": False},
                    {"name": "span", "pattern": r"left:\d+-\d+", "required": False},
                    {"name": "hard", "type": "flag"},
                    {"name": "cells", "list": True, "positional": True, "required": False},
                ],
            },
            {"name": "size", "args": [], "returns": "float"},
            {"name": "each", "args": [{"name": "body", "type": "script"}]},
        ],
        "variables": [{"name": "::corner", "values": ["tt", "ss"], "doc": "Process corner."}],
        "dsl": {"name": "rules", "embedding": {"open": "dsl {", "close": "}"}, "grammar": "rules.lark"},
    },
    rules=RULES,
)
GRAMMARS = grammars_of(DOMAIN)


def one(script: str, instruction: str, *context: str) -> tuple[str, str, str]:
    """(source, words, how) of the last value of a script."""
    o = origins(script, DOMAIN.catalog, GRAMMARS, Sources(instruction, context))[-1]
    return o.source, o.words, o.how


@pytest.mark.parametrize(
    ("script", "instruction", "origin"),
    [
        ("route -net CLK", "Route CLK now", ("instruction", "CLK", "as said")),
        ("route -net {a b}", 'route "a b"', ("instruction", "a b", "as said")),
        ("route -net clk", "Route CLK now", ("instruction", "CLK", "converted")),
        ("route -net CLK", "Route CLK_2 now", ("instruction", "CLK", "part")),
        ("route -net A -width 0.25", "Route A 250 nm wide", ("instruction", "250 nm", "converted")),
        ("route -net A -width 2.5", "A two and a half um wide", ("instruction", "two and a half um", "converted")),
        ("route -net A -fill 0.3", "Route A at 30 per cent", ("instruction", "30 per cent", "converted")),
        ("route -net A -width 3", "Route A 3 um wide", ("instruction", "3 um", "as said")),
        ("route -net A -width 10", "Route A as wide as possible", ("limit", "", "")),
        ("route -net A -vias 4", "Route A", ("default", "", "")),
        ("route -net A -layer M1", "Route A on M1", ("choice", "M1", "as said")),
        ("route -net A -layer M1", "Route A on metal one", ("choice", "", "")),
        ("route -net A -span left:100-400", "A left from 100 to 400", ("instruction", "left … 100 … 400", "composed")),
        ("route -net A -width [size]", "Route A", ("result", "", "")),
        ("foreach net {A} {\n  route -net $net\n}", "Route A", ("variable", "", "")),
        ("route -net B", "Route A", ("", "", "")),
        ("set ::corner ss", "in the slow corner", ("choice", "", "")),
        ("dsl {\n  keep CLK off 0.5 um\n}", "keep CLK 500 nm off", ("instruction", "500 nm", "converted")),
    ],
)  # fmt: skip
def test_the_source_of_a_value(script: str, instruction: str, origin: tuple[str, str, str]) -> None:
    assert one(script + "\n", instruction) == origin


def test_the_situation_is_a_source_behind_the_instruction() -> None:
    assert one("route -net RST\n", "Route it", "RST") == ("context", "RST", "as said")
    assert one("route -net RST\n", "Route RST", "RST")[0] == "instruction"


def test_words_are_told_with_their_place() -> None:
    text = "Route net CLK, 250 nm wide"
    found = origins("route -net CLK -width 0.25\n", DOMAIN.catalog, GRAMMARS, Sources(text))
    assert [(text[o.at :][: len(o.words)], o.line, o.place, o.name) for o in found] == [
        ("CLK", 1, "route", "net"), ("250 nm", 1, "route", "width"),
    ]  # fmt: skip
    assert grounded(found) and not grounded(origins("route -net X\n", DOMAIN.catalog, GRAMMARS, Sources(text)))


def test_values_in_bodies_brackets_lists_and_blocks_are_all_there() -> None:
    script = "each -body {\n  route -net A -width [size] {B C}\n  dsl {\n  keep A off 2 um hard\n  }\n}\n"
    found = origins(script, DOMAIN.catalog, GRAMMARS, Sources("route A over B and C, keep A off 2 um, hard"))
    assert [(o.place, o.value) for o in found] == [
        ("route", "A"), ("route", "[size]"), ("route", "B"), ("route", "C"),
        ("rules", "A"), ("rules", "2"), ("rules", "hard"),
    ]  # fmt: skip


def test_a_script_is_read_back_in_order() -> None:
    script = "set ::corner ss\nforeach net {A B} {\n  route -hard -net $net\n}\ndsl {\n  keep A off 2 um\n}\n"
    kinds = [type(s) for s in read_script(script, DOMAIN.catalog, GRAMMARS)]
    assert kinds == [Setting, Loop, ScriptCall, BlockText]


def test_the_english_of_a_script_is_deterministic_and_says_all_of_it() -> None:
    script = "set ::corner ss\nroute -net CLK -width 0.25 -hard {A B}\ndsl {\n  keep A off 2 um\n}\n"
    assert render_script(script, DOMAIN.catalog, GRAMMARS) == (
        "Set the process corner to ss.\nRoute one net: net CLK, width 0.25 um, hard, cells A and B.\nkeep A off 2 um."
    )
    assert render_script("", DOMAIN.catalog, GRAMMARS) == ""
