"""Evaluated beginnings of prompts on disk, so that another process need not evaluate them again.

One file per beginning: a line of JSON (format, model, length, checksum), the token ids, then llama.cpp's state of the
sequence. A file that does not fit is ignored and, in time, written anew; files appear by renaming, so that processes
do not see each other's halves. Knows bytes and tokens; nothing of prompts' meaning or of llama.cpp.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Tokens = Sequence[int] | NDArray[np.int32]

FORMAT = 1
MAX_BYTES = 1 << 30
_SUFFIX = f".v{FORMAT}.state"
_EDGE = 1 << 20
_LEFTOVER_SECONDS = 3600


@dataclass(frozen=True)
class Beginning:
    """The first tokens of a prompt, and llama.cpp's state of the sequence behind them."""

    tokens: tuple[int, ...]
    state: bytes | memoryview  # some hundred MB with large models: not copied


class PromptCache:
    """A folder of evaluated beginnings, bounded in size: what was not used for longest goes first.

    Args:
        folder: made when something is kept. One that cannot be written keeps nothing.
        identity: what a state depends on beside its tokens: model file, library, context.
        max_bytes: of all files in the folder together, those of other models included.
    """

    def __init__(self, folder: Path, identity: str, max_bytes: int = MAX_BYTES) -> None:
        self.folder = folder
        self.max_bytes = max_bytes
        self._identity = hashlib.sha256(f"{FORMAT}\0{identity}".encode()).hexdigest()[:32]

    def find(self, tokens: Sequence[int], *, longer_than: int = 0) -> Beginning | None:
        """What shares the most tokens with a prompt's beginning, more than `longer_than`; None if nothing does."""
        wanted = np.asarray(tokens, np.int32)
        lengths: dict[Path, int] = {}
        for path in self._files():
            if (kept := _tokens_of(path, self._identity)) is not None:
                lengths[path] = common(kept, wanted)
        for path in sorted(lengths, key=lambda p: -lengths[p]):
            if lengths[path] <= longer_than:
                break
            found = _read(path, self._identity)
            if found is not None:
                with contextlib.suppress(OSError):
                    os.utime(path)
                return found
        return None

    def keep(self, beginning: Beginning) -> bool:
        """Write a beginning; False where that is not possible, or where it is larger than the whole cache may be."""
        tokens = np.asarray(beginning.tokens, np.int32).tobytes()
        summed = zlib.crc32(tokens)
        head = {"format": FORMAT, "identity": self._identity, "tokens": len(beginning.tokens),
                "bytes": len(tokens) + len(beginning.state), "head": summed,
                "crc": zlib.crc32(beginning.state, summed)}  # fmt: skip
        line = json.dumps(head).encode() + b"\n"
        if len(line) + len(tokens) + len(beginning.state) > self.max_bytes:
            return False
        name = hashlib.sha256(self._identity.encode() + tokens).hexdigest()[:24]
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self.folder, prefix=".state-")
            try:
                with os.fdopen(handle, "wb") as f:
                    f.writelines((line, tokens, beginning.state))
                Path(temporary).replace(self.folder / f"{self._identity[:8]}-{name}{_SUFFIX}")
            except BaseException:
                with contextlib.suppress(OSError):
                    Path(temporary).unlink()
                raise
        except OSError:
            return False  # a cache that cannot be written costs time at the next start, nothing else
        self._shrink()
        return True

    def _files(self) -> Iterator[Path]:
        return self.folder.glob(f"{self._identity[:8]}-*{_SUFFIX}")

    def _shrink(self) -> None:
        """Remove the oldest files until the rest fits, and what killed processes left."""
        found = []
        newest = 0.0
        for path in (*self.folder.glob("*.state"), *self.folder.glob(".state-*")):
            with contextlib.suppress(OSError):  # another process may have removed it
                stat = path.stat()
                found.append((stat.st_mtime, stat.st_size, path))
                newest = max(newest, stat.st_mtime)
        room = self.max_bytes
        for time, size, path in sorted(found, key=lambda f: -f[0]):
            room -= size
            left_over = path.name.startswith(".state-")
            if (room < 0 and not left_over) or (left_over and newest - time > _LEFTOVER_SECONDS):
                room += size
                with contextlib.suppress(OSError):
                    path.unlink()


def common(a: Tokens, b: Tokens) -> int:
    """How many tokens two sequences begin with alike."""
    n = min(len(a), len(b))
    differing = np.flatnonzero(np.asarray(a[:n]) != np.asarray(b[:n]))
    return int(differing[0]) if len(differing) else n


def file_identity(path: Path) -> str:
    """Tells a large file from another without reading all of it: size, time of change, first and last MiB."""
    stat = path.stat()
    digest = hashlib.sha256(f"{stat.st_size}\0{stat.st_mtime_ns}\0".encode())
    with path.open("rb") as f:
        digest.update(f.read(_EDGE))
        f.seek(max(0, stat.st_size - _EDGE))
        digest.update(f.read(_EDGE))
    return digest.hexdigest()


def _header(line: bytes, identity: str) -> dict[str, int] | None:
    try:
        head: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    right = isinstance(head, dict) and head.get("format") == FORMAT and head.get("identity") == identity
    numbers = ("tokens", "bytes", "head", "crc")
    return head if right and all(type(head.get(n)) is int and head[n] >= 0 for n in numbers) else None


def _tokens_of(path: Path, identity: str) -> NDArray[np.int32] | None:
    """The tokens of a file; None if it is damaged."""
    try:
        with path.open("rb") as f:
            head = _header(f.readline(4096), identity)
            if head is None or path.stat().st_size < head["bytes"]:
                return None
            data = f.read(4 * head["tokens"])
    except OSError:
        return None
    return np.frombuffer(data, np.int32) if zlib.crc32(data) == head["head"] else None


def _read(path: Path, identity: str) -> Beginning | None:
    """A file's beginning; None if it is damaged. llama.cpp never sees bytes that it did not write."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    end = data.find(b"\n")
    head, body = _header(data[: max(end, 0)], identity), memoryview(data)[end + 1 :]
    if head is None or len(body) != head["bytes"] or zlib.crc32(body) != head["crc"]:
        return None
    size = 4 * head["tokens"]
    return Beginning(tuple(np.frombuffer(body[:size], np.int32).tolist()), body[size:])
