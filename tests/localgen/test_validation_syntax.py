"""Tcl syntax in reports: found once, at the right place; and slips that Tcl only notices when the script runs."""

from __future__ import annotations

import pytest
from lab_domain import codes, lines, report


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "foreach x {1 2} {\n  puts $x\n",
            ["1:17: missing close-brace (what this brace opens is never closed) [TCL001]"],
        ),
        ('puts "a\n', ['1:6: missing " (the text that begins here is never closed) [TCL002]']),
        ("puts [list a\n", ["1:6: missing close-bracket (what this bracket opens is never closed) [TCL003]"]),
        ("puts ${a\n", ["1:6: missing close-brace for variable name [TCL004]"]),
        (
            'puts "a"b\n',
            [
                "1:9: extra characters after close-quote "
                '(put a space after the quote, or write \\" for one inside a text) [TCL005]'
            ],
        ),
        (
            "if {1} {puts a}else {puts b}\n",
            ["1:16: extra characters after close-brace (put a space after the brace) [TCL005]"],
        ),
        ("puts a\n}\n", ["2:1: unmatched close-brace [TCL006]"]),
        ("puts a\n]\n", ["2:1: unmatched close-bracket [TCL006]"]),
        ("puts a\\\n", ["1:7: the script ends in a line continuation [TCL007]"]),
        ("if {1 +} {puts a}\n", ["1:7: expression: missing operand at end of expression [TCL010]"]),
        ("if {a eq {b}} {puts a}\n", ['1:5: expression: invalid bareword "a"']),
        ("while {1 = 1} {break}\n", ['1:10: expression: invalid character "=" (write == to compare) [TCL010]']),
        ("set a b c\n", ["1:1: set: 3 arguments (it takes 1 to 2) [TCL011]"]),
        ("foreach x {1 2}\n", ["1:1: foreach: 2 arguments (it takes at least 3) [TCL011]"]),
        ("if {1} {puts a} {puts b} {puts c}\n", ['extra words after "else" clause in "if" command [TCL011]']),
        ("string lenght abc\n", ['1:8: string has no subcommand "lenght" (did you mean length?) [TCL012]']),
        ('foreach x "a {b" {puts $x}\n', ["1:11: unmatched open brace in list [TCL013]"]),
        ("proc p {{a b c}} {}\n", ["1:8: too many fields in an argument specifier [TCL013]"]),
        ("puts [expr {foo(1)}]\n", ['1:13: unknown math function "foo" [TCL014]']),
        ("puts [expr {sin(1, 2)}]\n", ['1:13: too many arguments for "sin" [TCL014]']),
        ('puts a"\n', ["1:7: warning: a double quote inside a word (is its partner missing?) [TCL015]"]),
        ("\ufeffputs a\n", ["1:1: a byte-order mark"]),
    ],
)
def test_findings(text: str, expected: list[str]) -> None:
    found = lines(text)
    assert len(found) == len(expected), found
    for line, wanted in zip(found, expected, strict=True):
        assert wanted in line


def test_errors_in_bodies_brackets_and_script_arguments_are_found() -> None:
    assert codes('foreach x {1 2} {\n  if {$x > 1} {\n    puts "a"b\n  }\n}\n') == ["TCL005"]
    assert codes('my::each -body {puts "a"b}') == ["TCL005"]
    assert codes("puts [foreach x {1} {puts {a}b}]") == ["TCL005"]
    assert codes("proc p {} {expr {1 +}}") == ["TCL010"]


def test_a_body_in_the_middle_missing_its_brace_is_reported_there_only() -> None:
    text = "foreach n {A B} {\n  if {$n eq {A}} {\n    my::route -net $n -layer M1\n  puts done\n}\nmy::nets\n"
    assert lines(text) == ["s.tcl:2:18: missing close-brace (what this brace opens is never closed) [TCL001]"]


def test_syntax_errors_do_not_hide_other_findings() -> None:
    found = codes('puts "a"b\nmy::route -net A\nputs [list\nmy::old\n')
    assert found == ["TCL005", "CAT005", "TCL003", "CAT019"]


