"""`generate`: an English instruction becomes a script, or a question back.

Knows nothing of how that is done (`localgen.pipeline`); reads what it is given, calls it, saves what comes back.
Everything but the argument parser is imported after the arguments are read, so that `--help` answers at once.
"""

from __future__ import annotations

import sys
import time
from argparse import Namespace, RawDescriptionHelpFormatter
from typing import TYPE_CHECKING, Any

from localgen.commands.console import Bar, Parser, clear_status, main_of, print_json, print_text, remark, status, warn

if TYPE_CHECKING:
    from collections.abc import Callable

    from localgen.options import Options
    from localgen.outcome import Outcome
    from localgen.pipeline import Generator
    from localgen.remote import OpenAiServer
    from localgen_retrieval.catalog_io import Domain

_START = time.perf_counter()

PROGRAM = "generate"

_EPILOG = """\
examples:
  generate --instruction task.txt --out script.tcl
  echo "Route net CLK on M3" | generate > script.tcl
  generate --instruction task.txt --answer M3       # the answer to what it asked about the task
  generate --domain my-domain/ --batch tasks.jsonl --out results.jsonl

exit status:
  0 a script   1 a script that does not pass validation   2 wrong usage or input file
  3 a clarification is asked for   4 bad catalog or grammar   5 model or bundle problem   130 interrupted
"""


def parser() -> Parser:
    """The command line of `generate`."""
    p = Parser(
        prog=PROGRAM,
        description="Write the script that an English instruction asks for. Runs offline, on this machine.",
        epilog=_EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
    )
    p.add_argument("--instruction", metavar="FILE", help="text file with the instruction; - is standard input")
    p.add_argument("--out", metavar="FILE", default="-", help="where the script goes; - is standard output (default)")
    p.add_argument("--domain", metavar="NAME|DIR", help="a bundled domain or a domain folder (default: pnr)")
    p.add_argument("--k", type=int, metavar="N", help="candidates decoded side by side (default: 8)")
    p.add_argument("--temperature", type=float, metavar="T", help="randomness, 0 for none (default: 0.3)")
    p.add_argument(
        "--max-tokens", "--max_tokens", type=int, metavar="N", help="longest script, in tokens (default: 2000)"
    )
    p.add_argument("--seed", type=int, metavar="N", help="same seed, same script (default: 0)")
    p.add_argument(
        "--search", choices=("sample", "beam", "greedy"), default="sample",
        help="how candidates are written: side by side (default), compared after each command, or the likeliest alone",
    )
    p.add_argument("--model", metavar="FILE", help="another GGUF model; with a server, its name there")
    p.add_argument(
        "--backend", choices=("local", "openai"), default="local", help="openai: a server with OpenAI's API writes"
    )
    p.add_argument("--base-url", metavar="URL", help="the server of --backend openai, for example http://HOST:8000/v1")
    p.add_argument("--context", metavar="FILE", help="JSON object with facts about the situation")
    p.add_argument("--no-ask", action="store_true", help="write the best script instead of asking back")
    p.add_argument(
        "--ask-below", type=float, metavar="P", help="ask where a script's confidence is below this (default: 0.02)"
    )
    p.add_argument(
        "--answer", action="append", metavar="TEXT", default=[],
        help="answer to the question about the instruction: a value, a suggestion or its number; may be repeated",
    )
    p.add_argument(
        "--lines", action="store_true",
        help="each line of standard input is an instruction, or the answer to what was asked about the one before",
    )
    p.add_argument("--json", action="store_true", help="print one JSON document about the answer")
    p.add_argument(
        "--grounding", choices=("on", "off"), default="on", help="off: values need not come from the instruction"
    )
    p.add_argument("--batch", metavar="FILE", help="many tasks, one JSON object per line; results go to --out likewise")
    p.add_argument("--version", action="store_true", help="print the version and exit")
    return p


def main(argv: list[str] | None = None) -> int:
    """Run the command; the exit status by kind (docs/cli.md)."""
    return main_of(PROGRAM, parser().parse_args(argv), _generate, as_json=lambda a: a.json and a.batch is None)


def _generate(args: Namespace) -> int:
    from pathlib import Path

    from localgen.inputs import read_context, read_instruction
    from localgen.outputs import check_target

    options = _options(args)
    out = None if args.out == "-" else Path(args.out)
    if out is not None:
        check_target(out)
    context = read_context(args.context)
    if args.batch is not None:
        return _batch(args, options, context)
    if args.lines:
        return _lines(args, options, context)
    instruction = read_instruction(args.instruction)
    domain = _domain(args)


    imported = time.perf_counter() - _START
    generator = _generator(domain, args, status)
    try:
        outcome = _answered(generator, instruction, options, context, args)
    finally:
        generator.close()
    clear_status()
    timings = {**outcome.timings, "import": imported + outcome.timings.get("import", 0.0)}
    return _save(outcome.model_copy(update={"timings": timings}), out, args.json)


