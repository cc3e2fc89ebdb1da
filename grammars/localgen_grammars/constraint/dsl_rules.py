"""A team's Lark grammar as rules of the constraint.

Read with lark's own loader (templates, imports and EBNF are already expanded), so there is one meaning. What is written
is a subset in layout only: one separator between tokens where the grammar ignores white space, none before closing
punctuation, no ignored comments. Open terminals are grounded like any string. A construct that no mask engine can
express is refused, with its name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from lark.grammar import NonTerminal, Rule, Symbol, Terminal
from lark.lexer import PatternStr, TerminalDef

from localgen_retrieval.errors import GrammarError

from ..dsl import DslGrammar
from .grounding import Words
from .patterns import Grounder, Unsupported, rewrite

_START = "<start>"
_CLOSING = set(",;)].:")
# lark's common.ESCAPED_STRING looks behind; strings without backslashes are a part of it that needs no looking.
_ESCAPED_STRING, _PLAIN_STRING = r".*?(?<!\\)(\\\\)*?", r'[^"\\\n]*'
_NOT_BLANK = "aZ09_-+.,;:\"'#(/x"
_RE_FLAGS = {"i": re.I, "m": re.M, "s": re.S, "x": re.X, "u": re.U}


@dataclass
class DslRules:
    """Rules and terminals of one DSL, ready to be put into a constraint.

    Attributes:
        start: name of the rule for the text inside a block.
        lines: the grammar's lines.
        multiline: whether a new line may stand between tokens.
        leads: whether the text always begins with a separator.
    """

    start: str
    lines: list[str]
    multiline: bool
    leads: bool = False


@dataclass
class _Tables:
    """What separates tokens: first and last terminals of every symbol, and what may stand before every rule."""

    rules: dict[str, list[Rule]]
    nullable: set[str] = field(default_factory=set)
    last: dict[str, set[str]] = field(default_factory=dict)
    before: dict[str, set[str]] = field(default_factory=dict)


def check_grammar(grammar: DslGrammar) -> None:
    """Refuse a grammar that cannot become a constraint.

    Raises:
        GrammarError: names the terminal and the construct.
    """
    for t in grammar.lark.terminals:
        if t.name not in set(grammar.lark.ignore_tokens):
            _terminal(grammar, t, None, frozenset())


def dsl_rules(
    grammar: DslGrammar, prefix: str, words: Words | None, forbidden: str, leading: bool = True
) -> DslRules | None:
    """Rules named `<prefix>…` for one DSL, grounded in `words`; None if nothing can be written under the grounding.

    `forbidden` are characters that no grounded word may hold (the embedding's brackets); `leading` lets the text
    begin with a separator.

    Raises:
        GrammarError: a terminal has a construct that cannot become a constraint.
    """
    parser = grammar.lark
    ignored = [t for t in parser.terminals if t.name in set(parser.ignore_tokens)]
    literals = frozenset(t.pattern.value for t in parser.terminals if isinstance(t.pattern, PatternStr))
    terminals: dict[str, str] = {}
    for t in parser.terminals:
        if t in ignored:
            continue
        text = _terminal(grammar, t, words, literals, forbidden)
        if text is not None:
            terminals[t.name] = text
    rules: dict[str, list[Rule]] = {}
    for rule in parser.rules:
        rules.setdefault(_rule_name(rule.origin), []).append(rule)
    rules = _productive(rules, set(terminals))
    if "start" not in rules:
        return None
    space, newline = _ignores(ignored, " "), _ignores(ignored, "\n")
    tables = _tables(rules)
    defs = {t.name: t for t in parser.terminals}
    names = {r: f"{prefix}r{i}" for i, r in enumerate(rules)}
    ids = {t: f"{prefix.upper()}T{i}" for i, t in enumerate(terminals)}
    gap = f"{prefix.upper()}GAP"
    lines = [f"{ids[t]}: {text}" for t, text in terminals.items()]
    if space or newline:
        lines.append(f"{gap}: " + (r"/( |\n  )/" if space and newline else "/ /" if space else r"/\n/"))
    separated = space or newline
    first = [_needed(s, _preceding(tables, n, r, i), defs) for n, alts in rules.items() for r in alts
             for i, s in enumerate(r.expansion) if s.is_term and _START in _preceding(tables, n, r, i)]
    leads = leading and newline and bool(first) and all(first)
    for name, alternatives in rules.items():
        bodies = []
        for rule in alternatives:
            parts: list[str] = []
            for i, symbol in enumerate(rule.expansion):
                if symbol.is_term:
                    if separated:
                        parts += _gap(symbol, _preceding(tables, name, rule, i), defs, gap, leads)
                    parts.append(ids[symbol.name])
                else:
                    parts.append(names[_rule_name(symbol)])
            bodies.append(" ".join(parts) or '""')
        lines.append(f"{names[name]}: " + " | ".join(dict.fromkeys(bodies)))
    return DslRules(names["start"], lines, newline, leads)


def _rule_name(symbol: Symbol) -> str:
    name = symbol.name
    return str(getattr(name, "value", name))


def _flags(t: TerminalDef) -> int:
    return sum(_RE_FLAGS.get(f, 0) for f in t.pattern.flags)


def _terminal(
    grammar: DslGrammar, t: TerminalDef, words: Words | None, banned: frozenset[str], forbidden: str = ""
) -> str | None:
    """A terminal's expression; None if grounding leaves nothing to write."""
    pattern = t.pattern
    if isinstance(pattern, PatternStr):
        return json.dumps(pattern.value, ensure_ascii=False)
    value = pattern.value.replace(_ESCAPED_STRING, _PLAIN_STRING)
    compiled = re.compile(value, _flags(t))
    if not any(compiled.fullmatch(c) for c in _NOT_BLANK):
        for blank in ("\n", " "):
            if compiled.fullmatch(blank):
                return json.dumps(blank)
    try:
        regex = rewrite(value, _flags(t), Grounder(words, banned, forbidden + "\n"))
    except Unsupported as e:
        raise _refuse(grammar, t, str(e)) from None
    except re.error as e:
        raise _refuse(grammar, t, str(e)) from None
    return None if regex is None else f"/{regex}/"


def _refuse(grammar: DslGrammar, t: TerminalDef, construct: str) -> GrammarError:
    line = next(
        (n for n, text in enumerate(grammar.text.splitlines(), 1) if re.match(rf"\s*{re.escape(t.name)}\b", text)), 0
    )
    where = f"{grammar.path or grammar.name}" + (f":{line}" if line else "")
    return GrammarError(
        f"{where}: terminal {t.name} uses {construct}, which cannot become a constraint",
        hint="write the terminal without it; validation alone could keep it, generation cannot",
        code="grammar-unsupported",
    )


def _ignores(ignored: list[TerminalDef], text: str) -> bool:
    return any(re.compile(t.pattern.to_regexp(), _flags(t)).fullmatch(text) for t in ignored)


def _productive(rules: dict[str, list[Rule]], terminals: set[str]) -> dict[str, list[Rule]]:
    """The rules from which some text can be written, without the alternatives from which none can."""

    def writable(rule: Rule, known: set[str]) -> bool:
        return all(s.name in terminals if isinstance(s, Terminal) else _rule_name(s) in known for s in rule.expansion)

    known: set[str] = set()
    while True:
        more = {n for n, alts in rules.items() if n not in known and any(writable(r, known) for r in alts)}
        if not more:
            break
        known |= more
    return {n: [r for r in alts if writable(r, known)] for n, alts in rules.items() if n in known}


def _tables(rules: dict[str, list[Rule]]) -> _Tables:
    t = _Tables(rules)
    changed = True
    t.last = {n: set() for n in rules}
    t.before = {n: set() for n in rules}
    t.before["start"] = {_START}
    while changed:
        changed = False
        for name, alternatives in rules.items():
            for rule in alternatives:
                if name not in t.nullable and all(
                    isinstance(s, NonTerminal) and _rule_name(s) in t.nullable for s in rule.expansion
                ):
                    t.nullable.add(name)
                    changed = True
                tail = _ends(t, rule.expansion)
                if not tail <= t.last[name]:
                    t.last[name] |= tail
                    changed = True
    changed = True
    while changed:
        changed = False
        for name, alternatives in rules.items():
            for rule in alternatives:
                for i, s in enumerate(rule.expansion):
                    if isinstance(s, NonTerminal):
                        found = _preceding(t, name, rule, i)
                        if not found <= t.before[_rule_name(s)]:
                            t.before[_rule_name(s)] |= found
                            changed = True
    return t


def _ends(t: _Tables, expansion: Sequence[Symbol]) -> set[str]:
    """Terminals that a sequence may end with."""
    out: set[str] = set()
    for s in reversed(expansion):
        if isinstance(s, Terminal):
            return out | {s.name}
        out |= t.last.get(_rule_name(s), set())
        if _rule_name(s) not in t.nullable:
            break
    return out


def _preceding(t: _Tables, name: str, rule: Rule, i: int) -> set[str]:
    """Terminals that may stand right before the i-th symbol of a rule (`<start>`: the block's beginning)."""
    out: set[str] = set()
    for s in reversed(rule.expansion[:i]):
        if isinstance(s, Terminal):
            return out | {s.name}
        out |= t.last.get(_rule_name(s), set())
        if _rule_name(s) not in t.nullable:
            return out
    return out | t.before[name]


def _gap(symbol: Symbol, before: set[str], defs: dict[str, TerminalDef], gap: str, leads: bool) -> list[str]:
    """What stands before a terminal: a separator, an optional one, or nothing."""
    if before <= {_START} and not leads:
        return []
    if _edge(defs[symbol.name], first=True) in _CLOSING and len(_literal(defs[symbol.name])) == 1:
        return []
    return [gap] if _needed(symbol, before, defs) and (leads or _START not in before) else [f"{gap}?"]


def _needed(symbol: Symbol, before: set[str], defs: dict[str, TerminalDef]) -> bool:
    """Whether a terminal has to be kept apart from what may stand before it (always, at the beginning of a block)."""
    first = _edge(defs[symbol.name], first=True)
    if not (first == "" or first.isalnum() or first in "_\"'{"):
        return False
    ends = {_edge(defs[b], first=False) for b in before if b != _START}
    return not ends or any(e == "" or e.isalnum() or e in "_\"':,;}" for e in ends)


def _literal(t: TerminalDef) -> str:
    return t.pattern.value if isinstance(t.pattern, PatternStr) else ""


def _edge(t: TerminalDef, *, first: bool) -> str:
    """The first or last character of a terminal where it is fixed, "" where it may be any."""
    if isinstance(t.pattern, PatternStr):
        return t.pattern.value[0 if first else -1]
    value = t.pattern.value
    if first and value[:1] in "\"'@#%&=<>;:,~!":
        return str(value[0])
    if not first and value[-1:] in "\"'%;:,":
        return str(value[-1])
    return ""
