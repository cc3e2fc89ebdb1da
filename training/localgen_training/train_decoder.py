"""Train the small decoder from scratch on synthetic tasks; resumable after any interruption.

    python -m localgen_training.train_decoder --run training/runs/default --minutes 90

The architecture is Qwen3's (transformers' own class, so that llama.cpp runs the export unchanged). Hidden matrices are
trained with Muon (Jordan et al. 2024, torch.optim.Muon), everything else with AdamW. The learning rate follows
warm-up, plateau and, over the last quarter of the time given, linear decay to a twentieth: a later run starts from its
checkpoint with a new plateau. Knows nothing of how tasks are made (batches) or of GGUF (export_decoder).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn import functional

from .batches import Batch, make_batch, stream


def model_config(vocab: int, width: int, layers: int, heads: int) -> Any:
    """A Qwen3 configuration of this size."""
    from transformers import Qwen3Config

    return Qwen3Config(
        vocab_size=vocab, hidden_size=width, intermediate_size=width * 11 // 4, num_hidden_layers=layers,
        num_attention_heads=heads, num_key_value_heads=heads, head_dim=width // heads, max_position_embeddings=2048,
        tie_word_embeddings=True, rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
        pad_token_id=0, bos_token_id=None, eos_token_id=4,
    )


def attention_mask(segments: torch.Tensor) -> torch.Tensor:
    """(rows, 1, length, length) boolean mask: causal, to the pack and the own segment only; padding sees itself."""
    n = segments.shape[1]
    causal = torch.ones(n, n, dtype=torch.bool).tril()
    own = segments[:, :, None] == segments[:, None, :]
    pack = (segments == 0)[:, None, :]
    return ((own | pack) & causal)[:, None]


def answer_loss(model: Any, body: Any, batch: Batch, answers: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(summed loss, right tokens) over the answer tokens; the vocabulary is projected only there.

    `answers` pads the number of answer positions so that shapes stay fixed.
    """
    ids, positions = torch.from_numpy(batch.ids), torch.from_numpy(batch.positions)
    mask = attention_mask(torch.from_numpy(batch.segments))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        hidden = body(input_ids=ids, position_ids=positions, attention_mask=mask, use_cache=False).last_hidden_state
        labels = torch.from_numpy(batch.labels)[:, 1:].reshape(-1)
        where = torch.nonzero(labels != -100)[:answers, 0]
        pad = answers - len(where)
        flat = hidden[:, :-1].reshape(-1, hidden.shape[-1])
        chosen = flat[torch.cat([where, where.new_zeros(pad)])]
        logits = functional.linear(chosen, model.lm_head.weight).float()
    target = torch.cat([labels[where], torch.full((pad,), -100)])
    loss = functional.cross_entropy(logits, target, ignore_index=-100, reduction="sum")
    right = (logits.argmax(-1) == target).sum()
    return loss / max(1, len(where)), right.float() / max(1, len(where))


def learning_rate(elapsed: float, total: float, step: int, decay: float = 0.25) -> float:
    """Factor of the peak rate: 100 steps of warm-up, plateau, linear decay over the last `decay` to a twentieth."""
    warm = min(1.0, (step + 1) / 100)
    left = max(0.0, 1 - elapsed / total)
    return warm * (1.0 if left > decay else 0.05 + 0.95 * left / decay)


def optimizers(model: Any, muon_lr: float, adam_lr: float) -> list[torch.optim.Optimizer]:
    """Muon for the hidden matrices, AdamW for embeddings and norms."""
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n]
    rest = [p for n, p in model.named_parameters() if p.ndim != 2 or "embed" in n]
    made: list[torch.optim.Optimizer] = [
        torch.optim.Muon(matrices, lr=muon_lr, momentum=0.95, weight_decay=0.01),
        torch.optim.AdamW(rest, lr=adam_lr, betas=(0.9, 0.98), weight_decay=0.0, fused=True),
    ]
    for o in made:
        for g in o.param_groups:
            g["peak"] = g["lr"]
    return made


def save_checkpoint(path: Path, model: Any, opts: list[torch.optim.Optimizer], state: dict[str, Any]) -> None:
    """Write a checkpoint atomically: a kill at any moment leaves the old one or the new one."""
    tmp = path.with_suffix(".tmp")
    torch.save({"model": model.state_dict(), "optimizers": [o.state_dict() for o in opts], **state}, tmp)
    os.replace(tmp, path)


