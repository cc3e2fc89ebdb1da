"""Fine-tunes a base model on training/data/NAME; goes on from the last checkpoint after any interruption.

    python -m localgen_training.sft.train --run training/runs/pnr --data training/data/pnr

trl's SFTTrainer does the work: loss on the answers only, packed rows that do not see each other, LoRA by peft, early
stopping on the validation split, TensorBoard. What is learnt is left in sft/model (all weights) or sft/adapter (LoRA).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from localgen_retrieval.errors import ToolError, UsageError

from ..base_model import BaseModel, open_base
from ..run_config import SMALL, RunConfig, load_config
from ..run_record import metrics
from ..stage import need_space, parent_is_gone, quiet_libraries, run_stage
from .adaptation import Means, adapter_config, choose, load_base, load_tokenizer
from .checkpoints import adopt, check_same, fingerprint, last_checkpoint, localise, step_of
from .conversation import ConversationEncoder
from .rows import Rows, training_rows, validation_rows

RESULT = "result.json"


@dataclass(frozen=True)
class Trained:
    """What a training came to; `folder` (model or adapter) is seen from the run folder."""

    folder: str
    method: str
    device: str
    dtype: str
    parameters: int
    trained: int
    steps: int
    of: int
    examples: int
    too_long: int
    tokens_per_epoch: int
    first_loss: float | None
    last_loss: float | None
    held_loss: float | None
    stopped_early: bool


def base_folder(run: Path, config: RunConfig) -> Path:
    """Where the run's base model lies; a small one is made in the run folder."""
    return run / "base" if config.base.model == SMALL else Path(config.base.model).expanduser()


def train(run: Path, data: Path, *, resume_from: Path | None = None, fresh: bool = False) -> Trained:
    """Train until the epochs are done or the validation loss no longer falls.

    Args:
        resume_from: a checkpoint folder, of another machine for example.
        fresh: forget the checkpoints.

    Raises:
        UsageError, ModelError, ToolError: what is missing, and what to do.
    """
    quiet_libraries()
    config = load_config(run)
    base = open_base(base_folder(run, config))
    means = choose(config, base)
    print(f"sft: {means}", file=sys.stderr)
    folder = run / "sft"
    splits = {name: data / f"{name}.jsonl" for name in ("train", "validation")}
    tokenizer = load_tokenizer(base.folder)
    encoder = ConversationEncoder(tokenizer)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token_id = encoder.end
    _check_length(config, base)
    sft = config.sft
    held = validation_rows(splits["validation"], encoder, length=sft.length)
    rows = training_rows(
        splits["train"], encoder, length=sft.length, epochs=sft.epochs, packing=sft.packing, curriculum=sft.curriculum,
        seed=config.seed,
    )  # fmt: skip
    known = fingerprint(config, base, means, splits["train"])
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
    checkpoint = adopt(resume_from, folder) if resume_from else last_checkpoint(folder)
    if checkpoint is not None:
        check_same(known, checkpoint)
        localise(checkpoint)
        print(f"sft: goes on from {checkpoint} (step {step_of(checkpoint)})", file=sys.stderr)
    # Weights and AdamW's two moments in fp32, in each checkpoint kept and in one being written.
    need_space(run, base.size / 1e6 * (3 * (sft.keep + 1) if means.method == "full" else 0.2))
    folder.mkdir(parents=True, exist_ok=True)
    left_out = f"; {rows.too_long} are longer than {sft.length} tokens and left out" if rows.too_long else ""
    print(
        f"sft: {rows.examples} examples, {rows.tokens / 1e6:.2f} M tokens an epoch, "
        f"{len(rows.dataset)} rows over {sft.epochs} epochs{left_out}",
        file=sys.stderr,
    )
    trainer = _trainer(run, config, base, means, tokenizer, rows, held, known)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if parent_is_gone():
        raise ToolError(
            "the pipeline that started this training is gone",
            hint="run it again: training goes on from the checkpoint just written",
            code="orphaned",
        )
    return _finish(run, trainer, means, rows, tokenizer)


def _check_length(config: RunConfig, base: BaseModel) -> None:
    room = int(base.config.get("max_position_embeddings") or config.sft.length)
    if config.sft.length > room:
        raise UsageError(
            f"sft.length is {config.sft.length}, the base model reads {room} tokens",
            hint=f"set sft.length to at most {room}",
            code="sft-length",
        )


