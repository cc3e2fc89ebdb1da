"""Which words of Tcl's own commands are scripts, expressions and so on, in code and in class definitions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

from localgen_grammars.tcl.core import ARITY, full_subcommand
from localgen_grammars.tcl.nodes import Command, Word

Role = Literal["script", "expr", "cases", "lambda", "subst", "class"]

_NONE: Mapping[int, Role] = MappingProxyType({})


def roles(command: Command) -> Mapping[int, Role]:
    """The words (by index; 0 is the name) of a core command that hold code. Unknown commands have none."""
    words = command.words
    name = words[0].value
    if name is not None and name.startswith("::"):
        name = name[2:]
    handler = _HANDLERS.get(name)
    if handler is None or name is None:
        return _NONE
    given = len(words) - 1
    least, most = ARITY.get(name, (0, None))
    # With a wrong number of words the command fails before it looks into any of them.
    if given < least or (most is not None and given > most):
        return _NONE
    for word in words:
        if word.expand:
            return _NONE
    return handler(words)


# What a class is defined with: by the number of words after the name, what the last of them is.
DEFINITIONS: dict[str, dict[int, Role]] = {
    "method": {3: "script", 4: "script"},
    "classmethod": {3: "script"},
    "constructor": {2: "script"},
    "destructor": {1: "script"},
    "initialise": {1: "script"},
    "initialize": {1: "script"},
    "self": {1: "class", 4: "script"},
    "private": {1: "class", 4: "script"},
}


def definition_roles(command: Command) -> Mapping[int, Role]:
    """The words of a command in a class definition that hold code."""
    given = len(command.words) - 1
    role = DEFINITIONS.get(command.name or "", {}).get(given)
    return {given: role} if role is not None else _NONE


_Words: TypeAlias = tuple[Word, ...]


def _if(words: _Words) -> dict[int, Role]:
    out: dict[int, Role] = {}
    i, n = 1, len(words)
    while i < n:
        out[i] = "expr"
        i += 1
        if i < n and words[i].value == "then":
            i += 1
        if i >= n:
            return {}  # no body: Tcl compiles nothing of it
        out[i] = "script"
        i += 1
        if i < n and words[i].value == "elseif":
            i += 1
            continue
        if i < n and words[i].value == "else":
            i += 1
        if i < n:
            out[i] = "script"
        break
    return out


def _expr(words: _Words) -> dict[int, Role]:
    return {1: "expr"} if len(words) == 2 else {}


def _all_scripts(first: int) -> Callable[[_Words], dict[int, Role]]:
    """One word from `first` on is a script; several are joined first, so none of them is one by itself."""
    return lambda words: {first: "script"} if len(words) == first + 1 else {}


def _last(least: int) -> Callable[[_Words], dict[int, Role]]:
    return lambda words: {len(words) - 1: "script"} if len(words) >= least else {}


def _fixed(**at: Role) -> Callable[[_Words], dict[int, Role]]:
    places = {int(k[1:]): role for k, role in at.items()}
    return lambda words: {i: role for i, role in places.items() if i < len(words)}


def _switch(words: _Words) -> dict[int, Role]:
    i, n = 1, len(words)
    while i < n and (words[i].value or "").startswith("-"):
        option = words[i].value
        i += 1
        if option == "--":
            break
        if option is not None and option in ("-matchvar", "-indexvar"):
            i += 1
    i += 1
    if n - i == 1:
        return {i: "cases"}
    return {k: "script" for k in range(i + 1, n, 2) if words[k].value != "-"}


def _try(words: _Words) -> dict[int, Role]:
    out: dict[int, Role] = {1: "script"}
    i, n = 2, len(words)
    while i < n:
        if words[i].value == "finally" and i + 1 < n:
            out[i + 1] = "script"
            i += 2
        elif words[i].value in ("on", "trap") and i + 3 < n:
            if words[i + 3].value != "-":
                out[i + 3] = "script"
            i += 4
        else:
            break
    return out


def _namespace(words: _Words) -> dict[int, Role]:
    sub = full_subcommand("namespace", words[1].value or "") if len(words) > 1 else None
    if sub == "code" and len(words) == 3:
        return {2: "script"}
    return {3: "script"} if sub in ("eval", "inscope") and len(words) == 4 else {}


def _class(words: _Words) -> dict[int, Role]:
    return {3: "class"} if len(words) == 4 and words[1].value == "create" else {}


def _define(words: _Words) -> dict[int, Role]:
    if len(words) == 3:
        return {2: "class"}
    role = DEFINITIONS.get(words[2].value or "", {}).get(len(words) - 3) if len(words) > 3 else None
    return {len(words) - 1: role} if role is not None else {}


def _package(words: _Words) -> dict[int, Role]:
    return {4: "script"} if len(words) == 5 and words[1].value == "ifneeded" else {}


def _chan(words: _Words) -> dict[int, Role]:
    return {4: "script"} if len(words) == 5 and words[1].value == "event" else {}


def _array(words: _Words) -> dict[int, Role]:
    return {4: "script"} if len(words) == 5 and words[1].value == "for" else {}


def _dict(words: _Words) -> dict[int, Role]:
    sub = full_subcommand("dict", words[1].value or "") if len(words) > 1 else None
    if sub in ("for", "map") and len(words) == 5:
        return {4: "script"}
    if sub in ("with", "update") and len(words) > 3:
        return {len(words) - 1: "script"}
    if sub == "filter" and len(words) == 6 and words[3].value == "script":
        return {5: "script"}
    return {}


def _after(words: _Words) -> dict[int, Role]:
    if len(words) == 3 and words[1].value not in ("cancel", "info"):
        return {2: "script"}
    return {}


def _uplevel(words: _Words) -> dict[int, Role]:
    if len(words) == 2:
        return {1: "script"}
    level = words[1].value or ""
    return {2: "script"} if len(words) == 3 and (level.startswith("#") or level.isdigit()) else {}


def _interp(words: _Words) -> dict[int, Role]:
    return {3: "script"} if len(words) == 4 and words[1].value == "eval" else {}


def _subst(words: _Words) -> dict[int, Role]:
    options = {w.value for w in words[1:-1]}
    return {} if "-nocommands" in options or "-novariables" in options or len(words) < 2 else {len(words) - 1: "subst"}


_HANDLERS: dict[str | None, Callable[[_Words], dict[int, Role]]] = {
    "after": _after,
    "apply": _fixed(_1="lambda"),
    "array": _array,
    "catch": _fixed(_1="script"),
    "chan": _chan,
    "dict": _dict,
    "eval": _all_scripts(1),
    "expr": _expr,
    "fileevent": _fixed(_3="script"),
    "for": _fixed(_1="script", _2="expr", _3="script", _4="script"),
    "foreach": _last(4),
    "if": _if,
    "interp": _interp,
    "lmap": _last(4),
    "namespace": _namespace,
    "oo::class": _class,
    "oo::define": _define,
    "oo::objdefine": _define,
    "package": _package,
    "proc": _fixed(_3="script"),
    "subst": _subst,
    "switch": _switch,
    "time": _fixed(_1="script"),
    "timerate": _last(2),
    "try": _try,
    "uplevel": _uplevel,
    "while": _fixed(_1="expr", _2="script"),
}
