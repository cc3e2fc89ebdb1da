"""The confidence: a probability from named figures, and the reasons for doubt."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from constraint_kit import minimal

from localgen.confidence import CALIBRATION, LEAST, SURE, Calibration, load_calibration
from localgen.options import Options
from localgen.pipeline import Generator

TASK = "Route net CLK on M3."


def test_what_ships_has_the_figures_that_are_made(tmp_path: Path, random_model: Path) -> None:
    made = Generator(minimal(), model=random_model, cache_dir=tmp_path)
    from localgen.dialogue import Task

    found = made.attempt(Task(TASK), Options(k=2, ask=False, max_tokens=60))
    made.close()
    assert set(load_calibration().weights) == set(found.figures)
    assert all(math.isfinite(v) for v in found.figures.values())


def test_a_probability_rises_with_what_speaks_for_a_script() -> None:
    calibration = load_calibration()
    base = {name: mean for name, (_, mean, _) in calibration.weights.items()}
    middle = calibration.probability(base)
    assert 0 < middle < 1
    for name in ("coverage", "agreement", "plan_margin"):
        assert calibration.probability({**base, name: base[name] + 1}) > middle, name
    assert calibration.probability({**base, "doubted": base["doubted"] + 1}) < middle
    assert calibration.probability({**base, "from_nowhere": base["from_nowhere"] + 1}) <= middle
    assert 0 <= calibration.probability(dict.fromkeys(base, -1000000000.0)) <= calibration.probability(base) <= 1


def test_a_calibration_is_written_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text(Calibration(0.5, {"x": (2.0, 1.0, 4.0)}).to_json())
    again = load_calibration(path)
    assert again.probability({"x": 3.0}) == pytest.approx(1 / (1 + math.exp(-1.5)))
    assert CALIBRATION.is_file()


def test_a_script_without_a_statement_has_hardly_any_confidence(tmp_path: Path, random_model: Path) -> None:
    made = Generator(minimal(), model=random_model, cache_dir=tmp_path)
    assert made.generate(TASK, Options(k=1, max_tokens=1, ask=False)).confidence == LEAST
    made.close()


def test_below_the_line_a_script_becomes_a_question_that_offers_procs(tmp_path: Path, random_model: Path) -> None:
    made = Generator(minimal(), model=random_model, cache_dir=tmp_path)
    asked = made.generate(TASK, Options(k=2, max_tokens=60, ask_below=1.0))
    assert asked.type == "clarification" and asked.script is None and asked.reason == "low-confidence"
    assert asked.suggestions and asked.suggestions[0].startswith("my::")
    written = made.generate(TASK, Options(k=2, max_tokens=60, ask_below=1.0, ask=False))
    assert written.type == "script", "with --no-ask nothing is asked"
    assert written.confidence >= SURE or written.notes or not written.script
    made.close()
