"""A GGUF in the shape of Qwen2.5-Coder-1.5B with random weights: as fast and as large as the real one, knows nothing.

28 layers, 1536 wide, 12 heads of which 2 keep keys and values, 8960 in the feed-forward, 151,936 tokens, Q4_K_M, about
1 GB. llama.cpp quantises three layers; the others repeat them, as its mixture of types asks for. The merges come from a
tiktoken file where there is one, else from the tests' tiny model; the rest of the vocabulary is made of pairs of
tokens, so that the trie has its real size.
"""

from __future__ import annotations

import base64
import ctypes
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

LAYERS, WIDTH, HEADS, KV_HEADS, FEED_FORWARD, VOCABULARY, CONTEXT = 28, 1536, 12, 2, 8960, 151_936, 32_768
QUANTISED = 3
CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
CHATML = (
    "{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    "{%- endfor %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)


def write_large_model(path: Path, vocabulary: Path | None, threads: int = 1) -> Path:
    """Write the quantised model to `path`; needs 3 GB of disk for a while.

    Args:
        vocabulary: a tiktoken file (base64 token, rank).

    Raises:
        OSError: no room, or llama.cpp refuses the file.
    """
    import llama_cpp

    from localgen_retrieval.llama_quiet import silence

    silence()
    whole, few = path.with_suffix(".f16.gguf"), path.with_suffix(".few.gguf")
    tokens, merges = _ranked(vocabulary) if vocabulary else _learnt()
    _fill(tokens, merges)
    try:
        writer = _writer(whole, tokens, merges, QUANTISED)
        for name, tensor in _tensors():
            writer.add_tensor(name, tensor)
        _finish(writer)
        params = llama_cpp.llama_model_quantize_default_params()
        params.ftype = llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_M
        params.nthread = threads
        if llama_cpp.llama_model_quantize(str(whole).encode(), str(few).encode(), ctypes.byref(params)) != 0:
            raise OSError(f"{whole}: llama.cpp cannot quantise it")
        whole.unlink()
        _repeat(few, path, tokens, merges)
    finally:
        for left in (whole, few):
            left.unlink(missing_ok=True)
    return path


def _repeat(few: Path, path: Path, tokens: list[str], merges: list[str]) -> None:
    """All layers out of the quantised ones: of three, Q4_K_M gives the last the larger types, of 28 every second."""
    import gguf

    found = {t.name: t for t in gguf.GGUFReader(few).tensors}
    writer = _writer(path, tokens, merges, LAYERS)
    for name, tensor in found.items():
        if not name.startswith("blk."):
            writer.add_tensor(name, tensor.data, raw_dtype=tensor.tensor_type)
    for i in range(LAYERS):
        # llama.cpp's rule for the layers of a mixture that get more bits.
        more = i < LAYERS // 8 or i >= 7 * LAYERS // 8 or (i - LAYERS // 8) % 3 == 2
        for name, tensor in found.items():
            if name.startswith(f"blk.{QUANTISED - 1 if more else 0}."):
                writer.add_tensor(f"blk.{i}.{name.split('.', 2)[2]}", tensor.data, raw_dtype=tensor.tensor_type)
    _finish(writer)


def _finish(writer: Any) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _writer(path: Path, tokens: list[str], merges: list[str], layers: int) -> Any:
    import gguf

    writer: Any = gguf.GGUFWriter(path, "qwen2")
    writer.add_name("random weights in the shape of Qwen2.5-Coder-1.5B")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_freq_base(1_000_000.0)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_vocab_size(VOCABULARY)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_K_M)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL if t in CONTROL else gguf.TokenType.NORMAL for t in tokens])
    writer.add_token_merges(merges)
    writer.add_bos_token_id(tokens.index("<|endoftext|>"))
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_pad_token_id(tokens.index("<|endoftext|>"))
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHATML)
    return writer


def _tensors() -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    """Names and weights; all layers share the same arrays, which costs no speed and little memory."""
    rng = np.random.default_rng(0)

    def matrix(rows: int, columns: int) -> np.ndarray[Any, Any]:
        some = (rng.standard_normal((min(rows, 2048), columns), np.float32) / np.sqrt(columns)).astype(np.float16)
        return np.resize(some, (rows, columns))

    kv = WIDTH // HEADS * KV_HEADS
    layer = {
        "attn_norm.weight": np.ones(WIDTH, np.float32),
        "ffn_norm.weight": np.ones(WIDTH, np.float32),
        "attn_q.weight": matrix(WIDTH, WIDTH),
        "attn_q.bias": np.zeros(WIDTH, np.float32),
        "attn_k.weight": matrix(kv, WIDTH),
        "attn_k.bias": np.zeros(kv, np.float32),
        "attn_v.weight": matrix(kv, WIDTH),
        "attn_v.bias": np.zeros(kv, np.float32),
        "attn_output.weight": matrix(WIDTH, WIDTH),
        "ffn_gate.weight": matrix(FEED_FORWARD, WIDTH),
        "ffn_up.weight": matrix(FEED_FORWARD, WIDTH),
        "ffn_down.weight": matrix(WIDTH, FEED_FORWARD),
    }
    yield "token_embd.weight", matrix(VOCABULARY, WIDTH)
    yield "output_norm.weight", np.ones(WIDTH, np.float32)
    for i in range(QUANTISED):
        for name, tensor in layer.items():
            yield f"blk.{i}.{name}", tensor


def _ranked(path: Path) -> tuple[list[str], list[str]]:
    """Tokens and merge rules of a tiktoken file: each token is the pair that BPE by lower ranks leaves of it."""
    from tiny_model import byte_characters

    characters = byte_characters()
    ranks = {base64.b64decode(t): int(r) for t, r in (x.split() for x in path.read_text("ascii").splitlines() if x)}

    def text(token: bytes) -> str:
        return "".join(characters[b] for b in token)

    merges = []
    for token, rank in ranks.items():
        parts = [bytes([b]) for b in token]
        while len(parts) > 2:
            best = min(range(len(parts) - 1), key=lambda i, p=parts: ranks.get(p[i] + p[i + 1], rank))  # type: ignore[misc]
            if ranks.get(parts[best] + parts[best + 1], rank) >= rank:
                break
            parts[best : best + 2] = [parts[best] + parts[best + 1]]
        if len(parts) == 2:
            merges.append(f"{text(parts[0])} {text(parts[1])}")
    return [text(t) for t in ranks], merges


def _learnt() -> tuple[list[str], list[str]]:
    from tiny_model import byte_characters, learnt_vocabulary

    tokens, merges = learnt_vocabulary()
    return [*byte_characters(), *(t for t in tokens if len(t) > 1 and not t.startswith("<|"))], merges


def _fill(tokens: list[str], merges: list[str]) -> None:
    """Up to the full size, by pairs of tokens that are words or ends of words."""
    known = set(tokens)
    room = VOCABULARY - len(CONTROL)
    begins = [t for t in tokens if t.lstrip("Ġ").isalpha() and t.isascii() | t.startswith("Ġ")]
    ends = [t for t in tokens if t.isascii() and t.isalpha() and t.islower() and len(t) < 6]
    size = int(room**0.5) + 200
    for a, b in product(begins[:size], ends[:size]):
        if len(tokens) >= room:
            break
        if a + b not in known:
            known.add(a + b)
            tokens.append(a + b)
            merges.append(f"{a} {b}")
    tokens += [f"[PAD{i}]" for i in range(room - len(tokens))]
    tokens += CONTROL
