"""The command of the data stage: `localgen-train data --name NAME --domain DIR …`."""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path

from localgen_bundle.domains import DEFAULT_DOMAIN
from localgen_retrieval.errors import ExitCode, UsageError

DATA = Path("training/data")
HELP = "make training data from domains: their scripts, catalogs and grammars, and from virtual catalogs"
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the stage's options."""
    parser.add_argument(
        "--name", default="default", help="of the training; its data goes to OUT/NAME (default: default)"
    )
    parser.add_argument(
        "--domain", action="append", default=[], metavar="DIR_OR_NAME",
        help=f"a domain folder, or the name of a bundled one; several may be given (default: {DEFAULT_DOMAIN})",
    )  # fmt: skip
    parser.add_argument("--num", type=int, default=5000, help="examples of all splits together (default: 5000)")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other examples (default: 0)")
    parser.add_argument("--scripts", type=Path, metavar="DIR", help="your own .tcl files, for the first domain")
    parser.add_argument("--jobs", type=int, default=1, help="processes; the data does not depend on it (default: 1)")
    parser.add_argument("--out", type=Path, default=DATA, help=f"folder of the data sets (default: {DATA})")
    parser.add_argument("--fresh", action="store_true", help="throw away what is there and begin anew")
    model = parser.add_mutually_exclusive_group()
    model.add_argument("--paraphrase-model", type=Path, metavar="FILE.gguf", help="a model that words tasks anew")
    model.add_argument("--paraphrase-url", metavar="URL", help="a server that does (OpenAI's chat protocol)")
    parser.add_argument(
        "--paraphrase-share", type=float, default=0.3, help="of the tasks are worded anew (default: 0.3)"
    )
    parser.add_argument("--spread", type=int, default=256, help="tasks embedded to measure diversity (default: 256)")


def run(args: argparse.Namespace) -> int:
    """Make the data; the exit status.

    Raises:
        LocalgenError: as `writer.make_data`; the caller prints it.
    """
    from .settings import DataSettings
    from .writer import make_data

    if not _NAME.fullmatch(args.name):
        raise UsageError(f"--name {args.name}: not a name", hint="letters, digits, `_`, `-` and `.`", code="usage")
    if args.jobs < 1 or args.jobs > 4 * (os.cpu_count() or 1):
        raise UsageError(f"--jobs {args.jobs}", hint=f"this machine has {os.cpu_count()} processors", code="usage")
    if not 0 <= args.paraphrase_share <= 1 or args.spread < 0:
        raise UsageError("--paraphrase-share is from 0 to 1, --spread at least 0", code="usage")
    settings = DataSettings(
        domains=tuple(args.domain) or (DEFAULT_DOMAIN,),
        num=args.num,
        seed=args.seed,
        scripts=args.scripts,
        paraphrase=str(args.paraphrase_model or args.paraphrase_url or ""),
        paraphrase_share=args.paraphrase_share,
        spread=args.spread,
    )
    folder = args.out / args.name
    summary = make_data(
        settings, folder, jobs=args.jobs, fresh=args.fresh,
        report=lambda line: print(f"data: {line}", file=sys.stderr, flush=True),
    )  # fmt: skip
    rows = ", ".join(f"{entry['rows']} {name.removesuffix('.jsonl')}" for name, entry in summary["files"].items())
    print(f"{folder}: {rows}; hash {summary['hash'][:16]}")
    return int(ExitCode.OK)
