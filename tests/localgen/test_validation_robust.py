"""Validation answers whatever it is given, in bounded time."""

from __future__ import annotations

import json
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lab_domain import RULE, codes, report

PIECES = [
    "my::route -net A -layer M1", "my::route -net $x", "set x @", "foreach x @ {B}", "foreach {a b} @ {B}",
    "if {E} {B}", "if {E} {B} elseif {E} {B} else {B}", "while {E} {B}", "for {B} {E} {B} {B}",
    "switch @ {a {B} b - default {B}}", "proc p {a {b 1} args} {B}", "p @ @", "catch {B} m",
    "try {B} on error {m} {B} finally {B}", "eval {B}", "eval @ @", "uplevel #0 @", "namespace eval n {B}",
    "apply {{x} {B}} @", "lmap x @ {B}", "dict for {k v} @ {B}", "dict with d {B}", "return @", "break", "continue",
    "error @", "upvar 1 @ y", "global @", "variable v @", "unset @", "lappend x @", "incr x @", "append x @ @",
    "lassign @ x y", "string map @ @", "format @ @", "subst @", "expr @ + @", "rename @ @", "my::each -body {B}",
    "interp alias {} z {} @", "z @", "[p @] @", "$x @", "{*}@", f"dsl {{{RULE}}}", f"@dsl({RULE})", "dsl @",
    "array set x @", "puts @", "regexp @ @ m", "lsort -command @ @", "trace add variable x write @", "after 1 {B}",
    "coroutine c @", "lset x 0 @", "string repeat @ 1000000000", "lrepeat 1000000000 @", "expr {2 ** 1000000}",
    "source @", "dict set x @ @", "tailcall p @",
]  # fmt: skip
WORDS = [
    "a",
    "1",
    "$x",
    "$y(1)",
    "{a b c}",
    '"$x b"',
    "{}",
    "-1",
    "end",
    "exec",
    "[p 1]",
    "{*}$x",
    "%s",
    "[lindex $x 0]",
    "x(1)",
]
TESTS = [
    "1",
    "0",
    "$x",
    "$x > 1",
    "[p 1]",
    "$x eq {a}",
    "[my::count] && $y",
    "$x in {a b}",
    "max($x, 1)",
    "foo(1)",
    "1 +",
]


def script(rnd: random.Random, depth: int) -> str:
    """A script of random commands with balanced braces."""
    out = []
    for _ in range(rnd.randint(1, 3)):
        for char in rnd.choice(PIECES):
            if char == "@":
                out.append(
                    rnd.choice(WORDS) if rnd.random() < 0.9 else f"[{rnd.choice(['list a', 'p 1', 'my::nets'])}]"
                )
            elif char == "B":
                out.append("\n" + script(rnd, depth - 1) if depth else " ")
            elif char == "E":
                out.append(rnd.choice(TESTS))
            else:
                out.append(char)
        out.append("\n")
    return "".join(out)


@given(st.text())
@settings(max_examples=150, deadline=None)
def test_any_text_gives_a_report(text: str) -> None:
    assert report(text, strict=True).version == 1


@given(
    st.lists(
        st.sampled_from([*PIECES, *WORDS, "{", "}", '"', "[", "]", "\n", ";", "\\", "@dsl(", "rules <<END\n", "#"])
    )
)
@settings(max_examples=150, deadline=None)
def test_any_heap_of_pieces_gives_a_report(pieces: list[str]) -> None:
    report(" ".join(pieces), strict=True)


@pytest.mark.parametrize("seed", range(5))
def test_any_script_gives_a_report(seed: int) -> None:
    rnd = random.Random(seed)
    for _ in range(150):
        report(script(rnd, 3), strict=True)


@pytest.mark.parametrize(
    "text",
    [
        "while {1} {}",
        "while {1} {my::nets}",
        "for {set i 0} {$i < 1000000000} {incr i} {}",
        "for {set i 0} {1} {incr i} {while {1} {set x $i}}",
        "proc p {} {p}\np",
        "proc p {} {q}\nproc q {} {p; p}\np",
        "proc p {n} {p [expr {$n + 1}]; p [expr {$n + 2}]}\np 0",
        "set x a\nwhile {1} {append x $x}",
        "set x 2\nwhile {1} {set x [expr {$x * $x}]}",
        "set x [string repeat a 1000000000]",
        "interp alias {} a {} a\na",
        "interp alias {} a {} b\ninterp alias {} b {} a\na",
        "rename puts p2\nrename p2 puts\nputs a",
        "set x {eval $x}\neval $x",
        "foreach a {1 2 3 4 5 6 7 8 9} {" * 9 + "my::nets" + "}" * 9,
        "if {[my::count]} {" * 30 + "my::nets" + "}" * 30,
        "while {[my::count]} {" * 14 + "my::nets" + "}" * 14,
        "foreach x [my::nets] {" * 14 + "my::nets" + "}" * 14,
        "set x [list " * 55 + "]" * 55,
        "\n".join(f"if {{[my::count]}} {{set v{i} 1}}" for i in range(500)),
        "\n".join(f"my::route -net n{i} -layer M1" for i in range(2000)),
    ],
)
def test_scripts_that_would_run_for_ever_are_checked_in_bounded_time(text: str) -> None:
    start = time.process_time()
    report(text)
    assert time.process_time() - start < 10


@pytest.mark.parametrize(
    "text", ["{" * 3000, "[" * 3000, "if {1} {" * 500 + "}" * 500, "expr {" + "(" * 500 + "1" + ")" * 500 + "}"]
)
def test_too_deep_nesting_is_a_finding(text: str) -> None:
    found = codes(text)
    assert found and set(found) <= {"TCL001", "TCL003", "TCL008"}


def test_findings_are_bounded() -> None:
    assert len(report("zzz\n" * 5000).details) <= 500


def test_a_long_expression_is_no_deep_one() -> None:
    text = "set x [my::count]\nset a [expr {" + "$x + " * 3000 + "1}]\nset b [expr {" + "$x && " * 3000 + "1}]\n"
    assert codes(text) == []
    assert codes("set a [expr {" + "1 + " * 3000 + "1}]\nmy::route -net A -layer M1 -width $a\n") == ["CAT014"]


BYTES = [
    *(p.encode() for p in PIECES), b"\x00", b"\xff", b"{", b"}", b"\\\n", b'"', b"]", b"[", b"$", b"#",
    b"\r\n", b"\r", b"\xef\xbb\xbf", b"\xed\xa0\x80",
]  # fmt: skip


@given(st.binary(max_size=60) | st.lists(st.sampled_from(BYTES), max_size=12).map(b" ".join), st.booleans())
def test_any_bytes_give_a_report(data: bytes, strict: bool) -> None:
    decoded = [data.decode("utf-8", how) for how in ("replace", "surrogateescape")]
    for text in (data.decode("latin-1"), *decoded, "\ufeff" + decoded[1], decoded[0] + "\ud800"):
        found = report(text, strict=strict)
        assert found.valid == (found.errors == 0)
        assert all(1 <= d.line <= d.end.line for d in found.details)
        assert json.dumps(found.to_document())
