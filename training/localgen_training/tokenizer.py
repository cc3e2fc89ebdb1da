"""The shipped model's tokenizer: byte-level BPE, digits split, with the prompt's marker tokens.

The pre-tokenizer is Qwen2's regular expression, which llama.cpp knows by the name `qwen2`; it splits every digit, so
numbers are copied digit by digit and never as a memorised whole.
"""

from __future__ import annotations

import argparse
import json
import lzma
import random
from collections.abc import Iterator
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from localgen_retrieval.prompt import END, MARKERS, compact_prompt

from .synthesis import example

QWEN2_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
PAD = "<|pad|>"


def train_tokenizer(texts: Iterator[str], vocab_size: int) -> Tokenizer:
    """A byte-level BPE of `vocab_size` entries, special tokens first (pad is 0)."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(QWEN2_SPLIT), "isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[PAD, *MARKERS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=3,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def texts_for_tokenizer(n_synthetic: int, corpus: Path | None, megabytes: float) -> Iterator[str]:
    """Synthetic tasks, then about that many megabytes of the corpus (English and pairs twice as much as Tcl)."""
    for i in range(n_synthetic):
        t = example(i)
        yield compact_prompt(t.pack, t.instruction) + t.script + END
    if corpus is None:
        return
    rng = random.Random(0)
    for pattern, share in (("prose-*", 0.4), ("pairs-*", 0.4), ("code-*", 0.2)):
        left = share * megabytes * 1e6
        for path in sorted(corpus.glob(pattern + ".jsonl.xz")):
            with lzma.open(path, "rt", encoding="utf-8") as lines:
                for line in lines:
                    if rng.random() > 0.3:
                        continue
                    d = json.loads(line)
                    text = d.get("text") or f"{d['instruction']}\n{d['output']}"
                    left -= len(text)
                    yield text[:20000]
                    if left < 0:
                        break
            if left < 0:
                break


def main() -> None:
    """Train and save a tokenizer."""
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--out", type=Path, required=True)
    ap.add_argument("--vocab", type=int, default=8192)
    ap.add_argument("--synthetic", type=int, default=15000)
    ap.add_argument("--corpus", type=Path, help="folder with *.jsonl.xz (text that the tasks' language comes from)")
    ap.add_argument("--megabytes", type=float, default=24)
    a = ap.parse_args()
    tokenizer = train_tokenizer(texts_for_tokenizer(a.synthetic, a.corpus, a.megabytes), a.vocab)
    a.out.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(a.out))


if __name__ == "__main__":
    main()
