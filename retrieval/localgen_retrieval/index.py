"""The index of a domain: vectors of its symbols in FAISS beside BM25, built on first use and cached on disk.

One cache file per domain folder and encoder: a line of JSON (format, encoder, a hash of each symbol's text, checksum),
then the serialised FAISS index. A file that does not fit is rebuilt, and the vectors of unchanged texts are kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from localgen_retrieval.bert_context import Vectors
from localgen_retrieval.bm25 import Bm25
from localgen_retrieval.catalog_io import Domain
from localgen_retrieval.encoder import Encoder
from localgen_retrieval.symbols import Symbol, symbols_of

FORMAT = 1
LOCK_SECONDS = 120
_TEXTS_PER_STEP = 64

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Index:
    """Symbols, and what ranks them.

    Attributes:
        vectors: a FAISS flat inner-product index, one vector per symbol in their order.
        digest: changes with the domain, the encoder and the format.
    """

    symbols: tuple[Symbol, ...]
    vectors: Any
    bm25: Bm25
    digest: str

    def similarities(self, queries: Vectors) -> NDArray[np.float32]:
        """Cosines of m query vectors (m, dim) with all n symbols, shape (m, n)."""
        n = len(self.symbols)
        out = np.zeros((len(queries), n), np.float32)
        if n and len(queries):
            found, where = self.vectors.search(np.ascontiguousarray(queries, np.float32), n)
            np.put_along_axis(out, where, found, axis=1)
        return out


def open_index(
    domain: Domain,
    encoder: Encoder,
    cache_dir: Path | None,
    *,
    shipped: Path | None = None,
    progress: Progress | None = None,
) -> Index:
    """The index of a domain: from the cache, or built and cached.

    Args:
        cache_dir: where cache files go; None, or a folder that cannot be written, keeps the index in memory only.
        shipped: a read-only index file to try first (`save_index` made it).
        progress: called with (done, total) texts while embedding; never called when nothing has to be embedded.
    """
    symbols = symbols_of(domain)
    hashes = [hashlib.sha256(s.text.encode("utf-8", "replace")).hexdigest()[:32] for s in symbols]
    digest = hashlib.sha256(f"{FORMAT}:{domain.digest}:{encoder.digest}".encode()).hexdigest()
    vectors = _vectors(symbols, hashes, encoder, _cache_file(cache_dir, domain, encoder), shipped, progress)
    return Index(symbols, vectors, Bm25([s.text for s in symbols]), digest)


def save_index(domain: Domain, encoder: Encoder, path: Path, progress: Progress | None = None) -> None:
    """Write a domain's index file for shipping (`open_index(..., shipped=path)`). OSError if it cannot be written."""
    symbols = symbols_of(domain)
    hashes = [hashlib.sha256(s.text.encode("utf-8", "replace")).hexdigest()[:32] for s in symbols]
    _write(path, _build(symbols, hashes, encoder, None, progress), hashes, encoder.digest)


def _vectors(
    symbols: Sequence[Symbol],
    hashes: list[str],
    encoder: Encoder,
    path: Path | None,
    shipped: Path | None,
    progress: Progress | None,
) -> Any:
    for candidate in (shipped, path):
        stored = _read(candidate, encoder.digest)
        if stored is not None and stored[0] == hashes:
            return stored[1]
    if path is None:
        return _build(symbols, hashes, encoder, None, progress)
    with _locked(path):
        # Another process may have built it while this one waited.
        stored = _read(path, encoder.digest)
        if stored is not None and stored[0] == hashes:
            return stored[1]
        built = _build(symbols, hashes, encoder, stored, progress)
        # A cache that cannot be written costs time at the next start, nothing else.
        with contextlib.suppress(OSError):
            _write(path, built, hashes, encoder.digest)
    return built


def _build(
    symbols: Sequence[Symbol],
    hashes: list[str],
    encoder: Encoder,
    stored: tuple[list[str], Any] | None,
    progress: Progress | None,
) -> Any:
    import faiss

    known: dict[str, Vectors] = {}
    if stored is not None:
        old = stored[1].reconstruct_n(0, stored[1].ntotal) if stored[1].ntotal else ()
        known = dict(zip(stored[0], old, strict=True))
    missing = {h: s.text for h, s in zip(hashes, symbols, strict=True) if h not in known}
    texts = list(missing.items())
    for start in range(0, len(texts), _TEXTS_PER_STEP):
        step = texts[start : start + _TEXTS_PER_STEP]
        found = encoder.encode([text for _, text in step])
        known.update(zip((h for h, _ in step), found, strict=True))
        if progress:
            progress(start + len(step), len(texts))
    matrix = np.stack([known[h] for h in hashes]) if hashes else np.zeros((0, 1), np.float32)
    index = faiss.IndexFlatIP(matrix.shape[1])
    index.add(np.ascontiguousarray(matrix, np.float32))
    return index


def _cache_file(cache_dir: Path | None, domain: Domain, encoder: Encoder) -> Path | None:
    if cache_dir is None:
        return None
    # By folder, not by content: a catalog that is being edited then leaves one file, not one per edit.
    key = hashlib.sha256(f"{domain.folder.resolve()}\0{encoder.digest}".encode("utf-8", "replace")).hexdigest()[:16]
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", domain.name)[:40] or "domain"
    return Path(cache_dir) / "index" / f"{name}-{key}.v{FORMAT}.faiss"


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the cache file's lock; go on without it where the folder cannot be written or the wait is too long."""
    import filelock

    lock = filelock.FileLock(f"{path}.lock", timeout=LOCK_SECONDS)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except (OSError, filelock.Timeout, NotImplementedError):
        pass
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            lock.release()


def _write(path: Path, index: Any, hashes: list[str], encoder_digest: str) -> None:
    import faiss

    payload = faiss.serialize_index(index).tobytes()
    header = {
        "format": FORMAT,
        "encoder": encoder_digest,
        "texts": hashes,
        "sha256": hashlib.sha256(payload).hexdigest(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".index-")
    try:
        with os.fdopen(handle, "wb") as f:
            f.write(json.dumps(header).encode() + b"\n" + payload)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _read(path: Path | None, encoder_digest: str) -> tuple[list[str], Any] | None:
    """Text hashes and FAISS index of a file; None if it is missing, damaged or of another format or encoder."""
    if path is None:
        return None
    try:
        line, _, payload = path.read_bytes().partition(b"\n")
        header = json.loads(line)
        # The checksum comes first: FAISS must never read bytes that it did not write.
        if header["sha256"] != hashlib.sha256(payload).hexdigest():
            return None
        if header["format"] != FORMAT or header["encoder"] != encoder_digest:
            return None
        import faiss

        index = faiss.deserialize_index(np.frombuffer(payload, np.uint8))
        return (header["texts"], index) if index.ntotal == len(header["texts"]) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError):
        return None
