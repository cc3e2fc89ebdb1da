"""Tcl's syntax: what the parser found, as findings, and a few things that are legal Tcl but surely slips."""

from __future__ import annotations

from collections.abc import Iterable

from localgen.validation.findings import Collector
from localgen.validation.nearest import did_you_mean
from localgen.validation.tcl.flow.calls import Call
from localgen_grammars.blocks import is_filler
from localgen_grammars.tcl.bodies import Visit
from localgen_grammars.tcl.core import ARITY, ENSEMBLES, full_subcommand
from localgen_grammars.tcl.nodes import Command, SyntaxProblem, Text

_CODES = {
    "missing-brace": "TCL001",
    "missing-quote": "TCL002",
    "missing-bracket": "TCL003",
    "missing-paren": "TCL004",
    "missing-variable-brace": "TCL004",
    "extra-after-brace": "TCL005",
    "extra-after-quote": "TCL005",
    "too-deep": "TCL008",
    "switch-list": "TCL013",
}


def report_problem(problem: SyntaxProblem, collector: Collector, place: tuple[int, int] | None = None) -> None:
    """A finding for a syntax problem, at its own place or at `place`."""
    code = _CODES.get(problem.kind, "TCL010")
    message = f"expression: {problem.message}" if code == "TCL010" else problem.message
    start, end = place or (problem.start, problem.end)
    collector.add(code, start, end, message, problem.hint)


def check_text(text: str, collector: Collector) -> None:
    """What concerns the text as a whole."""
    if text.startswith("\ufeff"):
        message = "a byte-order mark: Tcl reads it as part of the first command"
        collector.add("TCL009", 0, 1, message, "save the file as UTF-8 without it")
    if text.endswith("\\\n") and (len(text) - len(text[:-1].rstrip("\\"))) % 2 == 0:
        collector.add("TCL007", len(text) - 2, len(text), "the script ends in a line continuation")


def check_commands(visits: Iterable[Visit], collector: Collector) -> None:
    """Slips in commands: closing brackets without opening ones, quotes inside words."""
    for visit in visits:
        command = visit.command
        first = command.words[0]
        if is_stray(command):
            char = (first.value or "}")[0]
            what = "brace" if char == "}" else "bracket"
            collector.add("TCL006", first.start, first.start + 1, f"unmatched close-{what}")
            continue
        for word in command.words:
            if word.kind != "bare" or is_filler(word.value):
                continue
            for part in word.parts:
                if isinstance(part, Text) and not part.escape and '"' in part.value:
                    at = part.start + part.value.index('"')
                    collector.add("TCL015", at, at + 1, "a double quote inside a word", "is its partner missing?")


def is_stray(command: Command) -> bool:
    """Whether a command is a closing brace or bracket that nothing opened."""
    first = command.words[0]
    return first.kind == "bare" and (first.value or "").startswith(("}", "]"))


def core_call_problem(call: Call) -> tuple[str, int, int, str, str] | None:
    """What is wrong with the number of words or the subcommand of a Tcl command: code, place, message and hint."""
    name, given = call.name, len(call.args)
    least, most = ARITY.get(name, (0, None))
    if call.exact and (given < least or (most is not None and given > most)):
        message = f"{name}: {given} argument{'' if given == 1 else 's'}"
        return "TCL011", call.name_start, call.name_end, message, _expected(least, most)
    sub = call.text(0)
    if name in ENSEMBLES and sub is not None and full_subcommand(name, sub) is None:
        arg = call.args[0]
        hint = did_you_mean(sub, ENSEMBLES[name])
        return "TCL012", arg.start, arg.end, f'{name} has no subcommand "{sub}"', hint
    return None


def _expected(least: int, most: int | None) -> str:
    if most is None:
        return f"it takes at least {least}"
    return f"it takes {least}" if least == most else f"it takes {least} to {most}"
