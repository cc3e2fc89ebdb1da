"""What the abstract run makes of Tcl's own commands: values that are followed, and code that is looked into."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab_domain import codes, lines, report, write_domain

from localgen.validation.validate import validate_script
from localgen.validation.values import unit_text
from localgen_grammars.tcl import parse, tokens
from localgen_retrieval.catalog_io import load_domain

ROUTE = "my::route -net A -layer"


def told(text: str, *groups: str) -> list[str]:
    """The codes of a script's findings, of these groups only."""
    return [code for code in codes(text) if code.startswith(groups)]


@pytest.mark.parametrize(
    "text",
    [
        f"proc p {{}} {{return -code ok M9}}\n{ROUTE} [p]\n",
        f"{ROUTE} [switch -exact -x {{-x {{list M9}} default {{list M1}}}}]\n",
        f"proc p {{}} {{upvar 1 v w\n{ROUTE} $w}}\nproc q {{}} {{set v M9\np}}\nq\n",
        f"proc p {{}} {{uplevel #0 {{set g M9}}}}\np\n{ROUTE} $g\n",
        f"namespace eval n {{variable a 1 b M9\n{ROUTE} $b}}\n",
        f"{ROUTE} [expr {{[my::count] && 0}}]\n",
        f"{ROUTE} [expr {{[my::count] || 1}}]\n",
        f"{ROUTE} [expr {{2 ** 0}}]\n",
        f"{ROUTE} [lindex {{M1 M9}} end]\n",
        f"{ROUTE} [dict get {{a M9}} a]\n",
        f"set a M9\nupvar a b\n{ROUTE} $b\n",
    ],
)
def test_a_value_is_followed_to_the_call(text: str) -> None:
    assert told(text, "CAT", "VAR", "TCL") == ["CAT013"]


@pytest.mark.parametrize(
    ("power", "expected"), [("2 ** 3", []), ("2 ** 4", ["CAT014"]), ("2 ** -1", []), ("1 ** 0", [])]
)
def test_powers_are_reckoned_as_far_as_they_are_whole(power: str, expected: list[str]) -> None:
    assert told(f"{ROUTE} M1 -width 1 -vias [expr {{{power}}}]\n", "CAT", "TCL") == expected


@pytest.mark.parametrize(
    "text",
    [
        f"{ROUTE} M1 -width 1 -vias [lsearch -glob {{M1 M2}} M*]\n",
        f"{ROUTE} M1 -width 1 -vias [dict get {{a 9}} b]\n",
        f'{ROUTE} M1 -width 1 -vias [expr {{"a" + 1}}]\n',
        'set x [expr {"a" + 1}]\n',
        "eval [my::nets]\nputs $x\n",
        "foreach [my::nets] {1} {}\nputs $x\n",
        "regexp -start 2 {a(.)} aaa all one\nputs $one\n",
        "regexp -nocase -- -x -X m\nputs $m\n",
        "try {set a 1} finally {set b 2}\n",
        "try {set a 1} on error {m} {puts $m} finally {set b 2}\n",
        "oo::class create C\n",
        "oo::class create C {}\nC create\n",
        "interp alias {} zig {} zag\ninterp alias {} zag {} zig\nzig\n",
        "interp create -safe exec\n",
        "namespace eval [my::nets] {set a 1}\n",
        f'set n [expr {{[my::count] ? "a" : "b"}}]\nset a M1\nset $n M9\n{ROUTE} $a\n',
        f"array set x [my::nets]\nappend x(1) M9\n{ROUTE} $x(1)\n",
        f"{ROUTE} [file join M9 /M1]\n",
        "proc p {} {upvar 2 v w\nputs $w}\np\n",
        f"{ROUTE} M1 -width 1 -vias [lsearch {{M1 M2}} M*]\n",
        f"set d {{k M}}\ndict append d k 9\n{ROUTE} [dict get $d k]\n",
    ],
)
def test_nothing_is_said_of_what_only_a_run_can_tell(text: str) -> None:
    assert told(text, "CAT", "VAR", "TCL", "POL001") == []


