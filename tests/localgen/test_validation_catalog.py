"""Catalog conformance: every way in which a call can be wrong is found, and right calls are left alone."""

from __future__ import annotations

import pytest
from lab_domain import codes, lines, report

RIGHT = [
    "my::route -net A -layer M1",
    "my::route -layer M1 -net A",
    "::my::route -net A -layer M1",
    'my::route -net "A B" -layer {M1}',
    "my::route -net A -layer M1 -width 2.5",
    "my::route -net A -layer M1 -width 2.5 -vias 3 {a b}",
    "my::route -net A -layer M1 -shield a",
    "my::route -net A -layer M1 -width 1e1",
    "my::route -net A -layer M1 -width .5",
    "my::route -net -5 -layer M1",
    "my::route -net A -layer M1 -5",
    "my::route -net A -layer M1 {}",
    "my::route -net -text -layer M1",
    "my::delay -value 3ns a-b",
    "my::delay -value 0.5ns a-b",
    "my::note -text {} -stylus TRUE",
    "my::note -text x -style abc",
    "my::levels -at {1 2 3}",
    "namespace eval my {route -net A -layer M1}",
    "set n A\nmy::route -net $n -layer M1",
    "foreach l {M1 M2} {my::route -net A -layer $l}",
    "foreach {n l} {A M1 B M2} {my::route -net $n -layer $l}",
    "foreach i {1 2 3} {my::route -net n$i -layer M$i}",
    "set opts {-net A -layer M1}\nmy::route {*}$opts",
    "my::route {*}[list -net A -layer M1]",
    "my::route -net A {*}[my::nets]",
    "my::route -net [lindex [my::nets] 0] -layer M1",
    "my::route -net A -layer [lindex {M1 M2} 1]",
    "my::route -net A -layer [expr {1 > 0 ? {M1} : {M9}}]",
    "foreach w {1 20} {if {$w < 10} {my::route -net A -layer M1 -width $w}}",
    "for {set i 1} {$i <= 3} {incr i} {my::route -net A -layer M$i}",
    "set i 0\nwhile {$i < 3} {incr i; my::route -net A -layer M$i}",
    "set cmd my::route\n$cmd -net A -layer M1",
    "proc go {layer} {my::route -net A -layer $layer}\ngo M1\ngo M2",
    "my::each -body {my::route -net A -layer M1}",
    "my::each -body {foreach n [my::nets] {my::note -text $n}} -when {$x > 1}",
    "my::into result\nputs $result",
    "set c my::count\nif {[$c] > 2} {my::note -text many}",
    "switch [my::count] {1 {my::note -text one} default {my::note -text more}}",
    "set l [my::nets]\nlappend l A\nmy::route -net [join $l _] -layer M1",
]


@pytest.mark.parametrize("text", RIGHT)
def test_right_calls_are_valid_even_strictly(text: str) -> None:
    assert lines(text, strict=True) == []