def _trainer(
    run: Path, config: RunConfig, base: BaseModel, means: Means, tokenizer: Any, rows: Rows, held: Rows,
    known: dict[str, Any],
) -> Any:  # fmt: skip
    from transformers import EarlyStoppingCallback, PrinterCallback
    from trl import SFTConfig, SFTTrainer

    from .callbacks import Watch

    sft = config.sft
    planned = math.ceil(len(rows.dataset) / (sft.rows * sft.accumulate))
    steps = min(planned, sft.max_steps or planned)
    # A short training is looked at too: four times.
    eval_steps = min(sft.eval_steps, max(1, steps // 4))
    save_steps = max(1, round(min(sft.save_steps, steps) / eval_steps)) * eval_steps
    tensorboard = sft.tensorboard and find_spec("tensorboard") is not None
    if tensorboard:
        os.environ["TENSORBOARD_LOGGING_DIR"] = str(run / "sft" / "tensorboard")
    checkpointing = sft.gradient_checkpointing
    arguments = SFTConfig(
        output_dir=str(run / "sft"), seed=config.seed, data_seed=config.seed,
        num_train_epochs=1, max_steps=sft.max_steps if sft.max_steps and sft.max_steps < planned else -1,
        per_device_train_batch_size=sft.rows, per_device_eval_batch_size=1,
        gradient_accumulation_steps=sft.accumulate, gradient_checkpointing=(
            checkpointing if checkpointing is not None else means.device == "cuda"
        ),
        learning_rate=means.learning_rate, warmup_steps=round(sft.warmup * steps), lr_scheduler_type="cosine",
        max_grad_norm=1.0, weight_decay=0.01,
        bf16=means.dtype == "bf16", fp16=means.dtype == "fp16", use_cpu=means.device == "cpu",
        logging_steps=min(sft.log_steps, eval_steps), eval_strategy="steps", eval_steps=eval_steps,
        save_strategy="steps", save_steps=save_steps, save_total_limit=sft.keep,
        load_best_model_at_end=True, metric_for_best_model="eval_loss", greater_is_better=False,
        restore_callback_states_from_checkpoint=True,
        report_to=["tensorboard"] if tensorboard else [], disable_tqdm=not sys.stderr.isatty(),
        max_length=None, packing=False, padding_free=True, shuffle_dataset=False,
        dataset_kwargs={"skip_prepare_dataset": True}, train_sampling_strategy="sequential",
        dataloader_pin_memory=means.device == "cuda",
    )  # fmt: skip
    model = load_base(base, means)
    callbacks = [Watch(run, known)]
    if sft.patience:
        callbacks.append(EarlyStoppingCallback(early_stopping_patience=sft.patience))
    trainer = SFTTrainer(
        model=model, args=arguments, train_dataset=rows.dataset, eval_dataset=held.dataset, processing_class=tokenizer,
        peft_config=adapter_config(config.lora, model) if means.method != "full" else None, callbacks=callbacks,
    )  # fmt: skip
    trainer.remove_callback(PrinterCallback)
    return trainer


def _finish(run: Path, trainer: Any, means: Means, rows: Rows, tokenizer: Any) -> Trained:
    folder = run / "sft"
    name = "model" if means.method == "full" else "adapter"
    partial = folder / f"{name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    trainer.save_model(str(partial))
    tokenizer.save_pretrained(partial)
    shutil.rmtree(folder / name, ignore_errors=True)
    partial.rename(folder / name)
    logged = [m for m in metrics(run) if m.get("stage") == "sft"]
    losses = [m["loss"] for m in logged if "loss" in m]
    state = trainer.state
    parameters = [(p.numel(), p.requires_grad) for p in trainer.model.parameters()]
    trained = Trained(
        folder=f"sft/{name}", method=means.method, device=means.device, dtype=means.dtype,
        parameters=sum(n for n, _ in parameters), trained=sum(n for n, learns in parameters if learns),
        steps=state.global_step, of=state.max_steps, examples=rows.examples, too_long=rows.too_long,
        tokens_per_epoch=rows.tokens, first_loss=losses[0] if losses else None,
        last_loss=losses[-1] if losses else None, held_loss=state.best_metric,
        stopped_early=state.global_step < state.max_steps,
    )  # fmt: skip
    (folder / RESULT).write_text(json.dumps(asdict(trained), indent=1) + "\n", encoding="utf-8")
    return trained


def main(argv: Sequence[str] | None = None) -> int:
    """Train, and say what it came to."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--run", type=Path, required=True)
    ap.add_argument("--data", type=Path, required=True, help="folder with train.jsonl and validation.jsonl")
    ap.add_argument("--resume-from", type=Path, help="a checkpoint folder to go on from")
    ap.add_argument("--fresh", action="store_true", help="forget the checkpoints")
    a = ap.parse_args(argv)

    def work() -> None:
        from filelock import FileLock, Timeout

        a.run.mkdir(parents=True, exist_ok=True)
        try:
            # A sitting whose pipeline was killed ends after its step.
            with FileLock(a.run / ".sft.lock", timeout=60):
                trained = train(a.run, a.data, resume_from=a.resume_from, fresh=a.fresh)
        except Timeout:
            raise UsageError(f"{a.run} is being trained already", code="run-busy") from None
        print(f"sft: {trained.steps} steps, loss {trained.first_loss} -> {trained.last_loss}, held {trained.held_loss}")

    return run_stage(work)


if __name__ == "__main__":
    sys.exit(main())
