"""The statements of a DSL as flat patterns: what its grammar says a statement may look like, word by word.

`"halt" NAME "when" "wind" ">" WIND` has two literals' worth of words between its two places for values. Optional parts
make several patterns of one statement; what repeats is kept as such. A grammar that nests (expressions in brackets) has
`Nested` where it does: a pattern ends to be useful there, and nothing is claimed about it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from re import _constants as sre
from re import _parser
from typing import Any

from lark.grammar import NonTerminal, Rule, Symbol
from lark.lexer import PatternStr, TerminalDef, Token

from localgen_retrieval.errors import LocalgenError

from .dsl import DslGrammar

MAX_PATTERNS = 256
MAX_CHOICES = 40


@dataclass(frozen=True)
class Literal:
    """A word or sign of the language; `terminal` is its name in the grammar."""

    text: str
    terminal: str


@dataclass(frozen=True)
class Place:
    """Where a value stands.

    Attributes:
        terminal: its name in the grammar.
        pattern: regular expression of the whole value.
        values: what it chooses from, where the language lists it.
    """

    terminal: str
    pattern: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Repeated:
    """One or more of some patterns."""

    patterns: tuple[tuple[Element, ...], ...]


@dataclass(frozen=True)
class Nested:
    """A rule that holds itself."""

    rule: str


Element = Literal | Place | Repeated | Nested
Pattern = tuple[Element, ...]


@dataclass(frozen=True)
class Statement:
    """A statement of the language.

    Attributes:
        full: the pattern with all optional parts.
        parts: for each pattern of the statement, which elements of `full` it has; the full one first.
    """

    full: Pattern
    parts: tuple[tuple[int, ...], ...]


def statements_of(grammar: DslGrammar) -> tuple[Statement, ...]:
    """The statements of a grammar: what `start` repeats, or `start` itself where it repeats nothing."""
    expander = _Expander(grammar)
    whole = expander.patterns(NonTerminal(grammar.lark.options.start[0]), ())
    units = [e for p in whole for e in p if isinstance(e, Repeated)]
    patterns = max(units, key=lambda r: len(r.patterns)).patterns if units else tuple(whole)
    return tuple(_merge_choices(_statements(list(dict.fromkeys(patterns)))))


def match_example(grammar: DslGrammar, statements: Sequence[Statement], example: str) -> tuple[int, list[Token]] | None:
    """The statement that an example is of, and the example's tokens; None for several statements, or for none."""
    tokens = _tokens(grammar, example)
    names = "".join(f"{t.type} " for t in tokens)
    for i, s in enumerate(statements):
        for part in s.parts:
            if re.fullmatch(_names(tuple(s.full[k] for k in part)), names):
                return i, tokens
    return None


def match_block(grammar: DslGrammar, statements: Sequence[Statement], text: str) -> list[tuple[int, list[Token]]]:
    """The statements of a block in order, each with its tokens; what belongs to none is left out."""
    tokens, found, at = _tokens(grammar, text), list[tuple[int, list[Token]]](), 0
    parts = [(i, tuple(s.full[k] for k in part)) for i, s in enumerate(statements) for part in s.parts]
    known = [(i, re.compile(_names(part))) for i, part in parts]
    while at < len(tokens):
        names = "".join(f"{t.type} " for t in tokens[at:])
        matches = [(m.end(), i) for i, pattern in known if (m := pattern.match(names)) is not None]
        length, i = max(matches, key=lambda m: (m[0], -m[1]), default=(0, -1))
        if length:
            found.append((i, tokens[at : at + names[:length].count(" ")]))
        at += names[:length].count(" ") if length else 1
    return found


def _tokens(grammar: DslGrammar, text: str) -> list[Token]:
    """The tokens of a text in order; none where the grammar does not read it."""
    try:
        tokens = list(grammar.parse(text).scan_values(lambda t: isinstance(t, Token)))
    except LocalgenError:
        return []
    return sorted(tokens, key=lambda t: t.start_pos or 0)


def _names(pattern: Pattern) -> str:
    """A regular expression over the names of terminals, each with a space behind it."""
    out = ""
    for e in pattern:
        if isinstance(e, Literal):
            out += re.escape(e.terminal) + " "
        elif isinstance(e, Place):
            out += "(?:" + "|".join(re.escape(t) for t in e.terminal.split("|")) + ") "
        elif isinstance(e, Repeated):
            out += "(?:" + "|".join(_names(p) for p in e.patterns) + ")+"
        else:
            out += "(?:[A-Za-z0-9_]+ )+"
    return out


