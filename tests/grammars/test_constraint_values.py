"""What values can be written: ranges digit by digit, patterns composed, strings grounded and quoted for Tcl."""

from __future__ import annotations

import re
import subprocess
from decimal import Decimal

import pytest
from constraint_kit import accepts, constraint, domain_of, one_proc, regex_accepts, stuck_at
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from oracle import TCLSH, requires_tcl

from localgen_grammars.constraint.clocks import clocks_of
from localgen_grammars.constraint.grounding import is_stop_word, words_of
from localgen_grammars.constraint.numbers import number_regexes
from localgen_grammars.constraint.patterns import escape
from localgen_grammars.constraint.quantities import number_texts, quantities_of, unit_of
from localgen_grammars.dsl import load_grammar
from localgen_grammars.quoting import quote_word
from localgen_retrieval.catalog import Arg
from localgen_retrieval.errors import GrammarError

LIMITS = st.one_of(
    st.none(),
    st.integers(-2000, 2000).map(float),
    st.decimals(-1000, 1000, places=3, allow_nan=False, allow_infinity=False).map(float),
)
NUMBERS = st.one_of(
    st.integers(-3000, 3000).map(Decimal),
    st.decimals(-1500, 1500, places=2, allow_nan=False, allow_infinity=False),
    st.decimals(-2, 2, places=4, allow_nan=False, allow_infinity=False),
)


@given(low=LIMITS, high=LIMITS, number=NUMBERS, integer=st.booleans())
@example(low=0.0, high=0.0, number=Decimal(0), integer=False)
@example(low=-0.5, high=-0.25, number=Decimal("-0.25"), integer=False)
@example(low=9.99, high=100.0, number=Decimal("99.999"), integer=False)
@settings(max_examples=400, deadline=None)
def test_a_range_is_kept_digit_by_digit(low: float | None, high: float | None, number: Decimal, integer: bool) -> None:
    if low is not None and high is not None and low > high:
        low, high = high, low
    text = f"{number:f}"
    inside = (low is None or number >= Decimal(str(low))) and (high is None or number <= Decimal(str(high)))
    wanted = inside and (not integer or "." not in text)
    regexes = number_regexes(integer=integer, low=low, high=high)
    assert all(re.fullmatch(r, text) for r in regexes) is wanted, (text, regexes)


@pytest.mark.parametrize("text", ["007", "1e5", "+3", ".5", "5.", "1,000", "0x10", " 1", "--1", "1.0000000"])
def test_only_plain_decimals_are_numbers(text: str) -> None:
    assert not all(re.fullmatch(r, text) for r in number_regexes(integer=False, low=None, high=None))


def test_llguidance_reads_an_intersection_as_python_does() -> None:
    regexes = number_regexes(integer=False, low=-1.5, high=20.25)
    expression = " & ".join(f"/{r}/" for r in regexes)
    for text in ("-1.5", "-1.50", "-1.51", "-0.3", "0", "-0", "9.75", "20.25", "20.250", "20.26", "21", "100", "3."):
        assert regex_accepts(expression, text) is all(re.fullmatch(r, text) for r in regexes), text


