"""Variables: values of the catalog's, and reading before setting without false alarms."""

from __future__ import annotations

import pytest
from lab_domain import codes, lines, report

from localgen.validation.fixing import apply_fixes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("set ::tech::corner tt", []),
        ("set tech::corner tt", []),
        ("set ::tech::temp 25.5", []),
        ("foreach ::tech::corner {tt ff} {my::nets}", []),
        ("set c ss\nset ::tech::corner $c", []),
        ("set ::tech::corner [my::nets]", []),
        ("namespace eval tech {variable corner ff}", []),
        ("set ::tech::corner xx", ['1:1: ::tech::corner: "xx" is not one of tt, ss, ff [CAT013]']),
        ("set tech::corner TT", ['"TT" is not one of tt, ss, ff (did you mean tt?) [CAT013]']),
        ("set ::tech::temp 200", ['::tech::temp: "200" is above the maximum 125 [CAT014]']),
        ("set ::tech::temp warm", ['::tech::temp: "warm" is not a number [CAT012]']),
        ("incr ::tech::temp 200", ['::tech::temp: "225" is above the maximum 125 [CAT014]']),
        ("foreach ::tech::corner {tt xx} {my::nets}", ['"xx" is not one of tt, ss, ff [CAT013]']),
        ("set c xx\nset ::tech::corner $c", ["2:1: ::tech::corner"]),
        ("proc p {} {set ::tech::corner xx}\np", ['"xx" is not one of']),
        ("proc p {} {global tech::corner; set corner xx}\np", ['"xx" is not one of']),
        ("namespace eval tech {variable corner xx}", ['"xx" is not one of']),
        (
            "set ::tech::cornr tt",
            ["warning: ::tech::cornr is not a variable of the catalog (did you mean ::tech::corner?)"],
        ),
        ("set ::mine::own 1", []),
        ("set corner 1", ["VAR003"]),
    ],
)
def test_catalog_variables(text: str, expected: list[str]) -> None:
    found = lines(text)
    assert len(found) == len(expected), found
    for line, wanted in zip(found, expected, strict=True):
        assert wanted in line


@pytest.mark.parametrize(
    "text",
    [
        "puts $x",
        "puts ${x}",
        "puts $::x",
        'puts "a $x b"',
        "puts [list $x]",
        "if {$x > 1} {puts a}",
        "set y [expr {$x + 1}]",
        "puts $x(1)",
        "puts [set x]",
        "foreach y $x {puts $y}",
        "puts $x; set x 1",
        "set x 1; unset x; puts $x",
        "proc p {} {puts $x}",
        "proc p {a} {puts $a$x}\np 1",
        "if {0} {set x 1}\nputs $x",
        "foreach x {} {puts a}\nputs $x",
        "my::each -body {puts $x}",
    ],
)
def test_reading_what_nothing_sets_is_a_warning_and_strictly_an_error(text: str) -> None:
    assert codes(text) == ["VAR001"]
    assert report(text).valid and not report(text, strict=True).valid


@pytest.mark.parametrize(
    "text",
    [
        "set x 1; puts $x",
        "set ::x 1; puts $x$::x",
        "foreach x {1 2} {puts $x}; puts $x",
        "foreach {a b} {1 2} {puts $a$b}",
        "if {[my::count]} {set x 1}; puts $x",
        "while {[my::count]} {set x 1}; puts $x",
        "foreach y [my::nets] {set x 1}; puts $x",
        "catch {set x 1}; puts $x",
        "catch {my::count} x; puts $x",
        "catch {my::count} x y; puts $x$y",
        "lassign {1 2} x y; puts $x$y",
        "incr x; puts $x",
        "append x 1; puts $x",
        "lappend x 1; puts $x",
        "dict set x a 1; puts $x",
        "set x(1) a; puts $x(1)",
        "set x(1) a; puts $x([my::count])",
        "set i 1; set x($i) a; puts $x($i)",
        "proc p {} {global x; puts $x}; set x 1; p",
        "proc p {} {set ::x 1}; p; puts $x",
        "proc p {} {global x; set x 1}; p; puts $x",
        "proc p {v} {upvar 1 $v x; set x 1}; p y; puts $y",
        "proc p {v} {uplevel 1 [list set $v 1]}; p y; puts $y",
        "proc p {} {uplevel 1 {set y 1}}; p; puts $y",
        "proc p {{a 1} args} {puts $a$args}; p",
        "namespace eval n {variable v 1}; puts $n::v",
        "namespace eval n {variable v 1; proc p {} {variable v; puts $v}}; n::p",
        "puts $::tech::corner",
        "puts $tech::temp",
        "puts $argv0",
        "puts $::env(HOME)",
        "puts $tcl_version",
        "my::into x; puts $x",
        "set n x; set $n 1; puts $x",
        "foreach n {x y} {set $n 1}; puts $x$y",
        "foreach n [my::nets] {set $n 1}; puts $x",
        "eval {set x 1}; puts $x",
        "if {[info exists x]} {puts $x}",
        "if {![info exists x]} {set x 1}; puts $x",
        "dict for {k v} {a 1} {puts $k$v}",
        "puts [lmap x {1 2} {string length $x}]",
        "for {set i 0} {$i < 3} {incr i} {}; puts $i",
        "switch [my::count] {1 {set x 1} default {set x 2}}; puts $x",
        "if {[my::count]} {return}; set x 1; puts $x",
        "return\nputs $x",
        "puts {$x}",
        "puts \\$x",
        "# $x",
        "proc p {} {return 1}\nputs [p]",
        "string is integer -failindex at 1x; puts $at",
        "chan gets stdin line; puts $line",
        "binary scan ab aa x y; puts $x$y",
        "scan {1 2} {%d %d} x y; puts $x$y",
        "regexp {(.)} a all one; puts $all$one",
        "vwait done; puts $done",
        "namespace eval n {namespace upvar :: argv0 x; puts $x}",
        "file stat /tmp about; puts $about(size)",
        "trace add variable x write p; puts [info exists x]",
        "try {error a} on error {m o} {puts $m$o}",
        "try {set x 1} finally {puts a}; puts $x",
        "dict update d k v {puts $v}",
        "set d {}; dict with d {puts $k}",
        "regsub a abc b x; puts $x",
        "time {set x 1}; puts $x",
    ],
)
def test_no_false_alarms(text: str) -> None:
    assert [line for line in lines(text, strict=True) if "VAR001" in line] == []


