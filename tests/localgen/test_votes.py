"""Votes on words of the instruction and against going in circles."""

from __future__ import annotations

import numpy as np
import pytest

from localgen.decoder.candidate import Candidate
from localgen.decoder.names import enumerated
from localgen.decoder.word_votes import RepetitionVotes, WordVotes
from localgen_grammars.constraint.grounding import words_of
from localgen_retrieval.catalog import Catalog


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


def test_a_list_is_opened_and_closed_where_the_instruction_lists() -> None:
    instruction = "take STS1 and STS2 off the job"
    votes = WordVotes(words_of(instruction), instruction, Catalog())
    pieces = (" {", " STS")
    before = np.log(np.full(2, 0.5))
    opened = votes.biases("qc::release", np.arange(2), before, pieces)
    assert opened is not None and opened[0] > opened[1]
    inside = (" STS2", "}")
    more = votes.biases("qc::release {STS1", np.arange(2), before, inside)
    done = votes.biases("qc::release {STS1 STS2", np.arange(2), before, inside)
    assert more is not None and more[0] > more[1]
    assert done is not None and done[1] > done[0]


def test_a_line_is_hardly_written_a_third_time() -> None:
    pieces = (" CLK", " RST")
    before = np.log(np.full(2, 0.5))
    votes = RepetitionVotes()
    assert votes.biases("route CLK\nroute", np.arange(2), before, pieces) is None
    after = votes.biases("route CLK\n  route CLK\nroute", np.arange(2), before, pieces)
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
