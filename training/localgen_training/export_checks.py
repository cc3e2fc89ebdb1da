"""Checks of an exported decoder against its original: the same logits, the same tokens."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from localgen_retrieval.prompt import END, compact_prompt

from .gguf_model import GgufModel
from .synthesis import example

ODD_TEXTS = (
    "",
    " ",
    "\n\n \t x",
    "naïve café ½ Ω µm 10µs",
    "日本語のテキスト",
    "emoji 👩‍🔬🚀 done",
    "a\u00a0b\u2003c",
    "it's I'LL we'Ve",
    '::a::b_c-3.14e-9[7:0]{x y} $v \\n "q"',
    "\u0000\u0001\u007f",
    "tab\there\r\nand\r",
    "ÅÄÖ åäö ß \u017f \u0130 \u0131",
    "x" * 300,
    "1234567890 12,345.678",
    "  indented\n    more",
    "مرحبا עברית हिन्दी",
    "e\u0301 vs \u00e9",
    "a\ufeffb",
    "<|not a marker|>",
)


def compare_logits(model: Any, gguf_path: Path, prompts: Sequence[Sequence[int]]) -> tuple[float, float]:
    """(lowest cosine over prompts, share of positions with the same best token): GGUF against original."""
    import torch

    ours = GgufModel(gguf_path)
    lowest, same, positions = 1.0, 0, 0
    for ids in prompts:
        with torch.no_grad():
            want = model(torch.tensor([list(ids)])).logits[0].float().numpy()
        got = ours.logits(ids)
        cosine = float((want * got).sum() / (np.linalg.norm(want) * np.linalg.norm(got)))
        lowest = min(lowest, cosine)
        same += int((want.argmax(-1) == got.argmax(-1)).sum())
        positions += len(want)
    return lowest, same / positions


def compare_files(one: Path, two: Path, prompts: Sequence[Sequence[int]]) -> tuple[float, float, str]:
    """(lowest cosine over prompts, share of positions with the same best token, greedy text of the second file)."""
    a, b = GgufModel(one), GgufModel(two)
    lowest, same, positions = 1.0, 0, 0
    for ids in prompts:
        want, got = a.logits(ids), b.logits(ids)
        lowest = min(lowest, float((want * got).sum() / (np.linalg.norm(want) * np.linalg.norm(got))))
        same += int((want.argmax(-1) == got.argmax(-1)).sum())
        positions += len(want)
    return lowest, same / max(1, positions), b.greedy("Set", limit=12)


def tokenizer_differences(tokenizer: Tokenizer, gguf_path: Path, texts: Sequence[str]) -> list[str]:
    """The texts that llama.cpp splits otherwise than the trained tokenizer, or does not give back byte for byte.

    A tokenizer that normalises (Qwen's: NFC) is compared on normalised texts: llama.cpp takes text as it is.
    """
    ours = GgufModel(gguf_path)
    different = []
    for original in texts:
        text = tokenizer.normalizer.normalize_str(original) if tokenizer.normalizer else original
        ids = ours.encode(text)
        if ids != tokenizer.encode(text, add_special_tokens=False).ids or ours.decode(ids) != text.encode("utf-8"):
            different.append(text)
    return different


def check_texts(n: int, seed: int = 0) -> list[str]:
    """n prompts with their scripts: synthetic tasks of unseen fields, odd characters sprinkled over every other one."""
    rng = random.Random(seed)
    texts = list(ODD_TEXTS)
    for i in range(n):
        task = example(seed + i, "validation")
        instruction = task.instruction
        if i % 2:
            at = rng.randrange(len(instruction) + 1)
            instruction = instruction[:at] + rng.choice(ODD_TEXTS)[:40] + instruction[at:]
        texts.append(compact_prompt(task.pack, instruction) + task.script + "\n" + END)
    return texts
