"""Virtual catalogs: tasks over APIs that nobody has (`localgen_training.synthesis`), with a grammar for their DSL.

Every task has procs, options, DSL keywords, embedding and policy of its own, so that it can be judged by the validator
against just its pack.
"""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass
from pathlib import Path

from localgen_retrieval.catalog import Catalog, Dsl, Policy
from localgen_retrieval.catalog_io import Domain

from ..synthesis import Task, examples
from ..virtual_api import VirtualArg, VirtualProduction
from .splits import Split, fields_of
from .world import Pack

_FORBIDDEN = ("exec", "socket", "open", "source", "exit", "file delete", "load", "after", "vwait", "cd", "glob")
_BUILTINS = ("lappend", "string", "format", "join", "lsort", "while", "for", "proc", "return", "catch", "append")
_HEADERS = ("", "", "#!/usr/bin/env tclsh", "#!/usr/bin/tclsh", "# generated", "package require Tcl 8.6")


@dataclass(frozen=True)
class VirtualTask:
    """A task, its pack, and the field of work that it is made from."""

    task: Task
    pack: Pack
    label: str


def virtual_task(seed: str, split: Split, rng: random.Random) -> VirtualTask:
    """A task of a virtual API; another seed, another API."""
    number = int.from_bytes(random.Random(f"virtual {seed}").randbytes(6))
    task = examples(number, 1, f"data-{split}", fields_of(split))[0]
    base = ("set", "puts", "foreach", "if", "expr", "list", "lindex", "llength", "incr")
    policy = Policy(
        forbidden=tuple(rng.sample(_FORBIDDEN, rng.randint(0, 4))),
        allowed_builtins=(*base, *rng.sample(_BUILTINS, rng.randint(0, 4))),
        required_header=rng.choice(_HEADERS[:4]),
    )
    label = f"virtual-{task.field}-{number:x}"
    dsls: tuple[Dsl, ...] = ()
    grammars: dict[str, str] = {}
    if task.dsl is not None:
        dsls = (task.dsl.model_copy(update={"grammar": "virtual.lark"}),)
        grammars = {task.dsl.name: grammar_of(task.productions)}
    catalog = Catalog(
        name=label, description=f"A virtual API: {task.field.replace('_', ' ')}.", procs=task.procs,
        variables=task.variables, dsl=dsls, policy=policy,
    )  # fmt: skip
    paths = {name: Path("virtual.lark") for name in grammars}
    domain = Domain(label, Path(), catalog, grammars, paths, (), None, label, ())
    names = (*(p.name for p in task.procs), *(v.name for v in task.variables), *(d.name for d in dsls))
    return VirtualTask(task, Pack(task.pack, names, domain), label)


def grammar_of(productions: tuple[VirtualProduction, ...]) -> str:
    """A Lark grammar of the statements that `VirtualProduction.statement` writes."""
    rules = [f"p{i}: {_statement(p)}" for i, p in enumerate(productions)]
    choice = " | ".join(f"p{i}" for i in range(len(productions)))
    return (
        f"start: ({choice})+\n" + "\n".join(rules) + '\nQUOTED: /"[A-Za-z_][A-Za-z0-9_]*"/\n'
        "NAME: /[A-Za-z_][A-Za-z0-9_]*/\nNUMBER: /-?[0-9]+(\\.[0-9]+)?/\n"
        + "\n".join(f"{name}: {pattern}" for name, pattern in sorted(_suffixed(productions).items()))
        + "\nWS: /[ \\t\\n]+/\n%ignore WS\n"
    )


def _statement(p: VirtualProduction) -> str:
    s = p.style
    parts = [_literal(p.keyword)]
    if s.name_style != "none":
        parts.append("QUOTED" if s.name_style == "quoted" else "NAME")
    fields = []
    for i, a in enumerate(p.args):
        value = _value(a, s.unit)
        if s.field_style == "phrase":
            joint = p.joints[a.spec.key]
            text = " ".join(([*map(_literal, joint.split())] if joint else []) + [value])
        elif s.field_style == "call":
            text = f'{_literal(a.arg.name)} "=" {value}'
            text = f'"," {text}' if i else text
        elif s.field_style == "block":
            text = f'{_literal(a.arg.name)} {value} ";"'
        else:
            sign = {"colon": ":", "equals": "=", "plain": ""}[s.field_style]
            text = f"{_literal(a.arg.name + sign)} {value}"
        fields.append(f"({text})?" if a.spec.optional else text)
    inner = " ".join(fields)
    if s.field_style == "call":
        inner = f'"(" {inner} ")"'
    if s.field_style == "block":
        return f'{" ".join(parts)} "{{" {inner} "}}"'
    return " ".join((*parts, inner, _literal(s.end) if s.end else ""))


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _unit_terminal(unit: str) -> str:
    return "NUMBER_" + "".join(c.upper() if c.isalnum() and c.isascii() else f"U{ord(c):X}" for c in unit)


def _value(a: VirtualArg, unit_style: str) -> str:
    spec = a.spec
    if spec.type in ("int", "float"):
        if not spec.unit or unit_style == "bare":
            return "NUMBER"
        return _unit_terminal(spec.unit) if unit_style == "attached" else f"NUMBER {_literal(spec.unit)}"
    if spec.type == "enum":
        return "(" + " | ".join(_literal(c) for c in a.codes.values()) + ")"
    if spec.type == "bool":
        return '("true" | "false")'
    return 'NAME ("," NAME)*' if spec.list_ else "NAME"


def _suffixed(productions: tuple[VirtualProduction, ...]) -> dict[str, str]:
    units = {a.spec.unit for p in productions for a in p.args if a.spec.unit and a.spec.type in ("int", "float")}
    return {_unit_terminal(u): rf"/-?[0-9]+(\.[0-9]+)?{re.escape(u).replace('/', chr(92) + '/')}/" for u in units}
