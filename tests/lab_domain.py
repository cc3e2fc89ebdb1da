"""A small domain with one of everything that a catalog can say, and what validation finds in a script for it."""

from __future__ import annotations

import copy
import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from localgen.validation.report import Report
from localgen.validation.validate import validate_script
from localgen_retrieval.catalog_io import Domain, load_domain

GRAMMAR = """\
start: rule+
rule: "rule" ID "apply_to:" NET "spacing:" SPACING
ID: /"[^"]*"/
NET: /[A-Za-z_][A-Za-z0-9_]*/
SPACING: /[0-9]+(\\.[0-9]+)?um/
%import common.WS
%ignore WS
"""

CATALOG: dict[str, Any] = {
    "name": "lab",
    "procs": [
        {
            "name": "my::route",
            "args": [
                {"name": "net", "kind": "net"},
                {"name": "layer", "type": "enum", "values": ["M1", "M2", "M3"]},
                {"name": "width", "type": "float", "unit": "um", "min": 0, "max": 10, "required": False},
                {"name": "shield", "type": "flag"},
                {"name": "vias", "type": "int", "default": 1, "min": 1, "max": 8},
                {"name": "cells", "list": True, "positional": True, "required": False, "max_items": 3},
            ],
            "exclusive": [["width", "shield"]],
            "requires": {"vias": ["width"]},
            "returns": "int",
        },
        {
            "name": "my::note",
            "args": [
                {"name": "text"},
                {"name": "style", "pattern": "[a-z]+", "required": False},
                {"name": "stylus", "type": "bool", "required": False},
            ],
        },
        {
            "name": "my::delay",
            "args": [
                {"name": "value", "type": "float", "unit": "ns", "unit_suffix": True},
                {"name": "pair", "positional": True, "pattern": "\\w+-\\w+"},
            ],
        },
        {"name": "my::nets", "args": [], "returns": "list of nets"},
        {"name": "my::count", "args": [], "returns": "int"},
        {
            "name": "my::each",
            "args": [{"name": "body", "type": "script"}, {"name": "when", "type": "expr", "default": ""}],
        },
        {"name": "my::into", "args": [{"name": "variable", "kind": "variable", "positional": True}]},
        {"name": "my::old", "args": [], "deprecated": {"replacement": "my::route", "note": "It is slow."}},
        {"name": "my::levels", "args": [{"name": "at", "type": "int", "list": True, "min": 0, "min_items": 2}]},
    ],
    "variables": [
        {"name": "::tech::corner", "values": ["tt", "ss", "ff"]},
        {"name": "::tech::temp", "type": "float", "min": -40, "max": 125, "default": 25},
    ],
    "dsl": [
        {"name": "rules", "embedding": {"open": "dsl {", "close": "}"}, "grammar": "rules.lark"},
        {"name": "at", "embedding": {"open": "@dsl(", "close": ")"}, "grammar": "rules.lark"},
        {"name": "here", "embedding": {"open": "rules <<END", "close": "END"}, "grammar": "rules.lark"},
        {"name": "free", "embedding": {"open": "db eval {", "close": "}"}},
    ],
    "policy": {
        "forbidden": ["exec", "socket", "file delete"],
        "allowed_builtins": [
            *("set", "puts", "foreach", "if", "expr", "list", "lindex", "llength", "incr", "for", "while", "proc"),
            *(
                "return",
                "eval",
                "append",
                "lappend",
                "format",
                "join",
                "string",
                "catch",
                "break",
                "continue",
                "switch",
            ),
            *(
                "concat",
                "uplevel",
                "global",
                "info",
                "namespace",
                "lassign",
                "dict",
                "lmap",
                "unset",
                "upvar",
                "variable",
            ),
        ],
    },
}

RULE = 'rule "SR1" apply_to: CLK spacing: 0.2um'


def write_domain(folder: Path, catalog: dict[str, Any], grammar: str = GRAMMAR) -> Path:
    """Write a domain folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "catalog.json").write_text(json.dumps(catalog), "utf-8")
    (folder / "rules.lark").write_text(grammar, "utf-8")
    return folder


def lab(**policy: Any) -> Domain:
    """The domain, with keys of its policy replaced."""
    return _lab(json.dumps(policy, sort_keys=True))


@cache
def _lab(policy: str) -> Domain:
    catalog = copy.deepcopy(CATALOG)
    catalog["policy"].update(json.loads(policy))
    with tempfile.TemporaryDirectory() as folder:
        return load_domain(write_domain(Path(folder), catalog))


def report(text: str, *, strict: bool = False, **policy: Any) -> Report:
    """Validate a script for the lab domain."""
    return validate_script(text, lab(**policy), strict=strict, filename="s.tcl")


def codes(text: str, *, strict: bool = False, **policy: Any) -> list[str]:
    """The codes of all findings, in the order of their places."""
    return [f.code for f in report(text, strict=strict, **policy).details]


def lines(text: str, *, strict: bool = False, **policy: Any) -> list[str]:
    """The findings as the command prints them."""
    return report(text, strict=strict, **policy).lines()
