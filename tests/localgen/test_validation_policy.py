"""Policy: what is forbidden is found however it is called, and words that only look so are left alone."""

from __future__ import annotations

import pytest
from lab_domain import RULE, codes, lines, report

CALLS = [
    "exec ls",
    "::exec ls",
    ":::exec ls",
    "puts [exec ls]",
    'puts "now [exec ls]"',
    "puts {a}; exec ls",
    "if {[exec ls] eq {}} {puts a}",
    "if {1} {exec ls}",
    "if {0} {exec ls}",
    "foreach x {} {exec ls}",
    "proc p {} {exec ls}",
    "proc p {} {exec ls}\np",
    "my::each -body {exec ls}",
    "my::note -text [exec ls]",
    "catch {exec ls}",
    "eval exec ls",
    "eval {exec ls}",
    'eval "exec ls"',
    "eval [list exec ls]",
    "eval exec $x",
    "uplevel #0 exec ls",
    "namespace eval door {exec ls}",
    "namespace eval :: exec ls",
    "namespace inscope :: {exec ls}",
    "set c exec; $c ls",
    "set c ex; append c ec; $c ls",
    "set a ex; set b ec; $a$b ls",
    "set a ex; ${a}ec ls",
    "[join {ex ec} {}] ls",
    "[format %s%s ex ec] ls",
    "[string range aexecb 1 4] ls",
    "[string reverse cexe] ls",
    "[string tolower EXEC] ls",
    "[lindex {a exec} 1] ls",
    "[string map {1 e} 1x1c] ls",
    "set c [list exec ls]; {*}$c",
    "{*}{exec ls}",
    "foreach c {puts exec} {$c ls}",
    "if {[my::count]} {set c puts} else {set c exec}\n$c ls",
    "dict set d a exec; [dict get $d a] ls",
    "lassign {exec ls} c; $c",
    "proc c {} {return exec}; [c] ls",
    "rename exec run",
    "rename exec {}",
    "rename exec run; run ls",
    "interp alias {} run {} exec",
    "interp alias {} run {} exec ls",
    "interp invokehidden {} exec ls",
    "interp eval {} {exec ls}",
    "interp expose {} exec",
    "apply {{} {exec ls}}",
    "lmap x {1 2} {exec $x}",
    "after 1 {exec ls}",
    "after 1 exec ls",
    "subst {[exec ls]}",
    "expr {[exec ls]}",
    'expr "\\[exec ls\\]"',
    "switch a {a {exec ls}}",
    "try {exec ls} on error {} {}",
    "try {} finally {exec ls}",
    "trace add variable x write exec",
    "lsort -command exec {a b}",
    "coroutine c exec ls",
    "tailcall exec ls",
    '"exec" ls',
    "{exec} ls",
    "e\\x78ec ls",
    "\\u0065xec ls",
    "unknown exec ls",
    "time {exec ls}",
    "while {1} {exec ls; break}",
    "set x {exec ls}; eval $x",
    "set x {exec ls}; if 1 $x",
    "file delete a",
    "::file delete a",
    "file dele a",
    "tcl::file::delete a",
    "set s delete; file $s a",
    "socket localhost 80",
]


@pytest.mark.parametrize("text", CALLS)
def test_forbidden_commands_are_found_however_they_are_called(text: str) -> None:
    assert "POL001" in codes(text)
    assert not report(text).valid


@pytest.mark.parametrize(
    "text",
    [
        "my::note -text exec",
        "my::note -text {exec ls}",
        'my::note -text "do not exec this; socket"',
        "puts {a; exec b}",
        "# exec ls",
        "puts a ;# exec ls",
        "set exec 1; puts $exec",
        "dict set d exec 1; puts [dict get $d exec]",
        "my::note -text exec_all",
        "proc exec_all {} {}; exec_all",
        "foreach exec {1 2} {puts $exec}",
        "puts {[exec ls]}",
        "puts \\[exec\\]",
        "set x {exec ls}; puts $x",
        "switch [my::count] {exec {puts a} default {puts b}}",
        "namespace eval door {proc exec2 {} {}}; door::exec2",
        "file exists a",
        "info exists exec",
    ],
)
def test_words_that_are_not_called_are_no_commands(text: str) -> None:
    allowed = ["set", "puts", "dict", "proc", "foreach", "switch", "namespace", "file", "info"]
    assert codes(text, allowed_builtins=allowed) == []


def test_a_name_in_another_namespace_is_another_command() -> None:
    text = "namespace eval door {proc exec {} {puts hi}}\ndoor::exec\nnamespace eval door {exec}\n"
    assert "POL001" not in codes(text)


