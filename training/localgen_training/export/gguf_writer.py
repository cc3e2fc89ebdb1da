"""Writes a decoder of the Llama, Qwen2 or Qwen3 family as GGUF (f16; vectors stay f32, as llama.cpp expects).

Places of tensors are the `gguf` package's name maps. What differs between transformers and llama.cpp is done here, as
llama.cpp's own convert_hf_to_gguf.py does it: Llama's rotated halves of queries and keys lie interleaved, and Llama 3's
stretched rotation is a tensor of factors.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from localgen_retrieval.errors import ModelError, UsageError

from .tensors import Floats, Tensor
from .vocabulary import Vocabulary, add_vocabulary

_F16_MAX = 65504.0


def write_decoder(
    architecture: str,
    config: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    vocabulary: Vocabulary,
    out: Path,
    *,
    name: str,
    description: str = "",
    more: Mapping[str, str] | None = None,
) -> None:
    """Write a GGUF file.

    Args:
        architecture: llama.cpp's name: llama, qwen2 or qwen3.
        config: transformers' config.json.
        tensors: by transformers' names.
        more: further metadata.

    Raises:
        UsageError: a tensor without a place in llama.cpp's architecture.
        ModelError: something that this exporter does not have.
    """
    import gguf

    arch = {"llama": gguf.MODEL_ARCH.LLAMA, "qwen2": gguf.MODEL_ARCH.QWEN2, "qwen3": gguf.MODEL_ARCH.QWEN3}[
        architecture
    ]
    writer: Any = gguf.GGUFWriter(out, architecture)
    writer.add_type("model")
    writer.add_name(name)
    if description:
        writer.add_description(description)
    writer.add_languages(["en"])
    for key, value in (more or {}).items():
        writer.add_string(key, value)
    _add_shape(writer, architecture, config)
    add_vocabulary(writer, vocabulary)
    names = gguf.get_tensor_name_map(arch, config["num_hidden_layers"])
    planned: list[Tensor] = []
    for key, tensor in _with_rotation(architecture, config, tensors).items():
        if key == "lm_head.weight" and config.get("tie_word_embeddings"):
            continue
        place = key if key == "rope_freqs.weight" else names.get_name(key, try_suffixes=(".weight", ".bias"))
        if place is None:
            raise UsageError(f"llama.cpp's {architecture} has no place for the tensor {key}", code="export-tensor")
        stored = np.float16 if len(tensor.shape) == 2 else np.float32
        data = Tensor(tensor.shape, _prepared(architecture, config, key, tensor))
        count = math.prod(tensor.shape)
        writer.add_tensor_info(place, tensor.shape, np.dtype(stored), count * np.dtype(stored).itemsize)
        planned.append(data)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for data in planned:
        values = data.load()
        writer.write_tensor_data(_half(values) if values.ndim == 2 else np.ascontiguousarray(values))
    writer.close()


def _half(values: Floats) -> np.ndarray[Any, Any]:
    if float(np.abs(values).max(initial=0.0)) > _F16_MAX:
        raise ModelError(
            "a weight is larger than f16 can hold", hint="training has gone astray, or the base is damaged",
            code="export-range",
        )  # fmt: skip
    return np.ascontiguousarray(values.astype(np.float16))


def rotation(config: Mapping[str, Any]) -> dict[str, Any]:
    """The rotary embedding's parameters, in transformers' newer form (`rope_theta`, `rope_type` and more)."""
    found = dict(config.get("rope_parameters") or config.get("rope_scaling") or {})
    found.setdefault("rope_theta", config.get("rope_theta", 10000.0))
    found.setdefault("rope_type", found.get("type", "default"))
    return found


def _head_width(config: Mapping[str, Any]) -> int:
    return int(config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"])


def _add_shape(writer: Any, architecture: str, config: Mapping[str, Any]) -> None:
    import gguf

    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config.get("num_key_value_heads") or config["num_attention_heads"])
    writer.add_key_length(_head_width(config))
    writer.add_value_length(_head_width(config))
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    rope = rotation(config)
    writer.add_rope_freq_base(rope["rope_theta"])
    if architecture == "llama":
        writer.add_rope_dimension_count(_head_width(config))
    kind = rope["rope_type"]
    if kind in ("linear", "yarn"):
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR if kind == "linear" else gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope["factor"])
        if kind == "yarn":
            writer.add_rope_scaling_orig_ctx_len(
                rope.get("original_max_position_embeddings") or config["max_position_embeddings"]
            )
    elif kind not in ("default", "llama3"):
        raise ModelError(f"the rotary embedding {kind!r} cannot be exported", code="export-rope")
    if config.get("use_sliding_window"):
        raise ModelError(
            "sliding-window attention cannot be exported", hint="set use_sliding_window to false", code="export-window"
        )


def _with_rotation(architecture: str, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors, with Llama 3's factors of the rotation's frequencies where the config has them."""
    rope = rotation(config)
    if architecture != "llama" or rope["rope_type"] != "llama3":
        return dict(tensors)
    factors = llama3_factors(_head_width(config), rope, int(config["max_position_embeddings"]))
    return {"rope_freqs.weight": Tensor(factors.shape, lambda: factors), **tensors}


def llama3_factors(width: int, rope: Mapping[str, Any], context: int) -> Floats:
    """(width / 2,) divisors of the frequencies: 1 for short waves, `factor` for long ones, smooth in between."""
    low, high, factor = rope.get("low_freq_factor", 1.0), rope.get("high_freq_factor", 4.0), rope.get("factor", 8.0)
    old = rope.get("original_max_position_embeddings") or context
    out = []
    for i in range(0, width, 2):
        wave = 2 * math.pi * rope["rope_theta"] ** (i / width)
        if wave < old / high:
            out.append(1.0)
        elif wave > old / low:
            out.append(factor)
        else:
            smooth = (old / wave - low) / (high - low)
            out.append(1 / ((1 - smooth) / factor + smooth))
    return np.array(out, dtype=np.float32)


def _prepared(architecture: str, config: Mapping[str, Any], key: str, tensor: Tensor) -> Any:
    part = key.split(".")[-2] if "." in key else ""
    if architecture != "llama" or part not in ("q_proj", "k_proj"):
        return tensor.load
    heads = config["num_attention_heads"]
    if part == "k_proj":
        heads = config.get("num_key_value_heads") or heads
    return lambda: interleave(tensor.load(), heads)


def interleave(values: Floats, heads: int) -> Floats:
    """Rows of queries or keys with the two halves of each head's rotation interleaved."""
    shape = values.shape
    return values.reshape(heads, 2, shape[0] // heads // 2, *shape[1:]).swapaxes(1, 2).reshape(shape)
