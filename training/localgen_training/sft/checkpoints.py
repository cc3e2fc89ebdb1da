"""Checkpoints: the last whole one, those of another machine, and whether they belong to this training.

The trainer writes trainer_state.json last, so a checkpoint with one that can be read is whole; what a kill left half
written is removed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from localgen_retrieval.errors import ModelError, UsageError

from ..base_model import BaseModel
from ..run_config import RunConfig
from .adaptation import Means

STATE = "trainer_state.json"
FINGERPRINT = "localgen.json"
_SAME = ("length", "packing", "curriculum", "epochs", "rows", "accumulate", "max_steps", "warmup")


def fingerprint(config: RunConfig, base: BaseModel, means: Means, train: Path) -> dict[str, Any]:
    """What must be the same where training goes on: data, base model, seed, and what decides the order of the rows."""
    data = hashlib.sha256(train.read_bytes()).hexdigest()
    sft = config.sft.model_dump(mode="json")
    lora = config.lora.model_dump(mode="json") if means.method != "full" else None
    return {
        "data": data, "base": base.digest, "seed": config.seed, "method": means.method, "lora": lora,
        "learning_rate": means.learning_rate, **{k: sft[k] for k in _SAME},
    }  # fmt: skip


def step_of(folder: Path) -> int:
    """The step after which a checkpoint was written; -1 where the folder is no whole checkpoint."""
    try:
        return int(json.loads((folder / STATE).read_text(encoding="utf-8"))["global_step"])
    except (OSError, ValueError, KeyError, TypeError):
        return -1


def last_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint of a training folder; broken ones are removed."""
    found = []
    for path in folder.glob("checkpoint-*"):
        if step_of(path) < 0:
            shutil.rmtree(path)
        else:
            found.append(path)
    return max(found, key=step_of, default=None)


def check_same(wanted: dict[str, Any], checkpoint: Path) -> None:
    """Refuse to go on from a checkpoint of another training.

    Raises:
        UsageError: data, base model or settings differ from the checkpoint's.
    """
    try:
        found = json.loads((checkpoint / FINGERPRINT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UsageError(
            f"{checkpoint}: no {FINGERPRINT} there, so nobody can say what it was trained on",
            hint="name a checkpoint-N folder of a run's sft folder",
            code="checkpoint-foreign",
        ) from None
    differ = sorted(k for k in wanted if found.get(k) != wanted[k])
    if differ:
        raise UsageError(
            f"{checkpoint} belongs to another training: {', '.join(differ)} differ",
            hint="restore what was changed, or start anew: localgen-train sft --fresh",
            code="checkpoint-foreign",
        )


def adopt(source: Path, folder: Path) -> Path:
    """Copy a checkpoint of another machine into this training's folder, unless it is there or older than what is.

    Raises:
        ModelError: it is no whole checkpoint.
    """
    step = step_of(source)
    if step < 0:
        raise ModelError(
            f"{source}: no whole checkpoint", hint=f"a checkpoint-N folder has a {STATE}", code="checkpoint-damaged"
        )
    last = last_checkpoint(folder)
    if last is not None and step_of(last) >= step:
        return last
    target = folder / f"checkpoint-{step}"
    partial = folder / f"adopted-{step}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(source, partial)
    partial.rename(target)
    return target


def localise(checkpoint: Path) -> None:
    """Let the checkpoint's state name the best checkpoint by its place here; forget one that did not come along."""
    path = checkpoint / STATE
    state = json.loads(path.read_text(encoding="utf-8"))
    best = state.get("best_model_checkpoint")
    if not best:
        return
    here = checkpoint.parent / Path(best).name
    if step_of(here) >= 0:
        state["best_model_checkpoint"] = str(here)
    else:
        state |= {"best_model_checkpoint": None, "best_metric": None, "best_global_step": None}
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(state, indent=2) + "\n", encoding="utf-8")
    partial.replace(path)
