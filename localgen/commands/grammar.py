"""`localgen grammar`: the grammar of a DSL, or the constraint of one task, as text for other engines."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from localgen.commands.console import Parser, clear_status, main_of, print_text, status, warn

if TYPE_CHECKING:
    from localgen_retrieval.catalog_io import Domain

PROGRAM = "localgen grammar"


def parser() -> Parser:
    """The command line of `localgen grammar`."""
    p = Parser(
        prog=PROGRAM,
        description="Print the grammar of a domain's DSL, or the constraint of one task, for another engine.",
    )
    p.add_argument("--format", choices=("llguidance", "gbnf", "lark"), required=True, help="what the engine reads")
    p.add_argument("--domain", metavar="NAME|DIR", help="a bundled domain or a domain folder (default: pnr)")
    p.add_argument("--dsl", metavar="NAME", help="which DSL, where the domain has several")
    p.add_argument("--instruction", metavar="FILE", help="a task: print its constraint instead; - is standard input")
    p.add_argument("--version", action="store_true", help="print the version and exit")
    return p


def main(argv: list[str] | None = None) -> int:
    """Run the command; the exit status by kind (docs/cli.md)."""
    return main_of(PROGRAM, parser().parse_args(argv), _grammar, as_json=lambda _: False)


def _grammar(args: Namespace) -> int:
    from localgen_bundle.domains import DEFAULT_DOMAIN, resolve_domain
    from localgen_retrieval.errors import UsageError

    if args.instruction is not None and args.format == "lark":
        raise UsageError(
            "--format lark has no form for a task's constraint",
            hint="llguidance's text is Lark with parameters; gbnf has none", code="usage",
        )
    domain = resolve_domain(DEFAULT_DOMAIN if args.domain is None else args.domain)
    for warning in domain.warnings:
        warn(PROGRAM, warning)
    print_text(_of_dsl(domain, args) if args.instruction is None else _of_task(domain, args))
    return 0


def _of_dsl(domain: Domain, args: Namespace) -> str:
    """The exact grammar of one DSL.

    Raises:
        UsageError: the domain has no such DSL, or several and none is named.
    """
    from localgen.validation.grammars import grammars_of
    from localgen_grammars.portable import emit_grammar, exact_grammar
    from localgen_retrieval.errors import UsageError

    grammars = grammars_of(domain)
    names = list(grammars)
    if not names or (args.dsl is None and len(names) > 1) or (args.dsl is not None and args.dsl not in names):
        raise UsageError(
            "the domain has no DSL with a grammar" if not names else
            f"--dsl {args.dsl}: no such DSL" if args.dsl is not None else "the domain has several DSLs",
            hint=f"--dsl takes one of {', '.join(names)}" if names else "give a task with --instruction",
            code="dsl-unknown",
        )
    return emit_grammar(exact_grammar(grammars[args.dsl or names[0]]), args.format)


def _of_task(domain: Domain, args: Namespace) -> str:
    from localgen.inputs import read_instruction
    from localgen.options import Options
    from localgen.pipeline import Generator
    from localgen.remote import gbnf_of

    instruction = read_instruction(args.instruction)
    generator = Generator(domain, progress=status)
    try:
        request = generator.request(instruction, Options(), plain=args.format == "gbnf")
    finally:
        generator.close()
    clear_status()
    return gbnf_of(request.constraint) if args.format == "gbnf" else request.constraint.grammar
