"""Fixes: what is repaired and how, what is only proposed, and what is taken back."""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lab_domain import CATALOG, RULE, lab, report, write_domain

from localgen.validation.fixing import apply_fixes, apply_safe_fixes, unified_diff
from localgen.validation.nearest import clear_nearest
from localgen.validation.report import Fix, TextEdit
from localgen.validation.validate import validate_script
from localgen_retrieval.catalog_io import Domain, load_domain

GOOD = "my::route -net A -layer M1"


@pytest.fixture(scope="module")
def domain(tmp_path_factory: pytest.TempPathFactory) -> Domain:
    """The lab domain with words worth misspelling, a header, and a deprecated proc whose replacement fits."""
    catalog = copy.deepcopy(CATALOG)
    catalog["procs"] += [
        {"name": "my::set_mode", "args": [{"name": "mode", "type": "enum", "values": ["fast", "thorough", "M10"]}]},
        {"name": "my::mode", "args": [{"name": "mode"}], "deprecated": {"replacement": "my::set_mode"}},
        {"name": "my::gap", "args": [{"name": "size", "type": "float", "unit": "um", "unit_suffix": True}]},
        {"name": "my::finish", "args": []},
    ]
    catalog["policy"]["required_header"] = "#!/usr/bin/env tclsh"
    return load_domain(write_domain(tmp_path_factory.mktemp("domain"), catalog))


def fixed(text: str, domain: Domain, *, strict: bool = False) -> str:
    """The text after its safe fixes."""
    validate = partial(validate_script, domain=domain, strict=strict)
    return apply_safe_fixes(text, validate(text), validate).text


HEADER = "#!/usr/bin/env tclsh\n"
SAFE = [
    ("a misspelt command", "my::rotue -net A -layer M1", GOOD),
    ("a missing namespace", "route -net A -layer M1", GOOD),
    ("a leading ::", "::my::rout -net A -layer M1", "::my::route -net A -layer M1"),
    ("a misspelt option", "my::route -net A -lyer M1", GOOD),
    ("a misspelt option in a bracket", "puts [my::route -net A -lyer M1]", f"puts [{GOOD}]"),
    ("two misspelt words of a call", "my::rout -net A -layr M1", GOOD),
    ("a misspelt value", "my::set_mode -mode thorugh", "my::set_mode -mode thorough"),
    ("a value in the wrong case", "my::route -net A -layer m1", GOOD),
    ("a quoted value", 'my::set_mode -mode "fst"', 'my::set_mode -mode "fast"'),
    ("a boolean", "my::note -text a -stylus ture", "my::note -text a -stylus true"),
    ("a variable's value where it is written", "set ::tech::corner SS", "set ::tech::corner ss"),
    ("a subcommand", "puts [string lenght a]", "puts [string length a]"),
    ("an option after a positional", "my::route {x y} -net A -layer M1", "my::route -net A -layer M1 {x y}"),
    ("over two lines", "my::route -net A {x y} \\\n  -layer M1", "my::route -net A -layer M1 {x y}"),
    ("an option twice", "my::route -net A -layer M1 -layer M1", GOOD),
    ("a flag twice", "my::route -net A -layer M1 -shield -shield", "my::route -net A -layer M1 -shield"),
    ("another unit", "my::route -net A -layer M1 -width 250nm", "my::route -net A -layer M1 -width 0.25"),
    ("a unit too many", "my::route -net A -layer M1 -width 2um", "my::route -net A -layer M1 -width 2"),
    ("a missing unit", "my::gap -size 2", "my::gap -size 2um"),
    ("a deprecated proc", "my::mode -mode fast", "my::set_mode -mode fast"),
    ("a brace", "foreach n {A B} {\n  puts $n\nputs b", "foreach n {A B} {\n  puts $n\n}\nputs b"),
    ("a brace at the end", "if {1} {\n  puts a", "if {1} {\n  puts a\n}"),
    ("a brace before else", "if {1} {\n  puts a\nelse {\n  puts b\n}", "if {1} {\n  puts a\n} else {\n  puts b\n}"),
    ("an inner brace", "if {1} {\n  if {1} {\n    puts a\n}\n", "if {1} {\n  if {1} {\n    puts a\n  }\n}\n"),
    ("a brace in a word that is no script", "set l {\n  x {\n    y\n}\n", "set l {\n  x {\n    y\n  }\n}\n"),
    ("a block's brace", f"dsl {{\n  {RULE}\nputs a", f"dsl {{\n  {RULE}\n}}\nputs a"),
    ("a block's bracket", f"@dsl(\n  {RULE}\nputs a", f"@dsl(\n  {RULE}\n)\nputs a"),
    ("a DSL keyword", f"dsl {{{RULE.replace('apply', 'aply')}}}", f"dsl {{{RULE}}}"),
    ("}{", "if {1}{\n  puts a\n}", "if {1} {\n  puts a\n}"),
    ("}else", "if {1} {\n  puts a\n}else {\n  puts b\n}", "if {1} {\n  puts a\n} else {\n  puts b\n}"),
    ("a continuation at the end", "puts a\\\n", "puts a\n"),
]  # fmt: skip


