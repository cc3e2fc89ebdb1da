"""A tokenizer as llama.cpp wants it: tokens, their kinds, merges, the pre-tokenizer's name, special tokens, template.

Byte-level BPE only (Qwen, Llama 3): llama.cpp has the pre-tokenizers built in and knows each by a name, so the regular
expression in tokenizer.json must be one of those.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localgen_retrieval.errors import ModelError, UsageError

_COMMON = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
# llama.cpp's name by the regular expression of the Split step.
PRE_TOKENIZERS = {_COMMON % r"\p{N}": "qwen2", _COMMON % r"\p{N}{1,3}": "llama-bpe"}


@dataclass(frozen=True)
class Vocabulary:
    """What goes into the metadata.

    Attributes:
        control: tokens that are never written as text. added: other tokens that are matched before merging.
        special: ids by llama.cpp's names (bos, eos, eot, pad, …).
        add: whether llama.cpp puts bos or eos around a text.
        template: the chat template (Jinja), "" for none.
    """

    tokens: list[str]
    merges: list[str]
    pre: str
    control: frozenset[str]
    added: frozenset[str] = frozenset()
    special: dict[str, int] = field(default_factory=dict)
    add: dict[str, bool] = field(default_factory=dict)
    template: str = ""


def read_vocabulary(folder: Path, size: int, *, end: int | None = None) -> Vocabulary:
    """The tokenizer of a Hugging Face folder for `size` embeddings; embeddings without a token get a placeholder.

    Args:
        end: the token that training learnt to end an answer with.

    Raises:
        ModelError: a tokenizer that llama.cpp does not have, or one with more tokens than there are embeddings.
    """
    import gguf

    data = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    pre = pre_tokenizer_name(data, folder)
    vocabulary: dict[str, int] = dict(data["model"]["vocab"])
    added = data.get("added_tokens") or []
    vocabulary |= {t["content"]: t["id"] for t in added}
    by_id = {i: t for t, i in vocabulary.items()}
    if max(by_id) >= size:
        raise ModelError(
            f"{folder}: {max(by_id) + 1} tokens for {size} embeddings",
            hint="the tokenizer and the weights are of different models",
            code="export-vocabulary",
        )
    found = gguf.SpecialVocab(folder, load_merges=True, n_vocab=size)
    special = {k: int(v) for k, v in found.special_token_ids.items() if k in _SPECIAL}
    if end is not None:
        # Where a base model's end of text is not the end of a turn, llama.cpp must know both.
        special["eot" if special.setdefault("eos", end) != end else "eos"] = end
    # llama.cpp takes token 11 for the beginning where none is named.
    special.setdefault("bos", special.get("pad", special.get("eos", 0)))
    return Vocabulary(
        tokens=[by_id.get(i, f"[PAD{i}]") for i in range(size)],
        merges=found.merges,
        pre=pre,
        control=frozenset(t["content"] for t in added if t["special"])
        | frozenset(f"[PAD{i}]" for i in range(size) if i not in by_id),
        added=frozenset(t["content"] for t in added if not t["special"]),
        special=special,
        add={"bos": bool(found.add_special_token.get("bos")), "eos": False},
        template=found.chat_template if isinstance(found.chat_template, str) else "",
    )


_SPECIAL = ("bos", "eos", "eot", "eom", "unk", "pad")


def pre_tokenizer_name(data: Mapping[str, Any], folder: Path) -> str:
    """llama.cpp's name for the pre-tokenizer of a tokenizer.json.

    Raises:
        ModelError: llama.cpp, or this exporter, has none that splits so.
    """
    model = data.get("model", {})
    if model.get("type") != "BPE" or model.get("byte_fallback"):
        kind = "a sentencepiece-like BPE" if model.get("byte_fallback") else f"a {model.get('type')} model"
        raise ModelError(
            f"{folder}: the tokenizer is {kind}",
            hint="byte-level BPE can be exported: Qwen2, Qwen2.5, Qwen3, Llama 3.x",
            code="export-tokenizer",
        )
    step = data.get("pre_tokenizer") or {}
    steps = step.get("pretokenizers") or [step]
    patterns = [s["pattern"].get("Regex", "") for s in steps if s.get("type") == "Split"]
    if not patterns and [s.get("type") for s in steps] == ["ByteLevel"] and steps[0].get("use_regex", True):
        return "gpt-2"
    if len(patterns) == 1 and patterns[0] in PRE_TOKENIZERS:
        return PRE_TOKENIZERS[patterns[0]]
    raise ModelError(
        f"{folder}: no pre-tokenizer of llama.cpp is known to split as this tokenizer does: {patterns or steps}",
        hint="the tokenizers of Qwen2, Qwen2.5, Qwen3 and Llama 3.x are supported",
        code="export-tokenizer",
    )


def add_vocabulary(writer: Any, vocabulary: Vocabulary) -> None:
    """Put a vocabulary into a GGUF writer."""
    import gguf

    kinds = gguf.TokenType

    def kind(token: str) -> Any:
        if token.startswith("[PAD") and token in vocabulary.control:
            return kinds.UNUSED
        if token in vocabulary.control:
            return kinds.CONTROL
        return kinds.USER_DEFINED if token in vocabulary.added else kinds.NORMAL

    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(vocabulary.pre)
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types([kind(t) for t in vocabulary.tokens])
    writer.add_token_merges(vocabulary.merges)
    setters = {"bos": writer.add_bos_token_id, "eos": writer.add_eos_token_id, "eot": writer.add_eot_token_id,
               "eom": writer.add_eom_token_id, "unk": writer.add_unk_token_id,
               "pad": writer.add_pad_token_id}  # fmt: skip
    for name, token in vocabulary.special.items():
        setters[name](token)
    writer.add_add_bos_token(vocabulary.add.get("bos", False))
    writer.add_add_eos_token(vocabulary.add.get("eos", False))
    if vocabulary.template:
        writer.add_chat_template(vocabulary.template)


def own_vocabulary(tokenizer_json: Path, size: int, control: frozenset[str], end: str, pad: str) -> Vocabulary:
    """The vocabulary of our own tokenizer (tokenizer.py), which has every token in its model.

    Raises:
        UsageError: a vocabulary of another size.
    """
    data = json.loads(tokenizer_json.read_text(encoding="utf-8"))
    vocabulary: dict[str, int] = data["model"]["vocab"]
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    if len(tokens) != size or [vocabulary[t] for t in tokens] != list(range(size)):
        raise UsageError(f"{tokenizer_json}: {len(tokens)} tokens for {size} embeddings", code="export-vocabulary")
    merges = [m if isinstance(m, str) else " ".join(m) for m in data["model"]["merges"]]
    # llama.cpp takes token 11 for the beginning where none is named; it is never put in front of a prompt.
    special = {"eos": vocabulary[end], "pad": vocabulary[pad], "bos": vocabulary[pad]}
    return Vocabulary(tokens, merges, "qwen2", control, special=special)