def test_valid_syntax_says_whether_tcl_can_read_it() -> None:
    assert not report("puts {").valid_syntax
    assert report("my::route").valid_syntax


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "# only a comment {",
        'puts a; # a comment with a " and a {',
        'puts "a {b"',
        "puts {a \\} b}",
        "puts \\{",
        "puts a\\\n b",
        "puts a\\\\\n",
        'puts "a\\"b"',
        "puts {a\nb}",
        "set x $",
        "puts 5%",
        "if {[my::count]==1} then {puts a} elseif {1} {puts b} else {puts c}",
        "if 1 {puts a}",
        "set i 0\nwhile 1 {incr i; if {$i > 3} break}",
        "switch -glob -- [my::count] {1* {puts a} 2 - default {puts b}}",
        "foreach {a b} {1 2 3 4} c {5 6} {puts $a$b$c}",
        "set a(x,1) 2; puts $a(x,1)",
        "namespace eval n {variable v 1; puts $v}",
        "proc p {{a 1} args} {return [list $a $args]}; p; p 1 2 3",
        "catch {my::count} message; puts $message",
        "puts [string map {a b} abc]",
        'puts [format "%5.2f" 3.14159]',
        "puts [expr {true && !false ? 0x1f : 1e-3}]",
        "puts a\r\nputs b\r\n",
        "puts a\\\r\n  b\r\n",
    ],
)
def test_legal_tcl_is_left_alone(text: str) -> None:
    assert lines(text, strict=True) == []


def test_lines_and_columns_are_right_with_any_line_ends() -> None:
    for end in ("\n", "\r\n", "\r"):
        found = report(f"puts a{end}{end}  my::route -net A{end}").details[0]
        assert (found.line, found.column) == (3, 3)


def test_columns_count_characters() -> None:
    assert lines('puts "äöü😀"; zzz') == ['s.tcl:1:14: unknown command "zzz" [CAT001]']


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("set a b c\n", "error"),
        ("puts [set a b c]\n", "error"),
        ("catch {set a b c}\n", "warning"),
        ("proc p {} {set a b c}\n", "warning"),
        ("if {$argc} {set a b c}\n", "warning"),
        ("source other.tcl\nset a b c\n", "warning"),
        ("string lenght abc\n", "error"),
        ("clock IOC6\n", "warning"),
        ("catch {string lenght abc}\n", "warning"),
        ("proc p {x} {}\np\n", "error"),
        ("proc p {x} {}\ncatch p\n", "warning"),
        ("catch {expr {foo(1)}}\n", "warning"),
    ],
)
def test_a_call_that_fails_when_it_is_reached_is_an_error_where_it_surely_is(text: str, severity: str) -> None:
    found = [d.severity for d in report(text).details if d.code in ("TCL011", "TCL012", "TCL014")]
    assert found == [severity]
    strict = [d.severity for d in report(text, strict=True).details if d.code in ("TCL011", "TCL012", "TCL014")]
    assert strict == ["error"]


CLASS = """\
oo::class create Stack {
    superclass Base
    variable items
    constructor {first} {
        set items [list $first]
        next
    }
    method push {item} {
        lappend items $item
        %s
    }
    method size {} { return [llength $items] }
    destructor { my clear }
    self { method make {} { return [my new 1] } }
}
oo::define Stack method pop {} { set items [lrange $items 0 end-1] }
oo::define Stack { method clear {} { set items {} } }
Stack create s 1
s push 2
"""


def test_class_definitions_are_understood() -> None:
    found = [d for d in report(CLASS % "return $item").details if d.code[:3] in ("TCL", "CAT", "VAR")]
    assert found == []


@pytest.mark.parametrize(
    ("slip", "code"),
    [
        ("if {$item +} {}", "TCL010"),
        ('set a "b"c', "TCL005"),
        ("my::route -net A -layer M9", "CAT013"),
        ("exec ls", "POL001"),
        ("set a [exec ls]", "POL001"),
        ("no_such_command 1", "CAT001"),
    ],
)
def test_methods_are_checked_like_procs(slip: str, code: str) -> None:
    found = [d for d in report(CLASS % slip).details if d.code == code]
    assert [d.line for d in found] == [10]


def test_a_misspelt_else_is_named() -> None:
    found = [f.hint for f in report("if {[my::count]} {puts a} els {puts b}\n").details if f.code == "TCL011"]
    assert found == ["did you mean else?"]
