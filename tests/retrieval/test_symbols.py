"""Which symbols a domain has, and the text that stands for each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from localgen_retrieval.catalog_io import load_domain
from localgen_retrieval.symbols import symbols_of

MakeDomain = Callable[..., Path]


def test_the_smallest_catalog_has_a_symbol_for_everything(make_domain: MakeDomain) -> None:
    symbols = symbols_of(load_domain(make_domain()))
    assert [(s.kind, s.name, s.position, s.dsl) for s in symbols] == [
        ("proc", "my::route", 0, -1),
        ("proc", "my::keepout", 1, -1),
        ("variable", "::tech::corner", 0, -1),
        ("production", "dsl", -1, 0),
    ]
    assert symbols[0].text == "my route. net. layer. M1 M2 M3"
    assert "Width in um" in symbols[1].text
    assert "apply to" in symbols[3].text


def test_docs_values_kinds_and_examples_are_in_the_text(make_domain: MakeDomain) -> None:
    arg = {"name": "maxFan_out", "kind": "pin", "doc": "Upper bound.", "values": ["lo", "hi"]}
    catalog = {"procs": [{"name": "a::b", "summary": "Does b.", "args": [arg], "examples": ["a::b -x 1", "e2", "e3"]}]}
    (symbol,) = symbols_of(load_domain(make_domain(catalog)))
    for part in ("a b", "Does b", "max Fan out", "pin", "Upper bound", "lo hi", "a::b -x 1", "e2"):
        assert part in symbol.text
    assert "e3" not in symbol.text


def test_deprecated_and_forbidden_procs_are_left_out(make_domain: MakeDomain) -> None:
    procs = [{"name": "a", "deprecated": True}, {"name": "b"}, {"name": "::c"}]
    symbols = symbols_of(load_domain(make_domain({"procs": procs, "policy": {"forbidden": ["c"]}})))
    assert [(s.name, s.position) for s in symbols] == [("b", 1)]


def test_productions_and_examples(make_domain: MakeDomain) -> None:
    dsl = {
        "name": "rules",
        "embedding": {"open": "dsl {", "close": "}"},
        "productions": [
            {"name": "spacing_rule", "summary": "Minimum spacing.", "example": "rule X"},
            {"name": "other"},
        ],
    }
    symbols = symbols_of(load_domain(make_domain({"dsl": dsl}, examples__a_tcl="# task: Do it.\nputs 1\n")))
    assert [(s.kind, s.name, s.position, s.dsl) for s in symbols] == [
        ("production", "rules.spacing_rule", 0, 0),
        ("production", "rules.other", 1, 0),
        ("example", "examples/a.tcl", 0, -1),
    ]
    assert symbols[0].text == "spacing rule. Minimum spacing. rule X" and symbols[2].text == "Do it."


def test_an_empty_catalog_has_no_symbols(make_domain: MakeDomain) -> None:
    assert symbols_of(load_domain(make_domain({}))) == ()
