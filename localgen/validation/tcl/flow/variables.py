"""Tcl's commands that set, change or ask for variables in the abstract run."""

from __future__ import annotations

from localgen.validation.tcl.flow.calls import Arg, Call, Frame
from localgen.validation.tcl.flow.interpreter import Builtin, Flow, Result
from localgen.validation.tcl.flow.numbers import integer, written
from localgen.validation.tcl.flow.state import State
from localgen.validation.tcl.flow.values import EMPTY, UNKNOWN, Value, apply, concatenate, known, texts
from localgen_grammars.tcl.core import full_subcommand
from localgen_grammars.tcl.lists import ListError, join_list, list_values, quote_element


def set_(flow: Flow, call: Call, state: State) -> Result:
    """`set name ?value?`."""
    if len(call.args) == 1:
        return state, _read(flow, call.args[0], call, state)
    return state, _write(flow, call.args[0], call.value(1), call, state)


def incr(flow: Flow, call: Call, state: State) -> Result:
    """`incr name ?amount?`; a variable that is not set counts as 0."""
    old = _current(flow, call.args[0], call, state, missing=("0",))
    by = call.value(1) if len(call.args) > 1 else ("1",)
    return state, _write(flow, call.args[0], apply(lambda a, b: written(integer(a) + integer(b)), old, by), call, state)


def append(flow: Flow, call: Call, state: State) -> Result:
    """`append name value …`."""
    old = _current(flow, call.args[0], call, state, missing=EMPTY)
    value = concatenate([old, *(a.value for a in call.args[1:])])
    return state, _write(flow, call.args[0], value, call, state)


def lappend(flow: Flow, call: Call, state: State) -> Result:
    """`lappend name value …`."""
    value = _current(flow, call.args[0], call, state, missing=EMPTY)
    for arg in call.args[1:]:
        value = apply(lambda old, new: f"{old} {quote_element(new)}" if old else join_list([new]), value, arg.value)
    return state, _write(flow, call.args[0], value, call, state)


def lassign(flow: Flow, call: Call, state: State) -> Result:
    """`lassign list name …`."""
    elements = _elements(call.value(0))
    for i, arg in enumerate(call.args[1:]):
        value: Value = UNKNOWN
        if elements is not None:
            value = texts([elements[i]]) if i < len(elements) else EMPTY
        _write(flow, arg, value, call, state)
    names = len(call.args) - 1
    return state, texts([join_list(elements[names:])]) if elements is not None else UNKNOWN


def unset(flow: Flow, call: Call, state: State) -> Result:
    """`unset ?-nocomplain? name …`."""
    for arg in call.args:
        name = arg.text
        if name is None:
            state.open |= {call.ctx.frame.id}
        elif not name.startswith("-"):
            key = flow.key(name, call.ctx, state)
            for found in [k for k in state.slots if k.startswith(key) and k[len(key) : len(key) + 1] in ("", "(")]:
                del state.slots[found]
    return state, EMPTY


def global_(flow: Flow, call: Call, state: State) -> Result:
    """`global name …`."""
    for arg in call.args:
        name = arg.text
        if name is None:
            state.open |= {call.ctx.frame.id}
        elif call.ctx.frame.id != "::":
            call.ctx.frame.links[name.rpartition("::")[2]] = "::" + name.lstrip(":")
    return state, EMPTY


def variable(flow: Flow, call: Call, state: State) -> Result:
    """`variable ?name value …? name ?value?`."""
    for i in range(0, len(call.args), 2):
        name = call.text(i)
        if name is None:
            state.open |= {call.ctx.frame.id}
            continue
        full = "::" + (
            name.lstrip(":") if name.startswith("::") else "::".join(filter(None, (call.ctx.namespace, name)))
        )
        call.ctx.frame.links[name.rpartition("::")[2]] = full
        arg = call.args[i]
        if i + 1 < len(call.args):
            state.put(full, call.value(i + 1))
            flow.watcher.written(full, call.value(i + 1), arg.start, arg.end)
        else:
            if full not in state.slots:
                state.put(full, UNKNOWN, maybe=True)
    return state, EMPTY


def upvar(flow: Flow, call: Call, state: State) -> Result:
    """`upvar ?level? other mine …`."""
    args = list(call.args)
    frame = call.ctx.frame.caller or Frame("::")
    if len(args) % 2:
        if args[0].text == "#0":
            frame = Frame("::")
        elif args[0].text not in ("1", None):
            frame = Frame("?")
        args = args[1:]
    for other, mine in zip(args[::2], args[1::2], strict=True):
        name, local = other.text, mine.text
        if local is None:
            state.open |= {call.ctx.frame.id}
            continue
        if name is None or frame.id == "?":
            call.ctx.frame.links[local] = f"?|{local}"
            state.put(f"?|{local}", UNKNOWN)
            continue
        key = frame.links.get(name) or (
            "::" + name.lstrip(":") if frame.id == "::" or "::" in name else f"{frame.id}|{name}"
        )
        call.ctx.frame.links[local] = key
    return state, EMPTY