@pytest.mark.parametrize(("broken", "right"), [c[1:] for c in SAFE], ids=[c[0] for c in SAFE])
def test_safe_fixes_make_the_script_valid(domain: Domain, broken: str, right: str) -> None:
    assert not validate_script(HEADER + broken, domain, strict=True).valid
    assert fixed(HEADER + broken, domain) == HEADER + right
    assert validate_script(HEADER + right, domain).valid


def test_the_header_comes_first(domain: Domain) -> None:
    assert fixed("puts a\n", domain) == HEADER + "puts a\n"
    assert fixed("#!/bin/sh\nputs a\n", domain) == HEADER + "puts a\n"
    assert fixed("\ufeffputs a\n", domain) == HEADER + "puts a\n"


def test_abbreviations_are_written_out_only_where_they_are_forbidden(domain: Domain) -> None:
    short = HEADER + "my::route -net A -lay M1\n"
    assert fixed(short, domain) == short
    assert fixed(short, domain, strict=True) == HEADER + GOOD + "\n"


PROPOSED = [
    ("my::route -net A -layer M9", []),
    ("my::set_mode -mode M1", []),
    ("my::note -text a -sty b", ["write -style instead of -sty", "write -stylus instead of -sty"]),
    ("my::route -net A -layer M1 -layer M2", ["remove -layer M2"]),
    ("my::route -net A -layer M1 -width 99", ["write 10 instead of 99"]),
    ("my::count x", ["remove x"]),
    ("my::route -net A", ["add -layer M1", "add -layer M2", "add -layer M3"]),
    ('puts "a', ['put " at the end of the line']),
    ("puts [my::count", ["put ] at the end of the line"]),
    ("source x.tcl\nmy::rout -net A -layer M1", ["write my::route instead of my::rout"]),
    ("route -text a", ["write my::route instead of route"]),
    ("my::old", ["write my::route instead of my::old"]),
    ("if {1} {\nputs a\n", ["close the block with }"]),
    ("}", ["remove }"]),
]


@pytest.mark.parametrize(("text", "messages"), PROPOSED)
def test_what_is_not_clear_is_only_proposed(text: str, messages: list[str]) -> None:
    fixes = [fix for f in report(text).details for fix in f.fixes]
    assert [fix.message for fix in fixes] == messages
    assert not any(fix.safe for fix in fixes)
    assert fixed(text, lab()) == text


def test_a_required_call_is_proposed_at_the_end(domain: Domain) -> None:
    catalog = domain.catalog.model_copy(
        update={"policy": domain.catalog.policy.model_copy(update={"required_calls": ("my::finish", "my::gap")})}
    )
    needed = Domain(**{**vars(domain), "catalog": catalog})
    found = validate_script(HEADER + "puts a", needed).details
    assert [[fix.message for fix in f.fixes] for f in found] == [["call my::finish at the end"], []]
    assert apply_fixes(HEADER + "puts a", found[0].fixes) == HEADER + "puts a\nmy::finish\n"


def test_a_value_that_comes_from_a_variable_is_not_touched_where_it_is_used() -> None:
    text = "foreach m {m1 M2} {\n  my::route -net A -layer $m\n}\n"
    (finding,) = report(text).details
    assert finding.line == 2 and finding.fixes == () and fixed(text, lab()) == text


def test_a_fix_that_makes_the_script_worse_is_taken_back() -> None:
    """Each fix is judged by what validation says afterwards, and bad ones do not keep good ones from being applied."""
    text = "my::route -net A -lyer M1\nmy::count\n"
    bad = Fix(message="break it", safe=True, edits=(TextEdit(start=26, end=27, start_byte=26, end_byte=27, text="{"),))

    def validate(changed: str):  # type: ignore[no-untyped-def]
        found = report(changed)
        first = found.details[0] if found.details else report("my::count x").details[0]
        if "{y" not in changed:
            extra = first._replace(code="CAT010", line=2, fixes=(bad,))
            found = replace(found, details=(*found.details, extra), errors=found.errors + 1)
        return found

    after = apply_safe_fixes(text, validate(text), validate)
    assert after.text == "my::route -net A -layer M1\nmy::count\n"
    assert after.applied == ("1:18: write -layer instead of -lyer [CAT002]",)


