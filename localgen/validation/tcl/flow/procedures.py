"""Calls of the script's own procs in the abstract run: a frame, the parameters, the body."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from localgen.validation.tcl.flow.calls import Arg, Context, Frame
from localgen.validation.tcl.flow.state import State, merge
from localgen.validation.tcl.flow.values import UNKNOWN, Value, known, texts
from localgen_grammars.tcl.lists import ListError, join_list, list_values

if TYPE_CHECKING:
    from localgen.validation.tcl.flow.interpreter import Flow, Result


# Each parameter's name, and its default if it has one.
_Parameters: TypeAlias = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Procedure:
    """A proc that the script defines."""

    name: str
    params: Value
    body: Arg
    ctx: Context


def call_procedure(
    flow: Flow, procedure: Procedure, args: Sequence[Arg], caller: Context, state: State, place: tuple[int, int]
) -> Result:
    """Run a proc's body with these arguments in a frame of its own."""
    flow.frames += 1
    before = state.copy()
    frame = Frame(f"{procedure.name}#{flow.frames}", caller=caller.frame)
    params = fitting(flow, procedure, args, place)
    if params is None:
        return state, UNKNOWN
    _bind(params, args, frame, state)
    namespace = procedure.name.rpartition("::")[0]
    ctx = procedure.ctx.changed(frame=frame, namespace=namespace)
    flow.calls.append(procedure.name)
    flow.returns.append([])
    loops, flow.loops = flow.loops, []
    end, value = flow.body(procedure.body, ctx, state)
    flow.loops = loops
    flow.calls.pop()
    for other, result in flow.returns.pop():
        value = result if end is None else UNKNOWN if value != result else value
        end = merge(end, other)
    if end is not None:
        mine = frame.id + "|"
        for key in end.slots.changed(before.slots):
            if key.startswith(mine) and key in end.slots:
                del end.slots[key]
        end.open -= {frame.id}
    return end, value


def fitting(flow: Flow, procedure: Procedure, args: Sequence[Arg], place: tuple[int, int]) -> _Parameters | None:
    """The parameters (name, default) of a proc that is called so; None, and a finding, where the words do not fit."""
    params = _parameters(known(procedure.params) or "")
    if params is None:
        return None
    if any(a.many for a in args):
        return params
    rest = _takes_rest(params)
    # A default before a parameter without one is never used.
    least = max((i + 1 for i, p in enumerate(params[:-1] if rest else params) if len(p) == 1), default=0)
    if len(args) < least or (not rest and len(args) > len(params)):
        usage = " ".join([procedure.name, *(p[0] if len(p) == 1 else f"?{p[0]}?" for p in params)])
        flow.misuse("TCL011", *place, f'wrong # args: should be "{usage}"')
        return None
    return params


@lru_cache(maxsize=256)
def _parameters(text: str) -> _Parameters | None:
    """The parameters that a text lists; None where a proc cannot be defined so."""
    try:
        params = tuple(tuple(list_values(p)) for p in list_values(text))
    except ListError:
        return None
    return params if all(p and len(p) <= 2 for p in params) else None


def _takes_rest(params: _Parameters) -> bool:
    return bool(params) and params[-1][0] == "args"


def _bind(params: _Parameters, args: Sequence[Arg], frame: Frame, state: State) -> None:
    certain = not any(a.many for a in args)
    values = [a.value for a in args]
    for i, param in enumerate(params):
        key = f"{frame.id}|{param[0]}"
        if not certain:
            state.put(key, UNKNOWN)
        elif i == len(params) - 1 and _takes_rest(params):
            found = [known(v) for v in values[i:]]
            value = texts([join_list(f for f in found if f is not None)]) if None not in found else UNKNOWN
            state.put(key, value)
        else:
            state.put(key, values[i] if i < len(values) else texts([param[1]]))
