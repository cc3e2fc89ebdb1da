"""The execution check: what a run shows, with mocks, with recorders, and by the Tcl of tkinter."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from lab_domain import CATALOG, RULE, write_domain
from oracle import requires_tcl

from localgen.execution import tcl_program
from localgen.execution.events import BlockEvent, CallEvent
from localgen.execution.run_check import RunCheck
from localgen.execution.trace import Tracer
from localgen.validation.report import Report
from localgen.validation.validate import validate_script
from localgen_bundle.default import default_folder
from localgen_retrieval.catalog_io import Domain, load_domain
from localgen_retrieval.errors import ToolError

pytestmark = requires_tcl

MOCKS = """\
namespace eval my {variable calls 0}
proc my::count args {variable calls; incr calls; my::nets; return $calls}
proc my::nets args {return {a b}}
proc my::each args {foreach i {1 2} {uplevel 1 [dict get $args -body]}; return done}
proc my::into name {upvar 1 $name v; set v 42}
proc my::note args {error "no note"}
proc dsl {body} {if {![string match *CLK* $body]} {error "no clock"}; puts "block read"}
proc helper {} {return helped}
set ::tech::corner ff
puts "mocks are ready"
"""


def domain(folder: Path, mocks: str | None = None) -> Domain:
    """The lab domain, with mocks if they are given."""
    folder = write_domain(folder / "d", CATALOG)
    if mocks is not None:
        (folder / "mocks.tcl").write_text(f"namespace eval tech {{}}\n{mocks}")
    return load_domain(folder)


def check(text: str, found: Domain, *, strict: bool = False, seconds: int = 5) -> Report:
    """The report of `validate --run`."""
    return validate_script(text, found, strict=strict, others=(RunCheck(found, seconds=seconds).check,))


def calls(report: Report) -> list[Any]:
    """Names and arguments of the calls."""
    assert report.run is not None
    return [(c["proc"], c["args"]) if "proc" in c else c["dsl"] for c in report.run.calls]


def test_mocks_answer_and_are_watched(tmp_path: Path) -> None:
    text = "set n [my::count]\nset m [my::count]\nmy::into got\nputs [helper]\n"
    report = check(text, domain(tmp_path, MOCKS))
    run = report.run
    # A command that only the mocks define is unknown to the catalog, and runs all the same.
    assert run is not None and run.ok and run.mocks and [f.code for f in report.details] == ["CAT001"]
    # What a mock calls of its own (my::nets) is no call of the script.
    assert calls(report) == [("my::count", {}), ("my::count", {}), ("my::into", {"variable": "got"})]
    assert run.variables == {"got": "42", "m": "2", "n": "1"} and run.output == "helped\n"


def test_a_body_that_a_mock_runs_has_its_calls(tmp_path: Path) -> None:
    report = check("my::each -body {my::levels -at {1 2.0}}\n", domain(tmp_path, MOCKS))
    assert report.run is not None
    (call,) = report.run.calls
    assert [c["args"] for c in call["args"]["body"]] == [{"at": ["1", "2"]}, {"at": ["1", "2"]}]


def test_a_mock_reads_a_block_and_fails_for_a_reason(tmp_path: Path) -> None:
    found = domain(tmp_path, MOCKS)
    good = check(f"dsl {{{RULE}}}\n", found)
    assert good.run is not None and good.run.output == "block read\n" and calls(good) == ["rules"]
    bad = check('puts a\ndsl {rule "A" apply_to: RST spacing: 2um}\n', found)
    (finding,) = bad.details
    assert (finding.code, finding.line, finding.message) == ("RUN001", 2, "when run: no clock")


def test_an_error_of_a_mock_can_be_caught(tmp_path: Path) -> None:
    report = check("catch {my::note -text a} message\nputs $message\n", domain(tmp_path, MOCKS))
    assert report.run is not None and report.run.ok and report.run.output == "no note\n"


def test_mocks_that_fail_are_said(tmp_path: Path) -> None:
    report = check("puts a\n", domain(tmp_path, "nonsense"))
    assert [f.message for f in report.details] == ['when run: mocks.tcl: invalid command name "nonsense"']


def test_without_mocks_results_are_made_up_and_said_to_be(tmp_path: Path) -> None:
    text = "puts [expr {1 / [my::count]}]\n"
    found = domain(tmp_path)
    (finding,) = check("lindex a oops\n", found).details
    assert finding.severity == "error" and finding.hint == ""
    counted = {**CATALOG, "procs": [{"name": "my::count", "args": [], "returns": "int"}]}
    made_up = load_domain(write_domain(tmp_path / "e", counted))
    (finding,) = check(text, made_up).details
    assert finding.severity == "warning" and "made up" in finding.hint and "divide by zero" in finding.message
    assert [f.severity for f in check(text, made_up, strict=True).details] == ["error"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("puts a\n\nlindex a oops\n", 3),
        ("if {1} {\n  puts a\n  lindex a oops\n}\n", 3),
        ("foreach i {1 2} {\n  if {$i == 2} {\n\n    lindex a oops\n  }\n}\n", 4),
        ("proc f {} {\n  lindex a oops\n}\nputs b\nf\n", 5),
        (f"@dsl(\n{RULE}\n)\nlindex a oops\n", 4),
        (f"rules <<END\n{RULE}\nEND\nputs a\nlindex a oops\n", 5),
        ("puts a; \\\n  lindex a oops\n", 2),
    ],
)
def test_errors_stand_at_the_line_of_the_file(tmp_path: Path, text: str, line: int) -> None:
    for end in ("\n", "\r\n"):
        (finding,) = check(text.replace("\n", end), domain(tmp_path)).details
        assert (finding.code, finding.line) == ("RUN001", line)


def test_calls_have_their_lines(tmp_path: Path) -> None:
    text = f"my::count\nforeach i {{1 2}} {{\n  my::nets\n}}\n@dsl(\n{RULE}\n)\nproc f {{}} {{\n  my::count\n}}\nf\n"
    report = check(text, domain(tmp_path))
    assert report.run is not None
    assert [c["line"] for c in report.run.calls] == [1, 3, 3, 5, 11]


def test_a_limit_has_a_code_of_its_own(tmp_path: Path) -> None:
    report = check("while 1 {}\n", domain(tmp_path), seconds=1)
    assert [f.code for f in report.details] == ["RUN002"] and "--run-seconds" in report.details[0].hint
    assert report.run is not None and report.run.limit == "time"


def test_a_pure_dsl_has_nothing_to_run(tmp_path: Path) -> None:
    dsl = {"embedding": {"open": "x {", "close": "}"}, "grammar": "rules.lark"}
    catalog = {"name": "p", "host": "none", "dsl": dsl}
    found = load_domain(write_domain(tmp_path / "p", catalog))
    assert check(RULE, found) == validate_script(RULE, found)


def test_names_of_files_and_flush_are_there(tmp_path: Path) -> None:
    text = "puts [file join a [file tail /b/c.d]]\nputs [file rootname x.y]\nflush stdout\nputs -nonewline stderr z\n"
    report = check(text, domain(tmp_path))
    assert report.run is not None and report.run.ok and report.run.output == "a/c.d\nx\nz"


def test_the_json_form_is_plain_data(tmp_path: Path) -> None:
    report = check(f"my::count\ndsl {{{RULE}}}\narray set a {{k v}}\n", domain(tmp_path))
    assert Report.from_document(json.loads(json.dumps(report.to_document()))) == report
    document = json.loads(json.dumps(report.to_document()))["run"]
    assert set(document) == {
        *("ok", "error", "line", "limit", "tcl", "mocks", "calls", "variables", "output", "problems")
    }  # fmt: skip
    assert document["variables"] == {"a(k)": "v"} and document["tcl"].startswith(("8.", "9."))


def test_the_bundled_examples_run_with_their_mocks() -> None:
    pnr = load_domain(default_folder() / "domains" / "pnr")
    runs = RunCheck(pnr, seconds=5)
    assert pnr.mocks is not None and pnr.examples
    for example in sorted((pnr.folder / "examples").glob("*.tcl")):
        text = example.read_text("utf-8")
        report = validate_script(text, pnr, others=(runs.check,))
        assert report.run is not None and report.run.ok, (example, report.run)


@pytest.mark.skipif(importlib.util.find_spec("_tkinter") is None, reason="this Python has no tkinter")
def test_the_tcl_of_tkinter_does_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = domain(tmp_path, MOCKS)
    scripts = ["my::count\nputs é", f"dsl {{{RULE}}}\nset ::tech::corner tt", "exec ls", "exit"]
    by_tclsh = [Tracer(found, mocks=True).trace(s) for s in scripts]
    monkeypatch.setenv("PATH", str(tmp_path))
    tcl_program.tcl_command.cache_clear()
    try:
        tracer = Tracer(found, mocks=True, seconds=2)
        assert tracer._command[0] == sys.executable
        for one, script in zip(by_tclsh, scripts, strict=True):
            other = tracer.trace(script)
            assert (other.rounds, other.ran, other.line) == (one.rounds, one.ran, one.line)
        assert tracer.trace("while 1 {}").limit == "time"
    finally:
        tcl_program.tcl_command.cache_clear()


def test_no_tcl_at_all_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    tcl_program.tcl_command.cache_clear()
    try:
        with pytest.raises(ToolError, match="there is no Tcl") as error:
            Tracer(domain(tmp_path))
        assert error.value.code == "tcl-missing" and error.value.exit_code == 6
    finally:
        tcl_program.tcl_command.cache_clear()


def test_events_are_values(tmp_path: Path) -> None:
    trace = Tracer(domain(tmp_path)).trace(f"my::route -net A -vias 1 -lay M1 stray\ndsl {{{RULE}}}")
    assert trace.rounds[0].events == (
        CallEvent("my::route", {"cells": ["stray"], "layer": "M1", "net": "A"}),
        BlockEvent("rules", [["rule", '"SR1"', "apply_to:", "CLK", "spacing:", "0.2um"]]),
    )
