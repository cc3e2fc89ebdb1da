"""Which candidate wins."""

from __future__ import annotations

import numpy as np
import pytest

from localgen.decoder.candidate import Candidate
from localgen.rank import instruction_literals, rank
from localgen_retrieval.retrieve import Ranking
from localgen_retrieval.symbols import Symbol

SYMBOLS = (Symbol("proc", "route", "route a net", 0), Symbol("proc", "keep", "keep away", 1))
SCORES = np.array([2.0, -1.0])
RANKING = Ranking("route CLK", ("route CLK",), SYMBOLS, SCORES, SCORES[None, :], SCORES, SCORES, SCORES)


def candidate(text: str, log_prob: float = -1.0, *, truncated: bool = False) -> Candidate:
    return Candidate(0, None, 0.0, 0, data=bytearray(text.encode()), log_prob=log_prob, choices=1, truncated=truncated)


def order(*candidates: Candidate, instruction: str = "route CLK", call_wanted: bool = False) -> list[str]:
    ranked = rank(candidates, instruction, RANKING, ["route", "keep"], call_wanted=call_wanted)
    return [r.text for r in ranked]


def test_equal_texts_are_one_with_their_share() -> None:
    ranked = rank([candidate("route CLK\n"), candidate("route CLK\n", -3), candidate("keep CLK\n")], "x", RANKING, [])
    assert {r.text: r.share for r in ranked} == {
        "route CLK\n": pytest.approx(2 / 3),
        "keep CLK\n": pytest.approx(1 / 3),
    }
    assert next(r.log_prob for r in ranked if r.text == "route CLK\n") == -1.0


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (candidate("route CLK\n", -0.5), candidate("route CLK2\n", -2.5)),
        (candidate("route CLK\n"), candidate("route RST\n")),
        (candidate("route CLK\n"), candidate("keep CLK\n")),
        (candidate("route CLK\n", -2), candidate("route CLK # x\n", -0.5, truncated=True)),
        (candidate("keep RST\n", -9), candidate("", 0.0)),
        (candidate("keep RST\n", -9), candidate("", 0.0, truncated=True)),
    ],
    ids=["odds", "coverage", "fit", "truncated", "empty", "empty-truncated"],
)
def test_each_reason_counts(better: Candidate, worse: Candidate) -> None:
    assert order(better, worse)[0] == order(worse, better)[0] == better.text


def test_a_script_with_a_call_goes_before_one_without_where_a_call_is_wanted() -> None:
    assert order(candidate("set x CLK\n", -0.5), candidate("route CLK\n", -0.9))[0] == "route CLK\n"
    likely = [candidate("set x CLK\n", -0.5), candidate("route CLK\n", -4.5)]
    assert order(*likely)[0] == "set x CLK\n"
    assert order(*likely, call_wanted=True)[0] == "route CLK\n"
    # Not whatever its odds: settings and blocks are answers too.
    assert order(candidate("set x CLK\n", -0.1), candidate("keep RST\n", -9))[0] == "set x CLK\n"


def test_agreement_breaks_a_tie() -> None:
    assert (
        order(candidate("route CLK a\n"), candidate("route CLK b\n"), candidate("route CLK b\n"))[0] == "route CLK b\n"
    )


def test_what_of_the_instruction_is_not_used_is_named() -> None:
    ranked = rank([candidate("route CLK 2.5\n")], "Route CLK and RST_N 2.50 um apart", RANKING, [])[0]
    assert ranked.unused == ("RST_N",)
    assert ranked.coverage == pytest.approx(2 / 3)


def test_names_and_numbers_are_what_a_script_most_likely_holds() -> None:
    found = instruction_literals('Please route net CLK and "my net" on M3, 0.12um wide, at u_core/mem[3].')
    assert {"CLK", "my net", "M3", "0.12", "u_core/mem[3]"} <= set(found)
    assert not {"Please", "route", "net", "wide"} & set(found)