def test_a_variable_is_reported_once() -> None:
    assert lines("puts $x\nputs $x\nputs $x\n") == ['s.tcl:1:6: warning: "x" is read before anything sets it [VAR001]']


def test_nothing_is_said_of_variables_where_the_syntax_is_broken() -> None:
    assert codes('set x "a"b\nputs $x\n') == ["TCL005"]


@pytest.mark.parametrize(
    "text",
    [
        "tool::setup\nputs $tool_root",
        "source setup.tcl\nputs $tool_root",
        "if {$::tool::mode eq {a}} {tool::go}",
        "proc p {} {global given; tool::use $given}",
    ],
)
def test_a_part_of_something_larger_may_read_globals_that_others_set(text: str) -> None:
    assert "VAR001" not in codes(text)


@pytest.mark.parametrize(
    "text",
    [
        "proc p {} {$::db transaction {set found 1}; puts $found}",
        "proc p {} {tool::with x {set found 1}; puts $found}",
        "proc p {} {my::note -text found; puts $found}",
        "proc p {} {tool::match @rest; puts $rest}",
        "proc init {} {uplevel 1 {variable all}}\nproc p {} {init; puts $all}",
        "namespace eval n {variable v {}}\nproc n::p {} {variable v; foreach {a b} $v break; puts $a}",
        "set n {}\nproc p {} {global n; foreach x $n {set y 1}; puts $y}",
    ],
)
def test_what_a_proc_may_be_given_is_not_called_unset(text: str) -> None:
    assert "VAR001" not in codes(text)


def test_a_local_of_a_proc_is_reported_whatever_else_is_unknown() -> None:
    assert "VAR001" in codes("tool::setup\nproc p {value} {return [expr {$valeu + 1}]}\n")


@pytest.mark.parametrize(
    "text",
    [
        "proc p {} {set x 1; puts a}",
        "proc p {a} {if {$a} {set x 1; puts a}}",
        "proc p {} {set x 1; set x 2; puts a}",
    ],
)
def test_a_local_that_is_set_and_never_used_is_a_hint(text: str) -> None:
    found = report(text, strict=True).details
    hints = [d for d in found if d.code == "VAR002"]
    assert hints and all(d.severity == "hint" for d in hints)
    assert hints[0].message == '"x" is set but never used' and hints[0].column == text.index("set x") + 5


def test_a_hint_counts_neither_as_error_nor_as_warning() -> None:
    found = report("proc p {} {set x 1; puts a}\n")
    assert (found.errors, found.warnings, len(found.details)) == (0, 0, 1)
    assert found.lines() == ['s.tcl:1:16: hint: "x" is set but never used (remove it, or use it) [VAR002]']


@pytest.mark.parametrize(
    "text",
    [
        "set x 1",
        "proc p {} {set x 1}",
        "proc p {} {set x 1; puts $x}",
        "proc p {} {set x 1; puts ${x}}",
        "proc p {} {set x 1; incr x}",
        "proc p {} {set x 1; my::into x; puts a}",
        "proc p {} {global x; set x 1; puts a}",
        "proc p {} {variable x; set x 1; puts a}",
        "proc p {v} {upvar 1 $v x; set x 1; puts a}",
        "proc p {} {puts [set x 1]; puts a}",
        "proc p {c} {set x 1; eval $c; puts a}",
        "proc p {c} {set x 1; uplevel 0 $c; puts a}",
        "proc p {} {set x 1; puts [info locals]; puts a}",
        "proc p {} {set ::x 1; puts a}",
        "proc p {} {set x(1) 1; puts a}",
        "proc p {n} {set $n 1; puts a}",
        'proc p {} {set x 1; puts [subst {$x}]; puts a}',
        'proc p {} {set x 1; puts "$x"; puts a}',
    ],
)
def test_what_may_be_used_is_not_called_unused(text: str) -> None:
    assert "VAR002" not in codes(text)


