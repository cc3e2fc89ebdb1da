"""A random model made on the spot, exported: the GGUF is the same model, and nothing wrong is ever left behind."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("gguf")
pytest.importorskip("llama_cpp")
pytest.importorskip("tokenizers")

import tokenizers
import torch

from localgen_retrieval.errors import ModelError, UsageError
from localgen_retrieval.prompt import END, MARKERS, compact_prompt
from localgen_training.export_checks import check_texts, compare_logits, tokenizer_differences
from localgen_training.export_decoder import MIN_COSINE, export, main, write_gguf
from localgen_training.gguf_model import GgufModel
from localgen_training.synthesis import example


@pytest.fixture(scope="module")
def run(tiny_model: Any, tiny_tokenizer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder as training leaves it."""
    folder = tmp_path_factory.mktemp("run")
    shutil.copy(tiny_tokenizer, folder / "tokenizer.json")
    tiny_model.config.save_pretrained(folder)
    torch.save({"model": tiny_model.state_dict(), "step": 3, "tokens": 1000, "tasks": 12}, folder / "checkpoint.pt")
    return folder


@pytest.fixture(scope="module")
def exported(run: Path) -> Path:
    out = run / "model.gguf"
    assert main(["--run", str(run), "--out", str(out), "--texts", "20", "--report", str(run / "export.json")]) == 0
    return out


def test_the_report_says_how_near_the_export_is(exported: Path) -> None:
    report = json.loads((exported.parent / "export.json").read_text())
    assert report["cosine_f16"] >= MIN_COSINE and report["cosine"] >= 0.99
    assert report["megabytes"] < 0.75 * report["f16_megabytes"]


def test_f16_logits_are_the_originals(run: Path, tiny_model: Any, tmp_path: Path) -> None:
    path = tmp_path / "f16.gguf"
    write_gguf(tiny_model, run / "tokenizer.json", path, name="test")
    tokenizer = tokenizers.Tokenizer.from_file(str(run / "tokenizer.json"))
    prompts = [tokenizer.encode(t, add_special_tokens=False).ids[:300] for t in check_texts(3)[-3:]]
    lowest, same = compare_logits(tiny_model, path, prompts)
    assert lowest >= MIN_COSINE and same > 0.97


def test_llama_cpp_splits_200_tasks_and_odd_characters_as_the_tokenizer_does(run: Path, exported: Path) -> None:
    tokenizer = tokenizers.Tokenizer.from_file(str(run / "tokenizer.json"))
    assert tokenizer_differences(tokenizer, exported, check_texts(200, seed=7)) == []


def test_the_export_loads_and_generates(exported: Path) -> None:
    model = GgufModel(exported, context=2048)
    task = example(0, "validation")
    text = model.greedy(compact_prompt(task.pack, task.instruction), limit=20)
    assert text == model.greedy(compact_prompt(task.pack, task.instruction), limit=20)
    assert text


def test_metadata_says_what_the_model_is(exported: Path) -> None:
    model = GgufModel(exported)
    data = model.metadata
    assert data["general.architecture"] == "qwen3" and data["general.name"] == "localgen-default"
    assert data["localgen.prompt_form"] == "compact" and "tokenizer.chat_template" not in data
    assert data["tokenizer.ggml.model"] == "gpt2" and data["tokenizer.ggml.pre"] == "qwen2"
    assert data["tokenizer.ggml.add_bos_token"] == "false"
    assert model.end == 4 and model.encode("".join(MARKERS)) == [1, 2, 3, 4]
    assert model.decode([4]) == END.encode()


def test_greedy_text_follows_the_original(exported: Path, run: Path, tiny_model: Any) -> None:
    tokenizer = tokenizers.Tokenizer.from_file(str(run / "tokenizer.json"))
    prompt = compact_prompt("a::b -c <int> : Does b.", "do b with c 4")
    ids = tokenizer.encode(prompt, add_special_tokens=False).ids
    made: list[int] = []
    with torch.no_grad():
        for _ in range(4):
            made.append(int(tiny_model(torch.tensor([ids + made])).logits[0, -1].argmax()))
    assert GgufModel(exported).greedy(prompt, limit=4) == tokenizer.decode(made, skip_special_tokens=False)


def test_an_unfinished_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--run", str(tmp_path), "--out", str(tmp_path / "m.gguf")]) == 5
    assert "no checkpoint.pt there" in capsys.readouterr().err
    assert not (tmp_path / "m.gguf").exists()


def test_a_tokenizer_of_another_size_is_refused_and_nothing_is_left(run: Path, tmp_path: Path) -> None:
    broken = tmp_path / "run"
    shutil.copytree(run, broken, ignore=shutil.ignore_patterns("*.gguf"))
    data = json.loads((broken / "tokenizer.json").read_text())
    dropped = data["model"]["merges"].pop()
    del data["model"]["vocab"]["".join(dropped)]
    (broken / "tokenizer.json").write_text(json.dumps(data))
    out = tmp_path / "out" / "m.gguf"
    with pytest.raises(UsageError):
        export(broken, out, texts=2)
    assert list(out.parent.iterdir()) == []


def test_a_checkpoint_that_does_not_fit_is_refused_and_the_old_file_stays(run: Path, tmp_path: Path) -> None:
    broken = tmp_path / "run"
    shutil.copytree(run, broken, ignore=shutil.ignore_patterns("*.gguf"))
    config = json.loads((broken / "config.json").read_text())
    (broken / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3, "layer_types": None}))
    out = tmp_path / "m.gguf"
    out.write_bytes(b"older")
    with pytest.raises(ModelError, match="does not fit"):
        export(broken, out, texts=2)
    assert out.read_bytes() == b"older" and [p.name for p in tmp_path.glob("m.gguf*")] == ["m.gguf"]
