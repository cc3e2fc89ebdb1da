"""The abstract run: commands in order, words substituted as far as they are known.

Each command of the file is visited at least once: what the run does not reach is visited at the end, with variables of
which nothing is known. Tcl's own commands are in `control`, `naming`, `variables` and `data`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from localgen.validation.tcl.flow.calls import Arg, Call, Context, Frame, Watcher
from localgen.validation.tcl.flow.expressions import evaluate
from localgen.validation.tcl.flow.procedures import Procedure, call_procedure, fitting
from localgen.validation.tcl.flow.slots import Slots
from localgen.validation.tcl.flow.state import Slot, State, merge
from localgen.validation.tcl.flow.store import Store
from localgen.validation.tcl.flow.values import EMPTY, UNKNOWN, Unknown, Value, concatenate, known, texts
from localgen_grammars.blocks import FILLER, is_filler
from localgen_grammars.tcl.core import PRESET_VARIABLES, is_core
from localgen_grammars.tcl.expr import FUNCTIONS, ExprNode, parse_expr
from localgen_grammars.tcl.lists import ListError, list_values
from localgen_grammars.tcl.nodes import Command, Part, Script, Substitution, Text, Variable, Word
from localgen_grammars.tcl.parser import Tree, parse

MAX_STEPS = 2_000  # commands, after which loops and procs are not followed any more but run through once
MAX_CALL_DEPTH = 8
MAX_NESTING = 60
# Commands that call their arguments: also a call with further unknown words is followed.
CALLERS = frozenset(("eval", "uplevel", "rename", "interp", "namespace", "after", "tailcall", "coroutine"))

# What may be the name of a variable, and what may be code, among the words of a command of which nothing is known.
_VARIABLE = re.compile(r"[@&*]*+((?:\w|::)+)")
_CODE = re.compile(r"[ \t\n\[]")

Result: TypeAlias = tuple[State | None, Value]
Builtin: TypeAlias = Callable[["Flow", Call, State], Result]


class Flow(Store):
    """One abstract run of one script."""

    def __init__(
        self,
        watcher: Watcher,
        tree: Tree,
        builtins: dict[str, Builtin],
        globals_: dict[str, Value],
        steps: int = MAX_STEPS,
    ) -> None:
        super().__init__(watcher)
        self.tree = tree
        self.budget = steps
        self.builtins = builtins
        self.steps = 0
        self.nesting = 0
        self.bodies = 0
        self.guessing = False
        self.visited: set[int] = set()
        self.procs: dict[str, Procedure] = {}
        self.called: set[str] = set()
        self.aliases: dict[str, tuple[Value, ...]] = {}
        self.loops: list[tuple[list[State], list[State]]] = []
        self.returns: list[list[tuple[State, Value]]] = []
        self.failures: list[list[State]] = []
        self.calls: list[str] = []
        self.frames = 0
        slots = {f"::{name}": Slot(UNKNOWN) for name in PRESET_VARIABLES}
        slots.update({f"::{name.removeprefix('::')}": Slot(value) for name, value in globals_.items()})
        self.start = State(Slots(slots))

    @property
    def exhausted(self) -> bool:
        """Whether the budget is spent: from here on nothing is repeated."""
        return self.steps >= self.budget

    def run_all(self, scripts: Iterable[tuple[Command, Script]]) -> State:
        """Run the file, then procs that nothing called, then what was never reached.

        Args:
            scripts: every command of the file with the script it belongs to, outer before inner.

        Returns:
            the state at the end of the run (ways that end early included).
        """
        ctx = Context(self.tree, Frame("::"))
        self.returns.append([])
        end, _ = self.run(self.tree.script, ctx, self.start.copy())
        for state, _ in self.returns.pop():
            end = merge(end, state)
        final = end or State(open=frozenset("*"))
        self.guessing = True
        for procedure in list(self.procs.values()):
            if procedure.name not in self.called:
                self._uncalled(procedure, final)
        for command, script in scripts:
            if command.start not in self.visited:
                rest = [c for c in script.commands if c.start >= command.start]
                self.loops, self.returns, self.failures = [], [[]], []
                part = Script(script.start, script.end, rest)
                self.run(part, Context(self.tree, Frame("?")), State(open=frozenset("*")))
        return final

    def _uncalled(self, procedure: Procedure, final: State) -> None:
        # It runs at some later time, when the globals have other values.
        state = final.copy()
        state.forget()
        state.open |= {"::"}
        args = [Arg(UNKNOWN, 0, 0, many=True)]
        call_procedure(self, procedure, args, Context(self.tree, Frame("?")), state, (0, 0))

    # ------------------------------------------------------------------ scripts and commands
    def run(self, script: Script, ctx: Context, state: State) -> Result:
        """Run a script's commands; the state after it (None if its end is not reached) and its value."""
        value: Value = EMPTY
        if self.nesting >= MAX_NESTING:
            return state, UNKNOWN
        self.nesting += 1
        alive: State | None = state
        for command in script.commands:
            if alive is None:
                break
            alive, value = self.command(command, ctx, alive)
        self.nesting -= 1
        return alive, value

    def command(self, command: Command, ctx: Context, state: State) -> Result:
        """Run one command."""
        self.steps += 1
        if ctx.tree is self.tree:
            self.visited.add(command.start)
        if is_filler(command.words[0].value):
            return state, UNKNOWN
        args = self.args(command.words, ctx, state)
        if not args:
            return state, EMPTY
        return self.invoke(args, ctx, state, command)

    def args(self, words: Sequence[Word], ctx: Context, state: State) -> list[Arg]:
        """The words as the command receives them, `{*}` expanded."""
        out: list[Arg] = []
        span = ctx.span
        for word in words:
            text = word.value
            if text is None or word.given is not None:
                value = self.parts(word.parts, ctx, state)
            else:
                value = (text,) if FILLER not in text else UNKNOWN
            if not word.expand:
                out.append(
                    Arg(value, word.start, word.end, word) if span is None else Arg(value, span[0], span[1])
                )
                continue
            start, end = ctx.place(word.start, word.end)
            try:
                elements = list_values(known(value) or "") if known(value) is not None else None
            except ListError:
                elements = None
            if elements is None:
                out.append(Arg(UNKNOWN, start, end, many=True))
            else:
                out.extend(Arg(texts([e]), start, end) for e in elements)
        return out

    def invoke(
        self, args: Sequence[Arg], ctx: Context, state: State, command: Command | None, *, partial: bool = False
    ) -> Result:
        """Call the command that the first argument names, with each name it may be."""
        first, last = args[0], args[-1]
        start = first.start if first.start < last.start else last.start
        end = last.end if last.end > first.end else first.end
        if first.many or isinstance(first.value, Unknown):
            self.watcher.computed_command(first.start, first.end, "word")
            self._may_set(args[1:], ctx, state)
            return state, UNKNOWN
        rest = args[1:]
        if len(first.value) == 1:
            return self._call(
                Call(first.value[0], rest, start, end, first.start, first.end, ctx, command, partial), state
            )
        result: Result | None = None
        before = state
        for i, name in enumerate(first.value):
            way = before if i == len(first.value) - 1 else before.copy()
            call = Call(name, rest, start, end, first.start, first.end, ctx, command, partial)
            after, value = self._call(call, way)
            result = (after, value) if result is None else (merge(result[0], after), UNKNOWN)
        assert result is not None
        return result

    def _call(self, call: Call, state: State) -> Result:
        for name in self._candidates(call.name, call.ctx):
            if self.watcher.defines(name):
                call = call.named(name)
                self.watcher.any_call(call, state)
                return self.watcher.own_call(self, call, state)
            if self.aliases and name in self.aliases:
                target = [Arg(v, call.name_start, call.name_end) for v in self.aliases[name]]
                self.watcher.any_call(call.named(name), state)
                # An alias of itself would run for ever.
                if known(target[0].value) == name or len(self.calls) >= MAX_CALL_DEPTH:
                    return state, UNKNOWN
                self.calls.append(name)
                result = self.invoke([*target, *call.args], call.ctx, state, call.command, partial=call.partial)
                self.calls.pop()
                return result
            if name in self.procs:
                self.watcher.any_call(call.named(name), state)
                return self._script_proc(self.procs[name], call, state)
        name = call.name.lstrip(":") if call.name.startswith("::") else call.name
        if is_core(name):
            call = call.named(name)
            self.watcher.any_call(call, state)
            possible = self.watcher.core_call(call, certain=self.certain)
            builtin = self.builtins.get(name) if possible else None
            if builtin is None or (not call.exact and name not in CALLERS):
                self.touch(call.args, call.ctx, state)
                return state, UNKNOWN
            return builtin(self, call, state)
        self.watcher.unknown_command(call)
        self._may_set(call.args, call.ctx, state)
        return state, UNKNOWN

    def _candidates(self, name: str, ctx: Context) -> list[str]:
        bare = name.lstrip(":") if name.startswith("::") else name
        if name.startswith("::") or not ctx.namespace:
            return [bare]
        return [f"{ctx.namespace}::{bare}", bare]

    def _script_proc(self, procedure: Procedure, call: Call, state: State) -> Result:
        if call.partial or self.exhausted or len(self.calls) >= MAX_CALL_DEPTH or procedure.name in self.calls[-3:]:
            if not call.partial:
                fitting(self, procedure, call.args, (call.name_start, call.name_end))
            self.touch(call.args, call.ctx, state)
            state.open |= {"::"}
            body = procedure.body.text or "uplevel"
            if "uplevel" in body or "upvar" in body:
                state.open |= {call.ctx.frame.id}
            return state, UNKNOWN
        self.called.add(procedure.name)
        return call_procedure(self, procedure, call.args, call.ctx, state, (call.name_start, call.name_end))

    def _may_set(self, args: Sequence[Arg], ctx: Context, state: State) -> None:
        """A command of which nothing is known may take names of variables, and code that sets some."""
        self.touch(args, ctx, state)
        frame = ctx.frame.id
        if frame not in state.open and any(a.text is None or _CODE.search(a.text) for a in args):
            state.open |= {frame}

    def touch(self, args: Iterable[Arg], ctx: Context, state: State) -> None:
        """An unknown command may set any variable whose name it is given."""
        for arg in args:
            named = _VARIABLE.fullmatch(arg.text) if arg.text else None
            if named is not None:
                key = self.key(named[1], ctx, state)
                if state.slots.get(key) is None:
                    state.put(key, UNKNOWN, maybe=True)

    # ------------------------------------------------------------------ code given as a word
    def body(self, arg: Arg, ctx: Context, state: State, *, what: str = "code") -> Result:
        """Run a word as a script."""
        self.bodies += 1
        try:
            return self._body(arg, ctx, state, what)
        finally:
            self.bodies -= 1

    def _body(self, arg: Arg, ctx: Context, state: State, what: str) -> Result:
        word = arg.word
        if word is not None and ctx.span is None:
            script = ctx.tree.body(word)
            if script is not None:
                return self.run(script, ctx, state)
        if isinstance(arg.value, Unknown):
            self.watcher.computed_command(arg.start, arg.end, what)
            state.open |= {"*"}
            return state, UNKNOWN
        result: Result | None = None
        for i, code in enumerate(arg.value):
            way = state if i == len(arg.value) - 1 else state.copy()
            after, value = self.code(code, ctx.changed(span=(arg.start, arg.end)), way)
            result = (after, value) if result is None else (merge(result[0], after), UNKNOWN)
        assert result is not None
        return result

    def code(self, text: str, ctx: Context, state: State) -> Result:
        """Run a text that is not in the file as it is; `ctx.span` says where it comes from."""
        tree = parse(text)
        assert ctx.span is not None
        for problem in tree.problems:
            self.watcher.syntax(problem, *ctx.span)
        return self.run(tree.script, ctx.changed(tree=tree), state)

    def condition(self, arg: Arg, ctx: Context, state: State) -> Value:
        """The value of a word as an expression."""
        word = arg.word
        if word is not None and ctx.span is None and word.value is not None and word.verbatim:
            node, _ = parse_expr(ctx.tree, word.inner_start, word.inner_end)
            return evaluate(self, node, ctx, state) if node is not None else UNKNOWN
        text = arg.text
        return UNKNOWN if text is None else self.expression(text, ctx.changed(span=(arg.start, arg.end)), state)

    def expression(self, text: str, ctx: Context, state: State) -> Value:
        """The value of an expression that is not in the file as it is."""
        tree = Tree(text, parse=False)
        node, problem = parse_expr(tree, 0, len(text))
        if problem is not None and ctx.span is not None:
            self.watcher.syntax(problem, *ctx.span)
        return evaluate(self, node, ctx.changed(tree=tree), state) if node is not None else UNKNOWN

    @property
    def certain(self) -> bool:
        """Whether what runs now runs whenever the script does: it stands in no body, and nothing leads around it."""
        return not self.bodies and not self.guessing

    def misuse(self, code: str, start: int, end: int, message: str, hint: str = "") -> None:
        """A command of Tcl's own, or of the script, is called in a way that fails when the run gets there."""
        self.watcher.misuse(code, start, end, message, hint, certain=self.certain)

    def check_function(self, node: ExprNode, ctx: Context) -> None:
        """Whether a math function exists and takes so many arguments."""
        name, given = node.op, len(node.children)
        place = ctx.place(node.start, node.start + len(name))
        if name not in FUNCTIONS:
            if f"tcl::mathfunc::{name}" not in self.procs:
                self.misuse("TCL014", *place, f'unknown math function "{name}"')
            return
        least, most = FUNCTIONS[name]
        if given < least or (most is not None and given > most):
            self.misuse("TCL014", *place, f'too {"few" if given < least else "many"} arguments for "{name}"')

    def parts(self, parts: Sequence[Part], ctx: Context, state: State) -> Value:
        """The value of a word's parts; brackets run."""
        values: list[Value] = []
        for part in parts:
            kind = type(part)
            if kind is Variable and part.index is None:
                span = ctx.span
                if span is None:
                    values.append(self.read(part.name, None, ctx, state, part.start, part.end))
                else:
                    values.append(self.read(part.name, None, ctx, state, span[0], span[1]))
            elif isinstance(part, Text):
                values.append((part.value,) if FILLER not in part.value else UNKNOWN)
            elif isinstance(part, Variable):
                index = self.parts(part.index, ctx, state) if part.index is not None else None
                values.append(self.read(part.name, index, ctx, state, *ctx.place(part.start, part.end)))
            elif isinstance(part, Substitution):
                after, value = self.run(part.script, ctx, state)
                if after is not None:
                    state.become(after)
                values.append(value)
        return concatenate(values) if values else EMPTY

    def define(self, name: str, params: Value, body: Arg, call: Call) -> None:
        """Note a proc of the script."""
        bare = name.lstrip(":") if name.startswith("::") else name
        full = f"{call.ctx.namespace}::{bare}" if call.ctx.namespace and not name.startswith("::") else bare
        self.procs[full] = Procedure(full, params, body, call.ctx)
        self.watcher.defined(full, call.start, call.end)
