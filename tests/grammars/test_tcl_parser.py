"""The Tcl parser: nothing is lost, offsets are exact, errors are found where real Tcl finds them, and only there."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from oracle import RealTcl, requires_tcl

from localgen_grammars.tcl import (
    Command,
    Script,
    Substitution,
    SyntaxProblem,
    Tree,
    Variable,
    parse,
    tokens,
    unparse,
    walk,
)
from localgen_grammars.tcl.nodes import Part, Text, Word

FRAGMENTS = [
    "foo", "bar", "{", "}", '"', "[", "]", "$", "$a", "${a}", "${", "$a(", "(", ")", "\\", "\\\n", "\n", ";", "#",
    " ", "{*}", "\t", "$::x", "a{", "}b", '"c', 'd"', "{e f}", '"g h"', "[i j]", '\\"', "\\{", "\\}", "\\[",
    "if {1} {", "foreach x {1 2} {", "proc p {a} {", "expr {1+2}", "while {$x} {", "catch {", "set a 1", "$x(1)",
    "{}", '""', "[]", "é",
    "\r\n", "\\\r\n", "\0", "\ufeff", "\udc80", "\ud800", "\x1c", "\xa0",
    "namespace eval n {", "} else {", "elseif", "\r", "eval {", "{*}[list a]",
    "switch $x {a {foo} b {",
]  # fmt: skip

tcl_like = st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join) | st.lists(
    st.sampled_from(FRAGMENTS), max_size=10
).map(" ".join)


def problems_of(text: str) -> list[SyntaxProblem]:
    tree = parse(text)
    found: list[SyntaxProblem] = []
    list(walk(tree, None, found))
    return [*tree.problems, *found]


# ------------------------------------------------------------------ nothing is lost, nothing is in the wrong place
@given(st.text() | tcl_like)
@example("\\")
@example("a {b\\")
@example("# comment \\")
@example("{*}")
@example("\x00")
@example('"a"b "c')
@example("${")
@example("\ud800")
@example("\ufeffset a 1\r\nset b {\r\n}\r\n")
@example("set a \udcff\0\\\r\n")
def test_printing_a_parsed_text_gives_the_text(text: str) -> None:
    assert unparse(parse(text)) == text


@given(tcl_like)
def test_tokens_follow_each_other_without_gaps(text: str) -> None:
    at = 0
    for token in tokens(parse(text)):
        assert token.start == at
        assert token.text == text[token.start : token.end]
        at = token.end
    assert at == len(text)


@given(st.binary(max_size=80))
def test_printing_what_any_bytes_parse_to_gives_the_bytes(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    assert unparse(parse(text)).encode("utf-8", "surrogateescape") == data


@given(tcl_like)
def test_every_node_lies_inside_its_parent(text: str) -> None:
    tree = parse(text)
    for visit in walk(tree):
        assert 0 <= visit.script.start <= visit.command.start < visit.command.end <= visit.script.end <= len(text)
        at = visit.command.start
        for word in visit.command.words:
            assert at <= word.start <= word.inner_start <= word.inner_end <= word.end <= visit.command.end
            at = word.end
            _check_parts(text, word.parts, word.inner_start, word.inner_end)


def _check_parts(text: str, parts: tuple[Part, ...], start: int, end: int) -> None:
    at = start
    for part in parts:
        assert at <= part.start <= part.end <= end
        at = part.end
        if isinstance(part, Variable):
            assert text[part.start] == "$" and part.name in text[part.start : part.end]
            _check_parts(text, part.index or (), part.start, part.end)
        elif isinstance(part, Substitution):
            assert text[part.start] == "[" and text[part.end - 1] == "]"
            assert (part.script.start, part.script.end) == (part.start + 1, part.end - 1)
        elif isinstance(part, Text) and not part.escape and "\\\n" not in text[start:end]:
            assert text[part.start : part.end] == part.value


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000,
        "{" * 5000,
        "$a(" * 5000,
        '"[' * 3000,
        "if {1} {" * 3000,
        "expr {" + "(" * 5000,
        "[a " * 4000 + "]" * 4000,
    ],
)
def test_deep_nesting_is_a_problem_not_a_crash(text: str) -> None:
    assert problems_of(text)


# ------------------------------------------------------------------ what the words are
def words(text: str) -> list[str | None]:
    commands = parse(text).script.commands
    assert len(commands) == 1
    return [w.value for w in commands[0].words]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("set a 1", ["set", "a", "1"]),
        ("a\\\n   b", ["a", "b"]),
        ('a "b c" {d e}', ["a", "b c", "d e"]),
        ('a "b\\"c" d\\ e', ["a", 'b"c', "d e"]),
        ("a {b {c} d}", ["a", "b {c} d"]),
        ("a {b \\} c}", ["a", "b \\} c"]),
        ("a {b\\\n   c}", ["a", "b c"]),
        ("\\x41\\u00e9\\101\\n", ["Aé" + "A\n"]),
        ("\\x4142", ["A42"]),
        ("a b$c", ["a", None]),
        ("a [b]", ["a", None]),
        ("a b]c }d", ["a", "b]c", "}d"]),
        ('a b"c', ["a", 'b"c']),
        ("a $", ["a", "$"]),
        ("a;", ["a"]),
        ("{a b} c", ["a b", "c"]),
        ("a {}", ["a", ""]),
        ('a ""', ["a", ""]),
        ("a {*} b", ["a", "*", "b"]),
    ],
)
def test_word_values(text: str, values: list[str | None]) -> None:
    assert words(text) == values


def test_expansion_is_marked_and_belongs_to_the_word() -> None:
    text = "a {*}$b {*}{c d}"
    _, second, third = parse(text).script.commands[0].words
    assert second.expand and text[second.start : second.end] == "{*}$b"
    assert third.expand and third.kind == "braced" and text[third.inner_start : third.inner_end] == "c d"


@pytest.mark.parametrize(
    ("text", "name", "index"),
    [
        ("$a", "a", None),
        ("$a::b", "a::b", None),
        ("$::a", "::a", None),
        ("${a b}", "a b", None),
        ("$a(1)", "a", "1"),
        ("$a(b c)", "a", "b c"),
        ("$(x)", "", "x"),
        ("$a:b", "a", None),
    ],
)
def test_variables(text: str, name: str, index: str | None) -> None:
    part = parse(text).script.commands[0].words[0].parts[0]
    assert isinstance(part, Variable) and part.name == name
    if index is None:
        assert part.index is None
    else:
        assert part.index is not None
        assert "".join(p.value for p in part.index if isinstance(p, Text)) == index


def test_comments_are_no_commands_and_may_be_continued() -> None:
    script = parse("# one {\n# two \\\n still two\nfoo # not a comment\n").script
    assert [c.words[0].value for c in script.commands] == ["foo"]
    assert len(script.comments) == 2 and len(script.commands[0].words) == 5


def test_commands_end_at_newline_and_semicolon_not_inside_brackets() -> None:
    script = parse("a; b\nc [d; e\nf] g").script
    assert [c.words[0].value for c in script.commands] == ["a", "b", "c"]


def names(script: Script, tree: Tree) -> list[str | None]:
    return [visit.command.name for visit in walk(tree)]


def test_walk_finds_commands_in_bodies_brackets_and_expressions() -> None:
    text = """
    if {[a] > 1} {b} elseif {$x([c])} {d} else {e "[f]"}
    foreach x [g] {h}
    switch $y { one {i} two - three {j} }
    try {k} on error {m} {l} finally {o}
    proc p {} {q}
    namespace eval n {r}
    dict for {k v} $d {s}
    apply {{x} {t}} 1
    catch {u} msg
    eval {v}
    subst {[w]}
    unknown_one {x}
    """
    tree = parse(text)
    single = [n for n in names(tree.script, tree) if n is not None and len(n) == 1]
    assert single == list("abcdefghijklo") + list("qrstuvw")


# ------------------------------------------------------------------ errors
@pytest.mark.parametrize(
    ("text", "kind", "at"),
    [
        ("set a {b", "missing-brace", "{"),
        ('set a "b', "missing-quote", '"'),
        ("set a [b", "missing-bracket", "["),
        ("set a $b(c", "missing-paren", "("),
        ("set a ${b", "missing-variable-brace", "$"),
        ('set a "b"c', "extra-after-quote", "c"),
        ("set a {b}c", "extra-after-brace", "c"),
        ("if {1 +} {}", "expr-operand", None),
        ("if {a} {}", "expr-bareword", "a"),
        ("expr {1 = 1}", "expr-character", "="),
        ("expr {(1}", "expr-paren", "("),
        ("expr {}", "expr-empty", None),
        ("switch $x {a {b}", "missing-brace", "{"),
        ("switch $x {{a}b c}", "switch-list", "b"),
    ],
)
def test_errors_and_their_places(text: str, kind: str, at: str | None) -> None:
    found = problems_of(text)
    assert [p.kind for p in found] == [kind]
    if at is not None:
        assert text[found[0].start] == at


def test_each_broken_command_is_reported_and_the_rest_is_parsed() -> None:
    text = 'good one\nset a "b"c\ngood two\nset y ${z\ngood three\nset x [foo\ngood four\n'
    tree = parse(text)
    assert [p.kind for p in tree.problems] == ["extra-after-quote", "missing-variable-brace", "missing-bracket"]
    assert [c.words[1].value for c in tree.script.commands if c.name == "good"] == ["one", "two", "three", "four"]


def test_a_dropped_brace_is_reported_once_where_it_is_missing() -> None:
    text = "proc p {} {\n  if {$a} {\n    foo\n  bar\n}\nset after 1\n"
    found = problems_of(text)
    assert [(p.kind, text.count("\n", 0, p.start) + 1) for p in found] == [("missing-brace", 2)]
    assert [c.name for c in parse(text).script.commands] == ["proc", "set"]


def test_a_dropped_quote_says_where_the_string_began() -> None:
    text = 'puts "one\nputs "two"\nputs "three"\n'
    found = problems_of(text)
    assert found[0].kind == "extra-after-quote" and "line 1" in found[0].hint


# ------------------------------------------------------------------ real Tcl
CONSTRUCTS = [
    'a "b"c', "a {b}c", 'a b"c', "a {*}{b}c", 'a {*}"b c"', "a [b", "a [b]]", "a ]", "a }", "a {", "}", "a ${b",
    "a $b(c", "a $b(c)d", 'a "[b"', 'a "[b "c"]"', "a [b {c]}]", "a [b # c]", "a [b # c\n]", "a \\", "a {\\}",
    "a {\\\\}", 'a "\\"', "# {\na", "a # {", "if {1} {# {\n}", "if {1} {a\n# }\n}", "if 1 {a} else {b}",
    "if {1} {a}else {b}", "if {$a == } {b}", "if {$a eq b} {c}", 'if {$a eq "b"} {c}', "if {true} {c}",
    "if {tru} {c}", 'while {1} {a "b"c}', "for {} {1} {} {a {b}c}", "foreach a {b c} {d [e}", 'proc a {b} {c "d}',
    "proc a {b} {c $d(}", "namespace eval a {b {c}d}", 'catch {a "b"c}', 'switch $a {b {c "d"e}}', "expr {08}",
    "expr {0x}", "expr {1 2}", "expr {f(1}", "expr {f(1,)}", "expr {1 ? 2}", "expr {1 ? 2 : 3}", "expr {(1)(2)}",
    "expr {[a}", "expr {$}", "expr {{a}}", 'expr {"a" in {b}}', "expr {1 <> 2}", "expr {!}", "expr {a(1) + b( )}",
    "expr {1e5 + .5}", "expr {1_000}", "expr {0b12}", "expr {$a b}", 'set a "b\nc"', "set a {b\nc}", "a\\\nb",
    "a ; b", ";;", "", "\n", "a [ b ; c ]", "a {*}$b", "a {*}", "a {*}[b] {*}{c}", 'try {a "b"c}', 'eval {a "b"c}',
    "time {a {b}c}", "if {1} then {a} elseif {0} {b} {c}", 'a "$b(c d)"', 'a $b("c)',
]  # fmt: skip


@requires_tcl
@pytest.mark.parametrize("text", CONSTRUCTS)
def test_real_tcl_agrees_on_constructs(text: str) -> None:
    with RealTcl() as tcl:
        assert bool(problems_of(text)) == (tcl.check(text) is not None), tcl.check(text)


@requires_tcl
@pytest.mark.parametrize("seed", range(4))
def test_real_tcl_agrees_on_generated_scripts(seed: int) -> None:
    rnd = random.Random(seed)
    with RealTcl() as tcl:
        for _ in range(700):
            text = "".join(rnd.choice(FRAGMENTS) + rnd.choice(["", " ", ""]) for _ in range(rnd.randint(1, 12)))
            if text.endswith("\\\n"):
                continue  # `info complete` waits for more, the parser does not
            complaint = tcl.check(text)
            assert bool(problems_of(text)) == (complaint is not None), (text, complaint)


@requires_tcl
@pytest.mark.parametrize("seed", range(2))
def test_real_tcl_agrees_on_generated_expressions(seed: int) -> None:
    rnd = random.Random(seed)
    pieces = [
        *("1", "2.5", "$a", '"s"', "{b}", "+", "-", "*", "**", "==", "eq", "in", "&&", "?", ":", "(", ")", ",", "max("),
        *("sin(", "true", "foo", "~", "<", "0", "9", "[c]", "e", "x", "08", "0x1f"),
    ]
    with RealTcl() as tcl:
        for _ in range(700):
            inner = "".join(rnd.choice(pieces) + rnd.choice(["", " "]) for _ in range(rnd.randint(1, 6)))
            text = f"expr {{{inner}}}"
            complaint = tcl.check(text)
            if complaint is not None and "operand of" in complaint:
                continue  # a type error that Tcl finds by folding constants
            assert bool(problems_of(text)) == (complaint is not None), (text, complaint)


def test_command_names_are_values_not_spellings() -> None:
    commands = parse('"set" a\n{set} b\nse\\x74 c\n::set d\n').script.commands
    assert [c.name for c in commands] == ["set", "set", "set", "::set"]
    assert all(isinstance(c, Command) and isinstance(c.words[0], Word) for c in commands)


@pytest.mark.parametrize("line", ["if {1} {\n", "oo::class create A {\nmethod m {} {\n", "puts $a(\n", "set x [a {\n"])
def test_bodies_that_are_never_closed_take_time_in_proportion(line: str) -> None:
    def steps(n: int) -> int:
        """Lines of Python run, which no other load on the machine changes."""
        run = 0

        def count(*_: object) -> Callable[..., object]:
            nonlocal run
            run += 1
            return count

        before = sys.gettrace()
        sys.settrace(count)
        try:
            assert problems_of(line * n)
        finally:
            sys.settrace(before)
        return run

    # Eight times the text: eight times the steps where time is linear, 64 times where it is quadratic.
    assert steps(1600) < 9 * steps(200)
