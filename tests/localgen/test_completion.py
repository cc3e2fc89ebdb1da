"""A call that the budget cuts off: finished where it is determined, left out where it is not; said in both cases."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from constraint_kit import domain_of

from localgen.decoder.assignment import Assignment, Opening
from localgen.decoder.completion import Completer
from localgen.decoder.said import Said, SaidValues
from localgen.options import Options
from localgen.pipeline import Generator
from localgen.validation.validate import validate_script
from localgen_grammars.constraint.grounding import words_of

from .readings import reading

DOMAIN = domain_of(
    {
        "procs": [
            {"name": "route", "args": [{"name": "net"}, {"name": "layer", "values": ["M1", "M2"]},
                                       {"name": "mode", "values": ["only"]}, {"name": "hard", "type": "flag"},
                                       {"name": "cell", "positional": True, "required": True}]},
            {"name": "router", "args": []},
            {"name": "keep", "args": [{"name": "of", "default": "all", "required": True}]},
        ]
    }
)  # fmt: skip
PROCS = {p.name: p for p in DOMAIN.catalog.procs}


def completer(*, layer_gap: float = 6.0) -> Completer:
    """One whose plan gives net CLK, layer M2 (by so many nats before M1) and cell U1."""
    text = "route CLK on M2 over U1"
    said = SaidValues(reading(text), words_of(text))
    openings = [
        Opening("net", (Said("CLK", 0.0, 6), Said("LK", -1.0, 7))),
        Opening("layer", (Said("M2", 0.0, 13), Said("M1", -layer_gap, -1))),
        Opening("cell", (Said("U1", 0.0, 21), Said("CLK", -6.0, 6))),
    ]
    return Completer(PROCS, {"route": Assignment(openings, said, (), np.zeros(0))}, {})


@pytest.mark.parametrize(
    ("written", "whole"),
    [
        ("router\nroute -net CLK -layer M2 -mode only ", "router\nroute -net CLK -layer M2 -mode only U1\n"),
        ("route -net CLK -layer M2 -mode only U1", "route -net CLK -layer M2 -mode only U1\n"),
        ("route -net CLK ", "route -net CLK -layer M2 -mode only U1\n"),
        ("route -net CLK -lay", "route -net CLK -layer M2 -mode only U1\n"),
        ("route -net CLK -layer", "route -net CLK -layer M2 -mode only U1\n"),
        ("route -net CLK -layer M", "route -net CLK -layer M2 -mode only U1\n"),
        ("route -net [ro", "route -net CLK -layer M2 -mode only U1\n"),
        ("route -hard", "route -hard -net CLK -layer M2 -mode only U1\n"),
        ("route ", "route -net CLK -layer M2 -mode only U1\n"),
        ("foreach x {A} {\n  route -net $x ", "foreach x {A} {\n  route -net $x -layer M2 -mode only U1\n"),
        ("keep ", "keep -of all\n"),
    ],
)
def test_what_is_determined_is_added_and_what_is_written_stays(written: str, whole: str) -> None:
    made = completer().completed(written)
    assert made is not None and made[0] == whole


@pytest.mark.parametrize(
    "written",
    ["route", "rou", "", "router\n", "set x ", "dsl {\n  rou", "# route"],
)
def test_what_is_no_call_of_one_proc_is_not_finished(written: str) -> None:
    assert completer().completed(written) is None


def test_a_value_that_has_a_rival_is_not_determined() -> None:
    assert completer(layer_gap=1.0).completed("route -net CLK ") is None


@pytest.mark.parametrize("budget", range(1, 40, 3))
def test_a_script_is_valid_at_any_budget_and_says_what_was_added_or_left_out(
    budget: int, random_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    generator = _generator(random_model, tmp_path_factory)
    for seed in range(3):
        options = Options(k=2, temperature=1.5, max_tokens=budget, seed=seed, ask=False)
        answer = generator.generate("route net CLK on M2 over cell U1", options)
        assert answer.script is not None and validate_script(answer.script, DOMAIN, strict=True).valid
        if answer.truncated:
            last = answer.script.splitlines()[-1] if answer.script else ""
            assert all(a.split()[-1] in last for a in answer.completed)
            assert not (answer.completed and any(d.startswith("route") for d in answer.dropped))
        else:
            assert not answer.completed


_MADE: dict[Path, Generator] = {}


def _generator(model: Path, folders: pytest.TempPathFactory) -> Generator:
    if model not in _MADE:
        _MADE[model] = Generator(DOMAIN, model=model, cache_dir=folders.mktemp("cache"))
    return _MADE[model]