def _answered(
    generator: Generator, instruction: str, options: Options, context: dict[str, Any], args: Namespace
) -> Outcome:
    """The outcome; where several lines are piped in and all together are asked about, those after the first answer."""
    outcome = generator.generate(instruction, options, context, args.answer)
    first, *more = [line for line in instruction.splitlines() if line.strip()]
    if outcome.script is None and more and not args.answer and args.instruction in (None, "-"):
        again = generator.generate(first, options, context, more)
        return again if again.script is not None else outcome
    return outcome


def _lines(args: Namespace, options: Options, context: dict[str, Any]) -> int:
    from localgen_retrieval.errors import UsageError

    if args.instruction is not None or args.answer or args.out != "-":
        raise UsageError(
            "--lines reads standard input and writes standard output",
            hint="leave out --instruction, --answer and --out", code="usage",
        )
    domain = _domain(args)

    from localgen.commands.lines import run_lines

    generator = _generator(domain, args, status)
    try:
        return run_lines(sys.stdin.buffer, generator.generate, options, context, as_json=args.json)
    finally:
        generator.close()


def _batch(args: Namespace, options: Options, context: dict[str, Any]) -> int:
    from localgen_retrieval.errors import UsageError

    if args.instruction is not None or args.answer or args.lines:
        given = "--instruction" if args.instruction is not None else "--answer" if args.answer else "--lines"
        raise UsageError(
            f"--batch and {given} cannot be used together",
            hint="put instructions and answers into lines of the batch file",
            code="usage",
        )
    from localgen.commands.batch import open_batch, run_batch

    with open_batch(args.batch) as tasks:
        domain = _domain(args)


        bar = Bar(tasks.total, "tasks")
        generator = _generator(domain, args, bar.show)
        try:
            return run_batch(tasks, args.out, generator.generate, options, context, bar)
        finally:
            generator.close()


def _options(args: Namespace) -> Options:
    from localgen.options import Options

    given = {name: getattr(args, name) for name in ("k", "temperature", "max_tokens", "seed", "ask_below")}
    return Options(
        ask=not args.no_ask,
        search=args.search,
        grounding=args.grounding == "on",
        **{name: value for name, value in given.items() if value is not None},
    )


def _domain(args: Namespace) -> Domain:
    from localgen_bundle.domains import DEFAULT_DOMAIN, resolve_domain

    domain = resolve_domain(DEFAULT_DOMAIN if args.domain is None else args.domain)
    for warning in domain.warnings:
        warn(PROGRAM, warning)
    return domain


def _generator(domain: Domain, args: Namespace, progress: Callable[[str], None]) -> Generator:
    from localgen.pipeline import Generator

    server = _server(args)
    return Generator(domain, model=None if server else _model(args), server=server, progress=progress)


def _server(args: Namespace) -> OpenAiServer | None:
    """The server of `--backend openai`.

    Raises:
        UsageError: the backend without an address, or the other way round.
    """
    from localgen.remote import OpenAiServer
    from localgen_retrieval.errors import UsageError

    if (args.backend == "openai") != (args.base_url is not None):
        raise UsageError(
            "--backend openai and --base-url belong together",
            hint="for example --backend openai --base-url http://127.0.0.1:8000/v1", code="usage",
        )
    # With a server, --model is the name of the model there.
    return None if args.base_url is None else OpenAiServer(args.base_url, model=args.model)


def _model(args: Namespace) -> Any:
    from pathlib import Path

    return None if args.model is None else Path(args.model)


def _save(outcome: Outcome, out: Any, as_json: bool) -> int:
    """Write and print the answer; the exit status says which it is."""
    from localgen.outputs import AtomicFile
    from localgen_retrieval.errors import ExitCode

    for note in outcome.notes:
        remark(note)
    if outcome.truncated:
        warn(PROGRAM, "the token budget ended the script early; --max-tokens gives it more")
    for part in outcome.completed:
        warn(PROGRAM, f"the call that the budget cut off was finished with: {part}")
    for part in outcome.dropped:
        warn(PROGRAM, f"not in the script: {part}")
    if out is not None and outcome.script is not None:
        with AtomicFile(out) as file:
            file.write(outcome.script)
        lines = outcome.script.count("\n")
        remark(f"{out}: {lines} lines, {'valid' if outcome.valid else 'NOT valid'}, {outcome.seconds:.1f} s")
    if as_json:
        print_json(outcome.to_document())
    elif outcome.script is not None and out is None:
        print_text(outcome.script)
    if outcome.script is None:
        _ask(outcome)
        return int(ExitCode.CLARIFICATION)
    if not outcome.valid:
        warn(PROGRAM, "the script does not pass validation; `validate` says where")
        return int(ExitCode.INVALID)
    return int(ExitCode.OK)


def _ask(outcome: Outcome) -> None:
    clear_status()
    print(f"{PROGRAM}: {outcome.message}", file=sys.stderr)
    for suggestion in outcome.suggestions:
        print(f"  - {suggestion}", file=sys.stderr)