WRONG = [
    ("my::rout -net A -layer M1", "CAT001", 'unknown command "my::rout" (did you mean my::route?)'),
    ("route -net A -layer M1", "CAT001", 'unknown command "route" (did you mean my::route?)'),
    ("your::route -net A", "CAT001", 'unknown command "your::route" (did you mean my::route?)'),
    ("zzz", "CAT001", 'unknown command "zzz"'),
    ("my::route -net A -layr M1", "CAT002", "my::route: no option -layr (did you mean -layer?)"),
    ("my::route -net A -layer M1 -x 1", "CAT002", "it has -net, -layer, -width, -shield, -vias"),
    ("my::nets -all", "CAT002", "my::nets: no option -all (it has no options)"),
    ("my::delay -value 3ns -pair", "CAT002", "my::delay: no option -pair"),
    ("my::note -text a -sty x", "CAT003", "my::note: -sty is ambiguous (it may mean -style or -stylus)"),
    ("my::route -net A", "CAT005", "my::route: -layer is missing (write -layer M1|M2|M3)"),
    ("my::route -layer M1", "CAT005", "my::route: -net is missing (write -net <net>)"),
    ("my::delay -value 3ns", "CAT005", "my::delay: pair is missing (write <string>)"),
    ("my::route -net A -layer M1 -net B", "CAT006", "my::route: -net is given twice"),
    ("my::route -net A -layer M1 -shield -shield", "CAT006", "my::route: -shield is given twice"),
    ("my::route -net A -layer M1 -shield -width 2", "CAT007", "my::route: -width and -shield exclude each other"),
    ("my::route -net A -layer M1 -vias 2", "CAT008", "my::route: -vias needs -width"),
    ("my::route -net A x -layer M1", "CAT009", "my::route: option -layer after a positional argument"),
    ("my::route -net A -layer M1 x y", "CAT010", 'my::route: unexpected argument "y" (it takes 1 positional argument)'),
    ("my::note -text a b", "CAT010", 'my::note: unexpected argument "b" (its arguments are written -name value)'),
    ("my::route -net A -layer -shield", "CAT011", "my::route: -layer has no value (write -layer M1|M2|M3)"),
    ("my::note -text", "CAT011", "my::note: -text has no value (write -text <string>)"),
    ("my::route -net -layer M1", "CAT011", "my::route: -net has no value (write -net <net>)"),
    ("my::route -net A -layer M1 -width abc", "CAT012", 'my::route: -width: "abc" is not a number'),
    ("my::route -net A -layer M1 -width 0x10", "CAT012", "is not a number"),
    ("my::route -net A -layer M1 -width {}", "CAT012", '"" is not a number'),
    ("my::route -net A -layer M1 -width 1 -vias 2.5", "CAT012", 'my::route: -vias: "2.5" is not an integer'),
    ("my::note -text a -stylus maybe", "CAT012", 'my::note: -stylus: "maybe" is not a boolean (write true or false)'),
    ("my::route -net A -layer M4", "CAT013", 'my::route: -layer: "M4" is not one of M1, M2, M3'),
    ("my::route -net A -layer m1", "CAT013", "(did you mean M1?)"),
    ("my::route -net A -layer M1 -width 20", "CAT014", 'my::route: -width: "20" is above the maximum 10'),
    ("my::route -net A -layer M1 -width -1", "CAT014", 'my::route: -width: "-1" is below the minimum 0'),
    ("my::route -net A -layer M1 -width 2um", "CAT015", '"2um" has its unit attached (write 2)'),
    ("my::route -net A -layer M1 -width 2nm", "CAT015", '"2nm" has the unit nm, not um (write 0.002)'),
    ("my::delay -value 3 a-b", "CAT015", 'my::delay: -value: "3" lacks its unit (write 3ns)'),
    ("my::note -text a -style UP", "CAT016", 'my::note: -style: "UP" does not match [a-z]+'),
    ("my::delay -value 3ns ab", "CAT016", 'my::delay: pair: "ab" does not match \\w+-\\w+'),
    ('my::route -net A -layer M1 "a {b"', "CAT017", 'my::route: cells: "a {b" is not a Tcl list'),
    ("my::route -net A -layer M1 {a b c d}", "CAT018", "my::route: cells: the list has 4 elements, at most 3 allowed"),
    ("my::levels -at 1", "CAT018", "my::levels: -at: the list has 1 element, at least 2 needed"),
    ("my::levels -at {1 x}", "CAT012", 'my::levels: -at: "x" is not an integer'),
    ("my::levels -at {1 -2}", "CAT014", '"-2" is below the minimum 0'),
]


@pytest.mark.parametrize(("text", "code", "message"), WRONG)
def test_one_wrong_call_gives_one_finding(text: str, code: str, message: str) -> None:
    found = lines(text)
    assert len(found) == 1, found
    assert found[0].endswith(f"[{code}]") and message in found[0]
    assert not report(text).valid


def test_the_finding_stands_at_the_word() -> None:
    found = report("puts a\n  my::route -net A -layer M4\n").details[0]
    assert (found.line, found.column, found.end.line, found.end.column) == (2, 27, 2, 29)


def test_a_unique_prefix_is_allowed_unless_the_policy_or_strictness_wants_it_written_out() -> None:
    text = "my::route -n A -lay M1"
    assert codes(text) == []
    assert codes(text, abbreviations=False) == ["CAT004", "CAT004"]
    assert lines(text, strict=True)[0] == "s.tcl:1:11: my::route: -n is short for -net (write -net) [CAT004]"