def array(flow: Flow, call: Call, state: State) -> Result:
    """`array set` and `array exists`; other subcommands give unknown values."""
    sub = full_subcommand("array", call.text(0) or "")
    name = call.text(1)
    if sub == "set" and len(call.args) == 3:
        elements = _elements(call.value(2))
        if name is None or elements is None or len(elements) % 2:
            _write(flow, call.args[1], UNKNOWN, call, state)
        else:
            flow.write((name,), UNKNOWN, call.ctx, state, call.start, call.end)
            for key, value in zip(elements[::2], elements[1::2], strict=True):
                flow.write((f"{name}({key})",), texts([value]), call.ctx, state, call.start, call.end)
        return state, EMPTY
    if sub == "unset" and len(call.args) == 2:
        return unset(flow, Call("unset", call.args[1:], call.start, call.end, call.start, call.end, call.ctx), state)
    return state, UNKNOWN


def info(flow: Flow, call: Call, state: State) -> Result:
    """`info exists`; other subcommands give unknown values."""
    if full_subcommand("info", call.text(0) or "") == "exists" and len(call.args) == 2:
        name = call.text(1)
        if name is None or "(" in name:
            return state, UNKNOWN
        key = flow.key(name, call.ctx, state)
        slot = state.slots.get(key)
        if slot is not None:
            return state, ("0", "1") if slot.maybe or state.value(slot) == UNKNOWN else ("1",)
        return state, UNKNOWN if state.any_may_be_set(call.ctx.frame.id) else ("0",)
    return state, UNKNOWN


def sets(first: int, *, step: int = 1) -> Builtin:
    """A command that sets the variables named by its arguments from `first` on, to what is not known."""

    def run(flow: Flow, call: Call, state: State) -> Result:
        for arg in call.args[first::step]:
            _write(flow, arg, UNKNOWN, call, state)
        return state, UNKNOWN

    return run


def regexp(flow: Flow, call: Call, state: State) -> Result:
    """`regexp ?options? pattern text ?name …?`."""
    _write_all(flow, call, state, _after_options(call) + 2)
    return state, UNKNOWN


def regsub(flow: Flow, call: Call, state: State) -> Result:
    """`regsub ?options? pattern text with ?name?`."""
    _write_all(flow, call, state, _after_options(call) + 3)
    return state, UNKNOWN


def lset(flow: Flow, call: Call, state: State) -> Result:
    """`lset name index value`."""
    return state, _write(flow, call.args[0], UNKNOWN, call, state)


def binary(flow: Flow, call: Call, state: State) -> Result:
    """`binary scan text format name …`."""
    if full_subcommand("binary", call.text(0) or "") == "scan":
        _write_all(flow, call, state, 3)
    return state, UNKNOWN


def file(flow: Flow, call: Call, state: State) -> Result:
    """`file stat path name`, and pure path commands."""
    sub = full_subcommand("file", call.text(0) or "")
    if sub in ("stat", "lstat", "tempfile"):
        _write_all(flow, call, state, 1 if sub == "tempfile" else 2)
    if sub == "join":
        return state, apply(lambda *a: "/".join(a) if not any(p.startswith("/") for p in a[1:]) else None,
                            *(a.value for a in call.args[1:]))  # fmt: skip
    if sub == "tail" and len(call.args) == 2:
        return state, apply(lambda path: path.rstrip("/").rpartition("/")[2], call.value(1))
    return state, UNKNOWN


def _after_options(call: Call) -> int:
    i = 0
    while i < len(call.args) and (call.text(i) or "").startswith("-"):
        i += 2 if call.text(i) == "-start" else 1
        if call.text(i - 1) == "--":
            break
    return i


def _write_all(flow: Flow, call: Call, state: State, first: int) -> None:
    for arg in call.args[first:]:
        _write(flow, arg, UNKNOWN, call, state)


def _write(flow: Flow, name: Arg, value: Value, call: Call, state: State) -> Value:
    return flow.write(name.value, value, call.ctx, state, call.start, call.end)


def _read(flow: Flow, arg: Arg, call: Call, state: State) -> Value:
    name = known(arg.value)
    return UNKNOWN if name is None else flow.read(name, None, call.ctx, state, arg.start, arg.end)


def _current(flow: Flow, arg: Arg, call: Call, state: State, *, missing: Value) -> Value:
    """The value of a variable that a command changes, `missing` if nothing has set it."""
    name = known(arg.value)
    if name is None:
        return UNKNOWN
    base = name.partition("(")[0] if name.endswith(")") else name
    key = flow.key(base, call.ctx, state)
    if base != name:
        element = state.slots.get(key + name[len(base) :])
        if element is not None:
            return UNKNOWN if element.maybe else state.value(element)
        return UNKNOWN if key in state.slots or state.any_may_be_set(call.ctx.frame.id) else missing
    slot = state.slots.get(key)
    if slot is not None:
        return UNKNOWN if slot.maybe else state.value(slot)
    return UNKNOWN if state.any_may_be_set(call.ctx.frame.id) else missing


def _elements(value: Value) -> list[str] | None:
    text = known(value)
    try:
        return list_values(text) if text is not None else None
    except ListError:
        return None


VARIABLES: dict[str, Builtin] = {
    "append": append,
    "array": array,
    "binary": binary,
    "file": file,
    "gets": sets(1),
    "global": global_,
    "incr": incr,
    "info": info,
    "lappend": lappend,
    "lassign": lassign,
    "lset": lset,
    "regexp": regexp,
    "regsub": regsub,
    "scan": sets(2),
    "set": set_,
    "unset": unset,
    "upvar": upvar,
    "variable": variable,
    "vwait": sets(0),
}
