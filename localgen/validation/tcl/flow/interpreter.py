"""The abstract run: commands in order, words substituted as far as they are known.

Each command of the file is visited at least once: what the run does not reach is visited at the end, with variables of
which nothing is known. Tcl's own commands are in `control`, `naming`, `variables` and `data`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from localgen.validation.tcl.flow.calls import Arg, Call, Context, Frame, Watcher
from localgen.validation.tcl.flow.expressions import evaluate
from localgen.validation.tcl.flow.procedures import Procedure, call_procedure, fitting
from localgen.validation.tcl.flow.slots import Slots
from localgen.validation.tcl.flow.state import Slot, State, merge
from localgen.validation.tcl.flow.values import EMPTY, UNKNOWN, Unknown, Value, known
from localgen.validation.tcl.flow.words import Words
from localgen_grammars.blocks import FILLER
from localgen_grammars.tcl.bodies import Visit
from localgen_grammars.tcl.core import PRESET_VARIABLES, is_core
from localgen_grammars.tcl.expr import FUNCTIONS, ExprNode, parse_expr
from localgen_grammars.tcl.nodes import Command, Script
from localgen_grammars.tcl.parser import Tree, parse

MAX_STEPS = 2_000  # commands, after which loops and procs are not followed any more but run through once
MAX_CALL_DEPTH = 8
MAX_NESTING = 60
# Commands that call their arguments: also a call with further unknown words is followed.
CALLERS = frozenset(("eval", "uplevel", "rename", "interp", "namespace", "after", "tailcall", "coroutine"))

Result: TypeAlias = tuple[State | None, Value]
Builtin: TypeAlias = Callable[["Flow", Call, State], Result]
# The full name of a command, and what runs it.
Meaning: TypeAlias = tuple[str, Builtin]


class Flow(Words):
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
        # What names mean, by the namespace they are called in; forgotten where something is defined.
        self.meanings: dict[tuple[str, str], Meaning] = {}
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

    def run_all(self, visits: Iterable[Visit]) -> State:
        """Run the file, then procs that nothing called, then what was never reached.

        Args:
            visits: every command of the file, outer before inner.

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
        visited = self.visited
        for visit in visits:
            if visit.command.start not in visited:
                command, script = visit.command, visit.script
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
        first, *words = command.words
        name = first.value
        if name is None or first.expand:
            args = self.args(command.words, ctx, state)
            return self.invoke(args, ctx, state, command) if args else (state, EMPTY)
        if FILLER in name:
            return state, UNKNOWN
        meaning = self.meanings.get((name, ctx.namespace))
        start, end = ctx.span or (first.start, first.end)
        again = meaning is not None and meaning[1] is Flow._stranger
        if again and self.watcher.unknown_again(name, start, end, broken=command.broken):
            self.may_set(self.args(words, ctx, state), ctx, state)
            return state, UNKNOWN
        args = self.args(words, ctx, state)
        last = args[-1].end if args and ctx.span is None else end
        return self._call(Call(name, args, start, last, start, end, ctx, command), state)

    def invoke(
        self, args: Sequence[Arg], ctx: Context, state: State, command: Command | None, *, partial: bool = False
    ) -> Result:
        """Call the command that the first argument names, with each name it may be."""
        first, last = args[0], args[-1]
        start = first.start if first.start < last.start else last.start
        end = last.end if last.end > first.end else first.end
        if first.many or isinstance(first.value, Unknown):
            self.watcher.computed_command(first.start, first.end, "word")
            self.may_set(args[1:], ctx, state)
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
        name = call.name
        meaning = self.meanings.get((name, call.ctx.namespace)) or self._look_up(name, call.ctx.namespace)
        return meaning[1](self, call if meaning[0] == name else call.named(meaning[0]), state)

    def _look_up(self, name: str, namespace: str) -> Meaning:
        """What a name means in a namespace, by what is defined at this point of the run."""
        bare = name.lstrip(":") if name.startswith("::") else name
        inner = (f"{namespace}::{bare}",) if namespace and bare is name else ()
        meaning: Meaning | None = None
        for full in (*inner, bare):
            if self.watcher.defines(full):
                meaning = full, Flow._own
            elif full in self.aliases:
                meaning = full, Flow._alias
            elif full in self.procs:
                meaning = full, Flow._script_proc
            if meaning is not None:
                break
        else:
            meaning = (bare, Flow._core) if is_core(bare) else (name, Flow._stranger)
        self.meanings[name, namespace] = meaning
        return meaning

    def _own(self, call: Call, state: State) -> Result:
        """A command of the team."""
        self.watcher.any_call(call, state)
        return self.watcher.own_call(self, call, state)

    def _alias(self, call: Call, state: State) -> Result:
        """Another name of a command, perhaps with its first words."""
        target = [Arg(v, call.name_start, call.name_end) for v in self.aliases[call.name]]
        self.watcher.any_call(call, state)
        # An alias of itself would run for ever.
        if known(target[0].value) == call.name or len(self.calls) >= MAX_CALL_DEPTH:
            return state, UNKNOWN
        self.calls.append(call.name)
        result = self.invoke([*target, *call.args], call.ctx, state, call.command, partial=call.partial)
        self.calls.pop()
        return result

    def _core(self, call: Call, state: State) -> Result:
        """A command of Tcl's own."""
        possible = self.watcher.core_call(call, state, certain=not (self.bodies or self.guessing))
        builtin = self.builtins.get(call.name) if possible else None
        if builtin is None or (not call.exact and call.name not in CALLERS):
            self.touch(call.args, call.ctx, state)
            return state, UNKNOWN
        return builtin(self, call, state)

    def _stranger(self, call: Call, state: State) -> Result:
        """A command that nothing defines so far."""
        self.watcher.unknown_command(call)
        self.may_set(call.args, call.ctx, state)
        return state, UNKNOWN

    def _script_proc(self, call: Call, state: State) -> Result:
        """A proc of the script."""
        self.watcher.any_call(call, state)
        procedure = self.procs[call.name]
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

    def alias(self, name: str, target: tuple[Value, ...]) -> None:
        """From here on a name means a command with its first words."""
        self.meanings.clear()
        self.aliases[name] = target

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

    def define(self, name: str, params: Value, body: Arg, call: Call) -> None:
        """Note a proc of the script."""
        bare = name.lstrip(":") if name.startswith("::") else name
        full = f"{call.ctx.namespace}::{bare}" if call.ctx.namespace and not name.startswith("::") else bare
        self.meanings.clear()
        self.procs[full] = Procedure(full, params, body, call.ctx)
        self.watcher.defined(full, call.start, call.end)
