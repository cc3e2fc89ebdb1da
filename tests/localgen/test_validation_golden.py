"""Whole reports: `golden/x.tcl` gives exactly the lines of `x.txt`, and strictly those of `x.strict.txt`."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest
from lab_domain import lab

from localgen.validation.validate import validate_script

FOLDER = Path(__file__).parent / "golden"
SCRIPTS = sorted(FOLDER.glob("*.tcl"))


@pytest.mark.parametrize("script", SCRIPTS, ids=[s.stem for s in SCRIPTS])
@pytest.mark.parametrize("strict", [False, True], ids=["plain", "strict"])
def test_the_report_is_the_golden_one(script: Path, strict: bool) -> None:
    report = validate_script(script.read_text("utf-8"), lab(), strict=strict, filename=script.name)
    found = "".join(f"{line}\n" for line in report.lines())
    golden = script.with_suffix(".strict.txt" if strict else ".txt")
    wanted = golden.read_text("utf-8") if golden.exists() else ""
    difference = "".join(difflib.unified_diff(wanted.splitlines(True), found.splitlines(True), golden.name, "found"))
    assert found == wanted, difference