@pytest.mark.parametrize(
    ("arg", "instruction", "good", "bad"),
    [
        ({"pattern": r"(left|right):\d+-\d+"}, "on the left from 100 to 400", ["left:100-400"], ["top:1-2", "left:1"]),
        ({"pattern": r"met[1-5]-met[1-5]"}, "between met2 and met5", ["met2-met5"], ["met2-met9", "met2"]),
        ({"pattern": r'"[A-Za-z][A-Za-z0-9_]*"'}, "rule SR2", ['{"SR2"}'], ['{"QQ"}', "SR2"]),
        ({"pattern": r"lib/[a-z_]+\.lib"}, "read the slow library", ["lib/slow.lib"], ["lib/quick.lib"]),
        ({"pattern": r"\d+(\.\d+)?V"}, "at 5 volts", ["5V"], ["5", "6V"]),
        ({"type": "float", "unit": "V", "unit_suffix": True}, "at 5 volts", ["5V"], ["5", "5 V", "6V"]),
        ({"type": "float", "unit": "um"}, "250 nm wide", ["0.25"], ["250", "0.25um"]),
        # Where no number is said: the catalog's limits and default, digits of names; never one that nobody said.
        ({"type": "int", "min": 1, "max": 8}, "with some vias", ["1", "8"], ["0", "9", "1.5", "08", "-1", "5", "2"]),
        ({"type": "int", "min": 1, "default": 4, "required": True}, "some vias", ["4", "1"], ["2", "40"]),
        ({"type": "int"}, "for bay B14", ["14"], ["1", "4", "15"]),
        ({"type": "int", "min": 1, "max": 8}, "at most 3, at full power", ["3", "8"], ["1", "5"]),
        ({"type": "float", "min": 0, "max": 1}, "at 30 per cent", ["0.3"], ["0.5", "1"]),
        ({"pattern": r"row\d+"}, "all of row 7", ["row7"], ["row1", "row77"]),
        ({"type": "int", "min": 1, "max": 8}, "with 3 vias", ["3"], ["4"]),
        ({"type": "bool"}, "on", ["true", "false"], ["maybe"]),
        ({"values": ["a b", "x;y", "$v", "[x]"]}, "any", ["{a b}", "{x;y}", "{$v}", "{[x]}"], ["a", "$v", "[x]"]),
        ({"list": True, "max_items": 2}, "nets A, B and C", ["A", "{A B}"], ["{A B C}", "{}", "{A}"]),
        ({"list": True, "min_items": 2}, "nets A, B and C", ["{A B}", "{C A B}"], ["A", "{A}"]),
        ({}, 'call it "two words"', ["{two words}"], ["two words", "{three words}"]),
        ({}, "the net's CLK, (RST) and mem[3].", ["CLK", "RST", "{mem[3]}"], ["CLK,", "(RST)", "{mem[3].}"]),
        ({"name": "message"}, "say hello big world", ["{hello big}", "hello"], ["{big hello}"]),
    ],
)
def test_values(arg: dict[str, object], instruction: str, good: list[str], bad: list[str]) -> None:
    arg = {"name": "x", **arg}
    domain = one_proc(arg)
    made = constraint(domain, instruction)
    assert not made.relaxed
    name = arg["name"]
    assert [v for v in good if stuck_at(made, f"do -{name} {v}\n") is not None] == []
    assert [v for v in bad if stuck_at(made, f"do -{name} {v}\n") is None] == []


def test_a_number_that_nobody_said_cannot_be_written_but_with_grounding_off() -> None:
    procs = [{"name": "do", "args": [{"name": "x", "type": "float"}]}, {"name": "go", "args": []}]
    domain = domain_of({"procs": procs})
    made = constraint(domain, "do it quickly")
    assert "do" in made.excluded and made.procs == ("go",) and not made.relaxed
    assert stuck_at(constraint(domain, "do it quickly", grounding=False), "do -x 2.75\n") is None
    assert stuck_at(constraint(domain, "do it at 2.75"), "do -x 2.75\n") is None


def test_a_block_has_no_number_that_nobody_said() -> None:
    dsl = {"embedding": {"open": "dsl {", "close": "}"}, "grammar": "g.lark"}
    grammar = 'start: ("cap" NUMBER | "stop")+\nNUMBER: /[0-9]+/\n%ignore /[ \\n]+/\n'
    domain = domain_of({"procs": [], "dsl": dsl}, g=grammar)
    block = "dsl {{\n  {}\n}}\n"
    said, unsaid = constraint(domain, "cap it at 40"), constraint(domain, "cap it")
    assert [stuck_at(m, block.format("cap 40")) is None for m in (said, unsaid)] == [True, False]
    assert stuck_at(said, block.format("cap 41")) is not None
    assert stuck_at(unsaid, block.format("stop")) is None and not unsaid.relaxed


