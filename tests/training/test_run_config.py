"""A run's config: what a file and the command line may say, and that it comes back as it was written."""

from __future__ import annotations

from pathlib import Path

import pytest

from localgen_retrieval.errors import UsageError
from localgen_training.run_config import FILE, RunConfig, load_config, parse_changes, save_config


def test_a_run_called_default_makes_our_own_decoder_and_others_teach_a_base(tmp_path: Path) -> None:
    assert load_config(tmp_path / "default").kind == "virtual"
    assert load_config(tmp_path / "pnr").kind == "base"
    assert load_config(tmp_path / "default").quantisation == "q8_0"
    assert load_config(tmp_path / "pnr").quantisation == "q4_k_m"


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    changes = {
        "base.model": 'a "b"\\c/ü', "lora.target_modules": ["q_proj"], "sft.epochs": 2, "sft.learning_rate": 1e-5,
        "eval.temperatures": [0.1, 1.0], "eval.unconstrained": False, "targets": {"pass@1": 0.25, "a.b": 1.0},
    }  # fmt: skip
    config = load_config(tmp_path, changes)
    save_config(tmp_path, config)
    assert load_config(tmp_path) == config
    assert "rank" not in (tmp_path / FILE).read_text(), "only what was decided"


def test_a_file_with_remarks_that_says_the_same_is_left_alone(tmp_path: Path) -> None:
    text = "# ours\nkind = 'base'\n[sft]\nepochs = 2 # enough\n"
    (tmp_path / FILE).write_text(text)
    save_config(tmp_path, load_config(tmp_path))
    assert (tmp_path / FILE).read_text() == text
    save_config(tmp_path, load_config(tmp_path, {"sft.epochs": 4}))
    assert load_config(tmp_path).sft.epochs == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [("kind = ", "not TOML"), ("[sft]\nepoch = 3\n", "sft.epoch"), ("[lora]\nrank = 0\n", "lora.rank"),
     ("[export]\nquantise = 'q9'\n", "export.quantise"), ("kind = 'other'\n", "kind")],
)  # fmt: skip
def test_mistakes_are_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(UsageError, match=said):
        load_config(tmp_path)
    assert (tmp_path / FILE).read_text() == text


def test_changes_of_the_command_line_are_toml_or_plain_text() -> None:
    words = ["sft.epochs=1", "sft.packing=false", "base.model=/models/x y", "eval.temperatures=[0.5]", "kind=base"]
    assert parse_changes(words) == {
        "sft.epochs": 1, "sft.packing": False, "base.model": "/models/x y", "eval.temperatures": [0.5], "kind": "base",
    }  # fmt: skip
    with pytest.raises(UsageError, match="KEY=VALUE"):
        parse_changes(["sft.epochs"])
    with pytest.raises(UsageError, match="no such setting"):
        load_config(Path("nowhere"), {"seed": 1, "seed.of": 1})


def test_defaults_are_valid_and_the_same_however_they_are_made(tmp_path: Path) -> None:
    assert load_config(tmp_path / "x") == RunConfig()
