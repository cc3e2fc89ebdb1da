"""Functional match: what counts as the same, and what does not, over a small domain of every kind of argument."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("lark")

from oracle import requires_tcl

from localgen.execution.trace import Tracer
from localgen_retrieval.catalog_io import Domain, load_domain
from localgen_training.evaluate import load_suite
from localgen_training.trace_match import match, same_trace

pytestmark = requires_tcl
HELD_OUT = Path(__file__).resolve().parents[1] / "heldout"

CATALOG = {
    "name": "t",
    "procs": [
        {
            "name": "a::route",
            "args": [
                {"name": "net"},
                {"name": "layer", "type": "enum", "values": ["M1", "M2"]},
                {"name": "width", "type": "float", "unit": "um", "required": False},
                {"name": "vias", "type": "int", "default": 1},
                {"name": "shield", "type": "flag"},
                {"name": "on", "type": "bool", "required": False},
                {"name": "cells", "list": True, "positional": True, "required": False},
            ],
        },
        {"name": "a::gap", "args": [{"name": "size", "type": "float", "unit": "um", "unit_suffix": True}]},
        {"name": "a::count", "args": [{"name": "net"}], "returns": "int"},
        {"name": "a::nets", "args": [], "returns": {"type": "string", "list": True}},
        {"name": "a::name", "args": [], "returns": "string"},
        {"name": "a::with", "args": [{"name": "corner"}, {"name": "body", "type": "script", "positional": True}]},
        {"name": "rules", "args": [{"name": "file"}]},
    ],
    "variables": [
        {"name": "::t::corner", "type": "enum", "values": ["ss", "ff"], "default": "ss"},
        {"name": "t_limit", "type": "float", "unit": "um"},
    ],
    "dsl": [
        {"name": "rules", "embedding": {"open": "rules {", "close": "}"}, "grammar": "r.lark"},
        {"name": "lim", "embedding": {"open": "@lim(", "close": ")"}, "grammar": "r.lark"},
        {"name": "free", "embedding": {"open": "db eval {", "close": "}"}},
    ],
}
GRAMMAR = r"""
start: rule*
rule: "keep"i NAME ("gap"i NUM)? ";"?
NAME: /[A-Z]\w*/
NUM: /\d+(\.\d+)?(um)?/
%ignore /\s+/
"""


@pytest.fixture(scope="module")
def domain(tmp_path_factory: pytest.TempPathFactory) -> Domain:
    folder = tmp_path_factory.mktemp("domain")
    (folder / "catalog.json").write_text(json.dumps(CATALOG))
    (folder / "r.lark").write_text(GRAMMAR)
    return load_domain(folder)


@pytest.fixture(scope="module")
def tracer(domain: Domain) -> Tracer:
    return Tracer(domain)


SAME = [
    ("options in any order", "a::route -net A -layer M1", "a::route -layer M1 -net A"),
    ("numbers by value", "a::route -net A -layer M1 -width 0.10", "a::route -net A -layer M1 -width 1e-1"),
    ("a default spelled out", "a::route -net A -layer M1 -vias 1", "a::route -net A -layer M1"),
    ("booleans", "a::route -net A -layer M1 -on yes", "a::route -net A -layer M1 -on 1"),
    ("a unique prefix", "a::route -net A -lay M1 -sh", "a::route -net A -layer M1 -shield"),
    ("quoting", 'a::route -net "A" -layer {M1}', "a::route -net A -layer M1"),
    ("a list of one", "a::route -net A -layer M1 {x}", "a::route -net A -layer M1 x"),
    ("list spacing", "a::route -net A -layer M1 {x   y}", "a::route -net A -layer M1 [list x y]"),
    ("unit attached", "a::gap -size 2.0um", "a::gap -size 2um"),
    ("micro sign", "a::gap -size 2\u00b5m", "a::gap -size 2um"),
    ("a loop unrolled", "foreach n {A B} {a::count -net $n}", "a::count -net A\na::count -net B"),
    ("a variable used", "set n A\na::count -net $n", "a::count -net A"),
    ("comments and puts", "# hi\na::count -net A\nputs done", "a::count -net A"),
    ("an expression", "a::gap -size [expr {1 + 1}]um", "a::gap -size 2um"),
    ("leading colons", "::a::count -net A", "a::count -net A"),
    ("last value of a variable", "set ::t::corner ss\nset ::t::corner ff", "set t::corner ff"),
    ("a variable's number", "set t_limit 2.50", "set ::t_limit 2.5"),
    ("DSL layout", "rules {\n keep A gap 2um;\n keep B\n}", "rules {keep A gap 2.0um; keep B}"),
    ("DSL keywords without case", "rules {KEEP A}", "rules {keep A}"),
    ("a cut-out block", "@lim(keep A\n)", "  @lim( keep A )"),
    ("a cut-out block in a loop", "foreach n {1 2} {\n @lim(keep A)\n}", "@lim(keep A)\n@lim(keep A)"),
    ("a script argument", "a::with -corner ss {a::count -net A}", "a::with -corner ss {\n  a::count  -net A\n}"),
    ("a proc named as an opener", "rules -file x", 'rules -file "x"'),
    ("return at the top", "a::count -net A\nreturn\na::count -net B", "a::count -net A"),
    ("a test on a result", "if {[a::count -net A] > 0} {a::name}", "if {[a::count -net A]} {a::name}"),
    ("a loop over a result", "foreach n [a::nets] {a::count -net $n}", "set l [a::nets]; a::count -net [lindex $l 0]"),
]  # fmt: skip

DIFFERENT = [
    ("another value", "a::count -net A", "a::count -net B"),
    ("another proc", "a::name", "a::nets"),
    ("a call too many", "a::count -net A\na::count -net A", "a::count -net A"),
    ("nothing", "", "a::count -net A"),
    ("an option left out", "a::route -net A -layer M1", "a::route -net A -layer M1 -shield"),
    ("another default", "a::route -net A -layer M1 -vias 2", "a::route -net A -layer M1"),
    ("list order", "a::route -net A -layer M1 {x y}", "a::route -net A -layer M1 {y x}"),
    ("a string is no number", "a::count -net 1.0", "a::count -net 1"),
    ("an unknown option", "a::count -net A -depth 2", "a::count -net A"),
    ("an ambiguous prefix's own value", "a::route -net A -layer M1 -w 1", "a::route -net A -layer M1 -width 2"),
    ("a word too many", "a::count -net A B", "a::count -net A"),
    ("another unit", "a::gap -size 2nm", "a::gap -size 2um"),
    ("a variable not set", "a::count -net A", "set ::t::corner ff\na::count -net A"),
    ("another block", "rules {keep A}", "rules {keep B}"),
    ("another language", "rules {keep A}", "@lim(keep A)"),
    ("codes keep their zeros", "db eval {007}", "db eval {7}"),
    ("the other branch", "if {[a::count -net A]} {a::name}", "if {![a::count -net A]} {a::name}"),
    ("another body", "a::with -corner ss {a::count -net A}", "a::with -corner ss {a::count -net B}"),
    ("a body not run", "a::with -corner ss {a::count -net A}", "a::count -net A"),
]


@pytest.mark.parametrize(("script", "reference"), [c[1:] for c in SAME], ids=[c[0] for c in SAME])
def test_the_same(tracer: Tracer, script: str, reference: str) -> None:
    one, two = tracer.trace(script), tracer.trace(reference)
    assert one.ran and two.ran and not two.problems, (one, two)
    assert match(one, two) and match(two, one), (one, two)


@pytest.mark.parametrize(("script", "reference"), [c[1:] for c in DIFFERENT], ids=[c[0] for c in DIFFERENT])
def test_not_the_same(tracer: Tracer, script: str, reference: str) -> None:
    assert not same_trace(tracer, script, reference) and not same_trace(tracer, reference, script)
    assert same_trace(tracer, reference, reference)


def test_order_of_calls_and_of_statements(domain: Domain, tracer: Tracer) -> None:
    ab, ba = "a::count -net A\na::count -net B", "a::count -net B\na::count -net A"
    assert not same_trace(domain, ab, ba) and same_trace(domain, ab, ba, ordered=False)
    ab, ba = "a::name\nrules {keep A keep B}", "a::name\nrules {keep B keep A}"
    assert not same_trace(tracer, ab, ba) and same_trace(tracer, ab, ba, blocks_ordered=False)
    assert same_trace(tracer, ab, ba, ordered=False) and not same_trace(tracer, ab, ba, False, blocks_ordered=True)


def test_an_alternative_is_as_good_as_the_reference(tracer: Tracer) -> None:
    assert same_trace(tracer, "a::name", "a::nets", alternatives=["a::count -net A", "a::name"])


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("a::count -net {A", "not complete"),
        ("exec ls", "invalid command name"),
        ("open /etc/passwd", "invalid command name"),
        ("b::missing -x 1", "invalid command name"),
        ("puts $nothing", "no such variable"),
        ("while 1 {}", "time limit"),
        ("while 1 {a::name}", ""),
        ("string repeat a 2000000000", ""),
        ("interp alias {} a::name {} a::nets", "invalid command name"),
        ("rename a::name a::nets", "invalid command name"),
        ("break", "status 3"),
    ],
)
def test_a_script_that_stops_early_matches_nothing(domain: Domain, script: str, reason: str) -> None:
    trace = Tracer(domain, seconds=1).trace(script)
    assert not trace.ran and reason in trace.error
    assert not match(trace, trace)


def test_bad_arguments_and_blocks_are_told(tracer: Tracer) -> None:
    assert tracer.trace("a::route -net A").problems == ("a::route: layer is missing",)
    assert "no option -q" in tracer.trace("a::count -net A -q").problems[0]
    assert "after a positional" in tracer.trace("a::route -net A -layer M1 {x y} -shield").problems[0]
    assert tracer.trace("rules {drop A}").problems and tracer.trace("rules -file").problems
    assert tracer.trace("foreach n {A B} {rules {keep A}}\na::count -net $n").problems == ()


def test_procs_are_read_off_the_trace(tracer: Tracer) -> None:
    script = "if {[a::count -net A] > 0} {a::name}\na::with -corner ss {a::nets}\n# a::gap -size 1um"
    assert tracer.trace(script).procs == {"a::count", "a::name", "a::with", "a::nets"}


def test_odd_characters_pass_unchanged(tracer: Tracer) -> None:
    for text in ("é", "日本", "a\\b", 'q"q', "a;b", "a b", "#x", "@lim", "\ue000"):
        script = "a::count -net " + '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
        (event,) = tracer.trace(script).rounds[0].events
        assert event.args == {"net": text}


def test_a_pure_dsl_is_parsed_instead_of_run(tmp_path: Path) -> None:
    dsl = {"name": "r", "embedding": {"open": "r {", "close": "}"}, "grammar": "r.lark"}
    (tmp_path / "catalog.json").write_text(json.dumps({"name": "p", "host": "none", "dsl": dsl}))
    (tmp_path / "r.lark").write_text(GRAMMAR)
    domain = load_domain(tmp_path)
    assert same_trace(domain, "keep A gap 2.0um", "KEEP  A\ngap 2um")
    assert not same_trace(domain, "keep A", "keep B") and not same_trace(domain, "drop", "drop")


@pytest.mark.parametrize("suite", sorted(p.parent.name for p in HELD_OUT.glob("*/tasks.jsonl")))
def test_every_held_out_reference_runs_and_matches_itself(suite: str) -> None:
    domain, tasks = load_suite(HELD_OUT / suite)
    tracer = Tracer(domain)
    for task in tasks:
        for reference in task.references:
            trace = tracer.trace(reference)
            assert trace.ran and not trace.problems, f"{task.id}: {trace.error} {trace.problems}"
            assert match(trace, trace, task.ordered, task.blocks_ordered)
