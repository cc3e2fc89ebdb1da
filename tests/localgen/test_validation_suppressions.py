"""Comments that silence findings: on the line, the next line, in the file; those that do nothing are reported."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab_domain import GRAMMAR, RULE, lab, write_domain

from localgen.validation.codes import CODES, Level
from localgen.validation.validate import validate_script
from localgen_retrieval.catalog_io import load_domain

BAD = "my::route -net A -layer M9"


def found(text: str, *, suppressions: bool = True, levels: dict[str, Level] | None = None) -> list[tuple[int, str]]:
    """Line and code of every finding."""
    report = validate_script(text, lab(), levels=levels, suppressions=suppressions)
    return [(f.line, f.code) for f in report.details]


@pytest.mark.parametrize(
    "text",
    [
        f"{BAD} ;# localgen: disable=CAT013\n",
        f"{BAD};#localgen:disable=CAT013\n",
        f"# localgen: disable=CAT013\n{BAD}\n",
        f"# localgen: disable-next=CAT013\n{BAD}",
        f"# localgen: disable=CAT013\n\n# why: the tool takes M9 too\n{BAD}\n",
        f"puts a\n{BAD}\n# localgen: disable-file=CAT013\n",
        f"{BAD} ;# localgen: disable=CAT013 -- the tool takes M9 too\n",
        f"{BAD} ;# localgen: disable=CAT\n",
        f"{BAD} ;# localgen: disable=all\n",
        "my::route -net A \\\n    -layer M9 \\\n    -width 1 ;# localgen: disable=CAT013\n",
        "# localgen: disable=CAT013\nmy::route -net A \\\n    -layer M9\n",
        f"if {{[my::count]}} {{\n    {BAD} ;# localgen: disable=CAT013\n}}\n",
        f"foreach a {{1 2}} {{ ;# localgen: disable-next=CAT013\n    {BAD}; puts $a\n}}\n",
        f"# localgen: disable=CAT013\r\n{BAD}\r\n",
    ],
)
def test_a_finding_is_silenced(text: str) -> None:
    assert (1, "CAT013") in found(text, suppressions=False) or "CAT013" in str(found(text, suppressions=False))
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"{BAD} ;# localgen: disable=CAT013\n{BAD}\n", [(2, "CAT013")]),
        (f"# localgen: disable=CAT013\n{BAD}\n{BAD}\n", [(3, "CAT013")]),
        (f"{BAD} -vias 99 ;# localgen: disable=CAT013\n", [(1, "CAT008"), (1, "CAT014")]),
        (f"{BAD} -vias 99 -width 1 ;# localgen: disable=CAT013, CAT014\n", []),
        (f"set t {{\n# localgen: disable-file=CAT013\n}}\n{BAD}; puts $t\n", [(4, "CAT013")]),
        (f'puts "\n# localgen: disable-file=CAT013\n"\n{BAD}\n', [(4, "CAT013")]),
    ],
)
def test_nothing_else_is_silenced(text: str, left: list[tuple[int, str]]) -> None:
    assert found(text) == left


@pytest.mark.parametrize(
    "text",
    [
        '# localgen: disable=DSL001\ndsl {\n  rule "A" apply_to: 9\n}\n',
        'dsl {\n  rule "A" apply_to: 9\n} ;# localgen: disable=DSL001\n',
        '# localgen: disable=DSL001\n@dsl(\n  rule "A"\n)\n',
        "# localgen: disable=DSL001\nrules <<END\nrule\nEND\n",
    ],
)
def test_a_comment_before_or_behind_a_block_is_about_all_of_it(text: str) -> None:
    assert [code for _, code in found(text, suppressions=False)] == ["DSL001"]
    assert found(text) == []


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("disable=CAT099", "there is no rule CAT099 (did you mean CAT019"),
        ("disable=cat013", "there is no rule cat013 (did you mean CAT013"),
        ("disable=CAT013, nonsense", "there is no rule nonsense [SUP001]"),
        ("disabel=CAT013", "a suppression comment has no form disabel (did you mean disable?) [SUP001]"),
        ("enable=CAT013", "a suppression comment has no form enable ("),
        ("disable CAT013", "a suppression comment without rules (write disable=CODE) [SUP001]"),
        ("disable=", "a suppression comment without rules (write disable=CODE) [SUP001]"),
    ],
)
def test_a_comment_that_is_not_understood_is_reported(comment: str, message: str) -> None:
    report = validate_script(f"# localgen: {comment}\n{BAD}\n", lab(), suppressions=True, filename="s.tcl")
    line = next(line for line in report.lines() if "SUP001" in line)
    assert line.startswith("s.tcl:1:") and message in line


def test_other_comments_with_the_program_s_name_are_left_alone() -> None:
    assert found("# localgen: written by hand\n# localgen: see the manual\nputs a\n") == []


def test_a_suppression_without_effect_is_reported_by_name_and_place() -> None:
    report = validate_script(f"{BAD} ;# localgen: disable=CAT013,CAT014\n", lab(), suppressions=True, filename="s.tcl")
    assert report.lines() == [
        "s.tcl:1:56: warning: CAT014 is suppressed here, but nothing reports it (take it out) [SUP002]"
    ]
    assert report.valid and report.details[0].end.column == 62


def test_behind_a_syntax_error_no_suppression_is_called_useless() -> None:
    assert found('puts "a\nputs $x ;# localgen: disable=VAR001\n') == [(1, "TCL002")]


def test_a_pure_dsl_text_has_the_comments_of_its_grammar(tmp_path: Path) -> None:
    embedding = {"open": "-", "close": "-"}
    catalog = {"host": "none", "dsl": {"name": "rules", "embedding": embedding, "grammar": "rules.lark"}}
    grammar = GRAMMAR + "COMMENT: /#[^\\n]*/\n%ignore COMMENT\n"
    domain = load_domain(write_domain(tmp_path, catalog, grammar))
    bad = f"{RULE}\n# localgen: disable=DSL001\nrule SR2\n"
    assert [f.line for f in validate_script(bad, domain).details] == [3]
    assert validate_script(bad, domain, suppressions=True).details == ()


def test_two_suppressions_of_one_finding_are_both_of_use() -> None:
    assert found(f"# localgen: disable-file=CAT013\n{BAD} ;# localgen: disable=CAT013\n") == []


def test_what_is_said_of_suppressions_can_be_suppressed() -> None:
    assert found("# localgen: disable-file=SUP002\nputs a ;# localgen: disable=CAT013\n") == []
    assert found("# localgen: disable-file=SUP001\nputs a ;# localgen: disable=NONE01\n") == []
    assert found("# localgen: disable-file=SUP\nputs a\n") == [(1, "SUP002")]


def test_a_rule_that_is_off_makes_no_suppression_useless() -> None:
    assert found(f"{BAD} ;# localgen: disable=CAT013\n", levels={"CAT013": "off"}) == []
    # A shortened option counts with --strict only; the comment serves both.
    assert found("my::route -net A -lay M1 ;# localgen: disable=CAT004\n") == []


def test_findings_about_the_whole_file_need_the_file_wide_form() -> None:
    header = {"required_header": "#!/bin/sh"}
    text = "puts a\n# localgen: disable-file=POL003\n"
    assert validate_script(text, lab(**header), suppressions=True).details == ()
    assert [f.code for f in validate_script(text, lab(**header)).details] == ["POL003"]


def test_a_script_has_no_say_in_its_verdict_unless_it_is_asked() -> None:
    text = "exec ls ;# localgen: disable=POL001\n"
    assert not validate_script(text, lab()).valid
    assert validate_script(text, lab(), suppressions=True).valid


_PIECES = st.sampled_from(
    [BAD, "\n", ";", " ", "# localgen: ", "disable", "-next", "-file", "=", ",", "{", "}", '"', "\\\n", "dsl {",
     "@dsl(", ")", "all", *list(CODES)[::7]]
)  # fmt: skip


@given(st.lists(_PIECES, max_size=25).map("".join))
def test_comments_only_take_findings_away_or_add_their_own(text: str) -> None:
    plain = {(f.line, f.column, f.code) for f in validate_script(text, lab()).details}
    left = {(f.line, f.column, f.code) for f in validate_script(text, lab(), suppressions=True).details}
    assert {f for f in left if not f[2].startswith("SUP")} <= plain
