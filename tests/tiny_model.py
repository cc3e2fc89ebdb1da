"""A model with random weights, small enough for hundreds of generations: its scripts are as good as the constraint.

The architecture and the tokenizer kinds are those of the shipped model (Qwen3, byte-level BPE, the markers of
`localgen_retrieval.prompt`). The merges are learnt from a few lines of Tcl, so that tokens cross the borders of words
and punctuation as real ones do.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from localgen_retrieval.prompt import END, MARKERS

PAD = "<|pad|>"
VOCABULARY = 512
WIDTH, LAYERS, HEADS, HEAD_WIDTH, FEED_FORWARD = 64, 2, 4, 16, 128
CONTEXT = 4096

_SAMPLE = """\
my::route -net CLK -layer M3 -width 0.12 -shield VSS
my::keepout -net {CLK RST_N} -width 2.5um
set ::tech::corner ss
foreach net {CLK DATA_0 DATA_1} {
    my::route -net $net -layer M2
}
if {[my::count_drc -type short] > 0} {
    puts "errors left"
} else {
    my::report -file out/route.rpt
}
dsl {
    rule "SR2" apply_to: CLK spacing: 0.12um
}
# place the macro then export the layout to the file
Route net CLK on layer M3 and keep the other nets away from it; set the process corner to slow.
"""


def write_tiny_model(path: Path, seed: int = 0, *, chat_template: str = "") -> Path:
    """Write the model as GGUF to `path` (about 0.5 MB); the same seed gives the same file.

    With a chat template it is asked as a foreign model is, without one in the shipped model's form.
    """
    import gguf

    tokens, merges = learnt_vocabulary()
    writer: Any = gguf.GGUFWriter(path, "qwen3")
    writer.add_name("random")
    if chat_template:
        writer.add_chat_template(chat_template)
    else:
        writer.add_string("localgen.prompt_form", "compact")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_key_length(HEAD_WIDTH)
    writer.add_value_length(HEAD_WIDTH)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_vocab_size(len(tokens))
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    if chat_template:
        tokens = [{m: f"<|{i}|>" for i, m in enumerate(MARKERS)}.get(t, t) for t in tokens]
        tokens[tokens.index(f"<|{len(MARKERS) - 1}|>")] = END
    control = {PAD, *MARKERS, *(f"<|{i}|>" for i in range(len(MARKERS)))}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL if t in control else gguf.TokenType.NORMAL for t in tokens])
    writer.add_token_merges(merges)
    writer.add_eos_token_id(tokens.index(END))
    writer.add_pad_token_id(0)
    writer.add_bos_token_id(0)
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)
    for name, tensor in _tensors(len(tokens), seed):
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _tensors(vocabulary: int, seed: int) -> list[tuple[str, np.ndarray[Any, np.dtype[np.float32]]]]:
    rng = np.random.default_rng(seed)

    def matrix(rows: int, columns: int) -> np.ndarray[Any, np.dtype[np.float32]]:
        return rng.normal(0, 1 / np.sqrt(columns), (rows, columns)).astype(np.float32)

    def ones(n: int) -> np.ndarray[Any, np.dtype[np.float32]]:
        return np.ones(n, np.float32)

    heads = HEADS * HEAD_WIDTH
    found = [("token_embd.weight", matrix(vocabulary, WIDTH)), ("output_norm.weight", ones(WIDTH))]
    for i in range(LAYERS):
        found += [
            (f"blk.{i}.attn_norm.weight", ones(WIDTH)),
            (f"blk.{i}.attn_q.weight", matrix(heads, WIDTH)),
            (f"blk.{i}.attn_k.weight", matrix(heads, WIDTH)),
            (f"blk.{i}.attn_v.weight", matrix(heads, WIDTH)),
            (f"blk.{i}.attn_output.weight", matrix(WIDTH, heads)),
            (f"blk.{i}.attn_q_norm.weight", ones(HEAD_WIDTH)),
            (f"blk.{i}.attn_k_norm.weight", ones(HEAD_WIDTH)),
            (f"blk.{i}.ffn_norm.weight", ones(WIDTH)),
            (f"blk.{i}.ffn_gate.weight", matrix(FEED_FORWARD, WIDTH)),
            (f"blk.{i}.ffn_up.weight", matrix(FEED_FORWARD, WIDTH)),
            (f"blk.{i}.ffn_down.weight", matrix(WIDTH, FEED_FORWARD)),
        ]
    return found


def byte_characters() -> list[str]:
    """The 256 characters that byte-level BPE writes bytes with (GPT-2's table), by byte."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return [chr(b) if b in plain else chr(256 + b - sum(p < b for p in plain)) for b in range(256)]


def learnt_vocabulary() -> tuple[list[str], list[str]]:
    """Tokens (special ones first, then bytes, then merges) and the merge rules."""
    characters = byte_characters()
    # Qwen2's pre-tokenizer, for ASCII.
    pieces = re.findall(r"[^\r\nA-Za-z0-9]?[A-Za-z]+|[0-9]| ?[^\sA-Za-z0-9]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+", _SAMPLE)
    words = Counter(tuple(characters[b] for b in piece.encode()) for piece in pieces)
    tokens = [PAD, *MARKERS, *characters]
    merges: list[str] = []
    while len(tokens) < VOCABULARY:
        pairs: Counter[tuple[str, str]] = Counter()
        for word, n in words.items():
            for pair in pairwise(word):
                pairs[pair] += n
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(" ".join(best))
        tokens.append("".join(best))
        merged: Counter[tuple[str, ...]] = Counter()
        for word, n in words.items():
            merged[_merge(word, best)] += n
        words = merged
    return tokens, merges


def _merge(word: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    out: list[str] = []
    for symbol in word:
        if out and (out[-1], symbol) == pair:
            out[-1] += symbol
        else:
            out.append(symbol)
    return tuple(out)
