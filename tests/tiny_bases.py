"""Small base models in Hugging Face's form, made on the spot with the real classes, and examples to train them on.

Llama, Qwen2 and Qwen3, each with what makes its family special: Llama 3's stretched rotation, grouped queries, bos
token and header template; Qwen2's biases and padded embeddings; Qwen3's norms of heads and its thinking template.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from localgen_retrieval.prompt import chat_messages
from localgen_training.examples import Example, Message

FAMILIES = ("llama", "qwen2", "qwen3")

LLAMA3_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
LLAMA3_TEMPLATE = (
    "{{- bos_token }}{%- for message in messages %}"
    "{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'"
    " + message['content'] | trim + '<|eot_id|>' }}{%- endfor %}{%- if add_generation_prompt %}"
    "{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}"
)
CHATML = (
    "{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    "{%- endfor %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)
# As Qwen3's: the Jinja puts an empty thought in front of the answer where thinking is off.
QWEN3_TEMPLATE = CHATML.replace(
    "{{- '<|im_start|>assistant\\n' }}",
    "{{- '<|im_start|>assistant\\n' }}{%- if enable_thinking is defined and not enable_thinking %}"
    "{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}",
)

PACK = """\
route::route_net [-layer <M1|M2|M3|M4|M5|M6>] [-vias <int 1..9>] -net <net> : Route one net.
fp::create_die -width <float um> -height <float um> : Create the die area of the block."""


def examples(n: int, seed: int = 0) -> list[Example]:
    """n small tasks of the bundled domain `pnr`, in all three phases."""
    rng = random.Random(f"tiny-{seed}")
    out = []
    for i in range(n):
        asked, lines = zip(*(_step(rng) for _ in range((1, 2, 3)[i % 3])), strict=True)
        instruction = ", then ".join(asked)
        messages = [Message(role=m["role"], content=m["content"]) for m in chat_messages(PACK, instruction)]
        answer = Message(role="assistant", content="".join(line + "\n" for line in lines))
        out.append(
            Example(
                id=f"tiny-{seed}-{i}",
                domain="pnr",
                family=f"f{i % 7}",
                category="script",
                phase=("micro", "multi", "flow")[i % 3],
                instruction=instruction,
                messages=(*messages, answer),
            )
        )
    return out


def _step(rng: random.Random) -> tuple[str, str]:
    if rng.random() < 0.6:
        net, layer = f"n{rng.randint(1, 40)}", f"M{rng.randint(1, 6)}"
        return f"route net {net} on layer {layer}", f"route::route_net -net {net} -layer {layer}"
    width, height = rng.randint(1, 9) * 100, rng.randint(1, 9) * 100
    return f"create a die {width} um wide and {height} um high", f"fp::create_die -width {width} -height {height}"


def write_data(folder: Path, *, train: int = 60, validation: int = 9, test: int = 9) -> Path:
    """The splits of a data stage, as files."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (name, n) in enumerate({"train": train, "validation": validation, "test": test}.items()):
        rows = "".join(e.model_dump_json() + "\n" for e in examples(n, seed))
        (folder / f"{name}.jsonl").write_text(rows, encoding="utf-8")
    return folder


def texts() -> Iterator[str]:
    """What the tokenizers learn their merges from."""
    for example in examples(60, seed=9):
        for message in example.messages:
            yield message.content
    yield "naïve café 日本語 emoji 🚀 1234 5678 0.25"


def make_tokenizer(family: str) -> Any:
    """A tokenizer of the family's own class, learnt from `texts`."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast
    from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX, Qwen2Tokenizer

    made = Tokenizer(models.BPE(ignore_merges=family == "llama"))
    split = LLAMA3_SPLIT if family == "llama" else PRETOKENIZE_REGEX
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(split), "isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)]
    )
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        texts(), trainers.BpeTrainer(vocab_size=600, initial_alphabet=alphabet, show_progress=False)
    )
    if family == "llama":
        special = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
        made.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in special])
        made.post_processor = processors.Sequence(
            [
                processors.ByteLevel(trim_offsets=False),
                processors.TemplateProcessing(
                    single="<|begin_of_text|> $A",
                    pair="<|begin_of_text|> $A <|begin_of_text|> $B",
                    special_tokens=[("<|begin_of_text|>", made.token_to_id("<|begin_of_text|>"))],
                ),
            ]
        )
        tokenizer = PreTrainedTokenizerFast(
            tokenizer_object=made, bos_token="<|begin_of_text|>", eos_token="<|eot_id|>",
            clean_up_tokenization_spaces=False,
        )  # fmt: skip
        tokenizer.chat_template = LLAMA3_TEMPLATE
        return tokenizer
    model = json.loads(made.to_str())["model"]
    merges = [tuple(m) for m in model["merges"]]
    tokenizer = Qwen2Tokenizer(vocab=model["vocab"], merges=merges, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    tokenizer.add_tokens([AddedToken("<|im_start|>", special=True), AddedToken("<|im_end|>", special=True)])
    tokenizer.add_tokens([AddedToken("<think>", special=False), AddedToken("</think>", special=False)])
    tokenizer.chat_template = QWEN3_TEMPLATE if family == "qwen3" else CHATML
    return tokenizer


def make_base(family: str, folder: Path, *, peaked: bool = True, layers: int = 2) -> Path:
    """A random base model of the family; `peaked` makes its logits as uneven as trained ones."""
    import torch
    import transformers

    tokenizer = make_tokenizer(family)
    shape: dict[str, Any] = {
        "hidden_size": 64, "intermediate_size": 192, "num_hidden_layers": layers, "num_attention_heads": 4,
        "num_key_value_heads": 2, "max_position_embeddings": 2048, "rms_norm_eps": 1e-6,
        "vocab_size": len(tokenizer), "eos_token_id": tokenizer.eos_token_id, "bos_token_id": tokenizer.bos_token_id,
    }  # fmt: skip
    torch.manual_seed(3)
    torch.set_num_threads(1)
    model: Any
    if family == "llama":
        rope = {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 32.0, "low_freq_factor": 1.0,
                "high_freq_factor": 4.0, "original_max_position_embeddings": 256}  # fmt: skip
        config: Any = transformers.LlamaConfig(**shape, rope_parameters=rope, tie_word_embeddings=True)
        model = transformers.LlamaForCausalLM(config)
    elif family == "qwen2":
        shape["vocab_size"] += 24  # the embeddings are padded to a round number
        config = transformers.Qwen2Config(
            **shape, rope_parameters={"rope_type": "default", "rope_theta": 1e6}, tie_word_embeddings=False
        )
        model = transformers.Qwen2ForCausalLM(config)
    else:
        config = transformers.Qwen3Config(
            **shape, head_dim=32, rope_parameters={"rope_type": "default", "rope_theta": 1e6}, tie_word_embeddings=True
        )
        model = transformers.Qwen3ForCausalLM(config)
    if peaked:
        with torch.no_grad():
            for p in model.parameters():
                p.mul_(3.0) if p.ndim == 2 else p.add_(0.2 * torch.randn_like(p))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
