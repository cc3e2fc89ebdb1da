"""The walk through a whole tree, into every body, bracket and expression.

What a team's own commands take as scripts is not known here: the caller says it (`ScriptWords`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from localgen_grammars.tcl.expr import ExprNode, parse_expr
from localgen_grammars.tcl.lists import ListError, split_list
from localgen_grammars.tcl.nodes import Command, Part, Script, Substitution, SyntaxProblem, Variable, Word
from localgen_grammars.tcl.parser import Tree
from localgen_grammars.tcl.roles import Role, definition_roles, roles

MAX_BODY_DEPTH = 40

ScriptWords: TypeAlias = Callable[[Command], dict[int, Role]]


@dataclass(frozen=True, slots=True)
class Visit:
    """One command met by `walk`; `depth` counts the bodies and brackets around it."""

    command: Command
    script: Script
    depth: int


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
