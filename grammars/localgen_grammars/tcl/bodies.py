"""The walk through a whole tree, into every body, bracket and expression.

What a team's own commands take as scripts is not known here: the caller says it (`ScriptWords`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from localgen_grammars.tcl.expr import ExprNode, parse_expr
from localgen_grammars.tcl.lists import ListError, split_list
from localgen_grammars.tcl.nodes import Command, Part, Script, Substitution, SyntaxProblem, Variable, Word
from localgen_grammars.tcl.parser import Tree
from localgen_grammars.tcl.roles import Role, definition_roles, roles

MAX_BODY_DEPTH = 40

ScriptWords: TypeAlias = Callable[[Command], Mapping[int, Role]]


@dataclass(slots=True)
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
    walker = _Walker(tree, extra, problems if problems is not None else [])
    walker.script(tree.script, 0)
    return iter(walker.visits)


def by_name(visits: Iterable[Visit]) -> dict[str | None, list[Visit]]:
    """Visits by the first word of their commands, None where only a run can tell it."""
    named: dict[str | None, list[Visit]] = {}
    for visit in visits:
        name = visit.command.words[0].value
        if name in named:
            named[name].append(visit)
        else:
            named[name] = [visit]
    return named


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


class _Walker:
    """One walk; `visits` are the commands in their order."""

    def __init__(self, tree: Tree, extra: ScriptWords | None, problems: list[SyntaxProblem]) -> None:
        self.tree = tree
        self.extra = extra
        self.problems = problems
        self.visits: list[Visit] = []
        # A body may be met twice (a bracket inside an expression): its commands are visited once.
        self.seen: set[int] = set()

    def script(self, script: Script, depth: int, *, definition: bool = False) -> None:
        """The commands of a script and what is inside them."""
        if depth > MAX_BODY_DEPTH:
            self.problems.append(SyntaxProblem("too-deep", "too many nested bodies", script.start, script.start + 1))
            return
        visits, seen, extra = self.visits, self.seen, self.extra
        for command in script.commands:
            visits.append(Visit(command, script, depth))
            words = command.words
            for word in words:
                if word.value is None:
                    self.parts(word.parts, depth + 1)
            known = definition_roles(command) if definition else roles(command)
            if not known:
                if extra is None:
                    continue
                known = extra(command)
            for index, role in known.items():
                word = words[index]
                if word.value is None or word.start in seen or not word.verbatim:
                    continue
                seen.add(word.start)
                self.code(word, role, depth + 1)

    def code(self, word: Word, role: Role, depth: int) -> None:
        """A word that is code."""
        tree = self.tree
        if role == "script" or role == "class":
            body = tree.body(word)
            if body is not None:
                self.script(body, depth, definition=role == "class")
        elif role == "expr":
            node, problem = parse_expr(tree, word.inner_start, word.inner_end)
            if problem is not None:
                self.problems.append(problem)
            if node is not None:
                self.expression(node, depth)
        elif role == "cases":
            try:
                bodies = case_bodies(tree, word)
            except ListError as e:
                self.problems.append(SyntaxProblem("switch-list", str(e), e.offset, e.offset + 1))
                return
            for _, start, end in bodies:
                self.script(tree.body_at(start, end), depth)
        elif role == "lambda":
            try:
                elements = split_list(tree.text, word.inner_start, word.inner_end)
            except ListError:
                return
            if len(elements) in (2, 3):
                self.script(tree.body_at(elements[1].inner_start, elements[1].inner_end), depth)
        elif role == "subst":
            self.parts(tree.substitutions(word.inner_start, word.inner_end), depth)

    def expression(self, node: ExprNode, depth: int) -> None:
        """The commands in an expression, left to right."""
        waiting = [node]
        while waiting:
            node = waiting.pop()
            if node.parts:
                self.parts(node.parts, depth)
            if node.children:
                waiting.extend(reversed(node.children))

    def parts(self, parts: tuple[Part, ...], depth: int) -> None:
        """The commands in a word's substitutions."""
        for part in parts:
            if isinstance(part, Substitution):
                self.script(part.script, depth)
            elif isinstance(part, Variable) and part.index:
                self.parts(part.index, depth)
