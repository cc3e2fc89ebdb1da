"""What follows from a reading: options, values, lists and DSL statements that the instruction asks for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from localgen.decoder.assignment import call_plan, mentions_of
from localgen.decoder.block_votes import BlockVotes
from localgen.decoder.call_votes import CallVotes
from localgen.decoder.dsl_reading import DslReader, DslReading
from localgen.decoder.option_scores import OptionScores, windows_of
from localgen.decoder.said import SaidValues
from localgen_bundle.default import encoder_path
from localgen_grammars.constraint.grounding import words_of
from localgen_grammars.constraint.quantities import quantities_of
from localgen_grammars.dsl import load_grammar
from localgen_retrieval.catalog import Arg, Dsl, Proc
from localgen_retrieval.encoder import GgufEncoder
from localgen_retrieval.reader import SymbolReading
from localgen_retrieval.reading import read_proc

from .readings import Given, reading

ROUTE = Proc.model_validate({
    "name": "route", "args": [
        {"name": "nets", "type": "string", "list": True},
        {"name": "layer", "type": "enum", "values": ["M1", "M2", "M3"], "required": False},
        {"name": "width", "type": "float", "unit": "um", "required": False},
        {"name": "gap", "type": "float", "unit": "um", "required": False},
        {"name": "fast", "type": "flag"},
        {"name": "block", "type": "string", "positional": True},
    ],
})  # fmt: skip
TASK = "route clk_a and clk_b in core_1 on the top layer, 250 nm wide with 2 um gap, quickly"
GIVEN: Mapping[str, Given] = {
    "nets": ("clk_a", "clk_b"), "layer": "M3", "width": "250", "gap": "2", "fast": True, "block": "core_1",
}  # fmt: skip


def changes(text: str, *pieces: str, given: Mapping[str, Given] = GIVEN, task: str = TASK) -> list[float]:
    """How the log probability of each piece changes after a text, all of them equally likely before."""
    read = reading(task, (read_proc(ROUTE), given))
    words = words_of(task)
    plan = call_plan(ROUTE, read.symbols[0], SaidValues(read, words), mentions_of(task, words, ()))
    votes = CallVotes({"route": ROUTE}, {"route": plan})
    before = np.full(len(pieces), -math.log(len(pieces)))
    after = votes.biases(text, np.arange(len(pieces)), before, pieces)
    if after is None:
        return [0.0] * len(pieces)
    assert np.exp(after).sum() == pytest.approx(1.0)
    return [float(x) for x in after - before]


def best(text: str, *pieces: str, given: Mapping[str, Given] = GIVEN, task: str = TASK) -> str:
    """The piece that gains most."""
    found = changes(text, *pieces, given=given, task=task)
    return pieces[int(np.argmax(found))]


@pytest.mark.parametrize(
    ("text", "pieces", "expected"),
    [
        ("route -layer", (" M1", " M2", " M3"), " M3"),
        ("route -width", (" 2", " 250", " 0.25"), " 0.25"),
        ("route -gap", (" 2", " 250", " 0.25"), " 2"),
        ("route -gap 2", (" core_1", " clk_a"), " core_1"),
        ("route -nets", (" {", " clk_a", " core_1"), " {"),
        ("route -nets {clk_a", ("}", " clk_b", " clk_a"), " clk_b"),
        ("route -nets {clk_a clk_b", ("}", " core_1"), "}"),
        ("route -nets {cl", ("k_a", "k_b"), "k_a"),
        ("puts [route -layer", (" M1", " M3"), " M3"),
        ("if {[route -layer", (" M1", " M3"), " M3"),
    ],
)
def test_values_come_from_where_the_instruction_says_them(text: str, pieces: tuple[str, ...], expected: str) -> None:
    assert best(text, *pieces) == expected


def test_options_that_the_instruction_fills_gain_and_others_lose() -> None:
    gain = changes("route -nets {clk_a clk_b}", " -layer", " -width", " core_1")
    assert gain[0] > gain[2]
    assert gain[1] > gain[2]
    none = changes("route -nets clk_a", " -layer", " -fast", "\n", given={"nets": "clk_a"})
    assert none[2] > 0 > max(none[:2])


def test_a_number_option_without_a_number_that_fits_is_not_written() -> None:
    given: Mapping[str, Given] = {"nets": "clk_a", "width": True}
    gain = changes("route -nets clk_a", " -width", "\n", given=given, task="route clk_a wide")
    assert gain[0] < gain[1]


def test_a_value_that_is_written_already_is_not_taken_again() -> None:
    task = "route n1 and n2 in b1"
    again = best("route -nets n1 b1\nroute -nets", " n1", " n2", given={"nets": ("n1", "n2"), "block": "b1"}, task=task)
    assert again == " n2"


def test_nothing_is_said_about_procs_that_were_not_read() -> None:
    assert changes("place -layer", " M1", " M3") == [0.0, 0.0]
    assert changes("set x 5\n", "route", "place") == [0.0, 0.0]


GRAMMAR = """
start: (order ";")+
?order: halt | keep | share
halt: "halt" NAME "when" "wind" ">" WIND ("for" INT)?
keep: "keep" KIND "off" NAME
share: "share" NAME "between" NAME ("," NAME)+
KIND: "fire" | "ice"
NAME: /[A-Z][A-Z0-9]*/
WIND: /[0-9]+mps/
INT: /[0-9]+/
%import common.WS
%ignore WS
"""
ORDERS = Dsl.model_validate({
    "name": "orders", "embedding": {"open": "orders {", "close": "}"},
    "productions": [{"name": "halt", "summary": "Stops a crane.", "example": "halt STS9 when wind > 23mps;"}],
})  # fmt: skip


FIRSTS = ("halt", "keep", "share")


def prior(readings: Sequence[SymbolReading]) -> NDArray[np.float64]:
    """What retrieval would say if each statement that is asked for had a clause of its own."""
    own = 2.0 * np.eye(len(readings))
    return np.vstack([np.zeros(len(readings)), *(own[i] for i, r in enumerate(readings) if r.asked > 0)])


def block_votes(task: str, given: Mapping[str, Mapping[str, Given]], *, pure: bool = False) -> BlockVotes:
    """The votes for a task, when the statements with these first words have these values."""
    orders = DslReader(ORDERS, load_grammar(GRAMMAR))
    read = reading(task, *((s, given.get(first)) for s, first in zip(orders.symbols, FIRSTS, strict=True)))
    made = DslReading(orders, read.symbols, SaidValues(read, words_of(task)), prior(read.symbols))
    return BlockVotes([made], pure=pure)


def advice(votes: BlockVotes, text: str, pieces: tuple[str, ...], ends: frozenset[int] = frozenset()) -> str:
    """The piece that gains most, all of them equally likely before; "" where nothing is advised."""
    found = votes.biases(text, np.arange(len(pieces)), np.zeros(len(pieces)), pieces, ends)
    return pieces[int(np.argmax(found))] if found is not None else ""


def test_a_statement_is_a_symbol_with_its_places_as_slots() -> None:
    halt, keep, share = DslReader(ORDERS, load_grammar(GRAMMAR)).symbols
    assert halt.text == "rule halt : Stops a crane. . halt"
    assert [(s.name, s.text) for s in halt.slots] == [("1", "STS9 when wind >"), ("5", "23mps for"), ("7", "int ;")]
    assert sorted(keep.slots[0].values) == ["fire", "ice"]
    assert [s.name for s in share.slots] == ["1", "3"]


TWO: Mapping[str, Mapping[str, Given]] = {"keep": {"1": "fire", "3": "B2"}, "halt": {"1": "S3", "5": "17"}}
TWO_SAID = "no fire in B2 for 5 rounds, and stop S3 above 17 metres per second"
KEPT = "orders {\n  keep fire off B2;"


@pytest.mark.parametrize(
    ("text", "pieces", "expected"),
    [
        ("orders {\n  ", ("keep", "halt", "share"), "keep"),
        ("orders {\n  ke", ("ep", "e"), "ep"),
        ("orders {\n  keep", (" ice", " fire"), " fire"),
        ("orders {\n  keep fire off", (" S3", " B2"), " B2"),
        ("orders {\n  keep fire off ", ("S3", "B2"), "B2"),
        (KEPT, ("\n  ", "\n}"), "\n  "),
        (KEPT + "\n", ("  keep", "}", "  halt"), "  halt"),
        (KEPT + "\n  halt", (" B2", " S3"), " S3"),
        (KEPT + "\n  halt S3 when wind >", (" 5mps", " 17mps"), " 17mps"),
        (KEPT + "\n  halt S3 when wind > 17mps", (" for", ";"), ";"),
        (KEPT + "\n  halt S3 when wind > 17mps;", ("\n}", "\n  "), "\n}"),
        (KEPT + "\n  halt S3 when wind > 17mps;\n", ("  halt", "}"), "}"),
        (KEPT + "\n}\n", ("keep", "halt"), ""),
        ("place", (" halt", " keep"), ""),
    ],
)
def test_blocks_hold_what_is_asked_for_and_end_with_it(text: str, pieces: tuple[str, ...], expected: str) -> None:
    assert advice(block_votes(TWO_SAID, TWO), text, pieces) == expected


@pytest.mark.parametrize(
    ("task", "given", "text", "pieces", "expected"),
    [
        ("stop S3 above 17 for 5", {"halt": {"1": "S3", "5": "17", "7": "5"}}, "halt S3 when wind > 17mps",
         (" for", ";"), " for"),
        ("P2 serves LA, LB and LC", {"share": {"1": "P2", "3": ("LA", "LB", "LC")}}, "share P2 between LA, LB",
         (",", ";"), ","),
        ("P2 serves LA, LB and LC", {"share": {"1": "P2", "3": ("LA", "LB", "LC")}}, "share P2 between LA,",
         (" LA", " LB", " P2"), " LB"),
        ("halt S1 and S2 above 9", {"halt": {"1": ("S1", "S2"), "5": "9"}}, "halt S1 when wind > 9mps;\n  halt",
         (" S1", " S2"), " S2"),
        ("halt S1 and S2 above 9", {"halt": {"1": ("S1", "S2"), "5": "9"}}, "halt S1 when wind > 9mps;",
         ("\n}", "\n  "), "\n  "),
    ],
)  # fmt: skip
def test_optional_parts_lists_and_repeated_statements_follow_what_is_said(
    task: str, given: Mapping[str, Mapping[str, Given]], text: str, pieces: tuple[str, ...], expected: str
) -> None:
    assert advice(block_votes(task, given), f"orders {{\n  {text}", pieces) == expected


def test_a_text_that_is_one_block_ends_when_all_is_said() -> None:
    votes = block_votes("no fire in B2", {"keep": {"1": "fire", "3": "B2"}}, pure=True)
    pieces = ("", "\n", "halt", "keep")
    ends = frozenset({0})
    assert advice(votes, "keep fire off B2;", pieces, ends) == ""
    assert advice(votes, "", pieces, ends) == "keep"


# ---------------------------------------------------------------- what speaks for options beside the reader


STOP = Proc.model_validate({
    "name": "pump_stop", "summary": "Stops a pump after its normal run-down.",
    "args": [
        {"name": "now", "type": "flag", "doc": "Cut the power at once, without run-down."},
        {"name": "log", "type": "flag", "doc": "Write a line to the service book."},
        {"name": "pump", "type": "string", "positional": True},
    ],
})  # fmt: skip
RUN = Proc.model_validate({
    "name": "run", "args": [
        {"name": "bar", "type": "float", "unit": "bar", "required": False},
        {"name": "seconds", "type": "int", "unit": "s", "required": False},
        {"name": "season", "type": "enum", "values": ["harvest", "frost", "rain"], "required": False},
        {"name": "low", "type": "float", "unit": "V"},
        {"name": "high", "type": "float", "unit": "V"},
    ],
})  # fmt: skip


@pytest.fixture(scope="module")
def encoder() -> GgufEncoder:
    return GgufEncoder(encoder_path())


def scores(encoder: GgufEncoder, proc: Proc, instruction: str) -> OptionScores:
    return OptionScores(instruction, [proc], encoder.encode, quantities_of(instruction))


def arg(proc: Proc, name: str) -> Arg:
    return next(a for a in proc.args if a.name == name)


def test_a_flag_that_is_described_gains_and_one_that_is_not_loses(encoder: GgufEncoder) -> None:
    found = scores(encoder, STOP, "Emergency: kill P1, no run-down.")
    assert found.option(STOP, arg(STOP, "now"), "") > 0 > found.option(STOP, arg(STOP, "log"), "")


def test_the_option_in_the_unit_that_is_said_gains(encoder: GgufEncoder) -> None:
    found = scores(encoder, RUN, "keep it at 3.5 bar for 40 seconds")
    bar, seconds = (found.option(RUN, arg(RUN, name), "") for name in ("bar", "seconds"))
    assert bar > 0
    assert seconds > 0
    assert found.option(RUN, arg(RUN, "seconds"), " -bar 3.5 -seconds 40") < 0
    assert scores(encoder, RUN, "keep it going").option(RUN, arg(RUN, "bar"), "") < 0


def test_the_value_of_an_enum_that_is_meant_is_likeliest(encoder: GgufEncoder) -> None:
    found = scores(encoder, RUN, "the grapes are being picked and brought in").values(RUN, arg(RUN, "season"), "")
    assert max(found, key=lambda v: found[v]) == "harvest"


def test_of_procs_that_are_not_among_the_first_nothing_is_said(encoder: GgufEncoder) -> None:
    found = scores(encoder, STOP, "keep it at 3.5 bar")
    assert found.option(RUN, arg(RUN, "bar"), "") == 0.0
    assert found.values(RUN, arg(RUN, "season"), "") == {}


def test_windows_are_runs_of_words_and_the_whole() -> None:
    assert windows_of("stop P1 now, please do") == [
        "stop P1", "P1 now", "now please", "please do",
        "stop P1 now please", "P1 now please do", "stop P1 now please do",
    ]  # fmt: skip
    assert windows_of("halt") == ["halt"]
