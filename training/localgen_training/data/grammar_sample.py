"""Texts of a DSL drawn from its grammar: one statement, one optional part, one alternative at a time.

Flat statements come from `localgen_grammars.statements`; where a grammar nests, rules are expanded at random, by the
alternatives that end soonest once it is deep enough.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from functools import lru_cache

from lark.grammar import NonTerminal, Rule, Symbol
from lark.lexer import PatternStr, TerminalDef

from localgen_grammars.dsl import DslGrammar
from localgen_grammars.statements import Element, Literal, Nested, Place, Repeated, Statement

from ..values import draw_string
from .regex_sample import sample

_DEEP = 6
_NUMBER = re.compile(r"(\D*?)(\d+(?:\.\d+)?)(\D*)")
_CLOCK = re.compile(r"\d\d:\d\d")
_NAME_POOL = ("clk", "north", "core_a", "B12", "VDD", "zone4", "main", "R2", "alpha", "gate_3", "top", "line1", "K7")


@dataclass(frozen=True)
class Piece:
    """A token of a sampled text: a literal of the language, or a value."""

    text: str
    value: bool


def sample_statement(
    grammar: DslGrammar, statement: Statement, rng: random.Random
) -> tuple[list[Piece], tuple[int, ...]] | None:
    """Tokens of one statement, its optional parts drawn, and which of its elements they are; None without a sample."""
    part = rng.choice(statement.parts)
    pieces = _elements(grammar, [statement.full[i] for i in part], rng)
    return None if pieces is None else (pieces, part)


def sample_whole(grammar: DslGrammar, rng: random.Random) -> list[Piece] | None:
    """Tokens of a whole text of the language."""
    return _Expansion(grammar, rng).symbol(NonTerminal(grammar.lark.options.start[0]), 0)


def joined(pieces: list[Piece], grammar: DslGrammar) -> str | None:
    """The text of tokens as people space them, or with spaces between all, None where the grammar accepts neither."""
    spaced = " ".join(p.text for p in pieces)
    tight = re.sub(r"\s+([,;)\]])", r"\1", spaced)
    tight = re.sub(r"([(\[])\s+", r"\1", tight)
    tight = re.sub(r"\s*\.\.\s*", "..", tight)
    return next((t for t in (tight, spaced) if grammar.accepts(t)), None)


def _elements(grammar: DslGrammar, elements: list[Element], rng: random.Random) -> list[Piece] | None:
    out: list[Piece] = []
    for e in elements:
        if isinstance(e, Literal):
            out.append(Piece(e.text, False))
        elif isinstance(e, Place):
            value = rng.choice(e.values) if e.values else value_of(e.pattern, rng)
            if value is None:
                return None
            out.append(Piece(value, True))
        elif isinstance(e, Repeated):
            for _ in range(rng.choice([1, 1, 2])):
                inner = _elements(grammar, list(rng.choice(e.patterns)), rng)
                if inner is None:
                    return None
                out += inner
        else:
            assert isinstance(e, Nested)
            nested = _Expansion(grammar, rng).symbol(NonTerminal(e.rule), 0)
            if nested is None:
                return None
            out += nested
    return out


def value_of(pattern: str, rng: random.Random) -> str | None:
    """A value of a terminal that looks like one somebody would write; else any that matches."""
    drawn = sample(pattern, rng)
    if not drawn:
        return drawn
    tries = []
    number = _NUMBER.fullmatch(drawn)
    if _CLOCK.fullmatch(drawn):
        tries = [f"{rng.randint(0, 23):02d}:{rng.choice([0, 15, 30, 45, 10, 20]):02d}"]
    elif number is not None:
        head, _, unit = number.groups()
        tries = [f"{head}{n}{unit}" for n in (f"{rng.uniform(0.05, 9):.2g}", rng.randint(1, 40), rng.randint(1, 9))]
        rng.shuffle(tries)
    elif drawn.startswith('"') and drawn.endswith('"'):
        tries = [f'"{rng.choice("ABCDKLMRSTX")}{rng.choice("ABRKW1234")}{rng.randint(1, 99)}"']
    else:
        tries = [rng.choice(_NAME_POOL), draw_string(_NAME_POOL, rng, identifier=True), draw_string(_NAME_POOL, rng)]
    return next((t for t in tries if re.fullmatch(pattern, t)), drawn)


class _Expansion:
    """Expands rules of the compiled grammar at random."""

    def __init__(self, grammar: DslGrammar, rng: random.Random) -> None:
        self._rng = rng
        self._rules, self._terminals, self._least = _tables(grammar)

    def symbol(self, symbol: Symbol, depth: int) -> list[Piece] | None:
        """Tokens of a rule or terminal."""
        if not isinstance(symbol, NonTerminal):
            terminal = self._terminals[symbol.name]
            if isinstance(terminal.pattern, PatternStr):
                return [Piece(str(terminal.pattern.value), False)]
            value = value_of(terminal.pattern.to_regexp(), self._rng)
            return None if value is None else [Piece(value, True)]
        rules = self._rules[symbol.name]
        if depth > _DEEP:
            best = min(self._cost(r) for r in rules)
            rules = [r for r in rules if self._cost(r) == best]
        out: list[Piece] = []
        for s in self._rng.choice(rules).expansion:
            inner = self.symbol(s, depth + 1)
            if inner is None:
                return None
            out += inner
        return out

    def _cost(self, rule: Rule) -> int:
        return max((self._least.get(s.name, 0) if isinstance(s, NonTerminal) else 0 for s in rule.expansion), default=0)


@lru_cache(maxsize=16)
def _tables(grammar: DslGrammar) -> tuple[dict[str, list[Rule]], dict[str, TerminalDef], dict[str, int]]:
    """Rules by name, terminals by name, and the least depth at which a rule can end."""
    rules: dict[str, list[Rule]] = {}
    for rule in grammar.lark.rules:
        rules.setdefault(rule.origin.name, []).append(rule)
    least: dict[str, int] = {}
    changed = True
    while changed:
        changed = False
        for name, own in rules.items():
            costs = []
            for rule in own:
                parts = [least.get(s.name) for s in rule.expansion if isinstance(s, NonTerminal)]
                if None not in parts:
                    costs.append(1 + max((p for p in parts if p is not None), default=0))
            if costs and min(costs) < least.get(name, 1 << 30):
                least[name] = min(costs)
                changed = True
    return rules, {t.name: t for t in grammar.lark.terminals}, least
