"""Sentence encoders: texts to vectors. The default is a GGUF file under llama.cpp, so that no torch is needed.

Knows nothing of catalogs. llama_cpp and sentence_transformers are imported on first use only.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from localgen_retrieval.bert_context import BertContext, Vectors
from localgen_retrieval.errors import ModelError
from localgen_retrieval.processors import usable_processors


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

    def __init__(self, path: Path, *, threads: int | None = None) -> None:
        self.path = Path(path)
        self.threads = threads or usable_processors()
        self._loaded: BertContext | None = None
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
                self._loaded = BertContext(self.path, self.threads)

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
