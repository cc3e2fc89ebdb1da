"""The abstract run computes what real Tcl computes, and says nothing where it cannot know."""

from __future__ import annotations

import random
import subprocess

import pytest
from lab_domain import lab
from oracle import TCLSH, requires_tcl

from localgen.validation.findings import Collector
from localgen.validation.grammars import grammars_of
from localgen.validation.tcl.check import BUILTINS
from localgen.validation.tcl.commands import Commands
from localgen.validation.tcl.dsl_blocks import BlockChecks
from localgen.validation.tcl.flow.interpreter import Flow
from localgen.validation.tcl.flow.numbers import boolean, number, written
from localgen.validation.tcl.flow.state import State
from localgen.validation.tcl.flow.values import UNKNOWN, Unknown, Value, concatenate, known, texts
from localgen.validation.tcl.judge import Judge
from localgen.validation.tcl.policy import PolicyChecks
from localgen_grammars.tcl import parse


def end_of(text: str) -> State:
    """The state at the end of a script."""
    domain = lab()
    collector = Collector(text, strict=False)
    blocks = BlockChecks(text, domain.catalog, grammars_of(domain), collector)
    commands = Commands(domain.catalog)
    policy = PolicyChecks(domain.catalog.policy, commands.procs, collector)
    judge = Judge(commands, policy, blocks, collector, damaged=False)
    return Flow(judge, parse(text), BUILTINS, {}).run_all([])


def value_of(text: str, name: str = "r") -> Value | None:
    slot = end_of(text).slots.get(f"::{name}")
    return None if slot is None else slot.value


