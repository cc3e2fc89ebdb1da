"""`localgen VERB …`: one program for all commands. A verb's module is imported only when it is called."""

from __future__ import annotations

import sys
from importlib import import_module

VERBS = {
    "generate": "an English instruction becomes a script",
    "grammar": "print the grammar of a DSL or of one task, for other engines",
    "validate": "check a script: Tcl, catalog, embedded DSL blocks, policy",
}


def main(argv: list[str] | None = None) -> int:
    """Run a verb; the exit status is the verb's own."""
    args = sys.argv[1:] if argv is None else argv
    if not args or args[0] in ("-h", "--help", "help"):
        print(_help())
        return 0
    if args[0] in ("-V", "--version"):
        from localgen import __version__

        print(f"localgen {__version__}")
        return 0
    if args[0] not in VERBS:
        from difflib import get_close_matches

        from localgen.commands.console import fail

        near = get_close_matches(args[0], VERBS, 1)
        fail("localgen", f"{args[0]}: no such command", f"did you mean {near[0]}?" if near else "see localgen --help")
        return 2
    module = import_module(f"localgen.commands.{args[0]}")
    return int(module.main(args[1:]))


def _help() -> str:
    verbs = "\n".join(f"  {name:10} {text}" for name, text in VERBS.items())
    return f"usage: localgen COMMAND [options]\n\ncommands:\n{verbs}\n\nlocalgen COMMAND --help says more."
