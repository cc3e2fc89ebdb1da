"""A domain's own checker (`checker` of the catalog): a program that judges a script for real.

It runs as the user, with the user's rights: only when asked (`validate --check`). Its verdict is read off its output.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from localgen.encoding import encoded
from localgen.execution.process import Finished, Limits, run_limited
from localgen.validation.findings import Collector
from localgen_retrieval.catalog import Checker
from localgen_retrieval.catalog_io import Domain
from localgen_retrieval.errors import CatalogError, ToolError

SECONDS = 60
OUTPUT = 4 << 20
MAX_FINDINGS = 100
# Where tools put a line number: in words, or behind the file's name.
_LINES = (r"\bline[: ]+(\d+)", r"\.\w+:(\d+)\b")


class CheckerRun:
    """Runs one domain's checker on scripts.

    Raises:
        CatalogError: the domain names no checker, or a pattern of it is no regular expression.
        ToolError: the program is not there.
    """

    def __init__(self, domain: Domain, *, seconds: float = SECONDS) -> None:
        checker = domain.catalog.checker
        if checker is None or not checker.command:
            raise CatalogError(
                f"the domain {domain.name} names no checker",
                hint='add "checker": {"command": ["PROGRAM", "{script}"]} to its catalog',
                code="checker-undefined",
            )
        self._checker: Checker = checker
        self._domain = domain
        self._seconds = seconds
        self._program = _find(checker.command[0], domain)
        self._success = _pattern(checker.success, "checker.success") if checker.success else None
        self._error = _pattern(checker.error, "checker.error") if checker.error else None

    def check(self, collector: Collector, *, path: Path | None = None) -> None:
        """Let the program judge a script; its verdict goes to the collector.

        Args:
            collector: that of the script.
            path: its file; without one it is written to a temporary file for the checker.
        """
        text = collector.original.content
        if path is not None:
            self._verdict(self._run(path, text), collector)
            return
        with tempfile.TemporaryDirectory(prefix="localgen-") as folder:
            file = Path(folder) / "script.tcl"
            file.write_bytes(encoded(text))
            self._verdict(self._run(file, text), collector)

    def _run(self, path: Path, text: str) -> Finished:
        places = {"{script}": str(path.resolve()), "{domain}": str(self._domain.folder.resolve())}
        command = [self._program]
        for word in self._checker.command[1:]:
            for place, value in places.items():
                word = word.replace(place, value)
            command.append(word)
        given = any("{script}" in word for word in self._checker.command)
        limits = Limits(seconds=self._seconds, output=OUTPUT, files=True)
        try:
            return run_limited(command, b"" if given else encoded(text), limits)
        except OSError as err:
            raise _missing(self._checker.command[0], self._domain, str(err.strerror)) from None

    def _verdict(self, done: Finished, collector: Collector) -> None:
        """Note the lines that report an error; else one finding where the checker does not accept the script."""
        name = Path(self._checker.command[0]).name
        if done.stopped is not None:
            what = f"{self._seconds:g} s" if done.stopped == "time" else f"{OUTPUT >> 20} MB of output"
            _note(collector, "CHK002", 1, f"{name}: stopped after {what}")
            return
        said = (done.stdout + b"\n" + done.stderr).decode("utf-8", "replace")
        found = 0
        for m in self._error.finditer(said) if self._error is not None else ():
            message, line = _located(m, said)
            if found < MAX_FINDINGS:
                _note(collector, "CHK001", line, f"{name}: {message}")
            found += 1
        if found:
            return
        if self._success is not None:
            if self._success.search(said) is None:
                last = next((t for t in reversed(said.splitlines()) if t.strip()), f"status {done.status}")
                _note(collector, "CHK002", 1, f"{name}: does not report success: {last.strip()[:200]}")
        elif done.status != 0:
            last = next((t for t in reversed(said.splitlines()) if t.strip()), "")
            message = f"{name}: ends with status {done.status}" + (f": {last.strip()[:200]}" if last else "")
            _note(collector, "CHK002", 1, message)


def _located(m: re.Match[str], said: str) -> tuple[str, int]:
    """What an error match says, and the line of the script it names (1 where it names none).

    The groups `message` and `line` of the pattern count, else the whole line of output and what it calls a line.
    """
    groups = m.groupdict()
    end = said.find("\n", m.start())
    whole = said[said.rfind("\n", 0, m.start()) + 1 : end if end >= 0 else len(said)].strip()
    message = " ".join((groups.get("message") or whole).split())[:300]
    number = groups.get("line")
    if number is None:
        number = next((f[1] for p in _LINES if (f := re.search(p, whole)) is not None), None)
    return message, int(number) if number is not None and number.isdigit() and int(number) > 0 else 1


def _note(collector: Collector, code: str, line: int, message: str) -> None:
    start, _ = collector.line(line)
    collector.add(code, start, start, message)


def _find(program: str, domain: Domain) -> str:
    """The program's path: beside the catalog where it is named with a folder, else on PATH."""
    program = program.replace("{domain}", str(domain.folder.resolve()))
    beside = domain.folder / program
    if "/" in program and beside.is_file():
        return str(beside.resolve())
    found = shutil.which(program)
    if found is None:
        raise _missing(program, domain, "no such program")
    return found


def _missing(program: str, domain: Domain, reason: str) -> ToolError:
    return ToolError(
        f"the checker of the domain {domain.name} cannot be started: {program}: {reason}",
        hint="install it, put it on PATH, or leave --check out",
        code="checker-missing",
    )


def _pattern(text: str, where: str) -> re.Pattern[str]:
    try:
        return re.compile(text, re.MULTILINE)
    except re.error as err:
        raise CatalogError(
            f"{where}: not a regular expression: {err}", hint="correct it in the catalog", code="checker-pattern"
        ) from None
