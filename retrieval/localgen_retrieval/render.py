"""How a symbol is written in a context pack: one short signature line, the same at training and at generation time.

    lab::spin -tube <tube> -speed <int rpm> [-mode soft|hard] [-brake] : Spin one tube in the centrifuge.
    var ::tech::corner tt|ss|ff : Process corner.
    block dsl { } rule "<ID>" apply_to: <NET> spacing: <FLOAT>um

Brackets mark what may be left out, angle brackets a placeholder, `...` a list. Knows nothing of budgets or ranking.
"""

from __future__ import annotations

import re

from .catalog import Arg, Dsl, Proc, Production, Value, Variable

MAX_VALUES_SHOWN = 16
_WORD = re.compile(r"[A-Za-z]+|\d+")


def placeholder(value: Value, name: str = "") -> str:
    """What stands for a value in a signature: its enum values, or its type in angle brackets."""
    if value.type == "enum" and value.values:
        shown = "|".join(value.values[:MAX_VALUES_SHOWN])
        more = "|..." if len(value.values) > MAX_VALUES_SHOWN else ""
        return f"{{{shown}{more}}}..." if value.list_ else shown + more
    what = value.kind or "str"
    if value.type in ("int", "float") or value.unit:
        what = "int" if value.type == "int" else "float"
        if value.unit:
            what += f" {value.unit}" + ("!" if value.unit_suffix else "")
    elif value.type in ("bool", "script", "expr"):
        what = value.type
    if name and name.lower() != what:
        what = f"{name}: {what}"
    return f"<{what}{'...' if value.list_ else ''}>"


def unclear_name(arg: Arg) -> bool:
    """Whether an arg's name alone does not say what it is for, so that its doc is worth its tokens."""
    if not arg.doc:
        return False
    stems = {w.lower()[:4] for w in _WORD.findall(arg.doc)}
    return len(arg.name) <= 2 or not any(w.lower()[:4] in stems for w in _WORD.findall(arg.name))


def render_arg(arg: Arg) -> str:
    """One argument of a signature line."""
    doc = f" ({' '.join(arg.doc.rstrip('.').split()[:5])})" if unclear_name(arg) else ""
    if arg.positional:
        text = placeholder(arg, arg.name) + doc
    elif arg.type == "flag":
        text = f"-{arg.name}{doc}"
    else:
        text = f"-{arg.name} {placeholder(arg)}{doc}"
    return text if arg.required else f"[{text}]"


def render_proc(proc: Proc) -> str:
    """The signature line of a proc, with its result type and summary."""
    parts = [proc.name, *(render_arg(a) for a in (*proc.options, *proc.positionals))]
    if proc.returns is not None and proc.returns.type:
        kind = proc.returns.kind or proc.returns.type
        parts.append(f"-> {kind}{'...' if proc.returns.list_ else ''}")
    line = " ".join(parts)
    return f"{line} : {_sentence(proc.summary or proc.notes)}" if proc.summary or proc.notes else line


def render_variable(variable: Variable) -> str:
    """The line of a variable: its name and what it may hold."""
    line = f"var {variable.name} {placeholder(variable)}"
    return f"{line} : {_sentence(variable.doc)}" if variable.doc else line


def render_dsl(dsl: Dsl, productions: tuple[Production, ...] = (), excerpt: str = "") -> str:
    """The lines of a DSL: how a block opens and closes, its summary, and the productions asked for.

    `excerpt` (rules of the grammar) is shown where the catalog has neither summary nor productions.
    """
    head = f"block {dsl.embedding.open.strip()} {dsl.embedding.close.strip()}"
    lines = [head]
    if productions:
        for p in productions:
            summary = f" : {_sentence(p.summary)}" if p.summary else ""
            lines.append(f"  {p.example or p.name}{summary}")
    elif dsl.grammar_summary:
        lines[0] = f"{head} {dsl.grammar_summary}"
    elif excerpt:
        lines += [f"  {line}" for line in excerpt.splitlines()]
    return "\n".join(lines)


def render_example(task: str, script: str) -> str:
    """A worked example: its task and its script, indented."""
    return f"example {' '.join(task.split())}\n" + "\n".join(f"  {line}" for line in script.splitlines())


def _sentence(text: str) -> str:
    """The first sentence of a doc, on one line."""
    return re.split(r"(?<=[.!?])\s", " ".join(text.split()), maxsplit=1)[0]
