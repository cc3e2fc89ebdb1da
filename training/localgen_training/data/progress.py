"""What is done of a data set: chunks in files of their own, and progress.jsonl with a line for each.

A chunk's file is put in its place whole, its line is added after that. A line that was cut off, or whose file is not
what it says, ends what counts as done: from there on chunks are made again, which gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from localgen_retrieval.errors import UsageError

from .rows import Chunk

FILE, PARTS = "progress.jsonl", "parts"


def chunk_bytes(chunk: Chunk) -> bytes:
    """A chunk's rows as lines: example, split, and the negative where there is one."""
    lines = []
    for row in chunk.rows:
        data: dict[str, Any] = {"split": row.split, "example": row.example.model_dump(mode="json")}
        if row.negative is not None:
            data["negative"] = row.negative.model_dump(mode="json")
        lines.append(json.dumps(data, ensure_ascii=False))
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")


class Progress:
    """The progress of one data set in its folder.

    Args:
        key: of settings and material (`settings.key_of`).

    Raises:
        UsageError: the folder has the progress of another data set.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self._folder = folder
        self._path = folder / FILE
        self._parts = folder / PARTS
        self._done: list[dict[str, Any]] = []
        self._parts.mkdir(parents=True, exist_ok=True)
        good = self._read(key)
        if good is None:
            self._path.write_bytes(_line({"key": key}))
        elif good < self._path.stat().st_size:
            os.truncate(self._path, good)

    def _read(self, key: str) -> int | None:
        """Reads what is done; the length of the file as far as it counts, None without a file."""
        if not self._path.is_file() or self._path.stat().st_size == 0:
            return None
        good = 0
        with self._path.open("rb") as f:
            for number, line in enumerate(f):
                try:
                    data = json.loads(line) if line.endswith(b"\n") else None
                except ValueError:
                    data = None
                if number == 0:
                    if data is None:
                        return None
                    if data.get("key") != key:
                        raise other_data(self._folder)
                elif data is None or data.get("chunk") != number - 1 or not self._whole(data):
                    break
                else:
                    self._done.append(data)
                good += len(line)
        return good

    def _whole(self, data: dict[str, Any]) -> bool:
        path = self.part(int(data["chunk"]))
        return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == data["sha256"]

    def part(self, number: int) -> Path:
        """The file of a chunk."""
        return self._parts / f"{number:06d}.jsonl"

    @property
    def chunks(self) -> int:
        """How many chunks are done."""
        return len(self._done)

    def add(self, number: int, data: bytes, stats: dict[str, Any]) -> None:
        """Keep a chunk: its rows first, then the line that says so."""
        path = self.part(number)
        partial = path.with_suffix(".partial")
        partial.write_bytes(data)
        os.replace(partial, path)
        line = {"chunk": number, "sha256": hashlib.sha256(data).hexdigest(), **stats}
        with self._path.open("ab") as f:
            f.write(_line(line))
        self._done.append(line)

    def rows(self, number: int) -> Iterator[dict[str, Any]]:
        """The rows of a chunk that is done."""
        with self.part(number).open(encoding="utf-8") as f:
            yield from map(json.loads, f)

    def totals(self) -> tuple[int, int, Counter[str], Counter[str]]:
        """(tried, passed, discarded by reason, other counts) over all chunks."""
        reasons: Counter[str] = Counter()
        counts: Counter[str] = Counter()
        for line in self._done:
            reasons.update(line["reasons"])
            counts.update(line["counts"])
        return sum(x["tried"] for x in self._done), sum(x["passed"] for x in self._done), reasons, counts

    def clear_parts(self) -> None:
        """Remove the chunks' files, which the finished data set no longer needs."""
        for path in sorted(self._parts.glob("*")):
            path.unlink()
        self._parts.rmdir()


def other_data(folder: Path) -> UsageError:
    """The error for a folder that has other data."""
    return UsageError(
        f"{folder} has data made from other settings, domains, scripts or program versions",
        hint="give another --name, or make it anew with --fresh",
        code="data-other",
    )


def _line(data: dict[str, Any]) -> bytes:
    return json.dumps(data, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
