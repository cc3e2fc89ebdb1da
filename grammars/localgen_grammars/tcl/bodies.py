"""Which words of Tcl's own commands are scripts, expressions and so on; and the walk through a whole tree by them.

What a team's own commands take as scripts is not known here: the caller says it (`ScriptWords`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from localgen_grammars.tcl.core import ARITY, full_subcommand
from localgen_grammars.tcl.expr import ExprNode, parse_expr
from localgen_grammars.tcl.lists import ListError, split_list
from localgen_grammars.tcl.nodes import Command, Part, Script, Substitution, SyntaxProblem, Variable, Word
from localgen_grammars.tcl.parser import Tree

MAX_BODY_DEPTH = 40

Role = Literal["script", "expr", "cases", "lambda", "subst", "class"]
ScriptWords: TypeAlias = Callable[[Command], dict[int, Role]]


@dataclass(frozen=True, slots=True)
class Visit:
    """One command met by `walk`; `depth` counts the bodies and brackets around it."""

    command: Command
    script: Script
    depth: int


def roles(command: Command) -> dict[int, Role]:
    """The words (by index; 0 is the name) of a core command that hold code. Unknown commands have none."""
    words = command.words
    name = (command.name or "").removeprefix("::")
    handler = _HANDLERS.get(name)
    if handler is None or any(w.expand for w in words):
        return {}
    least, most = ARITY.get(name, (0, None))
    # With a wrong number of words the command fails before it looks into any of them.
    if len(words) - 1 < least or (most is not None and len(words) - 1 > most):
        return {}
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


def definition_roles(command: Command) -> dict[int, Role]:
    """The words of a command in a class definition that hold code."""
    given = len(command.words) - 1
    role = DEFINITIONS.get(command.name or "", {}).get(given)
    return {given: role} if role is not None else {}


def walk(tree: Tree, extra: ScriptWords | None = None, problems: list[SyntaxProblem] | None = None) -> Iterator[Visit]:
    """Every command of a tree: outer before inner, bodies, brackets and expressions included.

    Args:
        tree: what to walk; its `problems` grow as bodies are parsed.
        extra: the code words of commands that are not Tcl's own.
        problems: where errors in expressions and case lists are added.
    """
    found = problems if problems is not None else []
    seen: set[tuple[int, int]] = set()
    yield from _script(tree, tree.script, extra, found, 0, seen)


def expr_parts(node: ExprNode) -> Iterator[Part]:
    """The substitutions in an expression, left to right."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield from node.parts
        waiting.extend(reversed(node.children))


def case_bodies(tree: Tree, word: Word) -> list[tuple[str, int, int]]:
    """(pattern, start, end of the body) of a switch's list in one braced word, fall-through bodies (`-`) left out.

    Raises:
        ListError: where the list is none.
    """
    elements = split_list(tree.text, word.inner_start, word.inner_end)
    pairs = zip(elements[::2], elements[1::2], strict=False)
    return [(p.value, b.inner_start, b.inner_end) for p, b in pairs if b.value != "-"]


def _script(
    tree: Tree,
    script: Script,
    extra: ScriptWords | None,
    problems: list[SyntaxProblem],
    depth: int,
    seen: set[tuple[int, int]],
    *,
    definition: bool = False,
) -> Iterator[Visit]:
    if depth > MAX_BODY_DEPTH:
        problems.append(SyntaxProblem("too-deep", "too many nested bodies", script.start, script.start + 1))
        return
    for command in script.commands:
        yield Visit(command, script, depth)
        for word in command.words:
            yield from _parts(tree, word.parts, extra, problems, depth + 1, seen)
        known = definition_roles(command) if definition else roles(command)
        if not known and extra is not None:
            known = extra(command)
        for index, role in known.items():
            word = command.words[index]
            if word.value is None or not word.verbatim:
                continue
            # A body may be met twice (a bracket inside an expression): its commands are visited once.
            key = (word.start, word.end)
            if key in seen:
                continue
            seen.add(key)
            yield from _code(tree, word, role, extra, problems, depth + 1, seen)


def _code(
    tree: Tree,
    word: Word,
    role: Role,
    extra: ScriptWords | None,
    problems: list[SyntaxProblem],
    depth: int,
    seen: set[tuple[int, int]],
) -> Iterator[Visit]:
    if role in ("script", "class"):
        body = tree.body(word)
        if body is not None:
            yield from _script(tree, body, extra, problems, depth, seen, definition=role == "class")
    elif role == "expr":
        node, problem = parse_expr(tree, word.inner_start, word.inner_end)
        if problem is not None:
            problems.append(problem)
        if node is not None:
            yield from _parts(tree, tuple(expr_parts(node)), extra, problems, depth, seen)
    elif role == "cases":
        try:
            bodies = case_bodies(tree, word)
        except ListError as e:
            problems.append(SyntaxProblem("switch-list", str(e), e.offset, e.offset + 1))
            return
        for _, start, end in bodies:
            yield from _script(tree, tree.body_at(start, end), extra, problems, depth, seen)
    elif role == "lambda":
        try:
            elements = split_list(tree.text, word.inner_start, word.inner_end)
        except ListError:
            return
        if len(elements) in (2, 3):
            body = tree.body_at(elements[1].inner_start, elements[1].inner_end)
            yield from _script(tree, body, extra, problems, depth, seen)
    elif role == "subst":
        parts = tree.substitutions(word.inner_start, word.inner_end)
        yield from _parts(tree, parts, extra, problems, depth, seen)


def _parts(
    tree: Tree,
    parts: tuple[Part, ...],
    extra: ScriptWords | None,
    problems: list[SyntaxProblem],
    depth: int,
    seen: set[tuple[int, int]],
) -> Iterator[Visit]:
    for part in parts:
        if isinstance(part, Substitution):
            yield from _script(tree, part.script, extra, problems, depth, seen)
        elif isinstance(part, Variable) and part.index:
            yield from _parts(tree, part.index, extra, problems, depth, seen)


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


_HANDLERS: dict[str, Callable[[_Words], dict[int, Role]]] = {
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
