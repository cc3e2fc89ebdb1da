"""TclOO in the abstract run: the bodies of methods, of whose objects and variables nothing is known."""

from __future__ import annotations

from collections.abc import Sequence

from localgen.validation.tcl.flow.calls import Arg, Call, Context
from localgen.validation.tcl.flow.interpreter import Builtin, Flow, Result
from localgen.validation.tcl.flow.procedures import Procedure, call_procedure
from localgen.validation.tcl.flow.state import State
from localgen.validation.tcl.flow.values import EMPTY, UNKNOWN
from localgen_grammars.tcl.roles import DEFINITIONS


def class_(flow: Flow, call: Call, state: State) -> Result:
    """`oo::class create name ?definition?`."""
    if len(call.args) > 2:
        _definition(flow, call.args[2:], call.ctx, state)
    return state, UNKNOWN


def define(flow: Flow, call: Call, state: State) -> Result:
    """`oo::define class definition`, `oo::define class subcommand arg …`."""
    _definition(flow, call.args[1:], call.ctx, state)
    return state, EMPTY


def _definition(flow: Flow, args: Sequence[Arg], ctx: Context, state: State) -> None:
    if len(args) > 1:
        _define(flow, args, ctx, state)
        return
    word = args[0].word if args else None
    script = ctx.tree.body(word) if word is not None and ctx.span is None else None
    for command in script.commands if script is not None else ():
        if ctx.tree is flow.tree:
            flow.visited.add(command.start)
        _define(flow, flow.args(command.words, ctx, state), ctx, state)


def _define(flow: Flow, args: Sequence[Arg], ctx: Context, state: State) -> None:
    """One definition, given by its words."""
    name, words = args[0].text, args[1:]
    role = DEFINITIONS.get(name or "", {}).get(len(words))
    if role == "class":
        _definition(flow, words, ctx, state)
    elif role == "script":
        # Class variables and what other methods set are visible here.
        inner = state.copy()
        inner.forget()
        inner.open |= {"*"}
        params = words[-2].value if len(words) > 1 else EMPTY
        method = Procedure(name or "", params, words[-1], ctx)
        call_procedure(flow, method, [Arg(UNKNOWN, 0, 0, many=True)], ctx, inner, (0, 0))


CLASSES: dict[str, Builtin] = {"oo::class": class_, "oo::define": define, "oo::objdefine": define}