def validate(model: Any, batches: list[Batch], answers: int) -> tuple[float, float]:
    """Mean loss and share of right answer tokens on held-out fields (teacher forced)."""
    model.eval()
    with torch.no_grad():
        got = [answer_loss(model, model.model, b, answers) for b in batches]
    model.train()
    return float(np.mean([g[0].item() for g in got])), float(np.mean([g[1].item() for g in got]))


def main() -> None:
    """Train for a number of minutes, writing checkpoints and metrics.jsonl."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--run", type=Path, required=True, help="folder with tokenizer.json; checkpoints go there")
    ap.add_argument("--minutes", type=float, required=True)
    ap.add_argument("--rows", type=int, default=16)
    ap.add_argument("--length", type=int, default=512)
    ap.add_argument("--width", type=int, default=256)
    ap.add_argument("--layers", type=int, default=5)
    ap.add_argument("--heads", type=int, default=4)
    ap.add_argument("--muon-lr", type=float, default=0.01)
    ap.add_argument("--adam-lr", type=float, default=0.002)
    ap.add_argument("--corpus", type=Path, help="folder with pairs-*.jsonl.xz: tasks in other people's words")
    ap.add_argument("--decay", type=float, default=0.25, help="last share of the time, in which the rate falls")
    ap.add_argument("--threads", type=int, default=os.cpu_count() or 2)
    ap.add_argument("--eager", action="store_true", help="no torch.compile")
    ap.add_argument("--embeddings", type=Path, help="(vocab, width) .npy to start the token embeddings from")
    a = ap.parse_args()
    train(a)


def train(a: argparse.Namespace) -> None:
    """The training loop."""
    from transformers import Qwen3ForCausalLM

    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    tokenizer = Tokenizer.from_file(str(a.run / "tokenizer.json"))
    config = model_config(tokenizer.get_vocab_size(), a.width, a.layers, a.heads)
    model: Any = Qwen3ForCausalLM(config)
    if a.embeddings:
        start = torch.from_numpy(np.load(a.embeddings)).float()
        with torch.no_grad():
            model.model.embed_tokens.weight.copy_(start)
    opts = optimizers(model, a.muon_lr, a.adam_lr)
    latest = a.run / "checkpoint.pt"
    state: dict[str, Any] = {"step": 0, "tokens": 0, "tasks": 0}
    if latest.exists():
        saved = torch.load(latest, weights_only=True)
        model.load_state_dict(saved.pop("model"))
        for o, s in zip(opts, saved.pop("optimizers"), strict=True):
            o.load_state_dict(s)
        state = saved
    config.save_pretrained(a.run)
    body = model.model if a.eager else torch.compile(model.model, dynamic=False)
    answers = a.rows * a.length // 4
    held = [make_batch(tokenizer, s, a.rows, a.length, "validation") for s in range(4)]
    begin = last = time.monotonic()
    log = (a.run / "metrics.jsonl").open("a", encoding="utf-8")
    losses: list[float] = []
    for step, batch in stream(tokenizer, state["step"], a.rows, a.length, a.corpus):
        elapsed = time.monotonic() - begin
        factor = learning_rate(elapsed, a.minutes * 60, step, a.decay)
        for o in opts:
            for g in o.param_groups:
                g["lr"] = g["peak"] * factor
        loss, _ = answer_loss(model, body, batch, answers)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for o in opts:
            o.step()
            o.zero_grad(set_to_none=True)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]):
            raise FloatingPointError(f"loss is {losses[-1]} at step {step}")
        state = {"step": step + 1, "tokens": state["tokens"] + int((batch.segments >= 0).sum()),
                 "tasks": state["tasks"] + batch.tasks}
        if (step + 1) % 100 == 0:
            held_loss, held_right = validate(model, held, answers) if (step + 1) % 200 == 0 else (None, None)
            line = {**state, "loss": round(float(np.mean(losses)), 4), "held_loss": held_loss, "held_right": held_right,
                    "seconds_per_step": round((time.monotonic() - last) / 100, 3), "lr": round(factor, 3)}
            print(json.dumps(line), file=log, flush=True)
            losses, last = [], time.monotonic()
        if (step + 1) % 200 == 0 or elapsed > a.minutes * 60:
            save_checkpoint(latest, model, opts, state)
        if elapsed > a.minutes * 60:
            return


if __name__ == "__main__":
    main()
