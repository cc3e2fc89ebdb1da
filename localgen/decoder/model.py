"""A GGUF decoder under llama.cpp, by the low-level API: one prompt, several sequences that continue it.

Knows tokens, positions and logits; nothing of grammars or scripts.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from localgen_retrieval.errors import ModelError, UsageError
from localgen_retrieval.llama_quiet import first_error, load_model
from localgen_retrieval.processors import usable_processors

Logits = NDArray[np.float32]

_BATCH = 512
_SMALL = 50_000_000


@dataclass(frozen=True)
class Continuation:
    """Tokens that a sequence goes on with, from a position on; logits are wanted for the last one."""

    sequence: int
    tokens: list[int]
    position: int


class LlamaModel:
    """A loaded decoder-only model.

    Args:
        path: the GGUF file.
        threads: for evaluation. By default one for a model of under 50 M parameters: there a second thread gains
            little, and on a busy machine two that wait for each other at every operation are up to 70 times slower;
            all cores for a larger one.

    Raises:
        ModelError: the file is missing, truncated or not a decoder.
    """

    def __init__(self, path: Path, *, threads: int | None = None) -> None:
        hint = "give a GGUF file with --model, or install localgen again for the one it ships"
        self._model: Any = load_model(path, what="model", missing=hint)
        import llama_cpp

        self.lib = llama_cpp
        self.path = path
        self.vocab: Any = llama_cpp.llama_model_get_vocab(self._model)
        self.n_vocab = int(llama_cpp.llama_vocab_n_tokens(self.vocab))
        self.eos = int(llama_cpp.llama_vocab_eos(self.vocab))
        # llama.cpp takes most encoders for decoders; their files say that they do not read from left to right.
        causal = self.meta(f"{self.meta('general.architecture')}.attention.causal") != "false"
        if not (llama_cpp.llama_model_has_decoder(self._model) and causal and self.end_tokens()):
            self.close()
            raise ModelError(
                f"{path}: not a language model that writes text",
                hint="an encoder cannot be used with --model, nor a model without a token that ends a text",
                code="model-not-decoder",
            )
        small = llama_cpp.llama_model_n_params(self._model) < _SMALL
        self.threads = threads or (1 if small else usable_processors())
        self.prompt_seconds = 0.0
        self._context: Any = None
        self._shape = (0, 0)
        self._pieces: dict[int, bytes] = {}

    # ---------------------------------------------------------------- text and tokens

    def meta(self, key: str) -> str:
        """A metadata value of the file as text, "" if it has none of that name."""
        buffer = ctypes.create_string_buffer(1 << 15)
        size = self.lib.llama_model_meta_val_str(self._model, key.encode(), buffer, len(buffer))
        return buffer.value.decode("utf-8", "replace") if size >= 0 else ""

    def end_tokens(self) -> set[int]:
        """Tokens that end a text: end of sequence, end of turn."""
        lib = self.lib
        return {i for i in (self.eos, int(lib.llama_vocab_eot(self.vocab))) if 0 <= i < self.n_vocab}

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        """Token ids; `special` reads marker tokens written out in the text, and adds what the model starts with."""
        data = text.encode("utf-8", "replace")
        ids = (ctypes.c_int32 * (len(data) + 8))()
        n = self.lib.llama_tokenize(self.vocab, data, len(data), ids, len(ids), special, special)
        return list(ids[: max(n, 0)])

    def piece(self, token: int) -> bytes:
        """The bytes that a token stands for; control tokens stand for none."""
        found = self._pieces.get(token)
        if found is None:
            buffer = ctypes.create_string_buffer(512)
            n = self.lib.llama_token_to_piece(self.vocab, token, buffer, len(buffer), 0, False)
            found = self._pieces[token] = bytes(buffer.raw[: max(n, 0)])
        return found

    def apply_chat_template(self, messages: Sequence[dict[str, str]]) -> str | None:
        """The messages in the model's own chat template, ready for the answer; None if the file has none."""
        template = self.lib.llama_model_chat_template(self._model, None)
        if not template:
            return None
        kept = [(m["role"].encode(), m["content"].encode()) for m in messages]
        array = (self.lib.llama_chat_message * len(kept))(*(self.lib.llama_chat_message(r, c) for r, c in kept))
        size = 2 * sum(len(r) + len(c) for r, c in kept) + 4096
        buffer = ctypes.create_string_buffer(size)
        n = self.lib.llama_chat_apply_template(template, array, len(kept), True, buffer, size)
        return buffer.raw[:n].decode("utf-8", "replace") if 0 < n <= size else None

    # ---------------------------------------------------------------- evaluation

    def open(self, *, length: int, sequences: int) -> None:
        """Make room for `sequences` sequences that together hold `length` tokens; an old context that fits is kept."""
        if self._context and self._shape[0] >= length and self._shape[1] >= sequences:
            self.lib.llama_memory_clear(self.lib.llama_get_memory(self._context), True)
            return
        self._free_context()
        params = self.lib.llama_context_default_params()
        params.n_ctx = max(length, 256)
        params.n_batch = params.n_ubatch = _BATCH
        params.n_seq_max = sequences
        params.n_threads = params.n_threads_batch = self.threads
        params.kv_unified = True  # the prompt's cells are shared by all sequences
        params.no_perf = True
        self._context = self.lib.llama_init_from_model(self._model, params)
        if not self._context:
            raise ModelError(
                f"{self.path}: no context of {length} tokens: {first_error() or 'out of memory'}",
                hint="use fewer candidates (--k) or tokens (--max-tokens)",
                code="model-memory",
            )
        self._shape = (length, sequences)
        self._batch: Any = self.lib.llama_batch_init(_BATCH, 0, 1)

    def prompt(self, tokens: list[int], sequences: int) -> Logits:
        """Evaluate a prompt once for all sequences; the logits (vocabulary,) after its last token.

        Raises:
            UsageError: the prompt is longer than the context.
        """
        if len(tokens) + 8 > self._shape[0]:
            raise UsageError(
                f"the prompt has {len(tokens)} tokens, more than the model's context", hint="shorten the instruction",
                code="prompt-too-long",
            )
        row: Logits = np.empty(0, np.float32)
        begin = time.perf_counter()
        for start in range(0, len(tokens), _BATCH):
            part = tokens[start : start + _BATCH]
            row = self.step([Continuation(0, part, start)])[0]
        memory = self.lib.llama_get_memory(self._context)
        for s in range(1, sequences):
            self.lib.llama_memory_seq_cp(memory, 0, s, -1, -1)
        self.prompt_seconds = time.perf_counter() - begin
        return row

    def step(self, continuations: Sequence[Continuation]) -> list[Logits]:
        """Evaluate tokens of several sequences together; one row of logits (vocabulary,) for each continuation."""
        rows: list[Logits] = [np.empty(0, np.float32)] * len(continuations)
        flat = [
            (c.tokens[i], c.position + i, c.sequence, n if i == len(c.tokens) - 1 else -1)
            for n, c in enumerate(continuations)
            for i in range(len(c.tokens))
        ]
        for start in range(0, len(flat), _BATCH):
            part = flat[start : start + _BATCH]
            batch = self._batch
            batch.n_tokens = len(part)
            for i, (token, position, sequence, want) in enumerate(part):
                batch.token[i], batch.pos[i] = token, position
                batch.n_seq_id[i], batch.seq_id[i][0] = 1, sequence
                batch.logits[i] = want >= 0
            if self.lib.llama_decode(self._context, batch) != 0:
                raise ModelError(
                    f"the model failed on a batch: {first_error() or 'no room left in the context'}",
                    hint="use fewer candidates (--k) or tokens (--max-tokens)", code="model-failed",
                )
            for i, (_, _, _, want) in enumerate(part):
                if want >= 0:
                    pointer = self.lib.llama_get_logits_ith(self._context, i)
                    rows[want] = np.ctypeslib.as_array(pointer, (self.n_vocab,)).copy()
        return rows

    def _free_context(self) -> None:
        if self._context:
            self.lib.llama_batch_free(self._batch)
            self.lib.llama_free(self._context)
        self._context = None

    def close(self) -> None:
        """Free the model."""
        if getattr(self, "_model", None):
            if getattr(self, "_context", None):
                self._free_context()
            self.lib.llama_model_free(self._model)
            self._model = None
