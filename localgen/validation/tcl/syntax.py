"""Tcl's syntax: what the parser found, as findings, and a few things that are legal Tcl but surely slips."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from localgen.validation.findings import Collector
from localgen.validation.nearest import did_you_mean
from localgen.validation.repairs import Edit, Repair, closing, insertion, removal, spelling
from localgen.validation.tcl.arguments import Located
from localgen.validation.tcl.flow.calls import Call
from localgen.validation.values import Problem
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


# What the message, which is Tcl's own, leaves open: where it points, or what to do.
_HINTS = {
    "missing-brace": "what this brace opens is never closed",
    "missing-quote": "the text that begins here is never closed",
    "missing-bracket": "what this bracket opens is never closed",
    "extra-after-brace": "put a space after the brace",
    "extra-after-quote": 'put a space after the quote, or write \\" for one inside a text',
}


def report_problem(problem: SyntaxProblem, collector: Collector, place: tuple[int, int] | None = None) -> None:
    """A finding for a syntax problem, at its own place or at `place`."""
    code = _CODES.get(problem.kind, "TCL010")
    message = f"expression: {problem.message}" if code == "TCL010" else problem.message
    start, end = place or (problem.start, problem.end)
    repairs = _repairs(problem, collector.text) if place is None and not collector.full else ()
    hint = problem.hint or (_HINTS.get(problem.kind, "") if place is None else "")
    collector.add(code, start, end, message, hint, repairs=repairs)


def _repairs(problem: SyntaxProblem, text: str) -> tuple[Repair, ...]:
    """What closes what is open, or parts what stands too close."""
    at = problem.start
    if problem.kind == "missing-brace":
        return closing(text, at)
    if problem.kind == "extra-after-brace":
        clear = text.startswith(("{", "else", "elseif"), at)
        return (insertion(at, " ", "put a space after the brace", safe=clear),)
    close = {"missing-quote": '"', "missing-bracket": "]"}.get(problem.kind)
    if close is None:
        return ()
    end = text.find("\n", at)
    end = len(text[: end if end >= 0 else len(text)].rstrip(" \t\\"))
    return (insertion(end, close, f"put {close} at the end of the line"),)


def check_text(text: str, collector: Collector) -> None:
    """What concerns the text as a whole."""
    if text.startswith("\ufeff"):
        message = "a byte-order mark: Tcl reads it as part of the first command"
        repairs = (Repair("remove the byte-order mark", (Edit(0, 1, ""),), safe=True),)
        collector.add("TCL009", 0, 1, message, "save the file as UTF-8 without it", repairs=repairs)
    if text.endswith("\\\n") and (len(text) - len(text[:-1].rstrip("\\"))) % 2 == 0:
        end = len(text) - 1
        repairs = (Repair("remove the backslash", (Edit(end - 1, end, ""),), safe=True),)
        message = "the script ends in a line continuation"
        collector.add("TCL007", len(text) - 2, len(text), message, repairs=repairs)


def check_commands(
    visits: Iterable[Visit], named: Mapping[str | None, Sequence[Visit]], collector: Collector
) -> None:
    """Slips in commands: closing brackets without opening ones, quotes inside words."""
    for name in named:
        if name is not None and name.startswith(("}", "]")):
            for visit in named[name]:
                first = visit.command.words[0]
                if is_stray(visit.command):
                    what = "brace" if name[0] == "}" else "bracket"
                    repairs = (removal(collector.text, first.start, first.start + 1),)
                    collector.add("TCL006", first.start, first.start + 1, f"unmatched close-{what}", repairs=repairs)
    if '"' not in collector.text:
        return
    for visit in visits:
        for word in visit.command.words:
            if word.kind != "bare" or (word.given is None and '"' not in (word.value or "")):
                continue
            if is_filler(word.value) or is_stray(visit.command):
                continue
            for part in word.parts:
                if isinstance(part, Text) and not part.escape and '"' in part.value:
                    at = part.start + part.value.index('"')
                    collector.add("TCL015", at, at + 1, "a double quote inside a word", "is its partner missing?")


def is_stray(command: Command) -> bool:
    """Whether a command is a closing brace or bracket that nothing opened."""
    first = command.words[0]
    return first.kind == "bare" and first.value is not None and first.value.startswith(("}", "]"))


def core_call_problem(call: Call) -> Located | None:
    """What is wrong with the number of words or the subcommand of a Tcl command."""
    name, given = call.name, len(call.args)
    least, most = ARITY.get(name, (0, None))
    if (given < least or (most is not None and given > most)) and call.exact:
        message = f"{name}: {given} argument{'' if given == 1 else 's'}"
        return Located(Problem("TCL011", message, _expected(least, most)), call.name_start, call.name_end)
    sub = call.text(0) if name in ENSEMBLES else None
    if sub is not None and full_subcommand(name, sub) is None:
        arg = call.args[0]
        hint = did_you_mean(sub, ENSEMBLES[name])
        swaps = spelling(sub, ENSEMBLES[name])
        return Located(Problem("TCL012", f'{name} has no subcommand "{sub}"', hint, swaps), arg.start, arg.end)
    return None


def _expected(least: int, most: int | None) -> str:
    if most is None:
        return f"it takes at least {least}"
    return f"it takes {least}" if least == most else f"it takes {least} to {most}"
