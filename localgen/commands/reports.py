"""Prints what `validate` found, in the form that was asked for."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

from localgen.checking import Checked
from localgen.commands.console import fail, print_beside, print_json, print_text, remark
from localgen.commands.repairs import changes_shown, document
from localgen.validation.report import REPORT_VERSION


def print_reports(checked: Sequence[Checked], args: Namespace, program: str) -> None:
    """Print reports to standard output; scripts that cannot be read are told on stderr too.

    Where standard output has a diff or a repaired script, lines of findings go to stderr.
    """
    if args.format == "json":
        _print_json(checked, single=len(args.files) == 1 and not os.path.isdir(args.files[0]))
    elif args.format == "sarif":
        _print_sarif(checked)
    else:
        changes = changes_shown(checked, args)
        stream = sys.stdout if changes is None else sys.stderr
        lines = _github(checked) if args.format == "github" else _text(checked, args, stream)
        print_text(changes or "")
        (print_text if changes is None else print_beside)("".join(f"{line}\n" for line in lines))
    for answer in checked:
        if answer.error is not None:
            fail(program, answer.error.message, answer.error.hint)
    if args.format == "text":
        remark(_summary(checked))


def _text(checked: Sequence[Checked], args: Namespace, stream: TextIO) -> Iterator[str]:
    from localgen.reporting.text import text_lines

    colour = _colour(args.color, stream)
    for answer in checked:
        if answer.report is not None:
            source = {} if args.concise else answer.source
            yield from text_lines(answer.report, source, colour=colour, fixes=args.hints)


def _github(checked: Sequence[Checked]) -> Iterator[str]:
    from localgen.reporting.github import github_error, github_lines

    for answer in checked:
        if answer.report is not None:
            yield from github_lines(answer.report)
        if answer.error is not None:
            yield github_error(answer.name, answer.error)


def _print_json(checked: Sequence[Checked], *, single: bool) -> None:
    documents = [_document(answer) for answer in checked]
    if single and len(documents) == 1:
        print_json(documents[0])
        return
    valid = all(answer.report is not None and answer.report.valid for answer in checked)
    print_json({"version": REPORT_VERSION, "valid": valid, "reports": documents})


def _document(answer: Checked) -> dict[str, Any]:
    if answer.report is not None:
        return answer.report.to_document() | document(answer.change)
    error = answer.error
    assert error is not None
    return {
        "version": REPORT_VERSION,
        "type": "error",
        "file": answer.name,
        "message": error.message,
        "hint": error.hint,
        "code": error.code,
    }


def _print_sarif(checked: Sequence[Checked]) -> None:
    from pathlib import Path

    from localgen.reporting.sarif import sarif

    print_json(sarif(checked, Path.cwd()))


def _colour(wanted: str, stream: TextIO) -> bool:
    """Whether to colour: as asked, else on a terminal that can and where NO_COLOR (no-color.org) does not forbid it."""
    if wanted != "auto":
        return wanted == "always"
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _summary(checked: Sequence[Checked]) -> str:
    reports = [c.report for c in checked if c.report is not None]
    counts = (
        (sum(r.errors for r in reports), "error"),
        (sum(r.warnings for r in reports), "warning"),
        (sum(r.hints for r in reports), "hint"),
    )
    found = ", ".join(_counted(n, what) for n, what in counts if n) or "no findings"
    invalid = sum(not r.valid for r in reports)
    verdict = f"{invalid} invalid" if invalid else "valid"
    return f"{_counted(len(reports), 'script')}, {verdict}: {found}"


def _counted(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"
