"""Tcl's loops in the abstract run: round by round where that is known, else any number of rounds."""

from __future__ import annotations

from localgen.validation.tcl.flow.calls import Arg, Call, Context
from localgen.validation.tcl.flow.interpreter import Builtin, Flow, Result
from localgen.validation.tcl.flow.numbers import truth
from localgen.validation.tcl.flow.state import LATER_ROUND, State, merge, widen
from localgen.validation.tcl.flow.values import EMPTY, UNKNOWN, Value, known, texts
from localgen_grammars.tcl.lists import ListError, join_list, list_values

MAX_ROUNDS = 200


def while_(flow: Flow, call: Call, state: State) -> Result:
    """`while test body`."""
    return _loop(flow, call.ctx, state, call.args[0], call.args[1], None), EMPTY


def for_(flow: Flow, call: Call, state: State) -> Result:
    """`for start test next body`."""
    begun, _ = flow.body(call.args[0], call.ctx, state)
    if begun is None:
        return None, EMPTY
    return _loop(flow, call.ctx, begun, call.args[1], call.args[3], call.args[2]), EMPTY


def _loop(flow: Flow, ctx: Context, state: State, test: Arg, body: Arg, step: Arg | None) -> State | None:
    def once(begin: State) -> State | None:
        flow.steps += 1
        flow.loops.append(([], []))
        end, _ = flow.body(body, ctx, begin)
        breaks, continues = flow.loops.pop()
        outs.extend(breaks)
        for other in continues:
            end = merge(end, other)
        if end is not None and step is not None:
            end, _ = flow.body(step, ctx, end)
        return end

    outs: list[State] = []
    current = state
    for _ in range(MAX_ROUNDS):
        outcome = truth(flow.condition(test, ctx, current))
        if outcome is False:
            return together(current, outs)
        if outcome is None or flow.exhausted:
            break
        after = once(current)
        if after is None:
            return together(None, outs)
        current = after
    # From here on the number of rounds is unknown: one more as things stand, then one with all that it changes open.
    before = current.copy()
    if flow.exhausted:
        widened = current.copy()
        widened.forget()
        widened.open |= {LATER_ROUND}
    else:
        first = once(current)
        widened = widen(before, first) if first is not None else before
    flow.condition(test, ctx, widened)
    start = widened.copy()
    last = once(widened)
    final = merge(before, start)
    if last is not None and final is not None:
        final = widen(final, last)
    final = together(final, outs)
    if final is not None and LATER_ROUND not in before.open:
        final.open -= {LATER_ROUND}
    return final


def foreach(flow: Flow, call: Call, state: State) -> Result:
    """`foreach vars list … body`: round by round where the lists are known."""
    return _foreach(flow, call, state)[0], EMPTY


def lmap(flow: Flow, call: Call, state: State) -> Result:
    """`lmap vars list … body`."""
    end, results = _foreach(flow, call, state)
    found = [known(r) for r in results] if results is not None else [None]
    return end, texts([join_list(f for f in found if f is not None)]) if None not in found else UNKNOWN


def _foreach(flow: Flow, call: Call, state: State) -> tuple[State | None, list[Value] | None]:
    """The state after it, and the value of each round (None: not known which rounds there are)."""
    args, ctx = call.args, call.ctx
    if len(args) % 2 == 0:
        usage = f'wrong # args: should be "{call.name} varList list ?varList list ...? command"'
        flow.misuse("TCL011", call.name_start, call.name_end, usage)
        return state, None
    body = args[-1]
    pairs: list[tuple[list[str] | None, list[str] | None, Arg]] = []
    for variables, elements in zip(args[:-1:2], args[1:-1:2], strict=True):
        pairs.append((known_list(flow, variables), known_list(flow, elements), variables))
    if any(names == [] for names, _, _ in pairs):
        flow.misuse("TCL013", call.start, call.end, f"{call.name} varlist is empty")
        return state, None
    certain = all(names is not None and values is not None for names, values, _ in pairs)
    rounds = max((-(-len(v or ()) // len(n or "?")) for n, v, _ in pairs), default=0)
    if certain and rounds <= (1 if flow.exhausted else MAX_ROUNDS):
        return _each(flow, ctx, state, pairs, body, rounds)
    # The rounds are not known: any of the elements that are known, any number of times.
    before = state.copy()
    for names, values, arg in pairs:
        for name in names or ():
            flow.write((name,), texts(values or ()) if values else UNKNOWN, ctx, state, arg.start, arg.end)
        if names is None:
            state.open |= {ctx.frame.id}
    flow.loops.append(([], []))
    first, _ = flow.body(body, ctx, state.copy())
    ends = flow.loops.pop()
    after = together(first, [*ends[0], *ends[1]])
    if after is not None and not flow.exhausted:
        flow.loops.append(([], []))
        wide = widen(state, after)
        second, _ = flow.body(body, ctx, wide)
        ends = flow.loops.pop()
        after = together(second, [*ends[0], *ends[1], after])
    return widen(before, after) if after is not None else before, None


def _each(
    flow: Flow,
    ctx: Context,
    state: State,
    pairs: list[tuple[list[str] | None, list[str] | None, Arg]],
    body: Arg,
    rounds: int,
) -> tuple[State | None, list[Value] | None]:
    outs: list[State] = []
    results: list[Value] | None = []
    current: State | None = state
    for i in range(rounds):
        if current is None:
            break
        flow.steps += 1
        for names, values, arg in pairs:
            for j, name in enumerate(names or ()):
                at = i * len(names or ()) + j
                element = (values or [])[at] if at < len(values or ()) else ""
                flow.write((name,), texts([element]), ctx, current, arg.start, arg.end)
        flow.loops.append(([], []))
        end, value = flow.body(body, ctx, current)
        breaks, continues = flow.loops.pop()
        outs.extend(breaks)
        if results is not None and not breaks and not continues and end is not None:
            results.append(value)
        else:
            results = None
        current = together(end, continues)
    return together(current, outs), results


def together(state: State | None, others: list[State]) -> State | None:
    """The state after a way and others that join it."""
    for other in others:
        state = merge(state, other)
    return state


def known_list(flow: Flow, arg: Arg) -> list[str] | None:
    """The elements of a word as a list, None where they are not known; the watcher hears of what is no list."""
    text = arg.text
    if text is None:
        return None
    try:
        return list_values(text)
    except ListError as e:
        flow.misuse("TCL013", arg.start, arg.end, str(e))
        return None


def break_(flow: Flow, call: Call, state: State) -> Result:
    """`break`."""
    if flow.loops:
        flow.loops[-1][0].append(state)
    return None, EMPTY


def continue_(flow: Flow, call: Call, state: State) -> Result:
    """`continue`."""
    if flow.loops:
        flow.loops[-1][1].append(state)
    return None, EMPTY


LOOPS: dict[str, Builtin] = {
    "break": break_,
    "continue": continue_,
    "for": for_,
    "foreach": foreach,
    "lmap": lmap,
    "while": while_,
}