def test_the_finding_stands_where_the_command_is_called() -> None:
    assert lines("if {1} {\n  exec ls\n}\n") == ["s.tcl:2:3: exec is forbidden here [POL001]"]
    assert lines("set x [file  del a]\n") == ["s.tcl:1:8: file delete is forbidden here [POL001]"]


def test_other_tcl_commands_are_a_warning_and_strictly_an_error() -> None:
    assert lines("lsort {b a}") == [
        "s.tcl:1:1: warning: lsort is not one of the allowed Tcl commands "
        "(allowed are set, puts, foreach, if, expr, list, lindex, llength, incr, for, …) [POL002]"
    ]
    assert report("lsort {b a}").valid and not report("lsort {b a}", strict=True).valid
    assert codes("puts [lsort {b a}]") == codes("if {[lsort {b a}] eq {}} {}") == ["POL002"]
    assert codes("file exists a", allowed_builtins=["file exists"]) == []
    assert codes("file size a", allowed_builtins=["file exists"]) == ["POL002"]


@pytest.mark.parametrize(
    "text", ["[my::nets] a", "$x a", "set c [my::nets]\n$c a", "eval [my::nets]", "eval $x", "my::each -body $x"]
)
def test_a_command_that_only_a_run_can_tell_is_a_warning_and_strictly_an_error(text: str) -> None:
    text = f"foreach x [my::nets] {{\n{text}\n}}\n"
    assert codes(text) == ["POL007"]
    assert report(text).valid and not report(text, strict=True).valid


@pytest.mark.parametrize(
    "text",
    [
        "proc my::route {args} {}",
        "proc ::my::nets {} {}",
        "namespace eval my {proc nets {} {}}",
        "proc puts {args} {}",
        "proc dsl {x} {}",
        "rename my::nets my::old_nets; proc my::nets {} {}",
        "interp alias {} my::nets {} puts",
    ],
)
def test_redefining_what_exists_is_a_warning_and_strictly_an_error(text: str) -> None:
    assert "POL008" in codes(text)
    assert not report(text, strict=True).valid


def test_the_header_must_be_there() -> None:
    header = "#!/usr/bin/env tclsh"
    assert lines("puts a\n", required_header=header) == [f"s.tcl:1:1: the script does not begin with {header} [POL003]"]
    assert lines(f"{header}\nputs a\n", required_header=header) == []
    assert lines(f"\n{header}\nputs a\n", required_header=header) == []
    assert codes("", required_header=header) == ["POL003"]


def test_required_calls() -> None:
    assert lines("puts a\n", required_calls=["my::nets"]) == ["s.tcl:2:1: my::nets is never called [POL004]"]
    for text in (
        "my::nets",
        "if {[my::count]} {my::nets}",
        "puts [my::nets]",
        "proc p {} {my::nets}\np",
        "set c my::nets; $c",
    ):
        assert codes(text, required_calls=["::my::nets"]) == []
    for text in ("# my::nets", "puts my::nets", "if {0} {my::nets}", "proc p {} {my::nets}"):
        assert codes(text, required_calls=["my::nets"]) == ["POL004"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("my::nets\nmy::count", []),
        ("my::count", []),
        ("my::nets", []),
        ("my::count\nmy::nets", ["POL005"]),
        ("my::nets\nmy::count\nmy::nets", []),
        ("my::count\nmy::count\nmy::nets", ["POL005"]),
        ("if {[llength x]} {my::nets} else {my::count}", []),
        ("switch $::tech::corner {tt {my::count} ff {my::nets}}", []),
        ("if {$::tech::corner eq {tt}} {my::count}\nmy::nets", ["POL005"]),
        ("foreach x {1 2} {my::count; my::nets}", ["POL005"]),
        ("proc a {} {my::nets}\nproc b {} {my::count}\na\nb", []),
        ("proc a {} {my::nets}\nproc b {} {my::count}\nb\na", ["POL005"]),
        ("puts [my::count]\nputs [my::nets]", ["POL005"]),
    ],
)
def test_order(text: str, expected: list[str]) -> None:
    assert codes(text, order=[["my::nets", "my::count"]]) == expected


def test_order_is_reported_at_the_call_that_comes_too_early() -> None:
    found = lines("puts a\nmy::count\nmy::nets\n", order=[["my::nets", "my::count"]])
    assert found == ["s.tcl:2:1: my::count is called before my::nets (call my::nets first) [POL005]"]


def test_policy_holds_around_blocks() -> None:
    assert codes(f"@dsl({RULE})\nexec ls\n") == ["POL001"]
    assert codes('@dsl(rule "[exec ls]" apply_to: A spacing: 1um)') == []