def test_fixes_that_touch_each_other_go_in_one_after_the_other() -> None:
    text = "my::route {x y} -net A -layer M1 -shield\n"
    assert fixed(text, lab()) == "my::route -net A -layer M1 -shield {x y}\n"


def test_edits_that_overlap_are_refused() -> None:
    edits = tuple(TextEdit(start=s, end=s + 3, start_byte=s, end_byte=s + 3, text="") for s in (0, 2))
    with pytest.raises(ValueError, match="overlap"):
        apply_fixes("abcdef", [Fix(message="", safe=True, edits=edits)])


def test_line_ends_are_kept() -> None:
    text = "if {1} {\r\n  my::route -net A -lyer M1\r\nputs b\r\n"
    assert fixed(text, lab()) == "if {1} {\r\n  my::route -net A -layer M1\r\n}\r\nputs b\r\n"
    mixed = "puts a\r\nputs b\nmy::route -net A -lyer M1\r\nputs c\rputs d\n"
    assert fixed(mixed, lab()) == mixed.replace("lyer", "layer")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("text", ["é", "日本", "\U0001f600", "x" * 5000 + "é"])
def test_bytes_and_characters_say_the_same_place(text: str, end: str) -> None:
    lines = f'puts "{text}"', f"my::note -text {text} -stile a", f'puts "{text}"', f"my::route -net {text} -lyer M1", ""
    script = end.join(lines)
    fixes = [fix for f in report(script).details for fix in f.fixes if fix.safe]
    data = script.encode()
    for edit in sorted((e for fix in fixes for e in fix.edits), key=lambda e: -e.start_byte):
        data = data[: edit.start_byte] + edit.text.encode() + data[edit.end_byte :]
    assert len(fixes) == 2 and data.decode() == apply_fixes(script, fixes)
    assert data.decode() == script.replace("lyer", "layer").replace("stile", "style")


def test_more_findings_than_are_reported_are_all_fixed() -> None:
    text = "my::route -net A -lyer M1\n" * 1200
    assert fixed(text, lab()) == text.replace("lyer", "layer")


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("layr", ["layer", "net"], "layer"),
        ("M12", ["M1", "M2"], None),
        ("M1", ["M10"], None),
        ("tt", ["ttt"], None),
        ("FAST", ["fast", "fastest"], "fast"),
        ("fas", ["fast", "fasten", "fase"], None),
        ("route", ["my::route"], "my::route"),
        ("route", ["my::route", "your::route"], None),
        ("zzz", ["layer"], None),
    ],
)
def test_one_name_is_clearly_the_nearest_or_none(name: str, known: list[str], meant: str | None) -> None:
    assert clear_nearest(name, known) == meant


def test_a_diff_is_what_patch_takes() -> None:
    assert unified_diff("a\nb\n", "a\nc\n", "x.tcl") == "--- x.tcl\n+++ x.tcl\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"
    assert unified_diff("a", "b", "x").endswith("-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n")
    assert unified_diff("a\r\nb", "a\r\nb", "x") == ""


PIECES = st.sampled_from(
    [
        *("my::route", "my::rout", "-net", "-nt", "-layer", "-lyer", "M1", "m2", "M9", "A", "$x", "é", "else", "\\"),
        *("{", "}", '"', "[", "]", ";", " ", " ", "\n", "\r\n", "\n  ", ")"),
        *("if {1} {", "dsl {", "@dsl(", RULE, "rules <<END", "END"),
    ]
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(PIECES, max_size=25).map("".join))
def test_fixing_any_text_ends_helps_or_changes_nothing_and_has_nothing_left_to_do(text: str) -> None:
    validate = partial(validate_script, domain=lab(required_header="#!/bin/tclsh"), strict=False)
    before = validate(text)
    after = apply_safe_fixes(text, before, validate)
    assert (after.text == text) == (not after.applied)
    assert after.report == validate(after.text)
    assert not before.valid or after.report.valid
    assert apply_safe_fixes(after.text, after.report, validate).text == after.text


def test_the_bundled_examples_need_no_fix() -> None:
    folder = Path(__file__).resolve().parents[2] / "bundle/default/domains/pnr"
    pnr = load_domain(folder)
    examples = sorted(folder.glob("examples/*.tcl"))
    assert examples
    for example in examples:
        text = example.read_text("utf-8")
        assert fixed(text, pnr) == text
