"""A domain's own checker: how its verdict is read, and that it cannot hang or flood the command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from lab_domain import CATALOG, write_domain

from localgen.execution.checker import CheckerRun
from localgen.execution.process import Limits, run_limited
from localgen.validation.report import Report
from localgen.validation.validate import validate_script
from localgen_retrieval.catalog_io import Domain, load_domain
from localgen_retrieval.errors import CatalogError, ToolError

TEXT = "puts a\nputs b\n"


def domain(folder: Path, program: str, **checker: Any) -> Domain:
    """The lab domain with a Python program as its checker."""
    (folder / "d").mkdir(exist_ok=True)
    (folder / "d" / "check.py").write_text(program)
    given = {"command": [sys.executable, "{domain}/check.py", "{script}"], **checker}
    return load_domain(write_domain(folder / "d", {**CATALOG, "checker": given}))


def check(folder: Path, program: str, *, seconds: float = 20, path: Path | None = None, **checker: Any) -> Report:
    """The report after the checker."""
    found = domain(folder, program, **checker)
    return validate_script(TEXT, found, others=(partial(CheckerRun(found, seconds=seconds).check, path=path),))


def findings(report: Report) -> list[tuple[str, int, str]]:
    """Code, line and message without the program's name."""
    return [(f.code, f.line, f.message.split(": ", 1)[1]) for f in report.details]


VERDICTS = [
    ("print('all well')", {"success": "^all well$"}, []),
    ("print('all well'); raise SystemExit(3)", {"success": "^all well$"}, []),
    ("print('hm')", {"success": "^all well$"}, [("CHK002", 1, "does not report success: hm")]),
    ("pass", {"success": "x"}, [("CHK002", 1, "does not report success: status 0")]),
    ("pass", {}, []),
    ("import sys; sys.exit('oh no')", {}, [("CHK002", 1, "ends with status 1: oh no")]),
    ("print('Error: a.tcl:2: no net')", {"error": "^Error"}, [("CHK001", 2, "Error: a.tcl:2: no net")]),
    ("print('Error: no net (2)')", {"error": r"^Error: (?P<message>.*) \((?P<line>\d)\)"}, [("CHK001", 2, "no net")]),
    ("import sys; print('Error: x', file=sys.stderr)", {"error": "^Error"}, [("CHK001", 1, "Error: x")]),
    ("print('Error: x\\nall well')", {"error": "^Error", "success": "all well"}, [("CHK001", 1, "Error: x")]),
    ("print('Error 1\\nError 2')", {"error": "^Error"}, [("CHK001", 1, "Error 1"), ("CHK001", 1, "Error 2")]),
    ("print('fine'); raise SystemExit(1)", {"error": "^Error"}, [("CHK002", 1, "ends with status 1: fine")]),
]  # fmt: skip


@pytest.mark.parametrize(("program", "patterns", "wanted"), VERDICTS)
def test_the_verdict(tmp_path: Path, program: str, patterns: dict[str, str], wanted: list[Any]) -> None:
    report = check(tmp_path, program, **patterns)
    assert findings(report) == wanted
    assert report.valid == (not wanted) and report.errors == len(wanted)


def test_the_script_is_its_own_file_a_temporary_one_or_standard_input(tmp_path: Path) -> None:
    script = tmp_path / "s.tcl"
    script.write_text(TEXT)
    show = "import sys; print('at', sys.argv[1]); print(open(sys.argv[1]).read())"
    assert f"at {script}" in check(tmp_path, show, path=script, error="^at.*").details[0].message
    other = check(tmp_path, show, error="^at.*").details[0].message
    assert "script.tcl" in other and not Path(other.split("at ", 1)[1]).exists()
    by_input = check(tmp_path, "print(input())", command=[sys.executable, "{domain}/check.py"], error="^puts a$")
    assert findings(by_input) == [("CHK001", 1, "puts a")]


def test_a_checker_beside_the_catalog(tmp_path: Path) -> None:
    found = domain(tmp_path, "", command=["./check.sh", "{script}"], error="^Error.*")
    (found.folder / "check.sh").write_text("#!/bin/sh\necho Error: from beside\n")
    (found.folder / "check.sh").chmod(0o755)
    report = validate_script(TEXT, found, others=(CheckerRun(found, seconds=20).check,))
    assert findings(report) == [("CHK001", 1, "Error: from beside")]
    (found.folder / "check.sh").chmod(0o644)
    with pytest.raises(ToolError, match=r"check\.sh"):
        validate_script(TEXT, found, others=(CheckerRun(found).check,))


def test_a_checker_that_never_ends_is_stopped_with_its_children(tmp_path: Path) -> None:
    mark = tmp_path / "child"
    program = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(mark)!r}, 'w').write(str(child.pid))\n"
        "time.sleep(600)\n"
    )
    report = check(tmp_path, program, seconds=2)
    assert findings(report) == [("CHK002", 1, "stopped after 2 s")]
    assert _gone(int(mark.read_text()))


def test_a_checker_that_floods_is_stopped(tmp_path: Path) -> None:
    report = check(tmp_path, "while True: print('Error: x' * 1000)", error="^Error")
    assert findings(report) == [("CHK002", 1, "stopped after 4 MB of output")]


def test_input_that_nobody_reads_does_not_hang() -> None:
    done = run_limited([sys.executable, "-c", "print(1)"], b"x" * 10_000_000, Limits(seconds=20))
    assert done.stdout == b"1\n" and done.status == 0 and done.stopped is None


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_an_interrupt_while_a_program_starts_leaves_none_running(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []

    class Interrupted(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            started.append(self.pid)
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_limited([sys.executable, "-c", "import time; time.sleep(600)"], b"", Limits(seconds=600))
    finally:
        signal.signal(signal.SIGINT, before)
    assert _gone(started[0])


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_program_can_be_interrupted_as_ever() -> None:
    code = "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()))"
    assert run_limited([sys.executable, "-c", code], b"", Limits(seconds=20)).stdout == b"False\n"


def test_a_pattern_that_is_none_is_an_error_of_the_catalog(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"checker\.error: not a regular expression"):
        CheckerRun(domain(tmp_path, "", error="("))


def _gone(pid: int) -> bool:
    """Whether a process ends (is reaped or a zombie) within some seconds."""
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        state = Path(f"/proc/{pid}/stat")
        if state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.1)
    return False