# ------------------------------------------------------------------ namespaces
ELSEWHERE = "is not set in this namespace, ::tech::corner is (write $::tech::corner)"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("puts $corner\n", f'1:6: warning: "corner" {ELSEWHERE}'),
        ("puts ${corner}\n", f'1:6: warning: "corner" {ELSEWHERE}'),
        ("puts $teck::corner\n", f'1:6: warning: "teck::corner" {ELSEWHERE}'),
        (
            "namespace eval app {variable count 0}\nputs $count\n",
            '2:6: warning: "count" is not set in this namespace, ::app::count is (write $::app::count)',
        ),
        (
            "set total 1\nproc p {} {puts $total}\np\n",
            '2:17: warning: "total" is not set in this namespace, ::total is'
            " (write $::total, or declare it in the proc: global total)",
        ),
        (
            "namespace eval app {variable count 0}\nproc app::p {} {puts $count}\napp::p\n",
            '2:22: warning: "count" is not set in this namespace, ::app::count is'
            " (write $::app::count, or declare it in the proc: variable ::app::count)",
        ),
        (
            "namespace eval a {variable v 1}\nnamespace eval b {variable v 2}\nputs $v\n",
            '3:6: warning: "v" is not set in this namespace, ::a::v and ::b::v are (write $::a::v or $::b::v)',
        ),
    ],
)  # fmt: skip
def test_a_variable_that_is_read_in_the_wrong_namespace(text: str, said: str) -> None:
    assert [line for line in lines(text) if "VAR" in line] == [f"s.tcl:{said} [VAR003]"]


@pytest.mark.parametrize(
    "text",
    [
        "puts $::tech::corner\n",
        "puts $tech::corner\n",
        "set corner ss\nputs $corner\n",
        "proc p {} {variable ::tech::corner\nputs $corner}\np\n",
        "proc p {} {upvar #0 ::tech::corner corner\nputs $corner}\np\n",
        "set total 1\nproc p {} {global total\nputs $total}\np\n",
        "namespace eval app {variable count 0\nproc p {} {variable count\nputs $count}}\napp::p\n",
        "namespace eval app {variable count 0\nputs $count}\n",
        "namespace eval mine {}\nset ::mine::corner ss\n",
        "set ::mine::corner ss\nputs $::mine::corner\n",
        "set ::mine::corner ss\nputs $mine::corner\n",
        "set corner ss\nset x [list $corner]\nputs $x\n",
        "source other.tcl\nputs $corner\n",
    ],
)
def test_a_variable_in_its_own_namespace_is_none_in_the_wrong_one(text: str) -> None:
    assert [code for code in codes(text) if code.startswith("VAR")] == []


@pytest.mark.parametrize(
    ("text", "name"), [("set ::teck::corner ss\n", "::teck::corner"), ("set corner ss\n", "corner")]
)
def test_a_variable_that_nobody_reads_may_be_one_of_the_catalog_in_the_wrong_namespace(text: str, name: str) -> None:
    found = [line for line in lines(text) if "VAR" in line]
    said = f"nothing reads {name}; ::tech::corner is the catalog's (did you mean ::tech::corner?)"
    assert found == [f"s.tcl:1:1: warning: {said} [VAR003]"]


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("puts $corner\n", "puts $::tech::corner\n"),
        ("puts ${corner}x\n", "puts ${::tech::corner}x\n"),
        ('puts "$corner"\n', 'puts "$::tech::corner"\n'),
        ("set total 1\nproc p {} {puts [set total]}\np\n", "set total 1\nproc p {} {puts [set ::total]}\np\n"),
    ],
)
def test_the_namespace_is_put_in_where_only_one_is_possible(text: str, fixed: str) -> None:
    fixes = [fix for f in report(text).details if f.code == "VAR003" for fix in f.fixes]
    assert len(fixes) == 1 and fixes[0].safe
    assert apply_fixes(text, fixes) == fixed


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("proc p {} {set layer M1\nputs $layr$layer}\np\n", "layer"),
        ("set layer M1\nputs $layr$layer\n", "layer"),
        ("namespace eval app {variable count 0}\nputs $app::cunt\n", "::app::count"),
        ("puts $::tech::cornr\n", "::tech::corner"),
    ],
)
def test_of_a_variable_that_is_not_set_the_nearest_that_is_set_is_proposed(text: str, near: str) -> None:
    found = [f for f in report(text).details if f.code == "VAR001"]
    assert [f.hint for f in found] == [f"did you mean {near}?"]
    assert [edit.text for fix in found[0].fixes for edit in fix.edits] == [near]
