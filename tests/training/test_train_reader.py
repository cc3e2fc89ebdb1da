"""The reader: labels say where things are, the loss falls, a run can be taken up, what is exported agrees."""

from __future__ import annotations

import itertools
import json
import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
import transformers

from localgen_retrieval.reader import GgufReader
from localgen_training.export_encoder import default_model_folder
from localgen_training.export_reader import MIN_AGREEMENT, agreement
from localgen_training.export_reader import main as export_main
from localgen_training.reader_data import batches, draw_tasks, label, page_of
from localgen_training.reader_model import HEADS_FILE, Reader, losses, wordpieces
from localgen_training.train_reader import Settings, held_batches, optimizers, save, train


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two narrow layers with random weights and the real word pieces."""
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("small")
    shutil.copytree(default_model_folder(), folder, dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns("*.safetensors", "*.bin", "*.onnx"))  # fmt: skip
    config = transformers.BertConfig(
        hidden_size=64, num_hidden_layers=2, num_attention_heads=2, intermediate_size=128, max_position_embeddings=512
    )
    torch.manual_seed(0)
    model = transformers.BertModel(config, add_pooling_layer=False)
    config.save_pretrained(folder)
    save_file(model.state_dict(), folder / "model.safetensors")
    return folder


def test_labels_point_at_the_words_that_say_a_value() -> None:
    tokenize = wordpieces(default_model_folder())
    rng = random.Random(0)
    pointed = 0
    for seed in range(120):
        task = draw_tasks(seed, 1)[0]
        page = page_of(task, tokenize, rng)
        if page is None:
            continue
        labels = label(page, task.instruction, task.uses)
        used = {u.use.symbol for u in task.uses}
        shown = {m.symbol: s.name for s, m in zip(page.symbols, page.marks, strict=True)}
        assert {shown[part] for part, asked in labels.symbols.items() if asked} == used & set(shown.values())
        given = {v for u in task.uses for values in u.use.values.values() for v in values}
        slots = {part: slot for s, m in zip(page.symbols, page.marks, strict=True)
                 for slot, part in zip(s.slots, m.slots, strict=False)}  # fmt: skip
        for (part, starts), (_, ends) in zip(labels.starts, labels.ends, strict=True):
            if slots[part].kind == "text" and len(starts) == len(ends) == 1:
                said = task.instruction[page.offsets[starts[0] - 1][0] : page.offsets[ends[0] - 1][1]]
                pointed += 1
                assert said.lower() in {v.lower() for v in given} or any(
                    v.lower() in said.lower() or said.lower() in v.lower() for v in given
                )
    assert pointed > 100


def test_batches_are_the_same_for_the_same_seed_and_keep_to_their_size() -> None:
    tokenize = wordpieces(default_model_folder())
    draws = [(1.0, draw_tasks)]
    first, again = (list(itertools.islice(batches(draws, tokenize, 5, 1500, 24), 4)) for _ in range(2))
    assert [[p.ids for p, _ in b] for b in first] == [[p.ids for p, _ in b] for b in again]
    assert all(len(b) * max(len(p.ids) for p, _ in b) <= 1500 for b in first)


def test_a_few_steps_lower_the_loss_and_a_second_sitting_goes_on(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    settings = Settings(minutes=5, steps=30, lr=2e-3, decay=0.1, tokens=800, save_every=15, threads=1, held=2)
    few = [(1.0, lambda seed, n: draw_tasks(seed % 3, n))]
    held = {"held": held_batches(lambda seed, n: draw_tasks(seed, n, "validation"), small, settings)}
    assert train(Reader(small), out, few, small, settings, held) == 30
    assert train(Reader(small), out, few, small, settings, held) == 60
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text("utf-8").splitlines()]
    assert [line["step"] for line in lines] == [15, 30, 45, 60]
    assert lines[-1]["loss"] < 0.8 * lines[0]["loss"]
    assert set(lines[-1]["held"]) == {"symbol", "slot", "value", "start", "end", "clause"}


def test_another_optimizer_goes_on_with_the_weights(small: Path, tmp_path: Path) -> None:
    settings = Settings(minutes=5, steps=20, lr=2e-3, decay=0.1, tokens=800, save_every=20, threads=1, muon=False)
    few = [(1.0, lambda seed, n: draw_tasks(seed % 3, n))]
    assert train(Reader(small), tmp_path, few, small, settings, {}) == 20
    before = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["model"]
    assert train(Reader(small), tmp_path, few, small, replace(settings, steps=1, muon=True, lr=0, head_lr=0), {}) == 21
    after = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert len(after["optimizers"]) == 2
    assert all(torch.equal(before[name], after["model"][name]) for name in before)


def test_muon_trains_the_bodys_matrices_and_adamw_the_rest(small: Path) -> None:
    model = Reader(small)
    rest, matrices = optimizers(model, Settings(minutes=1))
    by_muon = {id(p) for group in matrices.param_groups for p in group["params"]}
    by_adamw = {id(p) for group in rest.param_groups for p in group["params"]}
    trained = {id(p) for p in model.parameters() if p.requires_grad}
    assert by_muon == {id(p) for p in model.bert.encoder.parameters() if p.ndim == 2}
    assert by_muon | by_adamw == trained and not by_muon & by_adamw


def test_what_is_exported_says_the_same(small: Path, tmp_path: Path) -> None:
    torch.manual_seed(3)
    model = Reader(small)
    folder, gguf = tmp_path / "model", tmp_path / "reader.gguf"
    save(model, small, folder)
    assert export_main(["--model", str(folder), "--out", str(gguf), "--tasks", "0"]) == 0
    heads = gguf.with_suffix(".heads.npz")
    assert agreement(gguf, heads, folder, 12) >= MIN_AGREEMENT
    kept = Reader(folder)
    kept.load_heads(folder / HEADS_FILE)
    tokenize = wordpieces(small)
    task = draw_tasks(1, 1)[0]
    page = page_of(task, tokenize, random.Random(1))
    assert page is not None
    batch = [(page, label(page, task.instruction, task.uses))]
    model.eval()
    kept.eval()
    with torch.no_grad():
        a, b = (losses(m, m([page]), batch).total for m in (model, kept))
    assert torch.allclose(a, b, atol=1e-4)
    read = GgufReader(gguf, heads).read(task.instruction, task.symbols)
    assert len(read.symbols) == len(task.symbols)
