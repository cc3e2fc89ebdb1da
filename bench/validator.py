"""The validator on real files: wrong rejections, speed beside tclint, growth with size, deep nesting, cold start.

    python bench/validator.py [--files 150] [--tclint PYTHON] [--whole]

`--tclint` names a Python that has tclint (an environment of its own: `pip install tclint`); without it that row is
left out. `--whole` asks real Tcl about every file of the corpus instead of a sample (minutes). Speeds are CPU time in
one run on one machine: only their ratios mean something.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from _tcl_corpus import ABSENT, TclFile, tcl_files

from localgen.validation.report import Report
from localgen.validation.validate import validate_script
from localgen_grammars.tcl import parse, walk
from localgen_retrieval.catalog_io import Domain, load_domain

if TYPE_CHECKING:
    from oracle import RealTcl

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
_TCLINT = """
import json, sys, time
from tclint.cli.tclint import lint
from tclint.commands.plugins import PluginManager
from tclint.config import Config
from tclint.parser import TclSyntaxError
plugins, seconds, stopped = PluginManager(), 0.0, 0
for line in sys.stdin:
    begin = time.process_time()
    try:
        lint(json.loads(line), Config(), plugins, None)
    except TclSyntaxError:
        stopped += 1
    seconds += time.process_time() - begin
print(json.dumps([seconds, stopped]))
"""


def seconds_of(work: Callable[[], object]) -> float:
    """CPU seconds of a piece of work."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def speeds(files: Sequence[TclFile], domain: Domain, tclint: str | None) -> None:
    """MB/s of parsing, validating, and tclint."""
    size = sum(len(f.text.encode()) for f in files) / 1e6
    rows = {
        "parse with bodies": seconds_of(lambda: [list(walk(parse(f.text))) for f in files]),
        "validate": seconds_of(lambda: [validate_script(f.text, domain) for f in files]),
    }
    if tclint:
        lines = "".join(json.dumps(f.text) + "\n" for f in files)
        done = subprocess.run([tclint, "-c", _TCLINT], input=lines, capture_output=True, text=True, check=True)
        rows["tclint"], stopped = json.loads(done.stdout)
        print(f"{len(files)} files, {size:.2f} MB; tclint stops at a syntax error in {stopped} of them")
    for name, seconds in rows.items():
        ratio = f"{rows['tclint'] / seconds:>8.1f} x tclint" if "tclint" in rows else ""
        print(f"  {name:<24}{size / seconds:>8.2f} MB/s{ratio}")


def growth(files: Sequence[TclFile], domain: Domain, megabytes: Sequence[float]) -> None:
    """Seconds for each megabyte of one large script, put together from files."""
    for wanted in megabytes:
        parts: list[str] = []
        size, i = 0, 0
        while size < wanted * 1e6:
            parts.append(files[i % len(files)].text)
            size, i = size + len(parts[-1]), i + 1
        text = "\n".join(parts)
        taken = seconds_of(lambda text=text: validate_script(text, domain))  # type: ignore[misc]
        print(f"  {size / 1e6:>6.1f} MB {taken:>8.2f} s {taken / size * 1e6:>8.2f} s/MB")


def shapes(domain: Domain) -> None:
    """Texts that are hard for a parser: each is validated, and once more at double the size."""
    for name, make in {
        "nested braces": lambda n: "set a " + "{" * n + "}" * n,
        "open braces": lambda n: "{" * n,
        "nested ifs": lambda n: "if {1} {" * n + "}" * n,
        "nested brackets": lambda n: "set a " + "[a " * n + "]" * n,
        "open brackets": lambda n: "[" * n,
        "one long line": lambda n: "set a " + "b$c[d] " * (n * 14),
        "one long word": lambda n: "set a " + "x" * (n * 100),
        "one long string": lambda n: 'set a "' + "x y [z] " * (n * 12) + '"',
        "one long comment": lambda n: "# " + "x" * (n * 100),
        "open quotes": lambda n: 'set a "b\n' * n,
        "stray braces": lambda n: "}\n" * n,
        "one long expression": lambda n: "expr {" + "1 + " * n + "1}",
    }.items():
        first = seconds_of(lambda make=make: validate_script(make(10_000), domain))  # type: ignore[misc]
        double = seconds_of(lambda make=make: validate_script(make(20_000), domain))  # type: ignore[misc]
        print(f"  {name:<24}{len(make(10_000)) / 1e6:>7.2f} MB {first:>8.2f} s   twice as much: x {double / first:.1f}")


