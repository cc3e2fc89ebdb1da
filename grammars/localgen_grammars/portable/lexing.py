"""How lark cuts a text into terminals, as finite machines.

One machine per lexer (one for each set of terminals that the contextual lexer tries, one per terminal for Earley's
dynamic lexer) says which terminal a piece of text becomes. A piece is only cut where no longer match follows: what may
not follow a piece is a *constraint*, a set of states of one more machine that reads on until a match would have been
longer (forbidden) or cannot be any more (the constraint is over).
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

from lark import lexer as lark_lexer
from lark.lexer import TerminalDef

from ..constraint.patterns import Unsupported
from .charsets import Ranges, partition
from .dfa import Dfa, explore, first_match, key_of, minimal
from .nfa import Machine

Constraint = frozenset[int]
FREE: Constraint = frozenset()

# Lark's own rule for literals that a pattern matches too; it has no types.
_lark_unless: Any = lark_lexer._create_unless


class TerminalError(Exception):
    """A terminal that cannot be a finite machine: its name, and the construct."""

    def __init__(self, name: str, construct: str) -> None:
        super().__init__(f"{name}: {construct}")
        self.name = name
        self.construct = construct


@dataclass
class Lexing:
    """All lexers of one grammar.

    Attributes:
        terminals: those of the grammar by name.
        flags: the grammar's global flags.
        classes: characters that no terminal tells apart are one class.
        names: the terminals of each lexer.
        pieces: the machines of pieces of text, by their numbers; equal ones share a number.
    """

    terminals: dict[str, TerminalDef]
    flags: int = 0
    classes: list[Ranges] = field(init=False)
    pieces: list[Dfa] = field(default_factory=list)
    names: list[frozenset[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        machine = Machine()
        for t in self.terminals.values():
            _add(machine, t, self.flags)
        self.classes = partition(machine.sets())
        self._lexers: dict[tuple[str, ...], int] = {}
        self._machines: list[Dfa] = []
        self._constraint_of: list[dict[int, Constraint]] = []
        self._steps: list[dict[int, int | None]] = []
        self._numbers: dict[Hashable, int] = {}
        self._leads: dict[int, frozenset[int]] = {}
        self._cut: dict[tuple[int, Constraint], dict[tuple[str, Constraint], int]] = {}

    # ---------------------------------------------------------------- lexers

    def lexer(self, names: Iterable[str]) -> int:
        """The number of the lexer that tries these terminals; all must be asked for before `finish`."""
        chosen = [self.terminals[n] for n in names]
        chosen.sort(key=lambda t: (-t.priority, -t.pattern.max_width, -len(t.pattern.value), t.name))
        key = tuple(t.name for t in chosen)
        if key not in self._lexers:
            self._lexers[key] = len(self._machines)
            self.names.append(frozenset(key))
            self._machines.append(self._machine(chosen))
        return self._lexers[key]

    def _machine(self, terminals: list[TerminalDef]) -> Dfa:
        tried, callbacks = _lark_unless(terminals, self.flags, re, False)
        made = self._first(tried, whole=False)
        again = {name: self._first(c.scanner.terminals, whole=True) for name, c in callbacks.items()}
        if not again:
            return minimal(made) or Dfa(({},), (None,))
        names = sorted(again)

        def step(state: Any) -> Iterable[tuple[int, Hashable]]:
            at, others = state
            for c, to in made.moves[at].items():
                yield c, (to, tuple(again[n].moves[o].get(c, -1) if o >= 0 else -1
                                    for n, o in zip(names, others, strict=True)))

        def tag(state: Any) -> Hashable:
            at, others = state
            name: Hashable = made.tags[at]
            if name in again and (o := others[names.index(str(name))]) >= 0:
                whole: Hashable = again[str(name)].tags[o]
                return whole or name
            return name

        return minimal(explore((0, (0,) * len(names)), step, tag)) or Dfa(({},), (None,))

    def _first(self, terminals: list[TerminalDef], whole: bool) -> Dfa:
        machine = Machine()
        starts = [_add(machine, t, self.flags) for t in terminals]
        try:
            return first_match(machine, machine.either(starts), self.classes, whole)
        except Unsupported as e:
            for t in terminals:
                alone = Machine()
                try:
                    first_match(alone, _add(alone, t, self.flags), self.classes, whole)
                except Unsupported as own:
                    raise TerminalError(t.name, str(own)) from None
            raise TerminalError(terminals[0].name, str(e)) from None

    # ---------------------------------------------------------------- constraints

    def finish(self) -> None:
        """All lexers are there: number what may not follow, the same for all of them."""
        nodes = [(m, s) for m, dfa in enumerate(self._machines) for s in dfa.live if self._goes_on(m, s)]
        group: dict[tuple[int, int], int] = dict.fromkeys(nodes, 0)
        count = 0
        while True:
            signatures: dict[Hashable, int] = {}
            fresh = {}
            for node in nodes:
                row = self._row(node)
                known = tuple((c, -1 if to is None else group[to]) for c, to in sorted(row.items()))
                fresh[node] = signatures.setdefault((group[node], known), len(signatures))
            group = fresh
            if len(signatures) == count:
                break
            count = len(signatures)
        some = {g: node for node, g in group.items()}
        self._steps = [
            {c: None if to is None else group[to] for c, to in self._row(some[g]).items()} for g in range(len(some))
        ]
        self._constraint_of = [
            {s: frozenset({group[m, s]}) if (m, s) in group else FREE for s, t in enumerate(dfa.tags) if t is not None}
            for m, dfa in enumerate(self._machines)
        ]

    def _goes_on(self, m: int, s: int) -> bool:
        dfa = self._machines[m]
        return any(t in dfa.live for t in dfa.moves[s].values())

    def _row(self, node: tuple[int, int]) -> dict[int, tuple[int, int] | None]:
        """By class: None where the match would have been longer, else the state that keeps watching."""
        m, s = node
        dfa = self._machines[m]
        return {c: None if dfa.tags[t] is not None else (m, t) for c, t in dfa.moves[s].items() if t in dfa.live}

    def after(self, constraint: Constraint, c: int) -> Constraint | None:
        """The constraint behind one more character; None where that must not follow."""
        out = set()
        for g in constraint:
            row = self._steps[g]
            if c in row:
                to = row[c]
                if to is None:
                    return None
                out.add(to)
        return frozenset(out)

    def waits(self, constraint: Constraint) -> frozenset[int]:
        """Classes of characters behind which the constraint is still not decided, or not at their first byte.

        An engine that reads UTF-8 byte by byte has gone on by then.
        """
        found = frozenset(c for g in constraint for c, to in self._steps[g].items() if to is not None)
        watched = found | self.forbidden(constraint)
        bytes_ = frozenset().union(*(self._lead(c) for c in watched))
        if not bytes_:
            return found
        return found | {c for c in range(len(self.classes)) if c not in watched and bytes_ & self._lead(c)}

    def _lead(self, c: int) -> frozenset[int]:
        """First bytes of those characters of a class that take several."""
        if c not in self._leads:
            self._leads[c] = frozenset(
                b for low, high in self.classes[c] if high > 127
                for b in range(chr(max(low, 128)).encode()[0], chr(high).encode()[0] + 1)
            )
        return self._leads[c]

    def forbidden(self, constraint: Constraint) -> frozenset[int]:
        """Classes of characters that must not come next."""
        return frozenset(c for g in constraint for c, to in self._steps[g].items() if to is None)

    # ---------------------------------------------------------------- pieces

    def pieces_of(self, lexer: int, constraint: Constraint) -> dict[tuple[str, Constraint], int]:
        """What a lexer can cut off where a constraint holds: (terminal, constraint behind it) → number of the piece."""
        found = self._cut.get((lexer, constraint))
        if found is not None:
            return found
        dfa, ends = self._machines[lexer], self._constraint_of[lexer]

        def step(state: Any) -> Iterable[tuple[int, Hashable]]:
            at, held = state
            for c, to in dfa.moves[at].items():
                more = self.after(held, c)
                if more is not None:
                    yield c, (to, more)

        def tag(state: Any) -> Hashable:
            at, held = state
            return None if dfa.tags[at] is None else (dfa.tags[at], held | ends[at])

        made = explore((0, constraint), step, tag)
        found = {}
        tags: set[Any] = {t for s, t in enumerate(made.tags) if t is not None and s != 0}
        for what in sorted(tags, key=str):
            one = minimal(Dfa(made.moves, tuple(True if t == what else None for t in made.tags)))
            if one is not None:
                found[what] = self.number(one)
        self._cut[lexer, constraint] = found
        return found

    def number(self, piece: Dfa) -> int:
        """The number of a minimal machine."""
        key = key_of(piece)
        if key not in self._numbers:
            self._numbers[key] = len(self.pieces)
            self.pieces.append(piece)
        return self._numbers[key]


def _add(machine: Machine, t: TerminalDef, flags: int) -> int:
    try:
        return machine.add(t.pattern.to_regexp(), flags, t.name)
    except Unsupported as e:
        raise TerminalError(t.name, str(e)) from None


def lexing_of(lark: Any) -> Lexing:
    """The lexing of a loaded grammar.

    Raises:
        TerminalError: a terminal is no finite machine.
    """
    conf = lark.parser.lexer_conf
    return Lexing(dict(conf.terminals_by_name), int(conf.g_regex_flags))
