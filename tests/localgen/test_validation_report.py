"""The report's JSON form is a contract: its keys, its codes, its counts."""

from __future__ import annotations

import json
import re
from pathlib import Path

from lab_domain import lab, report

from localgen.validation.codes import CODES
from localgen.validation.findings import MAX_FINDINGS, Collector
from localgen.validation.report import REPORT_VERSION, Report
from localgen.validation.validate import validate_script

ROOT = Path(__file__).resolve().parents[2]


def test_json_keys() -> None:
    document = json.loads(json.dumps(report("my::route -net A\n").to_document()))
    assert document == {
        "version": REPORT_VERSION,
        "file": "s.tcl",
        "domain": "lab",
        "strict": False,
        "valid": False,
        "valid_syntax": True,
        "valid_DSL_blocks": True,
        "blocks": 0,
        "errors": 1,
        "warnings": 0,
        "hints": 0,
        "details": [
            {
                "code": "CAT005",
                "message": "my::route: -layer is missing",
                "hint": "write -layer M1|M2|M3",
                "severity": "error",
                "line": 1,
                "column": 1,
                "end": {"line": 1, "column": 10},
                "fixes": [
                    {
                        "message": f"add -layer {layer}",
                        "safe": False,
                        "edits": [{"start": 9, "end": 9, "start_byte": 9, "end_byte": 9, "text": f" -layer {layer}"}],
                    }
                    for layer in ("M1", "M2", "M3")
                ],
            }
        ],
        "run": None,
    }


def test_a_report_survives_its_json_form() -> None:
    found = report('puts "a"b\nmy::old\ndsl {x}\n')
    assert Report.from_document(json.loads(json.dumps(found.to_document()))) == found
    assert (found.valid_syntax, found.valid_DSL_blocks, found.errors, found.warnings) == (False, False, 2, 1)


def test_at_most_so_many_findings_are_reported_the_first_by_place() -> None:
    found = report("zzz\n" * (MAX_FINDINGS + 10))
    assert [f.line for f in found.details] == list(range(1, MAX_FINDINGS + 1)) and found.errors == MAX_FINDINGS


def test_what_is_off_takes_no_place_among_them_and_a_late_error_still_counts() -> None:
    text = "my::old\n" * MAX_FINDINGS + "zzz\n"
    off = validate_script(text, lab(), levels={"CAT019": "off"})
    assert [f.code for f in off.details] == ["CAT001"]
    assert not validate_script(text, lab()).valid


def test_there_is_an_end_to_what_is_collected() -> None:
    collector = Collector("", strict=False)
    for i in range(100 * MAX_FINDINGS):
        collector.add("CAT001", i, i, "")
    assert MAX_FINDINGS < len(collector.found()) < 50 * MAX_FINDINGS


def test_findings_come_in_the_order_of_their_places() -> None:
    found = report("my::old\nmy::route -net A -layer M9 -width 99\nzzz\n").details
    assert [(f.line, f.column) for f in found] == sorted((f.line, f.column) for f in found)


def test_every_code_that_is_used_is_in_the_table_and_every_code_in_the_table_is_used() -> None:
    files = [p for folder in ("validation", "execution") for p in (ROOT / "localgen" / folder).rglob("*.py")]
    sources = [p.read_text("utf-8") for p in files if p.name != "codes.py"]
    used = set(re.findall(r'"((?:TCL|CAT|DSL|POL|VAR|RUN|CHK|SUP)\d{3})"', "\n".join(sources)))
    assert used == set(CODES)


def test_the_documentation_has_the_table() -> None:
    text = (ROOT / "docs" / "validation.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (\w+) \| (\w+) \|$", text, re.MULTILINE)
    assert rows == [(name, code.title, code.severity, code.strict) for name, code in CODES.items()]


def test_where_findings_are_too_many_errors_come_before_warnings() -> None:
    text = "package require tool\n" + "".join(f"strange{i} x\n" for i in range(MAX_FINDINGS + 10)) + "}\n"
    found = report(text)
    assert len(found.details) == MAX_FINDINGS
    assert not found.valid
    assert found.errors == 1 and found.details[-1].code == "TCL006"
    places = [(f.line, f.column) for f in found.details]
    assert places == sorted(places)
