"""A GGUF decoder under llama.cpp, by the low-level API: one prompt, several sequences that continue it.

Knows tokens, positions and logits; nothing of grammars or scripts. What a prompt has in common with the one before it
stays evaluated; what many prompts are expected to begin with (`expect`) may be kept on disk, too.
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

from .prompt_cache import Beginning, PromptCache, common, file_identity

Logits = NDArray[np.float32]

_BATCH = 512
# Prompts are evaluated in steps that begin at multiples of this, and are reused from multiples of it on: a prompt then
# takes the same steps whatever came before it, and its logits are the same to the last bit.
STEP = 64
# A beginning is worth a file if its evaluation took this long: reading one takes some hundredths of a second.
WORTH_SECONDS = 0.5
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
        self.trained_length = int(llama_cpp.llama_model_n_ctx_train(self._model))  # tokens
        small = llama_cpp.llama_model_n_params(self._model) < _SMALL
        self.threads = threads or (1 if small else usable_processors())
        self.prompt_seconds = 0.0
        self.reused = 0  # tokens of the last prompt that were not evaluated again
        self.worth_seconds = WORTH_SECONDS
        self._context: Any = None
        self._shape = (0, 0)
        self._held: list[int] = []  # the prompt whose tokens sequence 0 begins with
        self._row: Logits = np.empty(0, np.float32)  # its logits
        self._expected: list[int] = []
        self._cache: PromptCache | None = None
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

    def keep_beginnings(self, folder: Path) -> None:
        """Keep evaluated beginnings of prompts in a folder, for this and later processes."""
        lib = self.lib
        parts = (file_identity(self.path), lib.__version__, lib.llama_print_system_info().decode(), str(STEP))
        self._cache = PromptCache(folder, "\0".join(parts))

    def expect(self, beginning: Sequence[int]) -> None:
        """Say what the prompts to come begin with; that much is worth keeping on disk."""
        self._expected = list(beginning)

    def open(self, *, length: int, sequences: int) -> None:
        """Make room for `sequences` sequences that together hold `length` tokens; an old context that fits is kept."""
        if self._context and self._shape[0] >= length and self._shape[1] >= sequences:
            return
        # Rounded up: prompts that differ by a few words share a context.
        length = -(-max(length, 256) // _BATCH) * _BATCH
        self._free_context()
        params = self.lib.llama_context_default_params()
        params.n_ctx = length
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

        What it has in common with the prompt before it, or with a beginning on disk, is not evaluated again.

        Raises:
            UsageError: the prompt is longer than the context.
        """
        if len(tokens) + 8 > self._shape[0]:
            raise UsageError(
                f"the prompt has {len(tokens)} tokens, more than the model's context", hint="shorten the instruction",
                code="prompt-too-long",
            )
        begin = time.perf_counter()
        memory = self.lib.llama_get_memory(self._context)
        kept = self._back_to(tokens)
        self.reused = kept
        worth = common(self._expected, tokens[:-1]) // STEP * STEP
        spent = 0.0
        for start in range(kept, len(tokens), STEP):
            at = time.perf_counter()
            part = tokens[start : start + STEP]
            last = start + STEP >= len(tokens)
            rows = self._evaluate([(t, start + i, 0, 0 if last and i == len(part) - 1 else -1)
                                   for i, t in enumerate(part)], 1)  # fmt: skip
            spent += time.perf_counter() - at
            if start + STEP == worth and self._cache is not None and spent >= self.worth_seconds:
                self._save(tokens[:worth])
        if kept < len(tokens):
            self._row = rows[0]
        self._held = list(tokens)
        for s in range(1, sequences):
            self.lib.llama_memory_seq_cp(memory, 0, s, -1, -1)
        self.prompt_seconds = time.perf_counter() - begin
        return self._row

    def forget_prompt(self) -> None:
        """Say that sequence 0 need not begin with the last prompt any more: the next one is evaluated anew."""
        self._held = []

    def _back_to(self, tokens: list[int]) -> int:
        """Forget all but what sequence 0 has in common with a prompt; how many tokens that is."""
        memory, lib = self.lib.llama_get_memory(self._context), self.lib
        last = (len(tokens) - 1) // STEP * STEP  # there must be something left that gives logits
        kept = max(0, min(common(self._held, tokens), last))
        if self._held == tokens:
            kept = len(tokens)
        elif self._cache is not None and kept < common(self._expected, tokens[:-1]) // STEP * STEP:
            found = self._cache.find(tokens, longer_than=kept)
            if found is not None and self._load(found):
                kept = min(common(found.tokens, tokens), last)
        if kept < len(tokens):
            kept = kept // STEP * STEP
        for s in range(1, self._shape[1]):
            lib.llama_memory_seq_rm(memory, s, -1, -1)
        # A model may have dropped what lies behind its window, or may not be able to go back (recurrent ones).
        whole = lib.llama_memory_seq_pos_min(memory, 0) == 0 and lib.llama_memory_seq_pos_max(memory, 0) >= kept - 1
        if not (kept and whole and lib.llama_memory_seq_rm(memory, 0, kept, -1)):
            lib.llama_memory_clear(memory, True)
            kept = 0
        self._held = []  # until the prompt is there
        return kept

    def _save(self, tokens: list[int]) -> None:
        """Keep what sequence 0 holds, which is the evaluation of these tokens."""
        size = int(self.lib.llama_state_seq_get_size(self._context, 0))
        data = (ctypes.c_uint8 * size)()
        written = int(self.lib.llama_state_seq_get_data(self._context, data, size, 0))
        if self._cache is not None and 0 < written <= size:
            self._cache.keep(Beginning(tuple(tokens), memoryview(data).cast("B")[:written]))

    def _load(self, beginning: Beginning) -> bool:
        """Put a beginning's state into sequence 0; False, with nothing in it, if llama.cpp does not take it."""
        self.lib.llama_memory_clear(self.lib.llama_get_memory(self._context), True)
        self._held = []
        if len(beginning.tokens) + 8 > self._shape[0]:
            return False
        data = (ctypes.c_uint8 * len(beginning.state)).from_buffer_copy(beginning.state)
        taken = int(self.lib.llama_state_seq_set_data(self._context, data, len(beginning.state), 0))
        first_error()  # a state that does not fit is no error of what comes next
        return taken == len(beginning.state)

    def step(self, continuations: Sequence[Continuation]) -> list[Logits]:
        """Evaluate tokens of several sequences together; one row of logits (vocabulary,) for each continuation."""
        flat = [
            (c.tokens[i], c.position + i, c.sequence, n if i == len(c.tokens) - 1 else -1)
            for n, c in enumerate(continuations)
            for i in range(len(c.tokens))
        ]
        return self._evaluate(flat, len(continuations))

    def _evaluate(self, flat: list[tuple[int, int, int, int]], count: int) -> list[Logits]:
        """Evaluate (token, position, sequence, row of its logits or -1)s; `count` rows."""
        rows: list[Logits] = [np.empty(0, np.float32)] * count
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
        self._held = []

    def close(self) -> None:
        """Free the model."""
        if getattr(self, "_model", None):
            if getattr(self, "_context", None):
                self._free_context()
            self.lib.llama_model_free(self._model)
            self._model = None