def test_a_deprecated_proc_is_a_warning_that_names_the_replacement() -> None:
    assert lines("my::old") == ["s.tcl:1:1: warning: my::old is deprecated: It is slow (use my::route) [CAT019]"]
    assert report("my::old").valid and not report("my::old", strict=True).valid


def test_an_expr_argument_that_does_not_parse_is_a_warning() -> None:
    assert codes("my::each -body {} -when {a b}") == ["CAT020"]
    assert report("my::each -body {} -when {a b}", strict=True).valid


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("foreach l {M1 M9} {my::route -net A -layer $l}", ["CAT013"]),
        ("set l M9\nmy::route -net A -layer $l", ["CAT013"]),
        ("my::route -net A -layer [lindex {M1 M9} 1]", ["CAT013"]),
        ("for {set i 1} {$i < 5} {incr i} {my::route -net A -layer M$i}", ["CAT013"]),
        ("set w 5\nmy::route -net A -layer M1 -width [expr {$w * 3}]", ["CAT014"]),
        ("my::route -net A -layer [my::count]", ["CAT012"]),
        ("my::route {*}{-net A}", ["CAT005"]),
        ("set c my::route\n$c -net A", ["CAT005"]),
        ("proc go {l} {my::route -net A -layer $l}\ngo M9", ["CAT013"]),
        ("eval {my::route -net A}", ["CAT005"]),
        ("eval my::route -net A", ["CAT005"]),
        ("if {[my::count]} {set l M1} else {set l M9}\nmy::route -net A -layer $l", ["CAT013"]),
        ("my::each -body {my::route -net A}", ["CAT005"]),
        ("my::route -net [my::route -net B] -layer M1", ["CAT005"]),
        ('puts "x [my::route -net B] y"', ["CAT005"]),
        ("if {[my::route -net B] > 1} {}", ["CAT005"]),
        ("namespace eval my {route -net A}", ["CAT005"]),
    ],
)
def test_values_are_followed_through_variables_loops_and_brackets(text: str, expected: list[str]) -> None:
    assert codes(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "foreach l [my::nets] {my::route -net A -layer $l}",
        "my::route -net A -layer [lindex [my::nets] 0]",
        "my::route {*}[my::nets]",
        "set w [my::count]\nmy::route -net A -layer M1 -width $w",
        "for {set i 1} {$i < [my::count]} {incr i} {my::route -net A -layer M$i}",
        "while {[my::count]} {set l x}\nset l M1\nmy::route -net A -layer $l",
        "proc go {l} {my::route -net A -layer $l}",
        "set x [my::nets]\nforeach y $x {if {$y eq {M1}} {my::route -net A -layer $y}}",
    ],
)
def test_what_is_not_known_is_not_reported(text: str) -> None:
    assert lines(text, strict=True) == []


@pytest.mark.parametrize(
    "where", ["if {0} {%s}", "foreach x {} {%s}", "proc never {} {%s}", "return\n%s", "while 0 {%s}"]
)
def test_code_that_is_not_reached_is_checked_too(where: str) -> None:
    assert codes(where % "my::route -net A") == ["CAT005"]


def test_commands_of_the_script_are_known_wherever_they_are_defined() -> None:
    text = "proc a {} {b}\nproc b {} {}\nnamespace eval n {proc c {} {}}\na\nn::c\ninterp alias {} d {} my::nets\nd\n"
    assert [c for c in codes(text) if c.startswith("CAT")] == []
    assert codes("proc go {a {b 1}} {}\ngo") == ["TCL011"]
    assert codes("proc go {a args} {}\ngo 1 2 3") == []
    assert codes("proc go {{a 1} b} {}\ngo 1") == ["TCL011"]


def test_commands_from_elsewhere_make_unknown_names_a_warning() -> None:
    found = report("source helpers.tcl\nhelper 1\n")
    assert [(f.code, f.severity) for f in found.details if f.code.startswith("CAT")] == [("CAT001", "warning")]
    assert not report("source helpers.tcl\nhelper 1\n", strict=True).valid
