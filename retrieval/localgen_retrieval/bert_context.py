"""A BERT in a GGUF file under llama.cpp, by the low-level API: several texts share one decode."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from localgen_retrieval.errors import ModelError
from localgen_retrieval.llama_quiet import first_error, load_model

Vectors = NDArray[np.float32]

# Sequences share one decode up to these limits: attention costs the square of a decode's tokens, so larger is slower.
TOKENS_PER_DECODE = 512
_TEXTS_PER_DECODE = 32
_MAX_TOKENS_KEY = b"localgen.encoder.max_tokens"


class BertContext:
    """A loaded model and its context.

    Args:
        threads: for long batches; short ones run on one.
        tokens: whether it gives the states of tokens (`states`) instead of one vector for a text (`encode`).

    Raises:
        ModelError: the file is missing or is no such model.
    """

    def __init__(self, path: Path, threads: int, *, tokens: bool = False) -> None:
        hint = "it belongs to the default bundle: install localgen again"
        self.model = load_model(path, what="encoder", missing=hint)
        import llama_cpp

        self.lib = llama_cpp
        self.threads = threads
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = params.n_batch = params.n_ubatch = TOKENS_PER_DECODE
        params.n_seq_max = _TEXTS_PER_DECODE
        params.embeddings = True
        if tokens:
            params.pooling_type = llama_cpp.LLAMA_POOLING_TYPE_NONE
        params.no_perf = True
        # The context's length is for all texts of a decode together, not divided among them.
        params.kv_unified = True
        self.context = llama_cpp.llama_init_from_model(self.model, params)
        pooling = llama_cpp.llama_pooling_type(self.context) if self.context else 0
        wrong = (llama_cpp.LLAMA_POOLING_TYPE_NONE, llama_cpp.LLAMA_POOLING_TYPE_RANK)
        if not self.context or (pooling in wrong) != tokens:
            self.close()
            raise ModelError(
                f"{path}: this GGUF file is not a sentence encoder: {first_error() or 'it pools no embedding'}",
                hint="export one with python -m localgen_training.export_encoder",
                code="encoder-damaged",
            )
        self.vocab = llama_cpp.llama_model_get_vocab(self.model)
        self.dim = llama_cpp.llama_model_n_embd(self.model)
        self.max_tokens = min(self._stated_length(), TOKENS_PER_DECODE)
        self.batch = llama_cpp.llama_batch_init(TOKENS_PER_DECODE, 0, 1)

    def _stated_length(self) -> int:
        buffer = ctypes.create_string_buffer(32)
        size = self.lib.llama_model_meta_val_str(self.model, _MAX_TOKENS_KEY, buffer, len(buffer))
        return int(buffer.value) if size > 0 else int(self.lib.llama_model_n_ctx_train(self.model))

    def tokens(self, text: str) -> list[int]:
        """Token ids with the special ones at both ends, at most `max_tokens`."""
        # A token is at least one byte, so this many bytes are always enough and bound the work on huge texts.
        data = text.encode("utf-8", "replace")[: self.max_tokens * 64]
        ids = (ctypes.c_int32 * (len(data) + 4))()
        n = self.lib.llama_tokenize(self.vocab, data, len(data), ids, len(ids), True, False)
        found = list(ids[: max(n, 0)])
        return found if len(found) <= self.max_tokens else [*found[: self.max_tokens - 1], found[-1]]

    def pieces(self, text: str) -> list[int]:
        """Token ids without special ones."""
        data = text.encode("utf-8", "replace")
        ids = (ctypes.c_int32 * (len(data) + 4))()
        n = self.lib.llama_tokenize(self.vocab, data, len(data), ids, len(ids), False, False)
        return list(ids[: max(n, 0)])

    def states(self, ids: Sequence[int]) -> Vectors:
        """The states (n, dim) of n tokens, at most `TOKENS_PER_DECODE`."""
        batch = self.batch
        for at, token in enumerate(ids):
            batch.token[at], batch.pos[at], batch.logits[at] = token, at, 1
            batch.n_seq_id[at], batch.seq_id[at][0] = 1, 0
        batch.n_tokens = len(ids)
        self._run(len(ids))
        made = self.lib.llama_get_embeddings(self.context)
        return np.ctypeslib.as_array(made, (len(ids), self.dim)).copy()

    def _run(self, tokens: int) -> None:
        threads = self.threads if tokens > TOKENS_PER_DECODE // 2 else 1
        self.lib.llama_set_n_threads(self.context, threads, threads)
        if self.lib.llama_encode(self.context, self.batch) != 0:
            raise ModelError(f"the encoder failed: {first_error()}", code="encoder-failed")

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors (n, dim) of length 1."""
        out: Vectors = np.zeros((len(texts), self.dim), np.float32)
        tokens = [self.tokens(t) for t in texts]
        group: list[int] = []
        used = 0
        # Texts of like length together: fewer, fuller decodes.
        for i in sorted(range(len(texts)), key=lambda i: len(tokens[i])):
            if group and (used + len(tokens[i]) > TOKENS_PER_DECODE or len(group) == _TEXTS_PER_DECODE):
                self._decode(group, tokens, out)
                group, used = [], 0
            group.append(i)
            used += len(tokens[i])
        if group:
            self._decode(group, tokens, out)
        return out

    def _decode(self, group: list[int], tokens: list[list[int]], out: Vectors) -> None:
        batch, at = self.batch, 0
        for sequence, i in enumerate(group):
            for position, token in enumerate(tokens[i]):
                batch.token[at], batch.pos[at], batch.logits[at] = token, position, 1
                batch.n_seq_id[at], batch.seq_id[at][0] = 1, sequence
                at += 1
        batch.n_tokens = at
        self._run(at)
        for sequence, i in enumerate(group):
            vector = self.lib.llama_get_embeddings_seq(self.context, sequence)
            out[i] = np.ctypeslib.as_array(vector, (self.dim,))
            out[i] /= max(float(np.linalg.norm(out[i])), 1e-12)

    def close(self) -> None:
        """Free the context and the model."""
        if self.context:
            self.lib.llama_free(self.context)
        if self.model:
            self.lib.llama_model_free(self.model)
        self.context = self.model = None
