"""Deterministic machines over classes of characters.

`first_match` makes one of an ordered machine such that the last accepting state on the way is the match that Python's
`re` prefers (the construction is RE2's for leftmost-first matching). The others are plain set operations.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..constraint.patterns import Unsupported
from .charsets import Ranges
from .nfa import Machine

MAX_STATES = 20_000
DEAD = -1


@dataclass(frozen=True)
class Dfa:
    """States 0 (the start) to n-1; `moves[state]` maps a class of characters to a state, `tags[state]` says what a
    text that ends there is (None: nothing)."""

    moves: tuple[dict[int, int], ...]
    tags: tuple[Hashable, ...]

    @cached_property
    def live(self) -> frozenset[int]:
        """States from which some text is accepted, the empty one included."""
        before: dict[int, list[int]] = {}
        for s, moves in enumerate(self.moves):
            for t in moves.values():
                before.setdefault(t, []).append(s)
        found = {s for s, tag in enumerate(self.tags) if tag is not None}
        todo = list(found)
        while todo:
            for s in before.get(todo.pop(), ()):
                if s not in found:
                    found.add(s)
                    todo.append(s)
        return frozenset(found)


def first_match(machine: Machine, start: int, classes: list[Ranges], whole: bool = False) -> Dfa:
    """The deterministic machine whose last accepting state is the match that backtracking finds first.

    With `whole`, all texts that match as a whole, tagged by the first choice that matches.

    Raises:
        Unsupported: the pattern looks at text before its beginning or behind its end, or grows beyond all bounds.
    """
    code = machine.code
    members: dict[Ranges, frozenset[int]] = {
        r: frozenset(i for i, c in enumerate(classes) if _within(c[0][0], r)) for r in machine.sets()
    }

    def close(pc: int, came_by: int | None, seen: set[int], out: list[int]) -> bool:
        """Append what is reached without reading; whether a match was (what comes later is then never tried)."""
        todo = [pc]
        while todo:
            at = todo.pop()
            if at in seen:
                continue
            seen.add(at)
            op = code[at]
            if op[0] == "split":
                todo += reversed(op[1])
            elif op[0] == "behind":
                if came_by is None:
                    raise Unsupported("a look-behind at its beginning")
                if (came_by in members[op[1]]) is op[2]:
                    todo.append(op[3])
            else:
                out.append(at)
                if op[0] == "match" and not whole:
                    return True
        return False

    def step(threads: tuple[int, ...], c: int) -> tuple[int, ...]:
        out: list[int] = []
        seen: set[int] = set()
        for at in threads:
            op = code[at]
            if op[0] == "char" and c in members[op[1]] and close(op[2], c, seen, out):
                break
            if op[0] == "ahead" and (c in members[op[1]]) is op[2]:
                inner: list[int] = []
                close(op[3], None, set(), inner)
                if any(code[i][0] == "match" for i in inner):
                    raise Unsupported("a look-ahead at its end")
                more = step(tuple(inner), c)
                out += [m for m in more if m not in seen]
                seen.update(more)
                if not whole and any(code[m][0] == "match" for m in more):
                    break
        return tuple(out)

    first: list[int] = []
    close(start, None, set(), first)
    numbers = {tuple(first): 0}
    order = [tuple(first)]
    moves: list[dict[int, int]] = []
    relevant = {at: members[op[1]] if op[0] == "char" else frozenset(range(len(classes)))
                for at, op in enumerate(code) if op[0] in ("char", "ahead")}
    for threads in order:
        row: dict[int, int] = {}
        for c in sorted(frozenset().union(*(relevant.get(t, frozenset()) for t in threads))):
            target = step(threads, c)
            if not target:
                continue
            if target not in numbers:
                if len(numbers) >= MAX_STATES:
                    raise Unsupported("more states than can be told apart")
                numbers[target] = len(numbers)
                order.append(target)
            row[c] = numbers[target]
        moves.append(row)
    for threads in order:
        _no_look_ahead_at_the_end(machine, threads)
    return Dfa(tuple(moves), tuple(next((code[t][1] for t in s if code[t][0] == "match"), None) for s in order))


def _no_look_ahead_at_the_end(machine: Machine, threads: tuple[int, ...]) -> None:
    for t in threads:
        if machine.code[t][0] == "ahead":
            todo, seen = [machine.code[t][3]], set()
            while todo:
                at = todo.pop()
                if at in seen:
                    continue
                seen.add(at)
                op = machine.code[at]
                if op[0] == "match":
                    raise Unsupported("a look-ahead at its end")
                if op[0] == "split":
                    todo += op[1]
                elif op[0] in ("ahead", "behind"):
                    todo.append(op[3])


def _within(c: int, ranges: Ranges) -> bool:
    return any(low <= c <= high for low, high in ranges)


def explore(
    start: Hashable, step: Callable[[Any], Iterable[tuple[int, Hashable]]], tag: Callable[[Any], Hashable]
) -> Dfa:
    """The machine of all states that can be reached from one.

    Raises:
        Unsupported: there are too many.
    """
    numbers: dict[Hashable, int] = {start: 0}
    order = [start]
    moves: list[dict[int, int]] = []
    for state in order:
        row: dict[int, int] = {}
        for c, target in step(state):
            if target not in numbers:
                if len(numbers) >= MAX_STATES:
                    raise Unsupported("more states than can be told apart")
                numbers[target] = len(numbers)
                order.append(target)
            row[c] = numbers[target]
        moves.append(row)
    return Dfa(tuple(moves), tuple(tag(s) for s in order))


def minimal(dfa: Dfa) -> Dfa | None:
    """The smallest machine for the same texts and tags, its states in one fixed order; None if it accepts nothing."""
    live = dfa.live
    if 0 not in live:
        return None
    group = dict.fromkeys(live, 0)
    count = 0
    while True:
        signatures: dict[Hashable, int] = {}
        fresh: dict[int, int] = {}
        for s in live:
            key = (group[s], dfa.tags[s], tuple(sorted((c, group[t]) for c, t in dfa.moves[s].items() if t in live)))
            fresh[s] = signatures.setdefault(key, len(signatures))
        group = fresh
        if len(signatures) == count:
            break
        count = len(signatures)
    some = {g: s for s, g in group.items()}
    numbers, order = {group[0]: 0}, [group[0]]
    moves: list[dict[int, int]] = []
    for g in order:
        row: dict[int, int] = {}
        for c, t in sorted(dfa.moves[some[g]].items()):
            if t not in live:
                continue
            if group[t] not in numbers:
                numbers[group[t]] = len(numbers)
                order.append(group[t])
            row[c] = numbers[group[t]]
        moves.append(row)
    return Dfa(tuple(moves), tuple(dfa.tags[some[g]] for g in order))


def key_of(dfa: Dfa) -> Hashable:
    """Equal for equal minimal machines."""
    return tuple(tuple(sorted(m.items())) for m in dfa.moves), dfa.tags


def both(a: Dfa, b: Dfa) -> Dfa:
    """What both accept."""

    def step(pair: Any) -> Iterable[tuple[int, Hashable]]:
        s, t = pair
        for c, u in a.moves[s].items():
            if c in b.moves[t]:
                yield c, (u, b.moves[t][c])

    def tag(pair: Any) -> Hashable:
        s, t = pair
        return True if a.tags[s] is not None and b.tags[t] is not None else None

    return explore((0, 0), step, tag)


def shortest_text(dfa: Dfa, classes: list[Ranges]) -> str:
    """One of the shortest texts that a machine accepts."""
    before: dict[int, tuple[int, int] | None] = {0: None}
    todo = deque([0])
    while todo:
        s = todo.popleft()
        if dfa.tags[s] is not None:
            text = ""
            while (link := before[s]) is not None:
                s, c = link
                text = chr(classes[c][0][0]) + text
            return text
        for c, t in dfa.moves[s].items():
            if t not in before:
                before[t] = (s, c)
                todo.append(t)
    return ""