def test_an_enum_value_with_special_characters_is_not_written_into_a_condition_as_it_is() -> None:
    domain = domain_of(
        {
            "procs": [{"name": "go", "args": []}],
            "variables": [{"name": "::mode", "values": ["plain", "$v", "[x]", 'q"r', "a\\b"]}],
        }
    )
    made = constraint(domain, "go")
    assert stuck_at(made, 'if {$::mode eq "plain"} {\n  go\n}\n') is None
    for value in ("$v", "[x]", 'q"r', "a\\b"):
        assert stuck_at(made, f'if {{$::mode eq "{value}"}} {{\n  go\n}}\n') is not None, value


def test_a_list_of_values_that_need_quotes_is_quoted_as_a_list() -> None:
    domain = one_proc({"name": "x", "values": ["a\\b", "c d", "plain"], "list": True})
    made = constraint(domain, "any")
    assert stuck_at(made, "do -x plain\n") is None
    # As a word `{c d}` is the list of c and d, and `a\\b` the list of a, backspace.
    for bare in ("{c d}", "a\\\\b"):
        assert stuck_at(made, f"do -x {bare}\n") is not None, bare
    assert stuck_at(made, "do -x {plain {c d}}\n") is None


NASTY = st.text(st.sampled_from("ab {}[]$\\;#\"'(),*?~-%é\t"), min_size=1, max_size=12).filter(
    lambda s: '"' not in s and s.strip() == s and s
)


@requires_tcl
@given(texts=st.lists(NASTY, min_size=1, max_size=20))
@example(texts=["$v", "[exit]", "a\\", "{", "}", "\\{", "#", "a#b", "-x", "a b", ";", "\\n", "{a", "a}b{"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_quoted_phrase_arrives_unchanged_in_real_tcl(texts: list[str]) -> None:
    script = "encoding system utf-8\nfconfigure stdout -encoding utf-8\n"
    script += "proc do {x v} {puts [binary encode hex [encoding convertto utf-8 $v]]}\n"
    for text in texts:
        line = f"do -x {quote_word(text)}\n"
        made = constraint(one_proc({"name": "x"}), f'use "{text}" for it')
        assert stuck_at(made, line) is None, (text, line)
        script += line
    assert TCLSH is not None
    done = subprocess.run([TCLSH], input=script.encode(), capture_output=True, timeout=20)
    arrived = [bytes.fromhex(x.decode()).decode() for x in done.stdout.split()]
    assert arrived == texts, done.stderr


@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), min_size=1, max_size=10))
@settings(max_examples=100, deadline=None)
def test_an_escaped_literal_matches_itself(text: str) -> None:
    assert regex_accepts(f"/{escape(text)}/", text)


# ---------------------------------------------------------------- words and numbers of an instruction


@pytest.mark.parametrize(
    ("instruction", "words"),
    [
        ("Route CLK, RST_N and mem[3].", ["CLK", "RST_N", "mem[3]"]),
        ('name it "my net"', ["my net"]),
        ("nets A,B;C", ["A", "B", "C"]),
        ("the CLK's shield", ["CLK"]),
        ("(see u_core/alu)", ["u_core/alu"]),
        ("“quoted so” and `code`", ["quoted so", "code"]),
        ("rule SR 7", ["SR7"]),
    ],
)
def test_words_of_an_instruction(instruction: str, words: list[str]) -> None:
    assert set(words) <= set(words_of(instruction).all())


def test_stop_words_are_no_values_unless_they_may_be_names() -> None:
    assert [w for w in ("the", "The", "and", "with", "I") if not is_stop_word(w)] == []
    assert [w for w in ("A", "ON", "IT", "CLK", "net") if is_stop_word(w)] == []
    assert not set(words_of("route the net with care").content) & {"the", "with"}
    assert words_of("it").content == ("it",)


