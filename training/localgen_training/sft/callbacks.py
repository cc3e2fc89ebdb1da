"""What happens beside training: metrics.jsonl, a line with the time left, and an end when the pipeline is gone."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from ..run_record import append_metrics
from ..stage import parent_is_gone
from .checkpoints import FINGERPRINT

_KEPT = {"loss": "loss", "eval_loss": "held_loss", "learning_rate": "lr", "grad_norm": "grad_norm",
         "mean_token_accuracy": "right", "eval_mean_token_accuracy": "held_right", "num_tokens": "tokens"}  # fmt: skip


class Watch(TrainerCallback):  # type: ignore[misc]
    """Writes each of the trainer's logs to metrics.jsonl, and says on stderr how far training is.

    Args:
        run: the run folder.
        fingerprint: goes into every checkpoint.
    """

    def __init__(self, run: Path, fingerprint: dict[str, Any]) -> None:
        self.run = run
        self.fingerprint = fingerprint
        self._begin = time.monotonic()
        self._first = 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Remember where this sitting starts."""
        self._begin, self._first = time.monotonic(), state.global_step

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **kwargs: Any) -> None:
        """One line of metrics.jsonl; the time left is by this sitting's speed."""
        line = {ours: logs[theirs] for theirs, ours in _KEPT.items() if logs and logs.get(theirs) is not None}
        if not ({"loss", "held_loss"} & set(line)):
            return
        line = {k: round(v, 6) if isinstance(v, float) else v for k, v in line.items()}
        done = state.global_step - self._first
        seconds = (time.monotonic() - self._begin) / done if done else 0.0
        append_metrics(self.run, {"stage": "sft", "step": state.global_step, "of": state.max_steps, **line,
                                  "step_seconds": round(seconds, 3)})  # fmt: skip
        left = seconds * (state.max_steps - state.global_step)
        shown = "  ".join(f"{k} {line[k]:.4g}" for k in ("loss", "held_loss", "right", "held_right") if k in line)
        share = state.global_step / max(1, state.max_steps)
        bar = "#" * int(20 * share) + "." * (20 - int(20 * share))
        print(f"sft [{bar}] {state.global_step}/{state.max_steps}  {shown}  ETA {_clock(left)}", file=sys.stderr)

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Say in the checkpoint what it was trained on."""
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        (folder / FINGERPRINT).write_text(json.dumps(self.fingerprint, indent=1) + "\n", encoding="utf-8")

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> Any:
        """End, with a checkpoint, when the pipeline that started this process was killed."""
        if parent_is_gone():
            control.should_save = control.should_training_stop = True
        return control


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
