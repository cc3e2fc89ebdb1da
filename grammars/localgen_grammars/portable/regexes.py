"""Machines as regular expressions, by eliminating states; what is written is the smallest syntax all engines share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .charsets import Ranges, complement, normal
from .dfa import Dfa

MAX_NODES = 30_000


class TooLarge(Exception):
    """The expression would be too long to be of use."""


@dataclass(frozen=True)
class Node:
    """An expression: `set` (ranges), `cat`, `alt`, `star`, `plus`, `maybe` (parts), or `empty`."""

    kind: str
    parts: tuple[Node, ...] = ()
    ranges: Ranges = ()
    size: int = 1


EMPTY = Node("empty")


def characters(ranges: Ranges) -> Node:
    """One character out of ranges."""
    return Node("set", (), ranges)


def cat(*nodes: Node) -> Node:
    """One after another."""
    parts: list[Node] = []
    for n in nodes:
        if n.kind != "empty":
            parts += n.parts if n.kind == "cat" else (n,)
    if len(parts) < 2:
        return parts[0] if parts else EMPTY
    out: list[Node] = []
    for n in parts:
        if out and n.kind == "star" and out[-1] == n.parts[0]:
            out[-1] = Node("plus", n.parts, (), n.size)
        else:
            out.append(n)
    return out[0] if len(out) == 1 else _made("cat", tuple(out))


def alt(*nodes: Node) -> Node:
    """One of several."""
    parts: dict[Node, None] = {}
    sets: list[tuple[int, int]] = []
    empty = False
    for n in nodes:
        for p in n.parts if n.kind == "alt" else (n,):
            if p.kind == "empty":
                empty = True
            elif p.kind == "maybe":
                empty = True
                parts.update(dict.fromkeys(p.parts[0].parts if p.parts[0].kind == "alt" else p.parts))
            elif p.kind == "set":
                sets += p.ranges
            else:
                parts[p] = None
    every = [*([characters(normal(sets))] if sets else []), *parts]
    sets_in = [p for p in every if p.kind == "set"]
    if len(sets_in) > 1:
        every = [characters(normal(r for p in sets_in for r in p.ranges)), *(p for p in every if p.kind != "set")]
    made = every[0] if len(every) == 1 else _made("alt", tuple(every)) if every else EMPTY
    return maybe(made) if empty else made


def maybe(node: Node) -> Node:
    """It, or nothing."""
    if node.kind in ("empty", "maybe", "star"):
        return node
    if node.kind == "plus":
        return Node("star", node.parts, (), node.size)
    return _made("maybe", (node,))


def star(node: Node) -> Node:
    """Any number of it."""
    if node.kind in ("maybe", "plus", "star"):
        node = node.parts[0]
    return EMPTY if node.kind == "empty" else _made("star", (node,))


def _made(kind: str, parts: tuple[Node, ...]) -> Node:
    size = 1 + sum(p.size for p in parts)
    if size > MAX_NODES:
        raise TooLarge
    return Node(kind, parts, (), size)


def expression(dfa: Dfa, classes: list[Ranges]) -> Node:
    """An expression for what a machine accepts.

    Raises:
        TooLarge: it has more than `MAX_NODES` parts.
    """
    end = len(dfa.moves)
    edges: dict[int, dict[int, Node]] = {s: {} for s in range(-1, end + 1)}
    back: dict[int, set[int]] = {s: set() for s in range(-1, end + 1)}

    def link(s: int, t: int, node: Node) -> None:
        edges[s][t] = alt(edges[s][t], node) if t in edges[s] else node
        back[t].add(s)

    link(-1, 0, EMPTY)
    for s, moves in enumerate(dfa.moves):
        by: dict[int, list[tuple[int, int]]] = {}
        for c, t in moves.items():
            by.setdefault(t, []).extend(classes[c])
        for t, ranges in by.items():
            link(s, t, characters(normal(ranges)))
        if dfa.tags[s] is not None:
            link(s, end, EMPTY)
    left = set(range(end))
    while left:
        s = min(left, key=lambda n: ((len(back[n]) - (n in edges[n])) * (len(edges[n]) - (n in edges[n])), n))
        left.discard(s)
        loop = star(edges[s][s]) if s in edges[s] else EMPTY
        for p in sorted(back[s] - {s}):
            into = edges[p].pop(s)
            for t, out in list(edges[s].items()):
                if t != s:
                    link(p, t, cat(into, loop, out))
        for t in edges.pop(s):
            back[t].discard(s)
    return edges[-1].get(end, EMPTY)


def literal(node: Node) -> str | None:
    """The text of an expression that is one text, else None."""
    parts = node.parts if node.kind == "cat" else (node,)
    if all(p.kind == "set" and len(p.ranges) == 1 and p.ranges[0][0] == p.ranges[0][1] for p in parts):
        return "".join(chr(p.ranges[0][0]) for p in parts)
    return None


def written(node: Node, one: Callable[[int], str], inside: Callable[[int], str], group: tuple[str, str], gap: str,
            quoted: Callable[[str], str] | None = None) -> str:
    """An expression as text.

    Args:
        one, inside: a character outside and inside of a bracketed class.
        group, gap: what encloses a group, and what stands between parts.
        quoted: how a literal of several characters is written; None where characters stand as they are.
    """

    def atom(n: Node) -> str:
        text = show(n)
        bare = n.kind == "set" or (n.kind == "cat" and quoted is not None and literal(n) is not None)
        return text if bare else f"{group[0]}{text}{group[1]}"

    def show(n: Node) -> str:
        if n.kind == "set":
            if len(n.ranges) == 1 and n.ranges[0][0] == n.ranges[0][1]:
                return quoted(chr(n.ranges[0][0])) if quoted is not None else one(n.ranges[0][0])
            outside = complement(n.ranges)
            if not outside:
                return f"[{inside(0)}-{inside(0x10FFFF)}]"
            negated = len(outside) < len(n.ranges)
            text = "".join(
                inside(a) if a == b else f"{inside(a)}-{inside(b)}" for a, b in (outside if negated else n.ranges)
            )
            return f"[^{text}]" if negated else f"[{text}]"
        if n.kind == "cat":
            out: list[str] = []
            run = ""
            for p in n.parts:
                plain = literal(p) if quoted is not None else None
                if plain is not None:
                    run += plain
                    continue
                if run and quoted is not None:
                    out.append(quoted(run))
                    run = ""
                out.append(f"{group[0]}{show(p)}{group[1]}" if p.kind == "alt" else show(p))
            if run and quoted is not None:
                out.append(quoted(run))
            return gap.join(out)
        if n.kind == "alt":
            return f"{gap}|{gap}".join(show(p) for p in n.parts)
        if n.kind == "empty":
            return '""' if quoted is not None else ""
        return atom(n.parts[0]) + {"star": "*", "plus": "+", "maybe": "?"}[n.kind]

    return show(node)
