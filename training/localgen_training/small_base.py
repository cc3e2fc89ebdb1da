"""Makes a small base model in Hugging Face's form: a random Qwen3 and a tokenizer learnt from the training data.

    python -m localgen_training.small_base --run training/runs/pnr --data training/data/pnr

For a run without a real base model (base.model = "small"), and for seeing on any machine that every stage works: the
files, classes and chat template (ChatML) are those of a real one.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from localgen_retrieval.errors import UsageError

from .examples import read_examples
from .run_config import Base, load_config
from .stage import quiet_libraries, run_stage
from .tokenizer import QWEN2_SPLIT

END_OF_TEXT, TURN, END_OF_TURN = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
# Enough for the merges of 4,096 tokens.
_CHARACTERS = 20_000_000


def chatml_tokenizer(texts: Iterator[str], vocab: int) -> Any:
    """A transformers tokenizer: byte-level BPE with Qwen2's pre-tokenizer, at most `vocab` entries, ChatML."""
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(QWEN2_SPLIT), "isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab, special_tokens=[END_OF_TEXT, TURN, END_OF_TURN], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), min_frequency=2,
    )  # fmt: skip
    tokenizer.train_from_iterator(texts, trainer)
    made = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=END_OF_TURN, pad_token=END_OF_TEXT, bos_token=None, unk_token=None,
        extra_special_tokens=[TURN], clean_up_tokenization_spaces=False,
    )  # fmt: skip
    made.chat_template = CHATML
    return made


def make_small_base(settings: Base, data: Path, out: Path, *, seed: int = 0) -> None:
    """Write the base model to the folder `out`; the same data, settings and seed give the same weights.

    Raises:
        UsageError: no training data.
    """
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    quiet_libraries()
    path = data / "train.jsonl"
    if not path.is_file():
        raise UsageError(
            f"{path}: no training data", hint="make it: localgen-train data --name NAME", code="data-missing"
        )

    def texts() -> Iterator[str]:
        left = _CHARACTERS
        for example in read_examples(path):
            for message in example.messages:
                left -= len(message.content)
                yield message.content
            if left < 0:
                return

    tokenizer = chatml_tokenizer(texts(), settings.vocab)
    torch.manual_seed(seed)
    config = Qwen3Config(
        vocab_size=len(tokenizer), hidden_size=settings.width, intermediate_size=settings.width * 11 // 4,
        num_hidden_layers=settings.layers, num_attention_heads=settings.heads, num_key_value_heads=settings.heads,
        head_dim=settings.width // settings.heads, max_position_embeddings=settings.context, tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0}, pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None, eos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    model: Any = Qwen3ForCausalLM(config)
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    model.save_pretrained(partial)
    tokenizer.save_pretrained(partial)
    shutil.rmtree(out, ignore_errors=True)
    partial.rename(out)


def main(argv: Sequence[str] | None = None) -> int:
    """Make the run's small base model."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--run", type=Path, required=True)
    ap.add_argument("--data", type=Path, required=True)
    a = ap.parse_args(argv)

    def work() -> None:
        config = load_config(a.run)
        make_small_base(config.base, a.data, a.run / "base", seed=config.seed)

    return run_stage(work)


if __name__ == "__main__":
    sys.exit(main())
