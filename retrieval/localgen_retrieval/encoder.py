"""Sentence encoders: texts to vectors. The default is a GGUF file under llama.cpp, so that no torch is needed.

Knows nothing of catalogs. llama_cpp and sentence_transformers are imported on first use only.
"""

from __future__ import annotations

import ctypes
import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from localgen_retrieval.errors import ModelError
from localgen_retrieval.llama_quiet import first_error, load_model

Vectors = NDArray[np.float32]

# Sequences share one decode up to these limits: attention costs the square of a decode's tokens, so larger is slower.
_TOKENS_PER_DECODE = 512
_TEXTS_PER_DECODE = 32
_MAX_TOKENS_KEY = b"localgen.encoder.max_tokens"


@runtime_checkable
class Encoder(Protocol):
    """What retrieval asks of an encoder.

    Attributes:
        name: for people.
        digest: changes with the weights; part of the key of cached vectors.
    """

    @property
    def name(self) -> str: ...

    @property
    def digest(self) -> str: ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors (n, dim), float32, of length 1."""
        ...


class GgufEncoder:
    """A BERT-like encoder in a GGUF file, run by llama.cpp on the CPU. Loaded by the first `encode`.

    Args:
        path: the GGUF file; its pooling (mean, first token) is the file's own.
        threads: for long batches. A query runs on one thread: on a busy machine two that wait for each other at every
            operation took 0.8 s for what one does in 10 ms.
    """

    def __init__(self, path: Path, *, threads: int = 2) -> None:
        self.path = Path(path)
        self.threads = threads
        self._loaded: _Context | None = None
        self._digest = ""
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.stem

    @property
    def digest(self) -> str:
        """A fingerprint of the file: its size and samples of its bytes (reading it all would cost a query's time)."""
        if not self._digest:
            self._digest = _fingerprint(self.path)
        return self._digest

    def load(self) -> None:
        """Load the model now; ModelError if it is missing or not an encoder. `encode` does it otherwise."""
        with self._lock:
            if self._loaded is None:
                self._loaded = _Context(self.path, self.threads)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors (n, dim), float32, of length 1. Texts above the model's length lose their end."""
        self.load()
        assert self._loaded is not None
        with self._lock:
            return self._loaded.encode(texts)

    def close(self) -> None:
        """Free the model; the next `encode` loads it again."""
        with self._lock:
            if self._loaded is not None:
                self._loaded.close()
                self._loaded = None


class SentenceTransformerEncoder:
    """A sentence-transformers model of a team's own (extra `[encoder]`): a folder, never a name to download."""

    def __init__(self, folder: Path) -> None:
        self.path = Path(folder)
        self._model: Any = None
        self._digest = ""

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name

    @property
    def digest(self) -> str:
        """A fingerprint of the folder's weight and configuration files."""
        if not self._digest:
            files = sorted(p for p in self.path.rglob("*") if p.suffix in (".safetensors", ".bin", ".json", ".txt"))
            parts = [f"{p.relative_to(self.path).as_posix()}:{_fingerprint(p)}" for p in files]
            self._digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        return self._digest

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors (n, dim), float32, of length 1."""
        model = self._load()
        found = model.encode(list(texts), batch_size=64, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(found, np.float32).reshape(len(texts), -1)

    def _load(self) -> Any:
        if self._model is None:
            if not self.path.is_dir():
                raise ModelError(f"{self.path}: no such model folder", code="encoder-missing")
            try:
                from sentence_transformers import SentenceTransformer
            except ImportError:
                hint = "pip install 'localgen[encoder]', or export the model to GGUF"
                raise ModelError("sentence-transformers is not installed", hint=hint, code="encoder-missing") from None
            try:
                self._model = SentenceTransformer(str(self.path), device="cpu", local_files_only=True)
            except Exception as err:
                raise ModelError(
                    f"{self.path}: not a sentence-transformers model: {err}", code="encoder-damaged"
                ) from err
        return self._model


class _Context:
    """A loaded model and its llama.cpp context, by the low-level API: several texts share one decode."""

    def __init__(self, path: Path, threads: int) -> None:
        hint = "it belongs to the default bundle: install localgen again"
        self.model = load_model(path, what="encoder", missing=hint)
        import llama_cpp

        self.lib = llama_cpp
        self.threads = threads
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = params.n_batch = params.n_ubatch = _TOKENS_PER_DECODE
        params.n_seq_max = _TEXTS_PER_DECODE
        params.embeddings = True
        params.no_perf = True
        # The context's length is for all texts of a decode together, not divided among them.
        params.kv_unified = True
        self.context = llama_cpp.llama_init_from_model(self.model, params)
        pooling = llama_cpp.llama_pooling_type(self.context) if self.context else 0
        if not self.context or pooling in (llama_cpp.LLAMA_POOLING_TYPE_NONE, llama_cpp.LLAMA_POOLING_TYPE_RANK):
            self.close()
            raise ModelError(
                f"{path}: this GGUF file is not a sentence encoder: {first_error() or 'it pools no embedding'}",
                hint="export one with python -m localgen_training.export_encoder",
                code="encoder-damaged",
            )
        self.vocab = llama_cpp.llama_model_get_vocab(self.model)
        self.dim = llama_cpp.llama_model_n_embd(self.model)
        self.max_tokens = min(self._stated_length(), _TOKENS_PER_DECODE)
        self.batch = llama_cpp.llama_batch_init(_TOKENS_PER_DECODE, 0, 1)

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

    def encode(self, texts: Sequence[str]) -> Vectors:
        out: Vectors = np.zeros((len(texts), self.dim), np.float32)
        tokens = [self.tokens(t) for t in texts]
        group: list[int] = []
        used = 0
        # Texts of like length together: fewer, fuller decodes.
        for i in sorted(range(len(texts)), key=lambda i: len(tokens[i])):
            if group and (used + len(tokens[i]) > _TOKENS_PER_DECODE or len(group) == _TEXTS_PER_DECODE):
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
        threads = self.threads if at > _TOKENS_PER_DECODE // 2 else 1
        self.lib.llama_set_n_threads(self.context, threads, threads)
        if self.lib.llama_encode(self.context, batch) != 0:
            raise ModelError(f"the encoder failed: {first_error()}", code="encoder-failed")
        for sequence, i in enumerate(group):
            vector = self.lib.llama_get_embeddings_seq(self.context, sequence)
            out[i] = np.ctypeslib.as_array(vector, (self.dim,))
            out[i] /= max(float(np.linalg.norm(out[i])), 1e-12)

    def close(self) -> None:
        if self.context:
            self.lib.llama_free(self.context)
        if self.model:
            self.lib.llama_model_free(self.model)
        self.context = self.model = None


def _fingerprint(path: Path) -> str:
    total = hashlib.sha256()
    try:
        size = path.stat().st_size
        total.update(str(size).encode())
        with path.open("rb") as f:
            for i in range(64):
                f.seek(size * i // 64)
                total.update(f.read(1 << 14))
            f.seek(max(size - (1 << 14), 0))
            total.update(f.read())
    except OSError as err:
        raise ModelError(f"{path}: cannot be read: {err.strerror}", code="encoder-missing") from None
    return total.hexdigest()
