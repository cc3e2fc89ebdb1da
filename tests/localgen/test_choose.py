"""The last choice: candidates that do the same stand together, and a valid script goes first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from constraint_kit import minimal
from numpy.typing import NDArray
from oracle import requires_tcl

from localgen.choose import Chooser
from localgen.rank import Ranked
from localgen.validation.grammars import grammars_of

LAYERS = ("M1", "M2", "M3")


def encode(texts: Sequence[str]) -> NDArray[np.float32]:
    """Unit vectors of the layers that a text names."""
    found = np.array([[1e-3, *(float(layer in t) for layer in LAYERS)] for t in texts], np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def ranked(text: str, score: float = 0.0, share: float = 0.25) -> Ranked:
    return Ranked(text, share, -0.1, 1.0, score, False, 9)


def choose(*candidates: Ranked, instruction: str = "route A") -> list[str]:
    chooser = Chooser(minimal(), grammars_of(minimal()), encode)
    return [c.script for c in chooser.choose(candidates, instruction)]


ROUTE, OTHER = "my::route -net A -layer M1\n", "my::route -net A -layer M2\n"
SAME = "my::route -layer M1 -net A\n", "foreach net {A} {\n  my::route -net $net -layer M1\n}\n"


@requires_tcl
def test_scripts_that_do_the_same_vote_together() -> None:
    assert choose(ranked(OTHER, 0.1), ranked(ROUTE))[0] == OTHER
    assert choose(ranked(OTHER, 0.1), ranked(ROUTE), *(ranked(s, -1) for s in SAME))[0] == ROUTE
    chooser = Chooser(minimal(), grammars_of(minimal()), encode)
    found = chooser.choose([ranked(OTHER), ranked(ROUTE), *(ranked(s) for s in SAME)], "x")
    assert {c.script: c.agreement for c in found} == {OTHER: 0.25, ROUTE: 0.75, SAME[0]: 0.75, SAME[1]: 0.75}


def test_the_script_whose_english_is_nearer_to_the_instruction_breaks_a_tie() -> None:
    assert choose(ranked(ROUTE), ranked(OTHER), instruction="route A on M2")[0] == OTHER
    assert choose(ranked(ROUTE), ranked(OTHER), instruction="route A on M1")[0] == ROUTE


@pytest.mark.parametrize("bad", ["my::route -net A -layer M9\n", "my::route -net A\n", ROUTE + "my::nothing\n"])
def test_what_validates_as_it_is_goes_before_what_has_to_be_cut(bad: str) -> None:
    assert choose(ranked(bad, 4.0), ranked(OTHER, -4.0))[0] == OTHER