def rejections(files: Sequence[TclFile], domain: Domain) -> int:
    """Files that real Tcl compiles and the validator rejects for their syntax; how many of them wrongly."""
    from oracle import TCLSH, RealTcl

    if TCLSH is None:
        print("  no tclsh: real Tcl cannot be asked")
        return 0
    accepted = rejected = wrong = 0
    with RealTcl() as tcl:
        for file in files:
            if tcl.check(file.text) is not None:
                continue
            accepted += 1
            report = validate_script(file.text, domain)
            if report.valid_syntax:
                continue
            rejected += 1
            if not all(rightly(file.text, report, i, tcl) for i in range(len(report.details))):
                wrong += 1
                lines = [line for line in report.lines() if "[TCL" in line and ": warning:" not in line]
                print(f"  wrongly: {file.source} {file.path}", *lines[:3], sep="\n    ")
    print(f"  {accepted} of {len(files)} files compile; {rejected} of these are rejected, {wrong} of them wrongly:")
    print("  of the others Tcl refuses the very command or body that is named, asked about it alone")
    return wrong


def rightly(text: str, report: Report, index: int, tcl: RealTcl) -> bool:
    """Whether Tcl, asked about a command or body around a syntax error alone, finds it too.

    It does not look into every body when it compiles a script. A brace where a command should stand compiles too, and a
    call with too many words: what these give is seen by running that one command by itself.
    """
    finding = report.details[index]
    if finding.severity != "error" or not finding.code.startswith("TCL"):
        return True
    at = sum(len(line) + 1 for line in text.split("\n")[: finding.line - 1]) + finding.column - 1
    around = {
        (part.start, part.end)
        for visit in walk(parse(text))
        for part in (visit.command, visit.script)
        if part.start <= at <= part.end
    }
    if any(tcl.check(text[start:end]) is not None for start, end in around):
        return True
    start, end = max(around)
    said = tcl.call(text[start:end]) or ""
    return said.startswith(("wrong # args", "extra characters", 'invalid command name "}', 'invalid command name "]'))


def cold_start(runs: int = 9) -> None:
    """Seconds of a whole process on a small script, its modules compiled as an installed package has them."""
    with tempfile.NamedTemporaryFile("w", suffix=".tcl") as script, tempfile.TemporaryDirectory() as compiled:
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = compiled
        script.write("#!/usr/bin/env tclsh\nset a 1\nputs $a\n")
        script.flush()
        clock, used = [], []
        for _ in range(runs):
            before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
            command = [sys.executable, "-m", "localgen", "validate", script.name]
            subprocess.run(command, capture_output=True, cwd=ROOT, env=environment)
            clock.append(time.perf_counter() - begin)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            used.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    print(f"  {min(clock):.3f} s by the clock, {min(used):.3f} s of CPU, the best of {runs}")


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables; the status is 1 where a file is rejected wrongly."""
    parser = argparse.ArgumentParser(description="The validator on real files.")
    parser.add_argument("--files", type=int, default=150, help="size of the sample")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tclint", metavar="PYTHON", help="a Python that has tclint")
    parser.add_argument("--whole", action="store_true", help="real Tcl on the whole corpus")
    parser.add_argument("--megabytes", type=float, nargs="*", default=[0.5, 1, 2], help="sizes of one large script")
    args = parser.parse_args(argv)
    domain = load_domain(ROOT / "tests" / "data" / "minimal")
    print("cold start")
    cold_start()
    print("shapes")
    shapes(domain)
    files = list(tcl_files())
    if not files:
        print(ABSENT)
        return 0
    sample = random.Random(args.seed).sample(files, min(args.files, len(files)))
    print("speed")
    speeds(sample, domain, args.tclint)
    print("growth")
    growth(sample, domain, args.megabytes)
    print("rejections")
    return int(rejections(files if args.whole else sample, domain) > 0)


if __name__ == "__main__":
    raise SystemExit(main())
