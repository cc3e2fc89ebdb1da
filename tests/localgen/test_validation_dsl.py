"""DSL blocks: braced, in brackets, heredocs; wherever they may stand; errors at their line in the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lab_domain import RULE, codes, lab, lines, report, write_domain

from localgen.validation.validate import validate_script
from localgen_retrieval.catalog_io import load_domain

BAD = 'rule "SR1" apply_to: CLK 0.2um'


@pytest.mark.parametrize(
    "text",
    [
        f"dsl {{{RULE}}}",
        f"dsl {{\n  {RULE}\n  {RULE}\n}}",
        f"::dsl {{{RULE}}}",
        f"foreach x {{1 2}} {{\n  dsl {{\n    {RULE}\n  }}\n}}",
        f"if {{[my::count]}} {{\n  @dsl({RULE})\n}} else {{\n  dsl {{{RULE}}}\n}}",
        f"my::each -body {{dsl {{{RULE}}}}}",
        f"my::each -body {{\n  @dsl({RULE})\n}}",
        f"proc p {{}} {{\nrules <<END\n{RULE}\nEND\n}}",
        f"@dsl({RULE})",
        f"puts a; @dsl({RULE}); puts b",
        '@dsl(rule "a ) b" apply_to: CLK spacing: 1um)',
        '@dsl(rule "a { b" apply_to: CLK spacing: 1um)\nputs a',
        f"@dsl(\n{RULE}\n{RULE}\n)\nputs a",
        f"rules <<END\n{RULE}\nEND\nputs a",
        f"rules <<END\n{RULE}\n  END  \nputs a",
        f"rules   <<END\n{RULE}\nEND",
        'rules <<END\nrule "THE END" apply_to: END spacing: 1um\nEND',
        "db eval {select * from nets}",
        f'dsl {{{RULE} \\\n  rule "B" apply_to: X spacing: 1um}}',
        f"set r {{{RULE}}}\ndsl $r",
        "# @dsl(not a block)",
        "# dsl {not a block}",
        'puts "write @dsl(something) there"',
        "puts {a dsl b}",
        f"puts a\r\n@dsl({RULE})\r\n",
    ],
)
def test_good_blocks(text: str) -> None:
    assert lines(text, strict=True) == []
    assert report(text).valid_DSL_blocks


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (f"dsl {{{BAD}}}", "1:31"),
        (f"puts a\ndsl {{\n  {RULE}\n  {BAD}\n}}\n", "4:28"),
        (f"foreach x {{1}} {{\n  dsl {{\n    {BAD}\n  }}\n}}", "3:30"),
        (f"puts a\n@dsl(\n  {BAD}\n)", "3:28"),
        (f"rules <<END\n{RULE}\n{BAD}\nEND", "3:26"),
        (f"my::each -body {{\n  @dsl({BAD})\n}}", "2:33"),
        (f"dsl {{{RULE} \\\n    {BAD}}}", "2:30"),
    ],
)
def test_an_error_stands_at_its_place_in_the_file(text: str, where: str) -> None:
    found = lines(text)
    assert len(found) == 1
    assert found[0].startswith(f"s.tcl:{where}: ")
    assert 'unexpected "0" in rule (expected "spacing:") [DSL001]' in found[0]
    assert not report(text).valid_DSL_blocks


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dsl {}", ["DSL001"]),
        ("dsl {\n}\n", ["DSL001"]),
        (f"@dsl({RULE}\nputs a", ["DSL002"]),
        (f"rules <<END\n{RULE}\n", ["DSL002"]),
        ("dsl a b", ["DSL003"]),
        ("dsl", ["DSL003"]),
        ("db select {x}", ["DSL003"]),
        (f"@dsl({RULE}) more", ["DSL004"]),
        (f"set x @dsl({RULE})", ["DSL004"]),
        ("dsl [my::nets]", ["DSL005"]),
        (f"set r {{{BAD}}}\ndsl $r", ["DSL001"]),
        (f"eval {{dsl {{{BAD}}}}}", ["DSL001"]),
        (f"if {{0}} {{dsl {{{BAD}}}}}", ["DSL001"]),
        ("dsl {rule {}", ["TCL001"]),
    ],
)
def test_bad_blocks(text: str, expected: list[str]) -> None:
    assert codes(text) == expected


def test_all_blocks_are_counted() -> None:
    text = (
        f"dsl {{{RULE}}}\n@dsl({RULE})\nrules <<END\n{RULE}\nEND\ndb eval {{x}}\nforeach i {{1 2}} {{dsl {{{RULE}}}}}\n"
    )
    assert report(text).blocks == 5


def test_too_many_blocks_are_reported_at_the_first_surplus_one() -> None:
    text = f"dsl {{{RULE}}}\n@dsl({RULE})\n"
    assert lines(text, max_dsl_blocks=1) == ["s.tcl:2:1: 2 DSL blocks, at most 1 allowed [POL006]"]
    assert lines(text, max_dsl_blocks=2) == []
    assert codes(f"@dsl({RULE})", max_dsl_blocks=0) == ["POL006"]


def test_blocks_do_not_disturb_the_check_of_the_rest() -> None:
    text = f"my::route -net A\n@dsl({RULE})\nmy::route -net B\n"
    assert [(f.line, f.code) for f in report(text).details] == [(1, "CAT005"), (3, "CAT005")]


def test_a_domain_without_a_host_is_one_dsl_text(tmp_path: Path) -> None:
    catalog = {
        "host": "none",
        "dsl": {"name": "rules", "embedding": {"open": "-", "close": "-"}, "grammar": "rules.lark"},
    }
    domain = load_domain(write_domain(tmp_path, catalog))
    good = validate_script(f"{RULE}\n{RULE}\n", domain)
    assert good.valid and good.blocks == 1
    bad = validate_script(f"{RULE}\n{BAD}\n", domain, filename="r.txt")
    assert bad.lines() == ['r.txt:2:26: rules: unexpected "0" in rule (expected "spacing:") [DSL001]']
    assert not bad.valid_DSL_blocks and bad.valid_syntax


def test_a_grammar_that_is_not_lalr_is_parsed_by_earley(tmp_path: Path) -> None:
    grammar = 'start: a | b\na: "x" "y"?\nb: "x" "z"?\n%ignore " "\n'
    domain = load_domain(
        write_domain(tmp_path, {"dsl": {"embedding": {"open": "d {", "close": "}"}, "grammar": "rules.lark"}}, grammar)
    )
    assert validate_script("d {x}\nd {x z}\n", domain).valid
    found = validate_script("\nd { x q}\n", domain).details
    assert [(f.code, f.line, f.column) for f in found] == [("DSL001", 2, 7)]


def test_a_catalog_without_dsl_or_policy(tmp_path: Path) -> None:
    domain = load_domain(write_domain(tmp_path, {"procs": [{"name": "p", "args": [{"name": "a"}]}]}))
    assert validate_script("p -a 1\n", domain, strict=True).valid
    assert not validate_script("p\n", domain).valid
    assert [f.code for f in validate_script("string length a\n", domain).details] == ["POL002"]
    assert lab().name == "lab"


def test_a_grammar_that_knows_no_line_ends_reads_the_lines_of_a_heredoc(tmp_path: Path) -> None:
    catalog = {"procs": [{"name": "go", "args": []}], "dsls": [
        {"name": "order", "embedding": {"open": "order <<EOT", "close": "EOT"}, "grammar": "order.lark"}]}  # fmt: skip
    (tmp_path / "catalog.json").write_text(json.dumps(catalog))
    (tmp_path / "order.lark").write_text('start: "a" ("," "a")*\n%import common.WS_INLINE\n%ignore WS_INLINE\n')
    domain = load_domain(tmp_path)
    assert validate_script("order <<EOT\na, a\nEOT\n", domain).valid
    assert not validate_script("order <<EOT\na,\na\nEOT\n", domain).valid
    assert not validate_script("order <<EOT\n\na\nEOT\n", domain).valid


def test_an_error_shows_the_example_of_the_production_it_is_in(tmp_path: Path) -> None:
    grammar = 'start: hop+\nhop: "hop" NAME "by:" NUMBER\nNAME: /[a-z]+/\nNUMBER: /[0-9]+/\n%ignore " "\n'
    dsl = {
        "embedding": {"open": "d {", "close": "}"},
        "grammar": "rules.lark",
        "productions": [{"name": "hop", "example": "hop frog by: 3"}],
    }
    domain = load_domain(write_domain(tmp_path, {"dsl": dsl}, grammar))
    found = validate_script("\n\nd {hop frog 3}\n", domain, filename="s.tcl").lines()
    assert found == ['s.tcl:3:13: dsl: unexpected "3" in hop (expected "by:"; like hop frog by: 3) [DSL001]']


def test_a_dsl_error_has_the_line_and_column_in_the_file_behind_continued_lines() -> None:
    text = 'if {1} {\n  dsl {\n    rule "SR1" \\\n      apply_to: CLK \\\n      spacing: wide\n  }\n}\n'
    assert [line.split(" (")[0] for line in lines(text)] == ['s.tcl:5:16: rules: unexpected "wide" in rule']