@pytest.mark.parametrize(
    ("said", "unit", "texts"),
    [
        ("250 nm", "um", ["0.25"]),
        ("0.12um", "um", ["0.12"]),
        ("half a micron", "um", ["0.5"]),
        ("two and a half volts", "V", ["2.5"]),
        ("1,250 um", "mm", ["1.25"]),
        ("twenty five", "", ["25"]),
        ("3 ns", "um", []),
        ("minus 4", "", ["-4"]),
        ("a dozen", "", ["12"]),
        ("5 minutes", "s", ["300"]),
        ("a fifth", "%", ["20"]),
        ("three fifths full", "%", ["60"]),
        ("500 millibar", "bar", ["0.5"]),
        ("twenty-one below zero", "degC", ["-21"]),
        ("18 degrees below zero", "degC", ["-18"]),
        ("two weeks", "d", ["14"]),
        ("on the third tier", "", ["3"]),
        ("the 2nd row", "", ["2"]),
        ("changing over twice a day", "h", ["12"]),
        ("4 times an hour", "min", ["15"]),
        ("21 euros 50", "", ["21.5"]),
    ],
)
def test_numbers_of_an_instruction(said: str, unit: str, texts: list[str]) -> None:
    found = number_texts(quantities_of(said), unit, integer=False, low=None, high=None)
    assert set(texts) <= set(found)
    assert texts or not found


@pytest.mark.parametrize(
    ("said", "times"),
    [
        ("at half past nine in the evening", ("21:30",)),
        ("from 8 in the morning to 7 pm", ("08:00", "19:00")),
        ("quarter past six in the morning", ("06:15",)),
        ("at twenty to three in the afternoon", ("14:40",)),
        ("ten to five", ("04:50",)),
        ("six o'clock in the evening", ("18:00",)),
        ("at 18:05 and at noon", ("18:05", "12:00")),
        ("12 am, midnight", ("00:00",)),
        ("move 5 to 8 and 3 past the end", ()),
        ("2.5 mm, row 12, at 30%", ()),
    ],
)
def test_times_of_day_in_words(said: str, times: tuple[str, ...]) -> None:
    assert tuple(clocks_of(said)) == times


def test_a_time_that_is_said_is_written_whole() -> None:
    at = {"name": "at", "type": "string", "pattern": "[0-2][0-9]:[0-5][0-9]"}
    domain = domain_of({"procs": [{"name": "ring", "args": [at]}]})
    said = "ring at half past nine in the evening, 25 times"
    assert accepts(domain, said, "ring -at 21:30\n")
    assert not accepts(domain, said, "ring -at 25:21\n")


# ---------------------------------------------------------------- languages


@pytest.mark.parametrize(
    ("terminal", "construct"),
    [(r"/(?=a)b+/", "look"), (r"/(a)\1/", "back-reference"), (r"/\bword\b/", "boundary"), (r"/(?<!x)[a-z]+/", "look")],
)
def test_a_terminal_that_cannot_be_a_constraint_is_refused_by_name(terminal: str, construct: str) -> None:
    grammar = f'start: "go" ODD\nODD: {terminal}\n%ignore " "\n'
    domain = domain_of(
        {"procs": [], "dsl": {"embedding": {"open": "dsl {", "close": "}"}, "grammar": "odd.lark"}}, odd=grammar
    )
    with pytest.raises(GrammarError) as caught:
        constraint(domain, "go on")
    assert "odd.lark:2: terminal ODD" in caught.value.message
    assert construct in caught.value.message
    assert load_grammar(grammar, "odd", None).parse is not None