class _Expander:
    """Unfolds rules into patterns."""

    def __init__(self, grammar: DslGrammar) -> None:
        self._rules: dict[str, list[Rule]] = {}
        for rule in grammar.lark.rules:
            self._rules.setdefault(rule.origin.name, []).append(rule)
        self._terminals = {t.name: t for t in grammar.lark.terminals}

    def patterns(self, symbol: Symbol, stack: tuple[str, ...]) -> list[Pattern]:
        """The patterns of a symbol; one with `Nested` where it holds itself or has too many."""
        if not isinstance(symbol, NonTerminal):
            return [(_element(self._terminals[symbol.name]),)]
        name = symbol.name
        if name in stack:
            return [(Nested(name),)]
        rules = self._rules[name]
        own = [r for r in rules if r.expansion and r.expansion[0] == symbol]
        if own:  # `x: x y | z`: lark's form of what repeats
            once = [p for r in rules if r not in own for p in self._of(r, (*stack, name))]
            again = [p for r in own for p in self._sequence(r.expansion[1:], (*stack, name))]
            if set(once) == set(again):
                return [(Repeated(tuple(dict.fromkeys(once))),)]
            return [(*p, *more) for p in once for more in ((), (Repeated(tuple(dict.fromkeys(again))),))]
        found = [p for r in rules for p in self._of(r, (*stack, name))]
        return found if len(found) <= MAX_PATTERNS else [(Nested(name),)]

    def _of(self, rule: Rule, stack: tuple[str, ...]) -> list[Pattern]:
        return self._sequence(rule.expansion, stack)

    def _sequence(self, symbols: Iterable[Symbol], stack: tuple[str, ...]) -> list[Pattern]:
        out: list[Pattern] = [()]
        for s in symbols:
            more = self.patterns(s, stack)
            if len(out) * len(more) > MAX_PATTERNS:
                more = [(Nested(s.name),)]
            out = [(*a, *b) for a, b in itertools.product(out, more)]
        return list(dict.fromkeys(out))


def _element(terminal: TerminalDef) -> Element:
    if isinstance(terminal.pattern, PatternStr):
        return Literal(terminal.pattern.value, terminal.name)
    regex = terminal.pattern.to_regexp()
    return Place(terminal.name, regex, _choices(terminal.pattern.value))


def _choices(regex: str) -> tuple[str, ...]:
    """What a regular expression that only lists texts chooses from, in its order; none for another, or for many."""
    try:
        found = _texts(list(_parser.parse(regex)))
    except (ValueError, re.error):
        return ()
    return tuple(dict.fromkeys(found)) if 1 < len(found) <= MAX_CHOICES and all(found) else ()


def _texts(items: Iterable[Any]) -> list[str]:
    out = [""]
    for op, av in items:
        if op is sre.LITERAL:
            more = [chr(av)]
        elif op is sre.SUBPATTERN:
            more = _texts(list(av[3]))
        elif op is sre.BRANCH:
            more = [text for branch in av[1] for text in _texts(list(branch))]
        elif op is sre.IN and all(o is sre.LITERAL for o, _ in av):
            more = [chr(c) for _, c in av]
        else:
            raise ValueError(op)
        out = [a + b for a, b in itertools.product(out, more)][: MAX_CHOICES + 1]
    return out


def _merge_choices(statements: Sequence[Statement]) -> list[Statement]:
    """Statements that differ in one literal alone become one with a choice there."""
    found = list(statements)
    while True:
        groups: dict[tuple[int, Pattern, tuple[tuple[int, ...], ...]], list[Statement]] = {}
        for s in found:
            for i in range(1, len(s.full)):  # not the first word: that is what tells statements apart
                if isinstance(s.full[i], Literal) or _listed(s.full[i]):
                    groups.setdefault((i, (*s.full[:i], *s.full[i + 1 :]), s.parts), []).append(s)
        several = [(i, alike) for (i, _, _), alike in groups.items() if len(alike) > 1]
        if not several:
            return found
        i, alike = max(several, key=lambda t: len(t[1]))
        first = alike[0].full
        choice = _choice([s.full[i] for s in alike])
        found[found.index(alike[0])] = Statement((*first[:i], choice, *first[i + 1 :]), alike[0].parts)
        found = [s for s in found if s not in alike[1:]]


def _listed(e: Element) -> bool:
    return isinstance(e, Place) and bool(e.values)


def _choice(elements: Sequence[Element]) -> Place:
    names, values = [], []
    for e in elements:
        if isinstance(e, Literal):
            names.append(e.terminal)
            values.append(e.text)
        elif isinstance(e, Place):
            names += e.terminal.split("|")
            values += e.values
    return Place("|".join(names), "|".join(map(re.escape, values)), tuple(values))


def _statements(patterns: Sequence[Pattern]) -> tuple[Statement, ...]:
    """Each pattern that is no part of another, with those that are parts of it."""
    order = sorted(patterns, key=len, reverse=True)
    fulls: list[tuple[Pattern, list[tuple[int, ...]]]] = []
    for p in order:
        for full, parts in fulls:
            at = _positions(p, full)
            if at is not None:
                parts.append(at)
                break
        else:
            fulls.append((p, [tuple(range(len(p)))]))
    fulls.sort(key=lambda f: patterns.index(f[0]))
    return tuple(Statement(full, tuple(dict.fromkeys(parts))) for full, parts in fulls)


def _positions(part: Pattern, full: Pattern) -> tuple[int, ...] | None:
    """Where the elements of a part stand in the full pattern; None where it is no part, or begins otherwise."""
    if not part or part[0] != full[0]:
        return None
    at: list[int] = []
    i = 0
    for e in part:
        while i < len(full) and full[i] != e:
            i += 1
        if i == len(full):
            return None
        at.append(i)
        i += 1
    return tuple(at)
