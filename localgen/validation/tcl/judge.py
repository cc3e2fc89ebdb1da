"""Judges what happens in the abstract run of a script: catalog conformance, policy, variables.

The `Watcher` of `flow`: each method here turns one event into findings, or into what a team's command gives back.
"""

from __future__ import annotations

from localgen.validation.codes import Severity
from localgen.validation.findings import Collector
from localgen.validation.repairs import Repair, Swap, spelling, swaps
from localgen.validation.tcl.arguments import check_call, match
from localgen.validation.tcl.commands import Commands
from localgen.validation.tcl.dsl_blocks import BlockChecks
from localgen.validation.tcl.flow.calls import Arg, Call
from localgen.validation.tcl.flow.interpreter import Flow, Result
from localgen.validation.tcl.flow.state import State, merge
from localgen.validation.tcl.flow.values import UNKNOWN, Unknown, Value
from localgen.validation.tcl.policy import PolicyChecks
from localgen.validation.tcl.syntax import core_call_problem, report_problem
from localgen.validation.tcl.variables import VariableChecks
from localgen.validation.values import Problem
from localgen_grammars.tcl.core import is_core
from localgen_grammars.tcl.expr import parse_expr
from localgen_grammars.tcl.nodes import SyntaxProblem
from localgen_grammars.tcl.parser import Tree
from localgen_retrieval import catalog

# What Tcl finds wrong only when it gets there.
RUN_TIME_CODES = frozenset(("TCL011", "TCL012", "TCL014"))

# Args of these kinds name a variable that the proc may set.
_VARIABLE_KINDS = frozenset(("variable", "varname", "var"))


