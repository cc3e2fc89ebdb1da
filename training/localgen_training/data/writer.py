"""Makes a data set: chunks by one or several processes, kept rows into the splits' files, and data.json at the end.

At any time the process may be killed: the next one goes on with the chunks that are done, and the same bytes come out,
however many processes there are. The splits' files are put in their places when all rows are there, data.json last.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from localgen_retrieval.errors import UsageError

from ..examples import Example
from .accept import Acceptor
from .dedupe import NearDuplicates
from .diversity import Diversity
from .progress import FILE, PARTS, Progress, other_data
from .settings import DataSettings, Material, key_of, read_material
from .splits import SPLITS
from .workers import chunks_from

FILES = (*SPLITS, "negatives")
SUMMARY = "data.json"
# Chunks between two lines of the report.
_EVERY = 10

Report = Callable[[str], None]


def make_data(
    settings: DataSettings, folder: Path, *, jobs: int, report: Report, fresh: bool = False
) -> dict[str, Any]:
    """Make the data set in a folder, or go on with it; what data.json says.

    Args:
        jobs: processes that make chunks.
        report: told how far it is.
        fresh: throw away what is there.

    Raises:
        UsageError: bad settings, another data set in the folder, another process at work in it, nothing could be made.
        CatalogError, GrammarError, ModelError: something that examples are made from cannot be used.
    """
    from filelock import FileLock, Timeout

    if settings.num < 1:
        raise UsageError(f"--num {settings.num}: at least one example is needed", code="usage")
    material = read_material(settings)
    key = key_of(settings, material)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise UsageError(f"{folder}: cannot be made: {e.strerror}", hint="see --out", code="data-folder") from None
    try:
        with FileLock(folder / ".lock", timeout=0):
            if fresh:
                _clear(folder)
            done = _finished(folder, key)
            if done is not None:
                report(f"{folder}: done before")
                return done
            return _make(settings, material, key, folder, jobs, report)
    except Timeout:
        raise UsageError(f"{folder} is being made already", code="data-busy") from None


def _finished(folder: Path, key: str) -> dict[str, Any] | None:
    path = folder / SUMMARY
    if not path.is_file():
        return None
    data: dict[str, Any] = json.loads(path.read_text("utf-8"))
    if data.get("key") != key:
        raise other_data(folder)
    if any(not (folder / f"{name}.jsonl").is_file() for name in FILES):
        raise UsageError(
            f"{folder}: a file of the finished data is gone", hint="make it anew with --fresh", code="data-gone"
        )
    if (folder / PARTS).is_dir():  # killed after the last step
        shutil.rmtree(folder / PARTS)
    return data


def _clear(folder: Path) -> None:
    for name in (SUMMARY, FILE, *(f"{n}.jsonl" for n in FILES), *(f"{n}.jsonl.partial" for n in FILES)):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / PARTS, ignore_errors=True)


def _make(
    settings: DataSettings, material: Material, key: str, folder: Path, jobs: int, report: Report
) -> dict[str, Any]:
    progress = Progress(folder, key)
    if progress.chunks:
        report(f"going on after {progress.chunks} chunks")
    diversity = Diversity(settings.seed, settings.spread)
    with ExitStack() as stack:
        acceptor = Acceptor(settings, stack.enter_context(NearDuplicates()))
        out = {name: stack.enter_context(_Out(folder / f"{name}.jsonl.partial")) for name in FILES}
        known = range(progress.chunks)
        for number, made in chunks_from(settings, material, known, jobs):
            if made is not None:
                progress.add(number, *made)
            acceptor.after_chunk(_take(progress, number, acceptor, diversity, out))
            if number % _EVERY == _EVERY - 1 or acceptor.done:
                report(_telemetry(progress, acceptor))
            if acceptor.done:
                break
        if acceptor.kept == 0:
            hint = "are the catalog's procs deprecated or forbidden, or its policy at odds with itself?"
            raise UsageError(f"nothing valid could be made: {_top(progress)}", hint=hint, code="data-nothing")
        if not acceptor.full:
            report(f"no more than {acceptor.kept} of {settings.num}: what else there is would be nearly the same")
    summary = _summary(settings, material, key, progress, acceptor, diversity, out)
    for name in FILES:
        os.replace(folder / f"{name}.jsonl.partial", folder / f"{name}.jsonl")
    partial = folder / f"{SUMMARY}.partial"
    partial.write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n", "utf-8")
    os.replace(partial, folder / SUMMARY)
    progress.clear_parts()
    return summary


class _Out:
    """A file under way with its rows and digest counted."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None
        self._digest = hashlib.sha256()
        self.rows = 0

    def __enter__(self) -> _Out:
        self._file = self._path.open("wb")
        return self

    def __exit__(self, *error: object) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, row: dict[str, Any]) -> None:
        """Add a row."""
        line = json.dumps(row, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        assert self._file is not None
        self._file.write(line)
        self._digest.update(line)
        self.rows += 1

    @property
    def sha256(self) -> str:
        """Of what was written, in hex."""
        return self._digest.hexdigest()


def _take(progress: Progress, number: int, acceptor: Acceptor, diversity: Diversity, out: dict[str, _Out]) -> int:
    """Write the rows of a chunk that are kept; how many."""
    kept = 0
    for row in progress.rows(number):
        example = Example.model_validate(row["example"])
        if not acceptor.accepts(example):
            continue
        kept += 1
        out[row["split"]].write(row["example"])
        diversity.add(example, row["split"])
        if "negative" in row:
            out["negatives"].write(row["negative"])
    return kept


def _telemetry(progress: Progress, acceptor: Acceptor) -> str:
    tried, passed, _, _ = progress.totals()
    return f"{passed}/{tried} passed ({passed / max(tried, 1):.1%}), {acceptor.kept} kept; {_top(progress)}"


def _top(progress: Progress) -> str:
    reasons = progress.totals()[2].most_common(3)
    return "discarded: " + ("; ".join(f"{n} {reason}" for reason, n in reasons) if reasons else "none")


def _summary(
    settings: DataSettings, material: Material, key: str, progress: Progress, acceptor: Acceptor, diversity: Diversity,
    out: dict[str, _Out],
) -> dict[str, Any]:  # fmt: skip
    tried, passed, reasons, counts = progress.totals()
    total = hashlib.sha256("".join(f"{n} {out[n].sha256}\n" for n in FILES).encode()).hexdigest()
    return {
        "seed": settings.seed,
        "num": settings.num,
        "hash": total,
        "key": key,
        "domains": {s.domain.name: s.domain.digest for s in material.sources},
        "files": {f"{n}.jsonl": {"rows": out[n].rows, "sha256": out[n].sha256} for n in FILES},
        "telemetry": {
            "tried": tried,
            "passed": passed,
            "share": round(passed / max(tried, 1), 4),
            "kept": acceptor.kept,
            "discarded": dict(sorted(reasons.items(), key=lambda t: (-t[1], t[0]))),
            "not kept": dict(sorted(acceptor.refused.items())),
            **dict(sorted(counts.items())),
        },
        "complete": acceptor.full,
        "diversity": diversity.figures(),
    }


def splits_in(folder: Path) -> Iterator[Path]:
    """The files of a finished data set."""
    return (folder / f"{name}.jsonl" for name in FILES)