@pytest.mark.parametrize(
    "text",
    [
        "foreach x [my::nets] {puts $x}\nputs $y\n",
        "regexp -nocase -line {a} word m\nputs $m$word\n",
        "dict info word\nputs $word\n",
    ],
)
def test_only_the_variables_that_are_named_are_set(text: str) -> None:
    assert told(text, "VAR") == ["VAR001"]


@pytest.mark.parametrize(
    "text",
    [
        "interp eval {} {exec ls}",
        "interp eval {} exec ls",
        "interp invokehidden {} exec -x",
        "interp invokehidden {} -global exec ls",
        "interp invokehidden {} -namespace n exec ls",
        "::exec ls",
        "eval exec ls",
    ],
)
def test_a_forbidden_command_is_found_behind_its_caller(text: str) -> None:
    assert "POL001" in codes(text)


@pytest.mark.parametrize(
    "text",
    [
        "while {1} {@}",
        "for {@} {1} {set a 1} {break}",
        "for {set a 1} {1} {@} {break}",
        "for {set a 1} {1} {set a 1} {@}",
        "proc p {} {@}",
        "time {@} 3",
        "catch {@} m o",
        "dict filter {a 1} script {k v} {@}",
        "dict for {k v} {a 1} {@}",
        "dict with d {@}",
        "dict update d k v {@}",
        "dict map {k v} {a 1} {@}",
        "oo::class create C {method m {} {@}}",
        "oo::define C {method m {} {@}}",
        "oo::define C method m {} {@}",
        "oo::define C constructor {} {@}",
        "::my::each -body {@}",
        "my::each -body {@}",
        "my::each -bod {@}",
        "namespace eval n {@}",
        "namespace inscope n {@}",
        "namespace code {@}",
        "switch a {a {@}}",
        "switch -- a a {@}",
        "switch -regexp -matchvar m -- a {a {@}}",
        "try {@}",
        "try {set a 1} on error {m} {@}",
        "try {set a 1} trap {A} {m} {@}",
        "try {set a 1} finally {@}",
        "if {1} {@}",
        "if {1} then {@}",
        "if {0} {set a 1} else {@}",
        "if {0} {set a 1} {@}",
        "if {0} {set a 1} elseif {1} {@}",
        "foreach x {1} {@}",
        "lmap x {1} {@}",
        "uplevel 1 {@}",
        "uplevel #0 {@}",
        "uplevel {@}",
        "after 10 {@}",
        "eval {@}",
        "interp eval {} {@}",
        "package ifneeded a 1 {@}",
        "chan event stdin readable {@}",
        "fileevent stdin readable {@}",
        "apply {{x} {@}} 1",
        "timerate {@}",
        "expr {[@]}",
        "subst {[@]}",
        "set a [@]",
        "set a(\"[@]\") 1",
    ],
)
def test_code_in_a_command_is_looked_into(text: str) -> None:
    assert "TCL015" in codes(text.replace("@", 'puts a"b') + "\n")


@pytest.mark.parametrize(
    "text", ["while {1} {@} {3}", "proc p {@}", "foreach x {@}", "after cancel {@}", "dict for {@} {1}"]
)
def test_what_is_no_code_is_not_looked_into(text: str) -> None:
    assert "TCL015" not in codes(text.replace("@", 'puts a"b') + "\n")


@pytest.mark.parametrize("text", ["try {set a 1} on error m", "try {set a 1} on", "try {set a 1} finally", "try a b"])
def test_a_try_without_all_its_words_is_misused(text: str) -> None:
    assert "TCL011" in codes(text)


def test_a_name_that_is_mentioned_elsewhere_is_still_unknown() -> None:
    found = [line for line in lines("namespace forget x::zzz\nzzz\n", strict=True) if "CAT001" in line]
    assert found == ['s.tcl:2:1: unknown command "zzz" [CAT001]']


def test_a_name_of_three_letters_has_a_nearest_one() -> None:
    assert [f.hint for f in report("inc x\n").details if f.code == "CAT001"] == ["did you mean incr?"]


def test_a_bad_function_stands_where_the_words_of_expr_begin() -> None:
    found = [f for f in report("set a [expr 1 + strange(2)]\n").details if f.code == "TCL014"]
    assert [(f.line, f.column) for f in found] == [(1, 13)]