class Judge:
    """One script's judge; `damaged` where parts of the script could not be parsed."""

    def __init__(
        self, commands: Commands, policy: PolicyChecks, blocks: BlockChecks, collector: Collector, *, damaged: bool
    ) -> None:
        self.commands = commands
        self.policy = policy
        self.blocks = blocks
        self.collector = collector
        self.catalog = commands.catalog
        variables = {f"::{v.name.removeprefix('::')}": v for v in self.catalog.variables}
        self.variables = VariableChecks(variables, collector, damaged=damaged)
        self._unknown = False
        # By unknown command: the hint, and what to write in its place.
        self._meant: dict[str, tuple[str, tuple[Swap, ...]]] = {}

    # ------------------------------------------------------------------ commands of the team
    def defines(self, name: str) -> bool:
        """Whether the catalog has the command, or it opens a DSL block."""
        return name in self.commands.procs or name in self.commands.openers

    def any_call(self, call: Call, state: State) -> None:
        """Policy: forbidden, order."""
        self.policy.called(call, state)

    def own_call(self, flow: Flow, call: Call, state: State) -> Result:
        """A catalog proc or a DSL's opener."""
        if call.name in self.commands.openers:
            index = self._opened(call)
            if index is not None:
                body = call.args[-1]
                if body.word is None or body.word.kind != "braced":
                    self.blocks.computed(index, body.text, body.start, body.end)
                return state, UNKNOWN
            if call.name not in self.commands.procs:
                return state, UNKNOWN
        proc = self.commands.procs[call.name]
        broken = call.command is not None and call.command.broken
        found = match(proc, call)
        if not broken:
            for at in check_call(proc, call, found):
                problem = at.problem
                severity: Severity | None = "warning" if at.doubtful and not self.collector.strict else None
                repairs = at.repairs + swaps(self.collector.text, at.start, at.end, problem.swaps)
                self.collector.add(
                    problem.code, at.start, at.end, problem.message, problem.hint, severity=severity, repairs=repairs
                )
            for arg, full in found.shortened:
                self._shortened(proc, arg, full)
        if proc.deprecated is not None:
            self._deprecated(proc, proc.deprecated, call)
        end: State | None = state
        for spec, arg in found.values:
            if spec.type == "script" and end is not None:
                after, _ = flow.body(arg, call.ctx, end.copy())
                end = merge(end, after)
            elif spec.type == "expr":
                self._expression(proc, spec, arg, call)
            elif spec.kind in _VARIABLE_KINDS and arg.text is not None and end is not None:
                flow.write(arg.value, UNKNOWN, call.ctx, end, arg.start, arg.end)
            elif spec.type == "string" and end is not None:
                flow.touch((arg,), call.ctx, end)
        return end, Unknown(returns=proc.returns) if proc.returns is not None else UNKNOWN

    def _opened(self, call: Call) -> int | None:
        """The DSL whose opening words a call has, followed by one word."""
        for index in self.commands.openers[call.name]:
            rest = self.catalog.dsls[index].embedding.words[1:]
            if len(call.args) == len(rest) + 1 and tuple(a.text for a in call.args[:-1]) == rest:
                return index
        return None

    def _shortened(self, proc: catalog.Proc, arg: Arg, full: str) -> None:
        message = f"{proc.name}: {arg.text} is short for -{full}"
        severity: Severity | None = None if self.catalog.policy.abbreviations else "error"
        repairs = swaps(self.collector.text, arg.start, arg.end, [Swap(arg.text or "", f"-{full}", safe=True)])
        self.collector.add(
            "CAT004", arg.start, arg.end, message, f"write -{full}", severity=severity, repairs=repairs
        )

    def _deprecated(self, proc: catalog.Proc, why: catalog.Deprecation, call: Call) -> None:
        message = f"{proc.name} is deprecated" + (f": {why.note.rstrip('.')}" if why.note else "")
        hint = f"use {why.replacement}" if why.replacement else ""
        swap = [Swap(call.name, why.replacement, safe=self._fits(call, why.replacement))] if why.replacement else []
        repairs = swaps(self.collector.text, call.name_start, call.name_end, swap)
        self.collector.add("CAT019", call.name_start, call.name_end, message, hint, repairs=repairs)

    def _expression(self, proc: catalog.Proc, spec: catalog.Arg, arg: Arg, call: Call) -> None:
        text = arg.text
        if text is None:
            return
        _, problem = parse_expr(Tree(text, parse=False), 0, len(text))
        if problem is not None:
            name = spec.name if spec.positional else f"-{spec.name}"
            self.collector.add("CAT020", arg.start, arg.end, f"{proc.name}: {name}: {problem.message}")

    # ------------------------------------------------------------------ other commands
    def core_call(self, call: Call, state: State, *, certain: bool) -> bool:
        """A Tcl command: allowed, and called with a right number of words?"""
        self.policy.core(call, state)
        if call.command is not None and call.command.broken:
            return False
        # A command of that name in some namespace of the script may be meant.
        found = core_call_problem(call)
        if found is None:
            return True
        if not self.commands.in_script(call.name):
            problem = found.problem
            # A subcommand like none of Tcl's is rather that of a tool's own command of the same name.
            certain = certain and not (problem.code == "TCL012" and not problem.hint)
            self._misuse(problem, found.start, found.end, certain=certain)
        return False

    def unknown_command(self, call: Call) -> None:
        """A name that nothing defines."""
        broken = call.command is not None and call.command.broken
        if broken or self.commands.in_script(call.name) or call.name.startswith(("}", "]")):
            return
        self._unknown = True
        if self.collector.full:
            return
        if call.name not in self._meant:
            found = self.commands.suggestions(call.name)
            hint = f"did you mean {' or '.join(found)}?" if found else ""
            self._meant[call.name] = hint, spelling(call.name, found)
        meant = self._meant[call.name][1]
        repairs = self._renamed(call, meant) if meant else ()
        self._unknown_name(call.name, call.name_start, call.name_end, repairs)

    def unknown_again(self, name: str, start: int, end: int, *, broken: bool) -> bool:
        """A name that nothing defines, once more."""
        if broken or self.collector.full:
            return True
        if name in self._meant and not self._meant[name][1]:
            self._unknown_name(name, start, end, ())
            return True
        return False

    def _unknown_name(self, name: str, start: int, end: int, repairs: tuple[Repair, ...]) -> None:
        severity: Severity | None = "warning" if self.commands.foreign and not self.collector.strict else None
        message, hint = f'unknown command "{name}"', self._meant[name][0]
        self.collector.add("CAT001", start, end, message, hint, severity=severity, repairs=repairs)

    def _renamed(self, call: Call, wanted: tuple[Swap, ...]) -> tuple[Repair, ...]:
        """The name that was meant. One that only lacks its namespace may be another tool's: its arguments must fit.

        Where the script loads code from elsewhere, the name as it is may be known there.
        """
        if self.commands.foreign:
            wanted = tuple(Swap(s.old, s.new) for s in wanted)
        elif any(swap.new.removeprefix("::").endswith(f"::{call.name.removeprefix('::')}") for swap in wanted):
            wanted = tuple(Swap(s.old, s.new, safe=self._fits(call, s.new)) for s in wanted)
        return swaps(self.collector.text, call.name_start, call.name_end, wanted)

    def _fits(self, call: Call, name: str) -> bool:
        """Whether the words of a call suit another proc, one that may be called."""
        proc = self.catalog.proc(name)
        return proc is not None and proc.deprecated is None and not list(check_call(proc, call, match(proc, call)))

    def computed_command(self, start: int, end: int, what: str) -> None:
        """A command that only a run can tell."""
        if what == "word":
            message = "which command this calls is only known when the script runs"
        else:
            message = f"this {what} is only known when the script runs"
        self.collector.add("POL007", start, end, message)

    def defined(self, name: str, start: int, end: int) -> None:
        """The script defines a command: not one that exists."""
        if self.defines(name):
            self.collector.add("POL008", start, end, f"{name} of the catalog is redefined")
        elif is_core(name) and not name.startswith("tcl::mathfunc::"):
            self.collector.add("POL008", start, end, f"{name} of Tcl is redefined")

    # ------------------------------------------------------------------ variables
    def unset_variable(self, name: str, key: str, state: State, start: int, end: int) -> None:
        """A variable that nothing can have set."""
        self.variables.unset(name, key, state, start, end)

    def written(self, key: str, value: Value, start: int, end: int) -> None:
        """A global is set."""
        self.variables.written(key, value, start, end)

    def finish(self) -> None:
        """Report what could only be judged at the end; globals not where the script is a part of something larger."""
        self.variables.finish(alone=self.collector.strict or not (self._unknown or self.commands.foreign))

    # ------------------------------------------------------------------ code that is put together
    def syntax(self, problem: SyntaxProblem, start: int, end: int) -> None:
        """Code from constants that is not Tcl."""
        report_problem(problem, self.collector, (start, end))

    def misuse(self, code: str, start: int, end: int, message: str, hint: str = "", *, certain: bool = True) -> None:
        """A Tcl command, or one of the script, called in a way that fails when the run gets there.

        Tcl itself compiles such a call, so it is an error only where it is sure to run, with the command that is known:
        a `catch` may expect the failure, another version of Tcl or a file that is loaded may define it otherwise.
        """
        self._misuse(Problem(code, message, hint), start, end, certain=certain)

    def _misuse(self, problem: Problem, start: int, end: int, *, certain: bool) -> None:
        late = problem.code in RUN_TIME_CODES
        doubtful = late and (not certain or self.commands.foreign) and not self.collector.strict
        severity: Severity | None = "warning" if doubtful else None
        repairs = swaps(self.collector.text, start, end, problem.swaps)
        self.collector.add(
            problem.code, start, end, problem.message, problem.hint, severity=severity, repairs=repairs
        )
