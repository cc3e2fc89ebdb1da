"""Runs the commands as a user does, in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SECONDS = 120


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


def command(verb: str, *args: str | Path) -> list[str]:
    """The command line of `localgen VERB ARGS`."""
    return [sys.executable, "-m", "localgen", verb, *map(str, args)]


def environment(**more: str) -> dict[str, str]:
    """The environment for a command; Python finds the packages where this process does."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), **more}


def run(verb: str, *args: str | Path, stdin: bytes | None = None, cwd: Path | None = None) -> Ran:
    """Run a verb to its end; without `stdin` standard input is closed at once."""
    done = subprocess.run(
        command(verb, *args), input=stdin or b"", capture_output=True, cwd=cwd, env=environment(), timeout=SECONDS
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())
