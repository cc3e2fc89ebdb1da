"""What a generated script says: its calls with their arguments by name, its settings, and the text of its DSL blocks.

Reads scripts that validate (options written out, before the positionals); knows nothing of where values come from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import lark

from localgen_grammars.blocks import braced_block, cut_blocks, is_filler, opener_of
from localgen_grammars.dsl import DslGrammar, DslSyntaxError
from localgen_grammars.tcl.bodies import walk
from localgen_grammars.tcl.lists import ListError, list_values
from localgen_grammars.tcl.nodes import Command, Word
from localgen_grammars.tcl.parser import parse
from localgen_grammars.tcl.roles import Role
from localgen_retrieval.catalog import Catalog, Proc, Value

ValueKind = Literal["literal", "variable", "result", "expression", "script"]


@dataclass(frozen=True)
class Given:
    """An argument as a call gives it.

    Attributes:
        name: the argument's; written: the word as it stands in the script.
        items: the values that Tcl passes on, several for a list; () for a flag or what is only known at run time.
    """

    name: str
    spec: Value
    written: str
    items: tuple[str, ...]
    kind: ValueKind = "literal"


@dataclass(frozen=True)
class ScriptCall:
    """A call of a catalog's proc; its line counts from 1. `nested` is how many bodies and brackets are around it."""

    proc: Proc
    given: tuple[Given, ...]
    line: int
    nested: int = 0


@dataclass(frozen=True)
class Setting:
    """`set VARIABLE value`, of a catalog's variable."""

    name: str
    given: Given
    line: int


@dataclass(frozen=True)
class Loop:
    """`foreach name {values}` or `set name value` of a local variable, with literal values."""

    name: str
    items: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class BlockText:
    """A DSL block: (terminal, text) of its tokens by statement; none where its grammar does not read it."""

    dsl: str
    text: str
    statements: tuple[tuple[tuple[str, str], ...], ...]
    line: int


Said: TypeAlias = ScriptCall | Setting | Loop | BlockText


def read_script(script: str, catalog: Catalog, grammars: Mapping[str, DslGrammar]) -> tuple[Said, ...]:
    """The calls, settings and blocks of a script in order; of a pure DSL, its one block."""
    if catalog.host == "none":
        dsl = next((d for d in catalog.dsls if d.name in grammars), None)
        return (_block(dsl.name, script, grammars, 1),) if dsl is not None and script.strip() else ()
    cut = cut_blocks(script, catalog.dsls)
    found: list[tuple[int, Said]] = []
    for block in cut.blocks:
        line = script.count("\n", 0, block.start) + 1
        text = script[block.inner_start : block.inner_end]
        found.append((block.start, _block(catalog.dsls[block.dsl].name, text, grammars, line)))
    procs = {p.name: p for p in catalog.procs}
    variables = {v.name: v for v in catalog.variables}

    def bodies(command: Command) -> dict[int, Role]:
        proc = procs.get(command.name or "")
        matched = _match(proc, command) if proc is not None else ()
        codes: dict[str, Role] = {"script": "script", "expr": "expr"}
        return {i: codes[value.type] for i, value, _ in matched if value.type in codes}

    for visit in walk(parse(cut.text), bodies):
        command = visit.command
        name = command.name or ""
        line = script.count("\n", 0, command.start) + 1
        opened = opener_of(command, catalog.dsls)
        if opened is not None:
            braced = braced_block(command, opened, catalog.dsls[opened])
            if braced is not None:
                text = script[braced.inner_start : braced.inner_end]
                found.append((command.start, _block(catalog.dsls[opened].name, text, grammars, line)))
        elif name in procs:
            given = tuple(_given(script, n, value, command.words[i]) for i, value, n in _match(procs[name], command))
            found.append((command.start, ScriptCall(procs[name], given, line, visit.depth)))
        elif name == "set" and len(command.words) == 3:
            target = command.words[1].value or ""
            if target in variables:
                spec = variables[target]
                found.append((command.start, Setting(target, _given(script, target, spec, command.words[2]), line)))
            elif command.words[2].value is not None:
                found.append((command.start, Loop(target, (command.words[2].value,), line)))
        elif name == "foreach" and len(command.words) == 4 and command.words[2].value is not None:
            items = _items(command.words[2].value)
            found.append((command.start, Loop(command.words[1].value or "", items, line)))
    return tuple(said for _, said in sorted(found, key=lambda f: f[0]))


def _match(proc: Proc | None, command: Command) -> list[tuple[int, Value, str]]:
    """(index of the word with the value, or of a flag; what it is; its name) of a call's arguments."""
    if proc is None:
        return []
    options = {f"-{a.name}": a for a in proc.options}
    positionals = iter(proc.positionals)
    out: list[tuple[int, Value, str]] = []
    i = 1
    while i < len(command.words):
        word = command.words[i]
        arg = options.get(word.value or "") if word.kind == "bare" else None
        if arg is None:
            arg = next(positionals, None)
            if arg is None:
                break
        elif arg.type != "flag":
            i += 1
        if i < len(command.words):
            out.append((i, arg, arg.name))
        i += 1
    return out


def _given(script: str, name: str, spec: Value, word: Word) -> Given:
    written = script[word.start : word.end]
    if spec.type == "flag":
        return Given(name, spec, written, ())
    if spec.type in ("script", "expr"):
        return Given(name, spec, written, (), "script" if spec.type == "script" else "expression")
    if word.value is None or is_filler(word.value):
        computed: ValueKind = "variable" if written.startswith("$") else "result"
        return Given(name, spec, written, (), "expression" if written.startswith("[expr") else computed)
    return Given(name, spec, written, _items(word.value) if spec.list_ else (word.value,))


def _items(text: str) -> tuple[str, ...]:
    try:
        return tuple(list_values(text))
    except ListError:
        return (text,)


def _block(name: str, text: str, grammars: Mapping[str, DslGrammar], line: int) -> BlockText:
    grammar = grammars.get(name)
    statements: list[tuple[tuple[str, str], ...]] = []
    if grammar is not None:
        try:
            tree = grammar.parse(text)
        except DslSyntaxError:
            tree = None
        for child in tree.children if tree is not None else ():
            statements.append(tuple((t.type, str(t)) for t in _tokens(child)))
    return BlockText(name, text, tuple(s for s in statements if s), line)


def _tokens(child: lark.Tree[lark.Token] | lark.Token) -> Iterator[lark.Token]:
    if isinstance(child, lark.Token):
        yield child
    else:
        yield from child.scan_values(lambda x: isinstance(x, lark.Token))
