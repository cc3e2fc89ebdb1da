"""`validate`: is a script right? Tcl syntax, catalog conformance, every embedded DSL block, policy.

Prints what `localgen.validation` finds. Everything but the argument parser is imported after the arguments are read.
"""

from __future__ import annotations

import sys
from argparse import Namespace, RawDescriptionHelpFormatter
from functools import partial
from typing import TYPE_CHECKING

from localgen.commands.console import Parser, main_of, print_beside, print_json, print_text, remark
from localgen.commands.validate_steps import Steps, add_step_options

if TYPE_CHECKING:
    from localgen.validation.report import Report

PROGRAM = "validate"
MAX_SCRIPT_BYTES = 16 * 1024 * 1024

_EPILOG = """\
examples:
  validate script.tcl
  validate --domain my-domain/ --strict --json script.tcl
  generate --instruction task.txt | validate -
  validate --fix --diff script.tcl
  validate --run script.tcl

Each finding is a line `file:line:column: message [code]`; docs/validation.md explains the codes.

exit status:
  0 valid (warnings may be printed)   1 at least one script is invalid
  2 wrong usage or unreadable file    4 bad catalog or grammar
  6 --run without a Tcl, --check without the domain's checker
"""


def parser() -> Parser:
    """The command line of `validate`."""
    p = Parser(
        prog=PROGRAM,
        description="Check scripts against Tcl, a domain's catalog, its embedded DSLs and its policy.",
        epilog=_EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
    )
    p.add_argument("files", nargs="*", metavar="FILE", help="script to check; - is standard input")
    p.add_argument("--domain", metavar="NAME|DIR", help="a bundled domain or a domain folder (default: pnr)")
    p.add_argument("--strict", action="store_true", help="warnings about contract and policy are errors")
    p.add_argument("--json", action="store_true", help="print one JSON document instead of lines")
    add_step_options(p)
    p.add_argument("--version", action="store_true", help="print the version and exit")
    return p


def main(argv: list[str] | None = None) -> int:
    """Run the command; the exit status by kind (docs/cli.md)."""
    return main_of(PROGRAM, parser().parse_args(argv), _validate, as_json=lambda a: bool(a.json))


def _validate(args: Namespace) -> int:
    from localgen.validation.validate import validate_script
    from localgen_bundle.domains import DEFAULT_DOMAIN, resolve_domain
    from localgen_retrieval.errors import ExitCode

    texts = [(_shown(name), _read(name)) for name in _files(args)]
    domain = resolve_domain(args.domain if args.domain is not None else DEFAULT_DOMAIN)
    steps = Steps(args, domain)
    reports = [
        steps.take(name, text, partial(validate_script, domain=domain, strict=args.strict, filename=name))
        for name, text in texts
    ]
    steps.finish()
    if args.json:
        _print_json(reports, steps)
    else:
        _print_lines(reports, steps)
    return int(ExitCode.OK if all(r.valid for r in reports) else ExitCode.INVALID)


def _files(args: Namespace) -> list[str]:
    from localgen_retrieval.errors import UsageError

    files: list[str] = args.files
    if not files:
        raise UsageError("no script given", hint="validate FILE, or - for standard input", code="script-missing")
    if files.count("-") > 1:
        raise UsageError("- is given twice", hint="standard input can be read once", code="script-missing")
    return files


def _shown(name: str) -> str:
    return "<stdin>" if name == "-" else name


def _read(name: str) -> str:
    from pathlib import Path

    from localgen_retrieval.errors import UsageError

    try:
        if name == "-":
            data = sys.stdin.buffer.read(MAX_SCRIPT_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(MAX_SCRIPT_BYTES + 1)
    except (OSError, ValueError) as err:
        reason = (err.strerror if isinstance(err, OSError) else str(err)) or "unknown reason"
        raise UsageError(
            f"{name}: cannot be read: {reason}", hint="give a script file", code="script-missing"
        ) from None
    if len(data) > MAX_SCRIPT_BYTES:
        limit = MAX_SCRIPT_BYTES // 1024 // 1024
        raise UsageError(f"{_shown(name)}: longer than {limit} MB", hint="is this a script?", code="script-too-long")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as err:
        where = data.count(b"\n", 0, err.start) + 1
        raise UsageError(
            f"{_shown(name)}:{where}: not UTF-8 text", hint="save the script as UTF-8", code="script-binary"
        ) from None
    if "\0" in text:
        raise UsageError(f"{_shown(name)}: binary data, not a script", hint="give a text file", code="script-binary")
    return text


def _print_lines(reports: list[Report], steps: Steps) -> None:
    output = steps.output()
    print_text(output)
    show = print_beside if output else print_text
    for report in reports:
        show("".join(f"{line}\n" for line in report.lines(fixes=steps.hints)))
        remark(f"{report.file}: {_verdict(report)}")


def _print_json(reports: list[Report], steps: Steps) -> None:
    documents = [r.model_dump(mode="json") | steps.document(r.file) for r in reports]
    if len(documents) == 1:
        print_json(documents[0])
    else:
        valid = all(r.valid for r in reports)
        print_json({"version": documents[0]["version"], "valid": valid, "reports": documents})


def _verdict(report: Report) -> str:
    counts = ((report.errors, "error"), (report.warnings, "warning"))
    found = [f"{n} {what}{'' if n == 1 else 's'}" for n, what in counts if n]
    return f"{'valid' if report.valid else 'invalid'}{', ' + ', '.join(found) if found else ''}"