COMMANDS = [
    'list a {b c} {} {d"e}', "lindex {a {b c} d} 1", "lindex {a {b c} d} 1 0", "lindex {a b} end-1", "lindex {a b} 7",
    "lrange {a b c d} 1 end-1", "llength {a {b c} {}}", "linsert {a b} 1 x y", "linsert {a b} end x",
    "lreverse {a b c}", "lreplace {a b c} 0 1 x", "lrepeat 3 a b", "lsearch {a b c} b", "lsearch -exact {a b} z",
    "lsort {b a C}", "lsort -integer {10 9 1}", "lsort -unique {b a b}", "lsort -decreasing {a b c}",
    "concat a {b c} { d }", "join {a b c} -", "split a,b,,c ,", "split {a b  c}", "split abc {}", "string length äöü",
    "string range abcdef 1 end-1", "string index abc 1", "string toupper aBc", "string totitle aBC",
    "string trim {  a }", "string trim xxaxx x", "string repeat ab 3", "string reverse abc", "string cat a b c",
    "string equal a a", "string map {a 1 b 2} abcab", "format %s-%05d a 42", "format %.2f 3.14159", "format %-5s| a",
    "format %x 255", "format %c 65", "format %%", "dict get {a 1 b 2} b", "dict create a 1 b 2",
    "dict keys {a 1 b 2}", "dict values {a 1 b 2}", "dict size {a 1}", "dict exists {a 1} b", "expr {1 + 2 * 3}",
    "expr {7 / 2}", "expr {-7 / 2}", "expr {-7 % 3}", "expr {7 / 2.0}", "expr {2 ** 10}", "expr {1e3}",
    "expr {0x1F + 010}", "expr {1 > 2 ? {a} : {b}}", 'expr {{a} eq "a"}', 'expr {"b" in {a b}}', "expr {!0 && 2}",
    "expr {1.0 * 3}", "expr {int(3.7) + round(2.5)}", "expr {max(1, 2.5, 2)}", "expr {abs(-3)}", "expr {sqrt(16)}",
    "expr {1e20}", "expr {1e-7}", "expr {10000000000 * 10000000000}", "expr {1 << 4 | 1}", "expr {~5}",
    'expr {"10" == 10.0}', "set n", "incr n", "incr n -3", "incr fresh", "append s x y", "append fresh a",
    "lappend l {x y} z", "lappend fresh a", "lmap x {a b} {string toupper $x}",
    "if {$n > 3} {list big} else {list small}", "lassign {a b c} p q", "subst {$n [list a]}",
    "foreach x {1 2 3} {append t $x}; set t", "for {set i 0} {$i < 3} {incr i} {lappend t $i}; set t",
    "while {$n < 9} {incr n 2}; set n", "switch b {a {list 1} b - c {list 2} default {list 3}}",
    "apply {{a b} {list $b $a}} 1 2", "switch -glob abc {a* {list 1} default {list 2}}", "eval list a b",
    "eval {list a b}", "dict set d k v", "foreach {a b} {1 2 3} {lappend t $a-$b}; set t",
    "foreach a {1 2} b {x y z} {lappend t $a$b}; set t",
    "foreach x {1 2 3 4} {if {$x == 3} break; lappend t $x}; set t",
    "foreach x {1 2 3} {if {$x == 2} continue; lappend t $x}; set t",
    "proc f {a {b 2} args} {return [list $a $b $args]}; f 1 2 3 4", "proc f {} {global n; incr n}; f; set n",
    "proc f {v} {upvar 1 $v x; set x 7}; f n; set n", "proc f {} {uplevel 1 {set n 8}}; f; set n",
    "proc fact {k} {if {$k < 2} {return 1}; expr {$k * [fact [expr {$k - 1}]]}}; fact 3",
    "namespace eval a::b {namespace current}", "namespace tail a::b", "set x(a) 1; set k a; set x($k)",
    "return -level 0 z",
    "proc f {} {upvar #0 n x; set x 7}; f; set n", "proc f {} {upvar n x; set x 7}; f; set n", "file join a b",
    "file tail /a/b/", "format {%-10s|} a", "format %05.1f 2.25", "format {%+d} 4", "switch x {default {list 1}}",
    "switch a {default {list 2} a {list 1}}", "switch a {b {list 1} default {list 2}}",
    "switch -nocase A {a {list 1}}", "switch -regexp abc {^a {list 1} default {list 2}}",
    "switch -exact -- -x {-x {list 1} default {list 2}}", "switch b a - b {list 1} default {list 2}",
    "proc f {args} {llength $args}; f a b", "proc f {{a 1}} {return $a}; f", "set v {x {list $x}}; apply $v 3",
    "namespace eval q {namespace export p; proc p {} {return 3}}; namespace import q::p; p",
    "namespace qualifiers a::b::c", "interp alias {} w {} list a; w b", "proc f {} {return 4}; rename f g; g",
    "string range abc 5 9", "string index abc 9", "string index abc end", "lindex {} 0", "lindex {a b} end",
    "lrange {a b} 1 0", "lrange {a b c} -1 1", "lreplace {a b} 1 0 x", "string map {} abc", "string repeat ab 0",
    "string trimleft xxa x", "string trimright axx x", "dict get {a {b 1}} a b", "dict exists {a 1} z",
    "lsort -real {1.5 0.5}", "lsort -integer -decreasing {1 3 2}", "split {a;b} {;}", "format %d%% 5", "format %i 7",
    "format %e 1.5", "format %X 255", "array set z {a 1 b 2}; set z(b)", "info exists nope", "info exists n",
    "unset n; info exists n", "append x(1) a; append x(1) b", "incr c(1); incr c(1)", "lappend e(1) a b",
    "lassign {a} p q; set q", "lassign {a b c} p", "expr {5 > 3 && 2 < 1}", "expr {0 || 0}", "expr {0 || 3}",
    "expr {5 & 6}", "expr {5 ^ 6}", "expr {-8 >> 1}", "expr {5 % -3}", 'expr {"a" < "b"}', 'expr {"a" ni {b}}',
    "expr {1 <= 1}", "expr {2 >= 3}", "expr {3 != 4}", "expr {floor(2.5)}", "expr {ceil(2.1)}", "expr {double(2)}",
    "expr {bool(3)}", "expr {pow(2,3)}", "expr {isqrt(17)}", "expr {min(3,1,2)}", "expr {fmod(7,3)}",
    "expr {wide(3.9)}", "expr {round(-2.5)}", "expr {+3}", "expr {2 ? 3 : 4}", "expr 1 + 2",
    "expr {$n > 4 || [error x]}", "expr {$n < 4 && [error x]}", "while {1} {if {$n > 7} break; incr n}; set n",
    "for {set i 0} {1} {incr i} {if {$i == 4} break}; set i",
    "for {set i 0} {$i < 4} {incr i} {if {$i == 1} continue; lappend t $i}; set t", "time {set n 9}; set n",
    "try {set n 3} finally {set l 4}; set n", "if {$n == 5} then {list a} else {list b}",
    "if {0} {list a} elseif {$n} {list b}", "if 0 {list a}", "concat {a b} {} c", "string cat", "join {a {b c}} {, }",
    "string is digit 5; set n", "proc f {} {return}; f", "proc f {} {return -code ok 3}; f",
    "proc f {} {foreach x {1 2} {return $x}}; f", "proc f {a} {if {$a} {return y}; list n}; f 0",
    "namespace eval m {variable v 3}; set m::v",
    "namespace eval m {variable v 3; proc g {} {variable v; incr v}}; m::g",
    "set k b; set d [dict create a 1]; dict set d $k 2; set d", "uplevel #0 {set n 6}", "eval {set n} 7; set n",
    "string equal -nocase A a", "string equal A a", "lsearch {a b} z", "lrepeat 0 a", "lreverse {}", "llength {}",
    "set t a; append t b [string length abc]", "subst {a\\x41}", "set x {a b}; lindex $x 1; set x",
    "linsert {a b} end-1 x",
]  # fmt: skip


