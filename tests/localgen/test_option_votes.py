"""Votes inside a call: flags, enum values and numbers that the instruction asks for."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from localgen.decoder.candidate import Candidate
from localgen.decoder.option_votes import OptionVotes, windows_of
from localgen.decoder.votes import RepetitionVotes, WordVotes, enumerated
from localgen_bundle.default import encoder_path
from localgen_grammars.constraint.grounding import words_of
from localgen_grammars.constraint.quantities import quantities_of
from localgen_retrieval.catalog import Catalog, Proc
from localgen_retrieval.encoder import GgufEncoder

STOP = Proc.model_validate(
    {
        "name": "pump_stop",
        "summary": "Stops a pump after its normal run-down.",
        "args": [
            {"name": "now", "type": "flag", "doc": "Cut the power at once, without run-down."},
            {"name": "log", "type": "flag", "doc": "Write a line to the service book."},
            {"name": "pump", "type": "string", "positional": True},
        ],
    }
)
RUN = Proc.model_validate(
    {
        "name": "run",
        "args": [
            {"name": "bar", "type": "float", "unit": "bar", "required": False},
            {"name": "rpm", "type": "int", "unit": "rpm", "required": False},
            {"name": "seconds", "type": "int", "unit": "s", "required": False},
            {"name": "season", "type": "enum", "values": ["harvest", "frost", "rain"], "required": False},
            {"name": "low", "type": "float", "unit": "V"},
            {"name": "high", "type": "float", "unit": "V"},
        ],
    }
)
PIECES = (" -", " -now", " -log", " -bar", " -seconds", " P1", "\n", " harvest", " frost", " rain", " 2", " 9", " 4")


@pytest.fixture(scope="module")
def encoder() -> GgufEncoder:
    return GgufEncoder(encoder_path())


def changes(encoder: GgufEncoder, proc: Proc, instruction: str, text: str, *pieces: str) -> list[float]:
    """How the log probability of each piece changes, all of them equally likely before."""
    votes = OptionVotes(instruction, [proc], encoder.encode, quantities_of(instruction))
    before = np.full(len(pieces), -math.log(len(pieces)))
    after = votes.biases(text, np.arange(len(pieces)), before, lambda i: pieces[i].encode())
    assert after is not None
    assert np.exp(after).sum() == pytest.approx(1.0)
    return [float(x) for x in after - before]


def test_a_flag_that_is_described_gains_and_one_that_is_not_does_not(encoder: GgufEncoder) -> None:
    now, log, name = changes(encoder, STOP, "Emergency: kill P1, no run-down.", "pump_stop", " -now", " -log", " P1")
    assert now > name > log


def test_a_flag_already_written_is_not_voted_for_again(encoder: GgufEncoder) -> None:
    again, name = changes(encoder, STOP, "kill P1 with no run-down", "pump_stop -now", " -now", " P1")
    assert again == pytest.approx(name)


def test_the_option_in_the_unit_that_is_said_gains(encoder: GgufEncoder) -> None:
    bar, seconds, end = changes(encoder, RUN, "keep it at 3.5 bar", "run", " -bar", " -seconds", "\n")
    assert bar > end > seconds


def test_the_value_of_an_enum_that_is_meant_gains(encoder: GgufEncoder) -> None:
    pieces = (" harvest", " frost", " rain")
    got = changes(encoder, RUN, "the grapes are being picked and brought in", "run -season", *pieces)
    assert max(got) == got[0]
    assert got == changes(encoder, RUN, "the grapes are being picked and brought in", "puts [run -season", *pieces)


def test_bounds_take_their_numbers_in_order(encoder: GgufEncoder) -> None:
    low = changes(encoder, RUN, "between 9 and 2 volts", "run -low", " 2", " 9", " 4")
    high = changes(encoder, RUN, "between 9 and 2 volts", "run -low 2 -high", " 2", " 9", " 4")
    assert max(low) == low[0] and max(high) == high[1]


@pytest.mark.parametrize("text", ["", "puts ", "other -x", "run -bar {1", "foreach a {b} {\n"])
def test_outside_the_calls_of_the_pack_nothing_is_voted(encoder: GgufEncoder, text: str) -> None:
    votes = OptionVotes("keep it at 3.5 bar", [STOP], encoder.encode, quantities_of("keep it at 3.5 bar"))
    assert votes.biases(text, np.arange(3), np.full(3, -1.0986), lambda i: PIECES[i].encode()) is None


def test_without_weight_nothing_is_encoded() -> None:
    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        raise AssertionError(texts)

    votes = OptionVotes("x", [STOP], encode, (), weight=0.0)
    assert votes.biases("pump_stop", np.arange(2), np.full(2, -0.69), lambda i: PIECES[i].encode()) is None


def test_windows_are_runs_of_words_and_the_whole() -> None:
    assert windows_of("stop P1 now, please do") == [
        "stop P1", "P1 now", "now please", "please do",
        "stop P1 now please", "P1 now please do", "stop P1 now please do",
    ]  # fmt: skip
    assert windows_of("halt") == ["halt"]


def test_a_number_that_is_left_asks_for_an_option_and_one_that_is_used_does_not(encoder: GgufEncoder) -> None:
    text = "keep it at 3.5 bar for 40 seconds"
    bar, seconds = changes(encoder, RUN, text, "run", " -bar", " -seconds")
    assert bar == pytest.approx(seconds)
    rpm, seconds = changes(encoder, RUN, text, "run -bar 3.5 -seconds 40", " -rpm", "\n")
    assert rpm < seconds


@pytest.mark.parametrize(
    ("instruction", "names"),
    [
        ("take STS1 and STS2 off the job", ("STS1", "STS2")),
        ("bays 22, 26 and 30 on STS4", ("22", "26", "30")),
        ("rosebed is fed by V9, V10 and V11.", ("V9", "V10", "V11")),
        ("hops, vines and berries hang on P3", ("hops", "vines", "berries")),
        ("make it wet and cold", ()),
        ("A1, and then we go home", ()),
        ("nothing at all", ()),
    ],
)
def test_names_that_are_listed(instruction: str, names: tuple[str, ...]) -> None:
    assert enumerated(instruction, words_of(instruction)) == names


def test_a_list_is_opened_and_closed_where_the_instruction_lists(encoder: GgufEncoder) -> None:
    instruction = "take STS1 and STS2 off the job"
    votes = WordVotes(words_of(instruction), instruction, Catalog(procs=(STOP,)))
    pieces = (" {", " STS")
    before = np.log(np.full(2, 0.5))
    opened = votes.biases("qc::release", np.arange(2), before, lambda i: pieces[i].encode())
    assert opened is not None and opened[0] > opened[1]
    inside = (" STS2", "}")
    more = votes.biases("qc::release {STS1", np.arange(2), before, lambda i: inside[i].encode())
    done = votes.biases("qc::release {STS1 STS2", np.arange(2), before, lambda i: inside[i].encode())
    assert more is not None and more[0] > more[1]
    assert done is not None and done[1] > done[0]


def test_a_line_is_hardly_written_a_third_time() -> None:
    pieces = (" CLK", " RST")
    before = np.log(np.full(2, 0.5))
    votes = RepetitionVotes()
    assert votes.biases("route CLK\nroute", np.arange(2), before, lambda i: pieces[i].encode()) is None
    after = votes.biases("route CLK\n  route CLK\nroute", np.arange(2), before, lambda i: pieces[i].encode())
    assert after is not None and after[1] > after[0] + 2
    assert np.exp(after).sum() == pytest.approx(1.0)


def test_a_block_that_goes_in_circles_is_given_up() -> None:
    candidate = Candidate(0, None, 0.0, 0, tokens=200)
    candidate.data = bytearray(b"@limits(\n" + b"  bin 10 match\n  have within 70%\n" * 8)
    assert candidate.in_circles()
    candidate.tokens = 60
    assert not candidate.in_circles()
    candidate.tokens = 200
    candidate.data = bytearray("\n".join(f"  bin {i}" for i in range(30)).encode() + b"\n")
    assert not candidate.in_circles()
