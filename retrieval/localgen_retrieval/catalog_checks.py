"""What a catalog says that cannot be meant: checks across fields, after each field has its type.

A finding that leaves no right reading is an error; one that only costs quality is a warning. Knows nothing of files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from localgen_retrieval.catalog import Arg, Catalog, Proc, Value, word
from localgen_retrieval.positions import FieldPath

_UNSAFE = re.compile(r'[\s{}\[\]"$;\\]')


@dataclass(frozen=True)
class Finding:
    """One thing wrong with a catalog; `path` is the field, `error` False for a warning."""

    path: FieldPath
    message: str
    hint: str = ""
    error: bool = True


def nearest(name: str, known: Sequence[str]) -> str:
    """A hint with the known name closest to a mistyped one; "" if none is close."""
    close = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else ""


def check_catalog(catalog: Catalog) -> Iterator[Finding]:
    """All findings of a catalog, in its own order."""
    yield from _repeats(("procs",), [p.name.removeprefix("::") for p in catalog.procs], "proc")
    for i, proc in enumerate(catalog.procs):
        yield from _proc(("procs", i), proc, catalog)
    yield from _repeats(("variables",), [v.name.removeprefix("::") for v in catalog.variables], "variable")
    for i, variable in enumerate(catalog.variables):
        path: FieldPath = ("variables", i)
        yield from _name((*path, "name"), variable.name, "variable")
        if variable.type in ("flag", "script"):
            yield Finding((*path, "type"), f"a variable cannot be a {variable.type}", "use bool or string")
        yield from _value(path, variable)
        yield from _default(path, variable, variable.default)
    yield from _dsls(catalog)
    yield from _policy(catalog)


def _repeats(path: FieldPath, names: Sequence[str], what: str) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for i, name in enumerate(names):
        if name in first:
            where = f"{path[-1]}[{first[name]}]"
            yield Finding((*path, i, "name"), f"{what} `{name}` is defined twice, first as {where}", "remove one")
        first.setdefault(name, i)


def _name(path: FieldPath, name: str, what: str) -> Iterator[Finding]:
    bad = _UNSAFE.search(name)
    if not name:
        yield Finding(path, f"the {what}'s name is empty")
    elif name.startswith("$"):
        yield Finding(path, f"`{name}` begins with `$`", f"write `{name[1:]}`: `$` is added where it is read")
    elif bad:
        shown = "white space" if bad.group().isspace() else f"`{bad.group()}`"
        yield Finding(path, f"the {what} name {name!r} contains {shown}", "Tcl could not call it by that word")
    elif name.startswith("#") or name.endswith("::"):
        yield Finding(path, f"`{name}` is not a {what} name that Tcl can use")


def _proc(path: FieldPath, proc: Proc, catalog: Catalog) -> Iterator[Finding]:
    yield from _name((*path, "name"), proc.name, "proc")
    yield from _repeats((*path, "args"), [a.name for a in proc.args], "argument")
    names = [a.name for a in proc.args]
    for i, arg in enumerate(proc.args):
        yield from _arg((*path, "args", i), arg)
    for i, group in enumerate(proc.exclusive):
        for j, name in enumerate(group):
            if name not in names:
                yield Finding(
                    (*path, "exclusive", i, j), f"`{proc.name}` has no argument `{name}`", nearest(name, names)
                )
        needed = [a.name for a in proc.args if a.required and a.name in group]
        if len(needed) > 1:
            message = f"{' and '.join(needed)} exclude each other and are both required: `{proc.name}` cannot be called"
            yield Finding((*path, "exclusive", i), message, 'say `"required": false` on them', error=False)
    for key, needs in proc.requires.items():
        for name in (key, *needs):
            if name not in names:
                yield Finding((*path, "requires", key), f"`{proc.name}` has no argument `{name}`", nearest(name, names))
    replacement = proc.deprecated.replacement if proc.deprecated else ""
    if replacement and catalog.proc(replacement) is None:
        hint = nearest(replacement, [p.name for p in catalog.procs])
        yield Finding((*path, "deprecated"), f"the replacement `{replacement}` is not a proc", hint, error=False)


def _arg(path: FieldPath, arg: Arg) -> Iterator[Finding]:
    if arg.name.startswith("-") and len(arg.name) > 1:
        yield Finding((*path, "name"), f"`{arg.name}` begins with `-`", f"write `{arg.name[1:]}`: the dash is added")
    elif not arg.positional and re.match(r"\.?\d", arg.name):
        yield Finding((*path, "name"), f"`-{arg.name}` would be read as a number", "let the name begin with a letter")
    yield from _name((*path, "name"), arg.name, "argument")
    if arg.positional and arg.type == "flag":
        yield Finding((*path, "type"), "a flag cannot be positional", "make it a bool, or drop `positional`")
    yield from _value(path, arg)
    if arg.has_default:
        yield from _default(path, arg, arg.default)


def _value(path: FieldPath, value: Value) -> Iterator[Finding]:
    if value.type == "enum" and not value.values:
        yield Finding((*path, "type"), "an enum needs `values`", 'add `"values": [...]`, or use type string')
    if value.min is not None and value.max is not None and value.min > value.max:
        yield Finding((*path, "min"), f"min {value.min:g} is above max {value.max:g}")
    low, high = value.min_items, value.max_items
    if (low is not None and low < 0) or (high is not None and high < max(low or 0, 0)):
        yield Finding((*path, "max_items" if high is not None else "min_items"), "no list has that many items")
    if value.pattern:
        try:
            re.compile(value.pattern)
        except (re.error, RecursionError, OverflowError) as err:
            yield Finding((*path, "pattern"), f"not a regular expression: {err}")


def _default(path: FieldPath, value: Value, default: Any) -> Iterator[Finding]:
    items = default if isinstance(default, list) else [default]
    if any(isinstance(x, (dict, list)) for x in items):
        yield Finding((*path, "default"), f"expected one value, or a list of them, found {type(default).__name__}")
    elif value.type == "enum" and default is not None and not {word(x) for x in items} <= {*value.values}:
        known = ", ".join(value.values[:8])
        yield Finding((*path, "default"), f"`{default}` is not one of its values ({known})", error=False)


def _dsls(catalog: Catalog) -> Iterator[Finding]:
    yield from _repeats(("dsl",), [d.name for d in catalog.dsls], "DSL")
    opened: dict[tuple[str, ...], str] = {}
    for i, dsl in enumerate(catalog.dsls):
        for key, text in (("open", dsl.embedding.open), ("close", dsl.embedding.close)):
            if not text.strip():
                yield Finding(("dsl", i, "embedding", key), f"the text that {key}s a block is empty")
        words = tuple(dsl.embedding.open.split())
        if words and words in opened:
            yield Finding(("dsl", i, "embedding", "open"), f"`{opened[words]}` opens its blocks with the same text")
        opened.setdefault(words, dsl.name)
    if catalog.host == "none" and not any(d.grammar for d in catalog.dsls):
        yield Finding(("host",), "host `none` means that the output is one DSL text, but no `dsl` has a grammar")


def _policy(catalog: Catalog) -> Iterator[Finding]:
    policy, names = catalog.policy, [p.name for p in catalog.procs]
    for i, name in enumerate(policy.required_calls):
        if catalog.proc(name) is None and name not in policy.allowed_builtins:
            yield Finding(("policy", "required_calls", i), f"`{name}` is not in the catalog", nearest(name, names))
    for i, pair in enumerate(policy.order):
        for j, name in enumerate(pair):
            if catalog.proc(name) is None and name not in policy.allowed_builtins:
                hint = nearest(name, names)
                yield Finding(("policy", "order", i, j), f"`{name}` is not in the catalog", hint, error=False)
    for i, name in enumerate(policy.forbidden):
        if catalog.proc(name) is not None:
            yield Finding(
                ("policy", "forbidden", i), f"the proc `{name}` is forbidden, so it is never used", error=False
            )
