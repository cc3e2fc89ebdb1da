"""`validate`: are scripts right? Tcl syntax, catalog conformance, every embedded DSL block, policy.

Prints what `localgen.validation` finds. Everything but the argument parser is imported after the arguments are read.
"""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from typing import TYPE_CHECKING

from localgen.commands.console import Bar, Parser, clear_status, main_of, print_text
from localgen.commands.repairs import add_repair_options, write_changes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from localgen.checking import Checked, Job
    from localgen.discovery import Script

PROGRAM = "validate"
FORMATS = ("text", "json", "sarif", "github")

_EPILOG = """\
examples:
  validate script.tcl
  validate --domain my-domain/ --strict flows/
  validate --format sarif flows/ > findings.sarif
  validate --fix --diff script.tcl
  validate --run script.tcl
  validate --explain CAT013
  generate --instruction task.txt | validate -

Each finding is a line `file:line:column: message [code]` and, without --concise, the source line. A team's settings
are in localgen.toml or [tool.localgen] of pyproject.toml; the command line wins. docs/validation.md has it all.

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
    p.add_argument("files", nargs="*", metavar="FILE", help="script, or folder with scripts; - is standard input")
    p.add_argument("--explain", metavar="CODE", help="print the page of a rule, or of a group like CAT, and exit")
    p.add_argument("--version", action="store_true", help="print the version and exit")
    what = p.add_argument_group("what is checked")
    what.add_argument("--domain", metavar="NAME|DIR", help="a bundled domain or a domain folder (default: pnr)")
    what.add_argument("--strict", action="store_true", help="warnings about contract and policy are errors")
    what.add_argument(
        "--severity", metavar="CODE=LEVEL", action="append", default=[], help="off, hint, warning or error for a rule"
    )
    what.add_argument("--ignore-suppressions", action="store_true", help="report what comments suppress, too")
    what.add_argument("--run", action="store_true", help="run valid Tcl in a safe interpreter with the domain's mocks")
    what.add_argument("--run-seconds", type=_seconds, default=5, metavar="N", help="limit of --run (default: 5)")
    what.add_argument("--check", action="store_true", help="start the domain's own checker, a program, on each script")
    what.add_argument("--check-seconds", type=_seconds, default=60, metavar="N", help="limit of --check (default: 60)")
    add_repair_options(p)
    which = p.add_argument_group("which files")
    which.add_argument("--exclude", metavar="PATTERN", action="append", default=[], help="leave files or folders out")
    which.add_argument("--force-exclude", action="store_true", help="leave them out even where they are named")
    which.add_argument("--stdin-filename", metavar="NAME", help="what standard input is called in reports")
    which.add_argument("--config", metavar="FILE", help="settings to use instead of those found beside the scripts")
    which.add_argument("--isolated", action="store_true", help="use no settings but those of the command line")
    which.add_argument("--jobs", metavar="N", type=int, help="processes to use (default: as many as pay)")
    how = p.add_argument_group("how it is printed")
    how.add_argument("--format", choices=FORMATS, default="text", help="%(choices)s (default: %(default)s)")
    how.add_argument("--json", action="store_const", dest="format", const="json", help="the same as --format json")
    how.add_argument("--concise", action="store_true", help="one line per finding, without the source line")
    how.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="default: on a terminal")
    return p


def main(argv: list[str] | None = None) -> int:
    """Run the command; the exit status by kind (docs/cli.md)."""
    return main_of(PROGRAM, parser().parse_args(argv), _validate, as_json=lambda a: bool(a.format == "json"))


def _validate(args: Namespace) -> int:
    if args.explain is not None:
        from localgen.validation.rules.pages import explain

        print_text(explain(args.explain))
        return 0
    from localgen.checking import check_all
    from localgen.commands.reports import print_reports
    from localgen_retrieval.errors import ExitCode

    jobs = [_job(script, args) for script in _scripts(args)]
    checked = _with_progress(jobs, check_all(jobs, processes=args.jobs))
    if args.fix:
        write_changes(checked)
    print_reports(checked, args, PROGRAM)
    if any(c.error is not None for c in checked):
        return int(ExitCode.USAGE)
    return int(ExitCode.OK if all(c.report is None or c.report.valid for c in checked) else ExitCode.INVALID)


def _scripts(args: Namespace) -> list[Script]:
    from pathlib import Path

    from localgen.config import Config, read_config
    from localgen.discovery import discover
    from localgen_retrieval.errors import UsageError

    if args.jobs is not None and args.jobs < 1:
        raise UsageError(f"--jobs {args.jobs}: out of range", hint="at least 1", code="option-range")
    if args.config is not None and args.isolated:
        raise UsageError("--config and --isolated exclude each other", hint="give one", code="option-conflict")
    config = Config() if args.isolated else None
    return discover(
        args.files,
        stdin_name=args.stdin_filename,
        config=config if args.config is None else read_config(Path(args.config)),
        exclude=args.exclude,
        force_exclude=args.force_exclude,
    )


def _job(script: Script, args: Namespace) -> Job:
    """How a script is checked: the command line before the configuration before the defaults."""
    from localgen.checking import Job
    from localgen.config import parse_levels
    from localgen.validation.codes import levels_by_code
    from localgen_bundle.domains import DEFAULT_DOMAIN

    configured = script.config.domain or DEFAULT_DOMAIN
    return Job(
        name=script.name,
        path=script.path,
        domain=args.domain if args.domain is not None else configured,
        strict=args.strict or script.config.strict,
        levels={**levels_by_code(script.config.severity), **levels_by_code(parse_levels(args.severity))},
        suppressions=not args.ignore_suppressions,
        repair=args.fix or args.diff,
        repaired=args.fix,
        run_seconds=args.run_seconds if args.run else None,
        check_seconds=args.check_seconds if args.check else None,
    )


def _seconds(text: str) -> int:
    if not (text.isdigit() and 1 <= int(text) <= 86400):
        raise ArgumentTypeError(f"{text}: not a number of seconds from 1 to 86400")
    return int(text)


def _with_progress(jobs: Sequence[Job], answers: Iterator[Checked]) -> list[Checked]:
    """All answers; a bar on a terminal where there are many."""
    if len(jobs) < 2:
        return list(answers)
    bar = Bar(len(jobs), "scripts")
    out = []
    for answer in answers:
        out.append(answer)
        bar.step()
    clear_status()
    return out
