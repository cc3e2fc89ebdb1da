"""Tcl's pure commands on lists, strings and dictionaries in the abstract run."""

from __future__ import annotations

import re
from collections.abc import Callable

from localgen.validation.tcl.flow.calls import Call
from localgen.validation.tcl.flow.interpreter import Builtin, Flow, Result
from localgen.validation.tcl.flow.naming import lsort_callback
from localgen.validation.tcl.flow.numbers import integer, number
from localgen.validation.tcl.flow.state import State
from localgen.validation.tcl.flow.values import EMPTY, UNKNOWN, Value, apply, concatenate
from localgen_grammars.tcl.core import full_subcommand
from localgen_grammars.tcl.lists import join_list, list_values

_INDEX = re.compile(r"(end|[+-]?\d+)(?:([+-])(\d+))?")


def pure(function: Callable[..., str | None]) -> Builtin:
    """A command that is a function of its arguments; unknown where the function gives None or raises ValueError."""

    def run(flow: Flow, call: Call, state: State) -> Result:
        try:
            return state, apply(function, *(a.value for a in call.args))
        except TypeError:
            return state, UNKNOWN

    return run


def index_of(text: str, size: int) -> int:
    """A Tcl index (`3`, `end`, `end-1`, `2+1`) into something of `size`. Raises ValueError."""
    m = _INDEX.fullmatch(text.strip())
    if m is None:
        raise ValueError(text)
    at = size - 1 if m[1] == "end" else int(m[1])
    if m[2]:
        at += int(m[3]) if m[2] == "+" else -int(m[3])
    return at


def _lindex(text: str, *indices: str) -> str:
    path = [i for index in indices for i in list_values(index)]
    for index in path:
        elements = list_values(text)
        at = index_of(index, len(elements))
        text = elements[at] if 0 <= at < len(elements) else ""
    return text


def _lrange(text: str, first: str, last: str) -> str:
    elements = list_values(text)
    low, high = max(index_of(first, len(elements)), 0), index_of(last, len(elements))
    return join_list(elements[low : high + 1] if high >= low else [])


def _linsert(text: str, index: str, *new: str) -> str:
    elements = list_values(text)
    at = index_of(index, len(elements) + 1)  # `end` is after the last one
    at = max(0, min(at, len(elements)))
    return join_list([*elements[:at], *new, *elements[at:]])


def _lreplace(text: str, first: str, last: str, *new: str) -> str:
    elements = list_values(text)
    low, high = max(index_of(first, len(elements)), 0), index_of(last, len(elements))
    return join_list([*elements[:low], *new, *elements[max(high + 1, low) :]])


def _lrepeat(count: str, *values: str) -> str | None:
    n = integer(count)
    return join_list(list(values) * n) if 0 <= n * max(len(values), 1) <= 1000 else None


def _lsearch(*arguments: str) -> str | None:
    options, (text, wanted) = arguments[:-2], arguments[-2:]
    if set(options) - {"-exact"} or (not options and set(wanted) & set("*?[\\")):
        return None
    elements = list_values(text)
    return str(elements.index(wanted)) if wanted in elements else "-1"


def _lsort(*arguments: str) -> str | None:
    options, elements = set(arguments[:-1]), list_values(arguments[-1])
    if options - {"-integer", "-real", "-unique", "-increasing", "-decreasing", "-ascii"}:
        return None
    if options & {"-integer", "-real"}:
        numbers = [number(e) for e in elements]
        if any(n is None for n in numbers):
            return None
        elements = [e for _, e in sorted(zip(numbers, elements, strict=True), key=lambda p: p[0] or 0.0)]
    else:
        elements = sorted(elements)
    if "-decreasing" in options:
        elements.reverse()
    if "-unique" in options:
        elements = list(dict.fromkeys(elements))
    return join_list(elements)


def _concat(*parts: str) -> str:
    return " ".join(p.strip() for p in parts if p.strip())


def _split(text: str, characters: str = " \n\t\r") -> str:
    if not characters:
        return join_list(list(text))
    return join_list(re.split(f"[{re.escape(characters)}]", text) if text else [])


def _format(template: str, *arguments: str) -> str | None:
    if not re.fullmatch(r"(?:[^%]|%%|%[-+ 0#]*\d*(?:\.\d+)?[sdiufgexXc])*", template):
        return None
    rest = list(arguments)
    out = []
    for m in re.finditer(r"%%|%([-+ 0#]*\d*(?:\.\d+)?)([sdiufgexXc])|[^%]+", template):
        if m[0] == "%%":
            out.append("%")
        elif m[2] is None:
            out.append(m[0])
        else:
            if not rest:
                return None
            out.append(_formatted(m[1], m[2], rest.pop(0)))
    return "".join(out) if not rest else None


def _formatted(flags: str, kind: str, text: str) -> str:
    if kind == "s":
        return f"%{flags}s" % text
    if kind == "c":
        return chr(integer(text))
    value = number(text)
    if value is None or len(flags) > 4:
        raise ValueError(text)
    if kind in "diuxX":
        return f"%{flags}{'d' if kind == 'u' else kind}" % integer(text)
    return f"%{flags}{kind}" % value


def string(flow: Flow, call: Call, state: State) -> Result:
    """`string` with its pure subcommands."""
    sub = full_subcommand("string", call.text(0) or "")
    function = _STRING.get(sub or "")
    if function is None:
        flow.touch(call.args, call.ctx, state)  # `string is integer -failindex at …`
        return state, UNKNOWN
    return pure(function)(flow, Call("string", call.args[1:], call.start, call.end, 0, 0, call.ctx), state)