def test_an_expression_from_a_variable_is_judged() -> None:
    assert told("set e {1 +}\nexpr $e\n", "TCL") == ["TCL010"]


def test_parameters_that_are_no_list_are_marked_themselves() -> None:
    found = [f for f in report('proc p {a "b"c} {puts 1}\n').details if f.code == "TCL013"]
    assert [(f.column, f.end.column) for f in found] == [(8, 16)]


def test_a_variable_set_to_several_words_may_be_unused_too() -> None:
    assert "VAR002" in codes('proc p {} {set x "a b"\nputs 1}\np\n')


@pytest.mark.parametrize(("times", "known"), [(10_000, True), (10_001, False)])
def test_a_text_is_repeated_as_long_as_it_is_not_huge(times: int, known: bool) -> None:
    assert told(f"{ROUTE} [string repeat M {times}]\n", "CAT") == (["CAT013"] if known else [])


def test_an_option_whose_beginning_is_none_is_unknown_whatever_follows() -> None:
    assert told("set x [my::nets]\nmy::route -zz$x A -layer M1\n", "CAT") == ["CAT002"]


def test_both_signs_for_micro_are_one() -> None:
    assert unit_text("\u00b5m") == unit_text("\u03bcm") == unit_text("um")


def test_a_brace_that_a_bracket_leaves_open_is_said_once() -> None:
    assert [problem.kind for problem in parse('puts "[a {b]"\nset c 1').problems] == ["missing-brace"]


def test_tabs_count_where_a_body_is_guessed_to_end() -> None:
    tree = parse("if {1} {\n\tset a 1\nset b 2\n")
    body = tree.body(tree.script.commands[0].words[2])
    assert body is not None
    assert [command.name for command in body.commands] == ["set"]
    assert [command.name for command in tree.script.commands] == ["if", "set"]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("namespace eval a {variable x 1}\nputs $x\n", "write $::a::x"),
        (
            "namespace eval a {variable x 1}\nproc p {} {puts $x}\np\n",
            "write $::a::x, or declare it in the proc: variable ::a::x",
        ),
    ],
)
def test_a_declaration_is_proposed_where_it_helps(text: str, hint: str) -> None:
    assert [f.hint for f in report(text).details if f.code == "VAR003"] == [hint]


@pytest.mark.parametrize(("values", "offered"), [(4, 4), (5, 0)])
def test_a_missing_choice_is_offered_where_it_is_among_few(tmp_path: Path, values: int, offered: int) -> None:
    corners = [f"c{i}" for i in range(values)]
    proc = {"name": "my::pick", "args": [{"name": "corner", "type": "enum", "values": corners}]}
    domain = load_domain(write_domain(tmp_path, {"procs": [proc]}))
    found = validate_script("my::pick\n", domain).details
    assert [(f.code, len(f.fixes)) for f in found] == [("CAT005", offered)]


def test_a_body_that_is_asked_for_twice_has_its_errors_once() -> None:
    tree = parse('if {1} {\nset a "b\n}\n')
    word = tree.script.commands[0].words[2]
    assert tree.body(word) is tree.body(word)
    assert len(tree.problems) == 1


@pytest.mark.parametrize(("text", "size"), [("set a ${b", 2), ("set a [list\nset b", 1), ("set a $b(\nc", 1)])
def test_an_error_marks_what_is_opened(text: str, size: int) -> None:
    problem = parse(text).problems[0]
    assert problem.end - problem.start == size


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("set a \\\n 1", ["text", "space", "text", "space", "text"]),
        ("{*}$a b", ["punctuation", "variable", "space", "text"]),
        ('"a\\n[b]"', ["punctuation", "text", "escape", "punctuation", "text", "punctuation", "punctuation"]),
        ("{a} ;# c", ["punctuation", "braced", "punctuation", "space", "comment"]),
        ("$a(b) }x", ["variable", "text", "variable", "space", "text"]),
    ],
)
def test_tokens_say_what_they_are(text: str, kinds: list[str]) -> None:
    assert [token.kind for token in tokens(parse(text))] == kinds
