"""A catalog mined from the scripts of one tool: its commands with the options, flags, values and positionals seen.

It accepts every call it was mined from, which is what measurements of false hits need. It is no replacement for a
catalog that says what the tool means.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localgen_grammars.tcl import Command, parse, walk
from localgen_grammars.tcl.core import is_core
from localgen_retrieval.catalog_io import Domain, load_domain

GRAMMAR = """\
start: rule+
rule: "rule" ID "apply_to:" NET "spacing:" SPACING
ID: /"[^"]*"/
NET: /[A-Za-z_][A-Za-z0-9_]*/
SPACING: /[0-9]+(\\.[0-9]+)?um/
%import common.WS
%ignore WS
"""
FORBIDDEN = ("exec", "socket", "open")
_OPTION = re.compile(r"-[A-Za-z][\w.:]*")
_WORD = re.compile(r"[A-Za-z_][\w.]*")
MIN_CALLS, MIN_USES, MAX_VALUES = 3, 4, 8


@dataclass
class _Usage:
    calls: int = 0
    positionals: int = 0
    uses: Counter[str] = field(default_factory=Counter)
    flags: set[str] = field(default_factory=set)
    values: dict[str, list[str | None]] = field(default_factory=lambda: defaultdict(list))


def own_calls(text: str) -> list[Command]:
    """The calls in a script that are written out: no Tcl command, no `{*}`, a constant name."""
    tree = parse(text)
    found = [v.command for v in walk(tree)]
    return [c for c in found if c.name and re.fullmatch(r"[a-z]\w+", c.name) and not is_core(c.name)
            and not any(w.expand for w in c.words) and not c.broken]  # fmt: skip


def mine(texts: Iterable[str], folder: Path) -> Domain:
    """Write the domain of the scripts into a folder, and read it."""
    usages: dict[str, _Usage] = defaultdict(_Usage)
    calls = [command for text in texts for command in own_calls(text)]
    for command in calls:
        _flags(usages[command.name or ""], command)
    for command in calls:
        _words(usages[command.name or ""], command)
    procs = [_proc(name, usage) for name, usage in sorted(usages.items()) if usage.calls >= MIN_CALLS]
    dsl = {"name": "rules", "embedding": {"open": "dsl {", "close": "}"}, "grammar": "rules.lark"}
    policy = {"forbidden": list(FORBIDDEN)}
    catalog = {"name": "mined", "procs": procs, "variables": [], "dsl": dsl, "policy": policy}
    (folder / "rules.lark").write_text(GRAMMAR, encoding="utf-8")
    (folder / "catalog.json").write_text(json.dumps(catalog), encoding="utf-8")
    return load_domain(folder)


def _is_option(value: str | None) -> bool:
    return value is not None and _OPTION.fullmatch(value) is not None


def _flags(usage: _Usage, command: Command) -> None:
    """An option that is followed by another one, or by nothing, in some call is a flag."""
    usage.calls += 1
    values = [w.value for w in command.words[1:]]
    for value, following in zip(values, [*values[1:], "-end"], strict=False):
        if value is not None and _is_option(value):
            usage.uses[value] += 1
            if _is_option(following):
                usage.flags.add(value)


def _words(usage: _Usage, command: Command) -> None:
    values = [w.value for w in command.words[1:]]
    free, i = 0, 0
    while i < len(values):
        value = values[i]
        if value is not None and _is_option(value):
            if value not in usage.flags:
                i += 1
                usage.values[value].append(values[i] if i < len(values) else None)
        else:
            free += 1
        i += 1
    usage.positionals = max(usage.positionals, free)


def _proc(name: str, usage: _Usage) -> dict[str, Any]:
    args: list[dict[str, Any]] = []
    for option in sorted(usage.uses):
        arg: dict[str, Any] = {"name": option[1:], "required": False}
        seen = usage.values.get(option, [])
        values = sorted({v for v in seen if v is not None})
        if option in usage.flags:
            arg["type"] = "flag"
        elif (
            len(seen) >= MIN_USES
            and None not in seen
            and 1 < len(values) <= MAX_VALUES
            and len(values) < len(seen)
            and all(_WORD.fullmatch(v) for v in values)
        ):
            arg |= {"type": "enum", "values": values}
        args.append(arg)
    args += [{"name": f"arg{i + 1}", "positional": True, "required": False} for i in range(usage.positionals)]
    return {"name": name, "args": args}
