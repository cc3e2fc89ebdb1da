"""What `validate` does beyond reporting: `--hints`, `--fix`, `--diff`, `--run`, `--check`.

Files are written at the end, when every check has come through, so that an error before it has changed nothing.
"""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localgen.commands.console import Parser

if TYPE_CHECKING:
    from localgen.validation.report import Report
    from localgen_retrieval.catalog_io import Domain

STDIN = "<stdin>"
RUN_SECONDS = 5
CHECK_SECONDS = 60


def add_step_options(p: Parser) -> None:
    """Add the options to a command line."""
    p.add_argument("--hints", action="store_true", help="print the fixes of each finding too")
    p.add_argument("--fix", action="store_true", help="apply the safe fixes; standard input's fixed text is printed")
    p.add_argument("--diff", action="store_true", help="print what --fix changes; without --fix nothing is written")
    p.add_argument("--run", action="store_true", help="run valid Tcl in a safe interpreter with the domain's mocks")
    p.add_argument(
        "--run-seconds",
        type=_seconds,
        default=RUN_SECONDS,
        metavar="N",
        help=f"limit of --run (default: {RUN_SECONDS})",
    )
    p.add_argument("--check", action="store_true", help="run the domain's own checker (a program) on each script")
    p.add_argument(
        "--check-seconds",
        type=_seconds,
        default=CHECK_SECONDS,
        metavar="N",
        help=f"limit of --check (default: {CHECK_SECONDS})",
    )


@dataclass(frozen=True)
class _Change:
    """A script before and after its fixes, and what they were."""

    before: str
    after: str
    applied: tuple[str, ...]
    diff: str


class Steps:
    """The steps that the arguments ask for.

    Raises:
        ToolError: what `--run` or `--check` needs is missing.
        CatalogError: the domain names no checker.
    """

    def __init__(self, args: Namespace, domain: Domain) -> None:
        self.hints = bool(args.hints)
        self._write = bool(args.fix)
        self._diff = bool(args.diff)
        self._changes: dict[str, _Change] = {}
        self._run = self._checker = None
        if args.run:
            from localgen.execution.run_check import RunCheck

            self._run = RunCheck(domain, seconds=args.run_seconds)
        if args.check:
            from localgen.execution.checker import CheckerRun

            self._checker = CheckerRun(domain, seconds=args.check_seconds)

    def take(self, name: str, text: str, validate: Callable[[str], Report]) -> Report:
        """Validate one script and take the steps; the report is that on the fixed script where `--fix` writes it."""
        report = validate(text)
        checked = text
        if self._write or self._diff:
            from localgen.validation.fixing import apply_safe_fixes, unified_diff

            fixed = apply_safe_fixes(text, report, validate)
            self._changes[name] = _Change(text, fixed.text, fixed.applied, unified_diff(text, fixed.text, name))
            if self._write:
                checked, report = fixed.text, fixed.report
        if self._run is not None:
            report = self._run.check(checked, report)
        if self._checker is not None:
            in_file = name != STDIN and checked == text
            report = self._checker.check(checked, report, path=Path(name) if in_file else None)
        return report

    def finish(self) -> None:
        """Write the fixed files; those without a change are not touched.

        Raises:
            UsageError: one of them cannot be written; then none is.
        """
        if not self._write:
            return
        from localgen.outputs import AtomicFile, check_target

        changed = {Path(n): c.after for n, c in self._changes.items() if n != STDIN and c.after != c.before}
        for path in changed:
            check_target(path)
        for path, text in changed.items():
            with AtomicFile(path) as file:
                file.write(text)

    def output(self) -> str:
        """What goes to standard output in place of the findings: diffs, or the fixed text of standard input."""
        if self._diff:
            return "".join(change.diff for change in self._changes.values())
        return self._changes[STDIN].after if self._write and STDIN in self._changes else ""

    def document(self, name: str) -> dict[str, Any]:
        """What the JSON document of a script has beyond the report."""
        change = self._changes.get(name)
        if change is None:
            return {}
        text = {"text": change.after} if name == STDIN else {}
        return {"fixed": {"applied": list(change.applied), "diff": change.diff, **text}}


def _seconds(text: str) -> int:
    if not (text.isdigit() and 1 <= int(text) <= 86400):
        raise ArgumentTypeError(f"{text}: not a number of seconds from 1 to 86400")
    return int(text)