@pytest.mark.parametrize(
    ("open_", "close", "script"),
    [
        ("dsl {", "}", "dsl {\n  go up 3;\n  go down 4;\n}\n"),
        ("@dsl(", ")", "@dsl(\n  go up 3;\n)\n"),
        ("dsl <<END", "END", "dsl <<END\ngo up 3;\nEND\n"),
    ],
)
def test_blocks_by_embedding(open_: str, close: str, script: str) -> None:
    grammar = 'start: s+\ns: "go" WAY N ";"\nWAY: /[a-z]+/\nN: /[0-9]+/\n%import common.WS\n%ignore WS\n'
    domain = domain_of(
        {"procs": [], "dsl": {"embedding": {"open": open_, "close": close}, "grammar": "g.lark"}}, g=grammar
    )
    assert accepts(domain, "go up 3 and down 4", script)
    assert not accepts(domain, "go up 3 and down 4", script.replace("go up 3;", "go up;"))
    assert not accepts(domain, "go up 3 and down 4", script.replace("up", "sideways"))


@pytest.mark.parametrize("terminal", [r"/[^ ]+/", r"/[^\n]+/", r"/.+/", r"/[^\"]+/"])
def test_a_terminal_of_free_text_is_made_of_words(terminal: str) -> None:
    grammar = f'start: "say" ":" TEXT\nTEXT: {terminal}\n%ignore " "\n'
    catalog = {"procs": [], "dsl": {"embedding": {"open": "dsl {", "close": "}"}, "grammar": "g.lark"}}
    made = constraint(domain_of(catalog, g=grammar), "say hello")
    gaps = ("", " ")
    assert any(stuck_at(made, f"dsl {{{a}say{b}:{c}hello}}\n") is None for a in gaps for b in gaps for c in gaps)


def test_a_grounded_word_of_a_block_never_holds_the_bracket_that_would_end_it() -> None:
    grammar = 'start: "say" TEXT\nTEXT: /[^ ]+/\n%ignore " "\n'
    catalog = {"procs": [], "dsl": {"embedding": {"open": "dsl {", "close": "}"}, "grammar": "g.lark"}}
    made = constraint(domain_of(catalog, g=grammar), "say a}b or {x or plain")
    for gap in ("", " "):
        assert stuck_at(made, f"dsl {{{gap}say a}}b}}\n") is not None
        assert stuck_at(made, f"dsl {{{gap}say {{x}}\n") is not None
    assert any(stuck_at(made, f"dsl {{{gap}say plain}}\n") is None for gap in ("", " "))


def test_a_phrase_that_is_a_number_is_not_its_parts() -> None:
    assert [str(q.value) for q in quantities_of("twice a day")] == ["12"]
    assert [str(q.value) for q in quantities_of("21 euros 50")] == ["21.50"]


@pytest.mark.parametrize(
    ("said", "unit", "text"),
    [
        ("over 54 km/h", "mps", "15"),
        ("seventeen metres per second", "m/s", "17"),
        ("no faster than forty-five metres a minute", "mpm", "45"),
        ("twelve cubic metres of water an hour", "L/min", "200"),
        ("80 litres a minute", "lpm", "80"),
        ("80 litres", "lpm", "80"),  # the time is left unsaid
        ("6.5 litres an hour", "L", "6.5"),
    ],
)
def test_a_rate_is_converted_as_a_whole(said: str, unit: str, text: str) -> None:
    found = quantities_of(said)
    assert number_texts(found, unit, integer=False, low=0, high=None) == [text]


def test_an_amount_per_time_is_no_amount_of_something_else() -> None:
    assert number_texts(quantities_of("54 km/h"), "lpm", integer=False, low=0, high=None) == []
    assert [q.unit for q in quantities_of("three hours a day")] == ["h", "d"]


@pytest.mark.parametrize(
    ("arg", "unit"),
    [
        ({"name": "for", "type": "int", "unit": "min"}, "min"),
        ({"name": "for", "type": "int", "doc": "Length in hours."}, "h"),
        ({"name": "days", "type": "int"}, "d"),
        ({"name": "m", "type": "int"}, ""),
        ({"name": "count", "type": "int"}, ""),
    ],
)
def test_the_unit_of_a_number_is_the_catalogs_or_that_of_its_doc_or_name(arg: dict[str, str], unit: str) -> None:
    assert unit_of(Arg.model_validate(arg)) == unit
