"""Checks many scripts: reads each, validates it, and keeps the lines that its findings are about.

One script's failure to be read is an answer like any other, so that it does not hide what is found in the rest. Many
scripts are checked by several processes where that is faster; the answers come in the order of the jobs all the same.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from localgen.validation.codes import Level
from localgen.validation.report import Report
from localgen.validation.validate import unify, validate_script
from localgen_bundle.domains import resolve_domain
from localgen_retrieval.catalog_io import Domain
from localgen_retrieval.errors import UsageError

MAX_SCRIPT_BYTES = 32 * 1024 * 1024

# Below this a process more costs as much as it saves.
PARALLEL_BYTES = 400_000


@dataclass(frozen=True)
class Job:
    """One script to check, and how; `path` is None for standard input."""

    name: str
    path: Path | None
    domain: str
    strict: bool = False
    levels: Mapping[str, Level] = field(default_factory=dict)
    suppressions: bool = True


@dataclass(frozen=True)
class Checked:
    """The report of one job and the script's lines (by number) with findings; or why the script could not be read."""

    name: str
    report: Report | None = None
    source: Mapping[int, str] = field(default_factory=dict)
    error: UsageError | None = None


def check(job: Job) -> Checked:
    """Check one script.

    Raises:
        UsageError, CatalogError, GrammarError: the domain cannot be used.
    """
    domain = _domain(job.domain)
    try:
        text = read_script(job.name, job.path)
    except UsageError as err:
        return Checked(job.name, error=err)
    return check_text(
        text, domain, job.name, strict=job.strict, levels=job.levels, suppressions=job.suppressions
    )


def check_text(
    text: str,
    domain: Domain,
    name: str,
    *,
    strict: bool = False,
    levels: Mapping[str, Level] | None = None,
    suppressions: bool = True,
) -> Checked:
    """Check a script's text (see `validate_script`)."""
    report = validate_script(text, domain, strict=strict, filename=name, levels=levels, suppressions=suppressions)
    if not report.details:
        return Checked(name, report)
    lines = unify(text).split("\n")
    return Checked(name, report, {f.line: lines[f.line - 1] for f in report.details})


def check_all(jobs: Sequence[Job], *, processes: int | None = None) -> Iterator[Checked]:
    """Check scripts, answers in the order of the jobs.

    Args:
        jobs: what to check.
        processes: how many at a time; None: as many as there are processors, if there is enough to do.

    Raises:
        UsageError, CatalogError, GrammarError: a domain cannot be used, before anything is checked.
        UsageError: a process was ended from outside.
    """
    for domain in dict.fromkeys(job.domain for job in jobs):
        _domain(domain)
    # Standard input can only be read here.
    piped = {i: check(job) for i, job in enumerate(jobs) if job.path is None}
    files = [job for job in jobs if job.path is not None]
    count = min(processes or _worthwhile(files), len(files))
    if count < 2:
        answers: Iterator[Checked] = map(check, files)
        yield from (piped[i] if i in piped else next(answers) for i in range(len(jobs)))
        return
    # Only many scripts pay for multiprocessing.
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    # Ctrl-C ends the processes at once and without a word.
    with ProcessPoolExecutor(count, initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_DFL)) as pool:
        try:
            answers = pool.map(check, files, chunksize=max(1, min(16, len(files) // (4 * count))))
            yield from (piped[i] if i in piped else next(answers) for i in range(len(jobs)))
        except BrokenProcessPool:
            raise UsageError(
                "a process that checks scripts was ended from outside",
                hint="is there enough memory? try --jobs 1",
                code="process-ended",
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


def read_script(name: str, path: Path | None) -> str:
    """A script's text, bytes that are not UTF-8 as surrogates (`validate_script` reports them).

    Raises:
        UsageError: it cannot be read, is too long, or no text.
    """
    try:
        if path is None:
            data = sys.stdin.buffer.read(MAX_SCRIPT_BYTES + 1)
        else:
            with path.open("rb") as file:
                data = file.read(MAX_SCRIPT_BYTES + 1)
    except (OSError, ValueError) as err:
        reason = (err.strerror if isinstance(err, OSError) else str(err)) or "unknown reason"
        raise UsageError(
            f"{name}: cannot be read: {reason}", hint="give a script file", code="script-missing"
        ) from None
    if len(data) > MAX_SCRIPT_BYTES:
        limit = MAX_SCRIPT_BYTES // 1024 // 1024
        raise UsageError(f"{name}: longer than {limit} MB", hint="is this a script?", code="script-too-long")
    if b"\0" in data:
        raise UsageError(f"{name}: binary data, not a script", hint="give a text file", code="script-binary")
    return data.decode("utf-8", "surrogateescape")


@lru_cache(maxsize=64)
def _domain(name: str) -> Domain:
    return resolve_domain(name)


def _worthwhile(jobs: Sequence[Job]) -> int:
    """How many processes are worth their start."""
    if len(jobs) < 2:
        return 1
    total = 0
    for job in jobs:
        if job.path is not None and job.path.is_file():
            total += job.path.stat().st_size
    return min(_processors(), total // PARALLEL_BYTES + 1)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