def _range(text: str, first: str, last: str) -> str:
    low, high = max(index_of(first, len(text)), 0), index_of(last, len(text))
    return text[low : high + 1] if high >= low else ""


def _at(text: str, index: str) -> str:
    at = index_of(index, len(text))
    return text[at] if 0 <= at < len(text) else ""


def _repeat(text: str, count: str) -> str | None:
    n = integer(count)
    return text * n if n * len(text) <= 10_000 else None


def _map(*arguments: str) -> str | None:
    if len(arguments) != 2:
        return None
    pairs = list_values(arguments[0])
    table = dict(reversed(list(zip(pairs[::2], pairs[1::2], strict=True))))
    keys = [k for k in dict.fromkeys(pairs[::2]) if k]
    if not keys:
        return arguments[1]
    return re.sub("|".join(map(re.escape, keys)), lambda m: table[m.group()], arguments[1])


def _trimmed(how: str) -> Callable[..., str]:
    def run(text: str, characters: str = " \t\n\v\f\r\0") -> str:
        return str(getattr(text, how)(characters))

    return run


def _equal(*arguments: str) -> str | None:
    *options, a, b = arguments
    if options not in ([], ["-nocase"]):
        return None
    return "1" if (a.lower() == b.lower() if options else a == b) else "0"


_STRING: dict[str, Callable[..., str | None]] = {
    "cat": lambda *a: "".join(a),
    "equal": _equal,
    "index": _at,
    "length": lambda text: str(len(text)),
    "map": _map,
    "range": _range,
    "repeat": _repeat,
    "reverse": lambda text: text[::-1],
    "tolower": lambda text: text.lower(),
    "toupper": lambda text: text.upper(),
    "totitle": lambda text: text[:1].upper() + text[1:].lower(),
    "trim": _trimmed("strip"),
    "trimleft": _trimmed("lstrip"),
    "trimright": _trimmed("rstrip"),
}


def dict_(flow: Flow, call: Call, state: State) -> Result:
    """`dict` with its pure subcommands and those that set variables."""
    sub = full_subcommand("dict", call.text(0) or "") or ""
    args = call.args[1:]
    function = _DICT.get(sub)
    if function is not None:
        return pure(function)(flow, Call("dict", args, call.start, call.end, 0, 0, call.ctx), state)
    if sub in ("set", "unset", "append", "lappend", "incr") and args:
        value: Value = UNKNOWN
        name = args[0].text
        if sub == "set" and len(args) == 3 and name is not None:
            slot = state.slots.get(flow.key(name, call.ctx, state))
            old = state.value(slot) if slot is not None else EMPTY
            value = apply(_dict_set, old, args[1].value, args[2].value)
        flow.write(args[0].value, value, call.ctx, state, call.start, call.end)
        return state, value
    if sub in ("for", "map") and len(args) == 3:
        return flow.builtins["foreach"](flow, Call("foreach", args, call.start, call.end, call.name_start,
                                                    call.name_end, call.ctx), state)[0], UNKNOWN  # fmt: skip
    if sub in ("with", "update") and args:
        # The keys of a dictionary become variables.
        state.open |= {call.ctx.frame.id}
        end, _ = flow.body(args[-1], call.ctx, state)
        return end, UNKNOWN
    return state, UNKNOWN


def _pairs(text: str) -> dict[str, str]:
    elements = list_values(text)
    return dict(zip(elements[::2], elements[1::2], strict=True))


def _flat(pairs: dict[str, str]) -> str:
    return join_list([x for pair in pairs.items() for x in pair])


def _dict_set(text: str, key: str, value: str) -> str:
    return _flat({**_pairs(text), key: value})


def _dict_get(text: str, *keys: str) -> str | None:
    for key in keys:
        found = _pairs(text).get(key)
        if found is None:
            return None
        text = found
    return text


_DICT: dict[str, Callable[..., str | None]] = {
    "create": lambda *a: _flat(dict(zip(a[::2], a[1::2], strict=True))),
    "exists": lambda text, *keys: "1" if _dict_get(text, *keys) is not None else "0",
    "get": _dict_get,
    "keys": lambda text: join_list(_pairs(text)),
    "size": lambda text: str(len(_pairs(text))),
    "values": lambda text: join_list(_pairs(text).values()),
}


def expr(flow: Flow, call: Call, state: State) -> Result:
    """`expr arg …`."""
    if len(call.args) == 1:
        return state, flow.condition(call.args[0], call.ctx, state)
    spaced = [v for a in call.args for v in ((" ",), a.value)][1:]
    whole = concatenate(spaced)
    text = whole[0] if isinstance(whole, tuple) and len(whole) == 1 else None
    if text is None:
        return state, UNKNOWN
    return state, flow.expression(text, call.ctx.changed(span=(call.args[0].start, call.end)), state)


def lsort(flow: Flow, call: Call, state: State) -> Result:
    """`lsort`; a `-command` is a call."""
    lsort_callback(flow, call, state)
    return pure(_lsort)(flow, call, state)


DATA: dict[str, Builtin] = {
    "concat": pure(_concat),
    "dict": dict_,
    "expr": expr,
    "format": pure(_format),
    "join": pure(lambda text, by=" ": by.join(list_values(text))),
    "lindex": pure(_lindex),
    "linsert": pure(_linsert),
    "list": pure(lambda *a: join_list(a)),
    "llength": pure(lambda text: str(len(list_values(text)))),
    "lrange": pure(_lrange),
    "lrepeat": pure(_lrepeat),
    "lreplace": pure(_lreplace),
    "lreverse": pure(lambda text: join_list(list_values(text)[::-1])),
    "lsearch": pure(_lsearch),
    "lsort": lsort,
    "split": pure(_split),
    "string": string,
}
