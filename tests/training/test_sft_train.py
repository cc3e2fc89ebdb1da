"""Fine-tuning really learns, trains what it was told to train, and survives kill -9, on this machine and on another."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("trl")
pytest.importorskip("peft")
pytest.importorskip("datasets")

import tiny_bases
import torch
from safetensors.torch import load_file

from localgen_retrieval.errors import ModelError, ToolError, UsageError
from localgen_training.base_model import open_base
from localgen_training.export.merge import merge
from localgen_training.run_config import RunConfig, load_config, save_config
from localgen_training.run_record import metrics
from localgen_training.sft.adaptation import choose, load_base
from localgen_training.sft.checkpoints import STATE, last_checkpoint, localise, step_of
from localgen_training.sft.train import Trained, train

SETTINGS: dict[str, Any] = {
    "sft.length": 512, "sft.accumulate": 2, "sft.epochs": 2, "sft.learning_rate": 5e-3, "sft.log_steps": 4,
    "sft.eval_steps": 4, "sft.save_steps": 4, "sft.method": "full", "sft.device": "cpu", "sft.keep": 9,
}  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bases.write_data(tmp_path_factory.mktemp("data"), train=36, validation=6)


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("bases")
    return {f: tiny_bases.make_base(f, folder / f, peaked=False) for f in ("qwen3", "llama")}


def new_run(folder: Path, base: Path, **changes: Any) -> Path:
    given = {k.replace("__", "."): v for k, v in changes.items()}
    save_config(folder, load_config(folder, SETTINGS | {"base.model": str(base)} | given))
    return folder


@pytest.fixture(scope="module")
def whole(data: Path, bases: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Trained]:
    """A training that nothing interrupted."""
    run = new_run(tmp_path_factory.mktemp("runs") / "whole", bases["qwen3"])
    return run, train(run, data)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "OMP_NUM_THREADS": "1"}


def start(run: Path, data: Path, *more: str) -> subprocess.Popen[bytes]:
    words = ["-m", "localgen_training.sft.train", "--run", str(run), "--data", str(data), *more]
    return subprocess.Popen([sys.executable, *words], start_new_session=True, env=environment())


def weights(run: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = load_file(run / "sft" / "model" / "model.safetensors")
    return found


@pytest.mark.slow
def test_the_loss_falls_and_what_was_done_is_written_down(whole: tuple[Path, Trained]) -> None:
    run, trained = whole
    assert trained.first_loss is not None and trained.last_loss is not None
    assert trained.last_loss < 0.6 * trained.first_loss
    assert trained.steps == trained.of and trained.trained == trained.parameters and not trained.stopped_early
    lines = [m for m in metrics(run) if m["stage"] == "sft"]
    assert lines[-1]["step"] == trained.steps and any("held_loss" in m for m in lines)
    assert "\n\n" not in (run / "metrics.jsonl").read_text()
    assert json.loads((run / "sft" / "result.json").read_text())["method"] == "full"
    assert merge(run) == run / "sft" / "model", "nothing to merge"


@pytest.mark.slow
def test_tensorboard_has_the_loss(whole: tuple[Path, Trained]) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(whole[0] / "sft" / "tensorboard"))
    events.Reload()
    assert len(events.Scalars("train/loss")) > 2 and events.Scalars("eval/loss")


@pytest.mark.slow
def test_after_kill_9_training_ends_as_if_nothing_had_been_here_and_elsewhere(
    whole: tuple[Path, Trained], data: Path, bases: dict[str, Path], tmp_path: Path
) -> None:
    run = new_run(tmp_path / "killed", bases["qwen3"])
    process = start(run, data)
    try:
        deadline = time.monotonic() + 400
        while not list((run / "sft").glob("checkpoint-*/localgen.json")):
            assert process.poll() is None and time.monotonic() < deadline, "no checkpoint was written"
            time.sleep(0.01)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=20)
    assert not (run / "sft" / "result.json").exists()
    before = len(metrics(run))
    # Another machine: other paths, and the checkpoint folder alone.
    checkpoint = last_checkpoint(run / "sft")
    assert checkpoint is not None
    step = step_of(checkpoint)
    carried = shutil.copytree(checkpoint, tmp_path / "usb" / checkpoint.name)
    elsewhere = new_run(tmp_path / "elsewhere", shutil.copytree(bases["qwen3"], tmp_path / "base"))
    shutil.copytree(data, tmp_path / "data")

    here = train(run, data)
    there = train(elsewhere, tmp_path / "data", resume_from=carried)
    wanted = weights(whole[0])
    for made in (weights(run), weights(elsewhere)):
        assert made.keys() == wanted.keys()
        assert all(torch.allclose(made[k], wanted[k], atol=1e-5) for k in wanted)
    assert here.steps == there.steps == whole[1].steps
    assert min(m["step"] for m in metrics(elsewhere)) > step, "it did not start from the beginning"
    assert len(metrics(run)) > before, "the log only grows"


@pytest.mark.slow
def test_a_checkpoint_of_other_data_or_settings_is_refused_and_kept(
    whole: tuple[Path, Trained], data: Path, bases: dict[str, Path], tmp_path: Path
) -> None:
    checkpoint = last_checkpoint(whole[0] / "sft")
    assert checkpoint is not None
    other = tiny_bases.write_data(tmp_path / "data", train=12)
    run = new_run(tmp_path / "run", bases["qwen3"])
    with pytest.raises(UsageError, match="another training: data differ") as e:
        train(run, other, resume_from=checkpoint)
    assert "--fresh" in e.value.hint
    warm = new_run(tmp_path / "warm", bases["qwen3"], sft__learning_rate=1e-3)
    with pytest.raises(UsageError, match="learning_rate differ"):
        train(warm, data, resume_from=checkpoint)
    with pytest.raises(ModelError, match="no whole checkpoint"):
        train(run, data, resume_from=tmp_path)
    assert step_of(checkpoint) > 0


@pytest.mark.slow
def test_lora_trains_the_last_layers_only_and_merges_into_the_same_model(
    data: Path, bases: dict[str, Path], tmp_path: Path
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    run = new_run(
        tmp_path / "lora", bases["llama"], sft__method="lora", lora__top_layers=1, lora__rank=4,
        lora__modules_to_save=["embed_tokens"], sft__max_steps=6,
    )  # fmt: skip
    trained = train(run, data)
    assert trained.steps == 6 and 0 < trained.trained < trained.parameters
    adapter = load_file(run / "sft" / "adapter" / "adapter_model.safetensors")
    assert any(".layers.1." in k for k in adapter) and not any(".layers.0." in k for k in adapter)
    assert any("embed_tokens" in k for k in adapter)
    merged_folder = merge(run)
    assert merged_folder == run / "merged"
    base = AutoModelForCausalLM.from_pretrained(bases["llama"])
    ids = torch.arange(20, 60)[None]
    with torch.no_grad():
        untouched = base(input_ids=ids).logits
        adapted = PeftModel.from_pretrained(base, run / "sft" / "adapter").eval()(input_ids=ids).logits
        merged = AutoModelForCausalLM.from_pretrained(merged_folder).eval()(input_ids=ids).logits
    assert torch.allclose(merged, adapted, atol=1e-4) and not torch.allclose(merged, untouched, atol=1e-2)


@pytest.mark.slow
def test_qlora_trains_an_adapter_over_four_bit_weights(data: Path, bases: dict[str, Path], tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes")
    run = new_run(
        tmp_path / "qlora", bases["llama"], sft__method="qlora", sft__dtype="bf16", sft__learning_rate=1e-2,
        lora__rank=4, sft__epochs=6,
    )  # fmt: skip
    base = open_base(bases["llama"])
    model = load_base(base, choose(load_config(run), base))
    four_bits = [m for m in model.modules() if type(m).__name__ == "Linear4bit"]
    assert len(four_bits) == 7 * model.config.num_hidden_layers
    trained = train(run, data)
    assert (trained.method, trained.dtype) == ("qlora", "bf16")
    assert trained.first_loss is not None and trained.last_loss is not None
    assert trained.last_loss < 0.95 * trained.first_loss
    assert 0 < trained.trained < trained.parameters
    merged = load_file(merge(run) / "model.safetensors")
    before = load_file(bases["llama"] / "model.safetensors")
    changed = {k for k in before if k in merged and not torch.equal(before[k].float(), merged[k].float())}
    assert changed and all("_proj" in k for k in changed), "not the four-bit weights are merged into"


@pytest.mark.slow
@pytest.mark.parametrize("method", ["full", "lora"])
def test_training_in_bf16_lowers_the_loss(
    data: Path, bases: dict[str, Path], tmp_path: Path, method: str
) -> None:
    run = new_run(tmp_path / method, bases["qwen3"], sft__method=method, sft__dtype="bf16", sft__epochs=3)
    trained = train(run, data)
    assert trained.dtype == "bf16" and trained.first_loss is not None and trained.last_loss is not None
    assert trained.last_loss < 0.95 * trained.first_loss


@pytest.mark.slow
def test_training_stops_early_where_validation_gets_worse(bases: dict[str, Path], tmp_path: Path) -> None:
    data = tiny_bases.write_data(tmp_path / "data", train=6, validation=6)
    broken = [e.model_copy(update={"messages": (*e.messages[:-1], e.messages[-1].model_copy(
        update={"content": "zzz ~~~ unlike anything\n" * 4}))}) for e in tiny_bases.examples(6, seed=1)]  # fmt: skip
    (data / "validation.jsonl").write_text("".join(e.model_dump_json() + "\n" for e in broken))
    run = new_run(
        tmp_path / "run", bases["qwen3"], sft__patience=2, sft__epochs=20, sft__eval_steps=2, sft__save_steps=2,
        sft__packing=False, sft__accumulate=1, sft__learning_rate=0.02, sft__warmup=0.0,
    )  # fmt: skip
    trained = train(run, data)
    assert trained.stopped_early and trained.steps < trained.of


def test_what_a_kill_left_half_written_is_removed(tmp_path: Path) -> None:
    for step, state in ((4, '{"global_step": 4}'), (8, '{"global_st'), (12, None)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        if state is not None:
            (folder / STATE).write_text(state)
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-4"
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint-4"]
    assert last_checkpoint(tmp_path / "nothing") is None


def test_a_best_checkpoint_that_did_not_come_along_is_forgotten(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint-8"
    folder.mkdir()
    state = {"global_step": 8, "best_model_checkpoint": "/elsewhere/checkpoint-4", "best_metric": 1.0}
    (folder / STATE).write_text(json.dumps(state))
    localise(folder)
    assert json.loads((folder / STATE).read_text())["best_model_checkpoint"] is None
    (tmp_path / "checkpoint-4").mkdir()
    (tmp_path / "checkpoint-4" / STATE).write_text('{"global_step": 4}')
    (folder / STATE).write_text(json.dumps(state))
    localise(folder)
    assert json.loads((folder / STATE).read_text())["best_model_checkpoint"] == str(tmp_path / "checkpoint-4")


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({"sft.device": "mps"}, ToolError, "no mps here"),
        ({"sft.dtype": "fp16", "sft.device": "cpu"}, UsageError, "fp16 training needs CUDA"),
    ],
)
def test_what_this_machine_cannot_do_is_said(
    bases: dict[str, Path], settings: dict[str, Any], error: type[Exception], said: str
) -> None:
    if torch.backends.mps.is_available():
        pytest.skip("this machine can")
    with pytest.raises(error, match=said):
        choose(load_config(Path("nowhere"), settings), open_base(bases["qwen3"]))


def test_device_and_precision_are_chosen_and_said(bases: dict[str, Path]) -> None:
    means = choose(RunConfig(), open_base(bases["qwen3"]))
    assert means.method == "full" and means.device in str(means) and means.dtype in str(means)


@pytest.mark.parametrize(
    ("spoil", "error", "said"),
    [
        (lambda p: shutil.rmtree(p), UsageError, "no such base model folder"),
        (lambda p: (p / "tokenizer.json").unlink(), ModelError, "no tokenizer.json there"),
        (lambda p: (p / "model.safetensors").unlink(), ModelError, r"no \*.safetensors there"),
        (lambda p: (p / "config.json").write_text('{"architectures": ["GPT2LMHeadModel"]}'), ModelError,
         "architecture GPT2LMHeadModel is not supported"),
        (lambda p: (p / "config.json").write_text("{"), ModelError, "not JSON"),
        (lambda p: (p / "model.safetensors.index.json").write_text('{"weight_map": {"a": "model-2.safetensors"}}'),
         ModelError, "weights are missing: model-2.safetensors"),
    ],
)  # fmt: skip
def test_a_base_folder_that_cannot_be_used_is_named_with_a_hint(
    bases: dict[str, Path], tmp_path: Path, spoil: Any, error: type[UsageError], said: str
) -> None:
    folder = shutil.copytree(bases["qwen3"], tmp_path / "base")
    spoil(folder)
    with pytest.raises(error, match=said) as e:
        open_base(folder)
    assert e.value.hint


def test_unknown_modules_of_an_adapter_are_named(bases: dict[str, Path], tmp_path: Path, data: Path) -> None:
    run = new_run(tmp_path / "run", bases["qwen3"], sft__method="lora", lora__target_modules=["c_attn"])
    with pytest.raises(UsageError, match="no modules called c_attn") as e:
        train(run, data)
    assert "q_proj" in e.value.hint
    assert last_checkpoint(run / "sft") is None