@requires_tcl
@pytest.mark.parametrize("command", COMMANDS)
def test_results_are_those_of_real_tcl(command: str) -> None:
    text = f"set n 5; set s foo; set l {{p q}}; set t {{}}\nset r [{command}]\n"
    assert TCLSH is not None
    done = subprocess.run(
        [TCLSH],
        input=f"encoding system utf-8\n{text}puts -nonewline $r",
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0 and not done.stderr, done.stderr
    found = value_of(text)
    # A recursive proc is not followed for ever: not knowing is allowed, being wrong is not.
    if isinstance(found, Unknown) and "fact" in command:
        return
    assert found == (done.stdout,)


@requires_tcl
def test_generated_expressions_are_those_of_real_tcl() -> None:
    rnd = random.Random(7)
    numbers = ["1", "2", "-3", "0", "2.5", "1e3", "7", "0x1F", "10", "1.0", ".5", "100000000000"]
    shapes = [
        "({} + {})",
        "({} * {})",
        "({} - {})",
        "({} / {})",
        "({} < {} ? {} : 4)",
        "({} && {})",
        "({} == {})",
        "-{}",
        "!{}",
    ]

    def make(depth: int) -> str:
        if depth == 0 or rnd.random() < 0.2:
            return rnd.choice(numbers)
        shape = rnd.choice(shapes)
        return shape.format(*[make(depth - 1) for _ in range(shape.count("{}"))])

    expressions = [make(3) for _ in range(300)]
    assert TCLSH is not None
    script = "".join(f"puts [list [catch {{expr {{{e}}}}} m] $m]\n" for e in expressions)
    out = subprocess.run([TCLSH], input=script, capture_output=True, text=True).stdout.splitlines()
    for expression, line in zip(expressions, out, strict=True):
        failed, _, result = line.partition(" ")
        found = value_of(f"set r [expr {{{expression}}}]")
        # Division by zero is left open.
        assert failed == "1" or found == (result,) or "/" in expression, expression


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("if {[my::count]} {set r 1} else {set r 2}", ("1", "2")),
        ("set r 1; if {[my::count]} {set r 2}", ("2", "1")),
        ("set r [my::count]", UNKNOWN),
        ("set r 1; while {[my::count]} {incr r}", UNKNOWN),
        ("set r 1; while {[my::count]} {set x 2}", ("1",)),
        ("set r a; foreach x [my::nets] {append r $x}", UNKNOWN),
        ("set r [expr {[my::count] && 0}]", ("0",)),
        ("set r [expr {1 || [my::count]}]", ("1",)),
        ("set r 1; eval [my::nets]; set r 2", ("2",)),
        ("set r 1; catch {set r 2}", ("1", "2")),
        ("set r 0; foreach x {1 2 3} {if {[my::count]} break; set r $x}", ("0", "1", "2", "3")),
    ],
)
def test_what_a_run_may_give(text: str, expected: Value) -> None:
    found = value_of(text)
    if isinstance(expected, Unknown):
        assert isinstance(found, Unknown)
    else:
        assert isinstance(found, tuple) and set(found) == set(expected)


def test_values_combine_up_to_a_bound() -> None:
    assert concatenate([("a", "b"), ("1", "2")]) == ("a1", "a2", "b1", "b2")
    assert concatenate([("net_",), UNKNOWN]) == Unknown(prefix="net_")
    assert isinstance(texts(map(str, range(100))), Unknown)
    assert known(("a",)) == "a" and known(("a", "b")) is None and known(UNKNOWN) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("010", 8),
        ("08", None),
        ("0x1f", 31),
        ("0b101", 5),
        ("-2", -2),
        (" 3 ", 3),
        ("1e3", 1000.0),
        ("a", None),
        ("", None),
    ],
)
def test_numbers_as_tcl_reads_them(text: str, value: float | None) -> None:
    assert number(text) == value


def test_numbers_as_tcl_writes_them() -> None:
    assert [written(x) for x in (1, 1.0, 1e20, 1e-7, True, float("inf"), 0.1)] == [
        "1",
        "1.0",
        "1e+20",
        "1e-7",
        "1",
        "Inf",
        "0.1",
    ]
    assert [boolean(x) for x in ("yes", "0", "0.0", "tru", "of", "o", "x")] == [
        True,
        False,
        False,
        True,
        False,
        None,
        None,
    ]


def test_sixteen_texts_are_followed_and_no_more() -> None:
    four, five = tuple("abcd"), tuple("12345")
    assert concatenate([four, four]) == tuple(left + right for left in four for right in four)
    assert isinstance(concatenate([four, five]), Unknown)
