"""Every rule has a page: its bad example gives exactly its code, its good one none, and the docs are the pages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from oracle import requires_tcl

from localgen.execution.checker import CheckerRun
from localgen.execution.run_check import RunCheck
from localgen.validation.codes import CODES, GROUPS
from localgen.validation.rules.pages import explain, findings, rule
from localgen.validation.validate import OtherCheck
from localgen_retrieval.catalog import Checker
from localgen_retrieval.catalog_io import load_domain
from localgen_retrieval.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "localgen" / "validation" / "rules" / "example"


def test_every_code_belongs_to_a_group_of_its_own_name() -> None:
    assert {code[:3] for code in CODES} == set(GROUPS)
    assert all(code[3:].isdigit() and len(code) == 6 for code in CODES)


TOOL = """#!/bin/sh
grep -n NOWHERE "$1" | sed 's/^\\([0-9]*\\):.*/Error: no net NOWHERE, line \\1/'
if grep -q M3 "$1"; then echo layer M3 is not in this technology; exit 1; fi
"""


def others(code: str, folder: Path) -> tuple[OtherCheck, ...]:
    """What it takes beside validation to give a code."""
    if code.startswith("RUN"):
        return (RunCheck(load_domain(EXAMPLE), seconds=60).check,)
    if code.startswith("CHK"):
        (folder / "tool").write_text(TOOL)
        (folder / "tool").chmod(0o755)
        domain = load_domain(EXAMPLE)
        checker = Checker(command=("./tool", "{script}"), error="^Error: (?P<message>.*)")
        catalog = domain.catalog.model_copy(update={"checker": checker})
        return (CheckerRun(replace(domain, folder=folder, catalog=catalog)).check,)
    return ()


CODES_HERE = [pytest.param(c, marks=requires_tcl) if c.startswith("RUN") else c for c in CODES]


@pytest.mark.parametrize("code", CODES_HERE)
def test_the_bad_example_gives_exactly_this_code(code: str, tmp_path: Path) -> None:
    told = rule(code)
    report = findings(told, told.bad, told.encoding, others(code, tmp_path))
    assert [f.code for f in report.details] == [code]
    assert not told.says or report.lines() == [told.says]


@pytest.mark.parametrize("code", CODES_HERE)
def test_the_good_example_gives_nothing(code: str, tmp_path: Path) -> None:
    told = rule(code)
    assert findings(told, told.good, others=others(code, tmp_path)).lines() == []


@pytest.mark.parametrize("group", GROUPS)
def test_the_documentation_is_what_explain_prints(group: str) -> None:
    written = (ROOT / "docs" / "rules" / f"{group}.md").read_text("utf-8")
    assert written == explain(group), "make rules"


def test_a_page_has_the_rule_s_severities_reason_examples_and_message() -> None:
    page = explain("cat019")
    assert page.startswith("## CAT019\n\nA deprecated proc (warning, with `--strict` error).\n")
    assert rule("CAT019").why.strip() in page and rule("CAT019").bad in page and rule("CAT019").good in page
    assert "    bad.tcl:1:1: warning: my::wire is deprecated (use my::route) [CAT019]\n" in page


def test_an_unknown_rule_gets_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        explain("CAT12")
    assert caught.value.code == "rule-unknown" and "CAT012" in caught.value.hint
