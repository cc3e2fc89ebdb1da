"""Every rule has a page: its bad example gives exactly its code, its good one none, and the docs are the pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from localgen.validation.codes import CODES, GROUPS
from localgen.validation.rules.pages import explain, findings, rule
from localgen_retrieval.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]


def test_every_code_belongs_to_a_group_of_its_own_name() -> None:
    assert {code[:3] for code in CODES} == set(GROUPS)
    assert all(code[3:].isdigit() and len(code) == 6 for code in CODES)


@pytest.mark.parametrize("code", CODES)
def test_the_bad_example_gives_exactly_this_code(code: str) -> None:
    told = rule(code)
    assert [f.code for f in findings(told, told.bad, told.encoding).details] == [code]


@pytest.mark.parametrize("code", CODES)
def test_the_good_example_gives_nothing(code: str) -> None:
    told = rule(code)
    assert findings(told, told.good).lines() == []


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
