"""Checks many scripts: reads each, validates and repairs it, and keeps the lines that its findings are about.

One script's failure to be read is an answer like any other, so that it does not hide what is found in the rest. Many
scripts are checked by several processes where that is faster; the answers come in the order of the jobs all the same.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from localgen.validation.codes import Level
from localgen.validation.original import unified
from localgen.validation.report import Report
from localgen.validation.validate import OtherCheck, validate_script
from localgen_bundle.domains import resolve_domain
from localgen_retrieval.catalog_io import Domain
from localgen_retrieval.errors import UsageError
from localgen_retrieval.processors import usable_processors

if TYPE_CHECKING:
    from localgen.execution.checker import CheckerRun
    from localgen.execution.run_check import RunCheck

MAX_SCRIPT_BYTES = 32 * 1024 * 1024

# Below this a process more costs as much as it saves.
PARALLEL_BYTES = 400_000


@dataclass(frozen=True)
class Job:
    """One script to check, and how.

    Attributes:
        path: where it is; None for standard input.
        repair: find out what its safe fixes make of it.
        repaired: report on the repaired script; it is not written here.
        run_seconds: limit of the execution check, which is made if there is one.
        check_seconds: limit of the domain's own checker, which is started if there is one.
    """

    name: str
    path: Path | None
    domain: str
    strict: bool = False
    levels: Mapping[str, Level] = field(default_factory=dict)
    suppressions: bool = True
    repair: bool = False
    repaired: bool = False
    run_seconds: int | None = None
    check_seconds: int | None = None


@dataclass(frozen=True)
class Change:
    """What safe fixes make of a script, each in words; `path` is None for standard input."""

    path: Path | None
    before: str
    after: str
    applied: tuple[str, ...]
    diff: str


@dataclass(frozen=True)
class Checked:
    """The report of one job and the script's lines (by number) with findings; or why the script could not be read."""

    name: str
    report: Report | None = None
    source: Mapping[int, str] = field(default_factory=dict)
    error: UsageError | None = None
    change: Change | None = None


def check(job: Job) -> Checked:
    """Check one script.

    Raises:
        UsageError, CatalogError, GrammarError, ToolError: the domain, or what the job asks for, cannot be used.
    """
    domain = _domain(job.domain)
    try:
        text = read_script(job.name, job.path)
    except UsageError as err:
        return Checked(job.name, error=err)
    validate = partial(
        validate_script,
        domain=domain,
        strict=job.strict,
        filename=job.name,
        levels=job.levels,
        suppressions=job.suppressions,
    )
    if not job.repair:
        return answer(job.name, text, validate(text, others=_others(job, job.path)))
    from localgen.validation.fixing import apply_safe_fixes, unified_diff

    report = validate(text)
    fixed = apply_safe_fixes(text, report, validate)
    change = Change(job.path, text, fixed.text, fixed.applied, unified_diff(text, fixed.text, job.name))
    if job.repaired:
        text, report = fixed.text, fixed.report
    # What is not written yet is no file that the checker might be given.
    if others := _others(job, job.path if text == change.before else None):
        report = validate(text, others=others)
    return answer(job.name, text, report, change)


def answer(name: str, text: str, report: Report, change: Change | None = None) -> Checked:
    """A report with the lines of the text that it is about."""
    if not report.details:
        return Checked(name, report, change=change)
    lines = unified(text).split("\n")
    return Checked(name, report, {f.line: lines[f.line - 1] for f in report.details}, change=change)


def check_all(jobs: Sequence[Job], *, processes: int | None = None) -> Iterator[Checked]:
    """Check scripts, answers in the order of the jobs.

    Args:
        jobs: what to check.
        processes: how many at a time; None: as many as there are processors, if there is enough to do.

    Raises:
        UsageError, CatalogError, ToolError: a domain or what is asked for cannot be used, before anything is checked.
        GrammarError: a grammar that a script needs cannot be compiled.
        UsageError: a process was ended from outside.
    """
    for domain in dict.fromkeys(job.domain for job in jobs):
        _domain(domain)
    for job in {(job.domain, job.run_seconds, job.check_seconds): job for job in jobs}.values():
        _others(job, None)
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

    with ProcessPoolExecutor(count, initializer=signal.signal, initargs=(signal.SIGINT, _end_quietly)) as pool:
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


def _others(job: Job, path: Path | None) -> tuple[OtherCheck, ...]:
    """What a job asks for beside validation; `path` is the file for the domain's own checker, if there is one."""
    out: list[OtherCheck] = []
    if job.run_seconds is not None:
        out.append(_run_check(job.domain, job.run_seconds).check)
    if job.check_seconds is not None:
        out.append(partial(_checker(job.domain, job.check_seconds).check, path=path))
    return tuple(out)


@lru_cache(maxsize=64)
def _run_check(domain: str, seconds: int) -> RunCheck:
    from localgen.execution.run_check import RunCheck

    return RunCheck(_domain(domain), seconds=seconds)


@lru_cache(maxsize=64)
def _checker(domain: str, seconds: int) -> CheckerRun:
    from localgen.execution.checker import CheckerRun

    return CheckerRun(_domain(domain), seconds=seconds)


def _end_quietly(signum: int, frame: object) -> None:
    """Ctrl-C ends a process at once and without a word, and the programs that it has started."""
    process = sys.modules.get("localgen.execution.process")
    if process is not None:
        process.end_all()
    os._exit(128 + signum)


def _worthwhile(jobs: Sequence[Job]) -> int:
    """How many processes are worth their start; a team's checker need not bear company."""
    if len(jobs) < 2 or any(job.check_seconds is not None for job in jobs):
        return 1
    total = 0
    for job in jobs:
        if job.path is not None and job.path.is_file():
            total += job.path.stat().st_size
    return min(usable_processors(), total // PARALLEL_BYTES + 1)
