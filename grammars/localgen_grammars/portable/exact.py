"""A Lark grammar as a context-free grammar over pieces of text, exactly the texts that lark parses.

Lark reads in two steps: a lexer cuts the text, a parser judges the terminals. Here both are one grammar: every rule is
written once for each situation in which it may begin (the parser's state, the lexer that is in force, what may not
follow the text before it), and says in which situations it ends. Rules that come out alike are merged afterwards, so
most grammars stay as large as they were. Where lark's LALR tables prefer one way to read on (shift over reduce, rules
with a priority), the other way is forbidden by what may follow. Ignored terminals stand before every terminal and at
the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from lark.grammar import Rule, Terminal
from lark.parsers.lalr_analysis import LALR_Analyzer, Reduce

from localgen_retrieval.errors import GrammarError

from ..dsl import DslGrammar
from .cfg import Cfg, Sequence, Symbol, productive, tidy
from .dfa import Dfa
from .lexing import FREE, Constraint, Lexing, TerminalError, lexing_of

MAX_SITUATIONS = 60_000


class Situation(NamedTuple):
    """Where a rule begins or ends: the lexer in force, what may not follow, which terminals must not come next."""

    lexer: int
    held: Constraint
    barred: frozenset[str]


class Key(NamedTuple):
    """A rule (`at` -1), or the rest of an alternative from `at` on, in a parser's state and a situation."""

    state: int
    rule: Any
    at: int
    begin: Situation


def exact_grammar(grammar: DslGrammar) -> Cfg:
    """The grammar of one DSL's texts.

    Raises:
        GrammarError: a construct that cannot be expressed, with file and line.
    """
    for name in sorted({s.name for r in grammar.lark.rules for s in r.expansion if s.is_term}):
        if name not in grammar.lark.parser.lexer_conf.terminals_by_name:
            raise _refuse(grammar, name, "is declared but not defined (%declare), so no text is known for it")
    try:
        lexing = lexing_of(grammar.lark)
        tables: _Tables = _Lalr(grammar, lexing) if grammar.algorithm == "lalr" else _Earley(grammar, lexing)
        lexing.finish()
        return _Product(grammar, lexing, tables).build()
    except TerminalError as e:
        raise _refuse(grammar, e.name, f"uses {e.construct}, which no grammar engine has") from None


def _refuse(grammar: DslGrammar, name: str, why: str) -> GrammarError:
    where = f"{grammar.path or grammar.name}"
    for number, text in enumerate(grammar.text.splitlines(), 1):
        if re.match(rf"\s*(%declare\s.*)?\b{re.escape(name)}\b", text):
            where += f":{number}"
            break
    return GrammarError(
        f"{where}: terminal {name} {why}",
        hint="write it without that; the other engines would accept other texts than lark does",
        code="grammar-unsupported",
    )


class _Tables:
    """What the two parsers differ in."""

    start: int
    lexing: Lexing

    def begin(self) -> int:
        """The lexer in force at the beginning."""
        raise NotImplementedError

    def go(self, state: int, symbol: str) -> int:
        """The parser's state behind a symbol."""
        raise NotImplementedError

    def lexer_of(self, state: int) -> int:
        """The lexer in force after a terminal was shifted into a state."""
        raise NotImplementedError

    def lexer_for(self, lexer: int, terminal: str) -> int:
        """The lexer that cuts one terminal."""
        raise NotImplementedError

    def lexers(self, lexer: int) -> list[int]:
        """The lexers that may cut what comes next."""
        raise NotImplementedError

    def barred(self, state: int, rule: Rule) -> frozenset[str]:
        """Terminals that must not come next where a rule ends in a state."""
        raise NotImplementedError


class _Lalr(_Tables):
    def __init__(self, grammar: DslGrammar, lexing: Lexing) -> None:
        conf = grammar.lark.parser.parser_conf
        analysis: Any = LALR_Analyzer(conf, debug=True)
        analysis.compute_lalr()
        self._sets = list(analysis.lr0_itemsets)
        numbers = {s: i for i, s in enumerate(self._sets)}
        self.start = numbers[analysis.lr0_start_states["start"]]
        self._go = [{k.name: numbers[t] for k, t in s.transitions.items()} for s in self._sets]
        self._actions = [analysis.parse_table.states[s.closure] for s in self._sets]
        ignored = list(grammar.lark.parser.lexer_conf.ignore)
        known = lexing.terminals
        self._lexers = [
            lexing.lexer(sorted({*(n for n in a if n in known), *ignored})) for a in self._actions
        ]

    def begin(self) -> int:
        return self._lexers[self.start]

    def go(self, state: int, symbol: str) -> int:
        return self._go[state][symbol]

    def lexer_of(self, state: int) -> int:
        return self._lexers[state]

    def lexer_for(self, lexer: int, terminal: str) -> int:
        return lexer

    def lexers(self, lexer: int) -> list[int]:
        return [lexer]

    def barred(self, state: int, rule: Rule) -> frozenset[str]:
        actions = self._actions[state]
        wanted = (la.name for la, rules in self._sets[state].lookaheads.items() if rule in rules)
        return frozenset(n for n in wanted if actions.get(n) != (Reduce, rule))


class _Earley(_Tables):
    def __init__(self, grammar: DslGrammar, lexing: Lexing) -> None:
        self.start = 0
        used = {s.name for r in grammar.lark.rules for s in r.expansion if s.is_term}
        self._lexers = {n: lexing.lexer([n]) for n in sorted({*used, *grammar.lark.parser.lexer_conf.ignore})}

    def begin(self) -> int:
        return -1

    def go(self, state: int, symbol: str) -> int:
        return 0

    def lexer_of(self, state: int) -> int:
        return -1

    def lexer_for(self, lexer: int, terminal: str) -> int:
        return self._lexers[terminal]

    def lexers(self, lexer: int) -> list[int]:
        return list(self._lexers.values())

    def barred(self, state: int, rule: Rule) -> frozenset[str]:
        return frozenset()


class _Product:
    """Finds all situations, then writes the rules."""

    def __init__(self, grammar: DslGrammar, lexing: Lexing, tables: _Tables) -> None:
        self._grammar = grammar
        self._lexing = lexing
        self._tables = tables
        self._ignored = list(grammar.lark.parser.lexer_conf.ignore)
        self._rules: dict[str, list[Rule]] = {}
        for r in grammar.lark.parser.parser_conf.rules:
            self._rules.setdefault(r.origin.name, []).append(r)
        self._ends: dict[Key, set[Situation]] = {}
        self._asked: dict[Key, set[Key]] = {}
        self._out: dict[str, list[Sequence]] = {}
        self._names: dict[Any, str] = {}
        self._used: dict[Constraint, set[int]] = {}
        self._wider: dict[tuple[int, Constraint], int] = {}
        self._easy: dict[tuple[int, Constraint], bool] = {}
        self._blank_pieces: dict[tuple[int, Constraint], list[tuple[int, Constraint]]] = {}

    def build(self) -> Cfg:
        first = Situation(self._tables.begin(), FREE, frozenset())
        root = Key(self._tables.start, "start", -1, first)
        self._find(root)
        alternatives: list[Sequence] = []
        for end in sorted(self._ends[root], key=str):
            if "$END" not in end.barred:
                alternatives.append((self._write(root, end), self._trailing(end.lexer, end.held)))
        self._out["root"] = alternatives
        rules = productive(self._out)
        if "root" not in rules:
            raise GrammarError(
                f"{self._grammar.path or self._grammar.name}: the grammar accepts no text at all",
                hint="no rule that start needs ever ends", code="grammar-empty",
            )
        made = Cfg("root", rules, self._lexing.pieces, self._lexing.classes)
        made.look_ahead = self._looks_ahead()
        return tidy(made)

    # ---------------------------------------------------------------- situations

    def _find(self, root: Key) -> None:
        """Fill `_ends` for everything that the root needs: the least solution, by a list of what is still to do."""
        self._ends[root] = set()
        todo, waiting = [root], {root}
        while todo:
            key = todo.pop()
            waiting.discard(key)
            found: set[Situation] = set()
            for needed, ends in self._steps(key):
                if needed is not None:
                    if needed not in self._ends:
                        self._ends[needed] = set()
                        if len(self._ends) > MAX_SITUATIONS:
                            raise GrammarError(
                                f"{self._grammar.path or self._grammar.name}: too many situations to tell apart",
                                hint="fewer terminals that begin alike make it smaller", code="grammar-too-large",
                            )
                        todo.append(needed)
                        waiting.add(needed)
                    self._asked.setdefault(needed, set()).add(key)
                found |= ends
            if not found <= self._ends[key]:
                self._ends[key] |= found
                for asker in self._asked.get(key, ()):
                    if asker not in waiting:
                        waiting.add(asker)
                        todo.append(asker)

    def _steps(self, key: Key) -> Iterator[tuple[Key | None, set[Situation]]]:
        """What a key needs, and the ends that come of it as far as they are known."""
        if key.at < 0:
            for rule in self._rules.get(key.rule, ()):
                needed = Key(key.state, rule, 0, key.begin)
                yield needed, self._ends.get(needed, set())
            return
        if key.at == len(key.rule.expansion):
            yield None, {self._complete(key)}
            return
        for _, rest in self._ways(key):
            if rest.at < 0:
                yield rest, set()
            else:
                yield rest, self._ends.get(rest, set())

    def _complete(self, key: Key) -> Situation:
        barred = self._tables.barred(key.state, key.rule)
        return key.begin._replace(barred=key.begin.barred | barred) if barred else key.begin

    def _ways(self, key: Key) -> Iterator[tuple[Any, Key]]:
        """The next symbol of an alternative in each way it can end, with the rest; (None, key) is what it needs."""
        symbol = key.rule.expansion[key.at]
        to = self._tables.go(key.state, symbol.name)
        begin = key.begin
        if isinstance(symbol, Terminal):
            if symbol.name in begin.barred:
                return
            after = self._tables.lexer_of(to)
            cut = self._cut(begin.lexer, begin.held, symbol.name)
            for held in sorted({self._eased(after, end) for end in cut}, key=sorted):
                end = Situation(self._widest(after, held), held, frozenset())
                yield (symbol.name, held, after), Key(to, key.rule, key.at + 1, end)
            return
        inner = Key(key.state, symbol.name, -1, begin)
        yield None, inner
        for end in sorted(self._ends.get(inner, set()), key=str):
            yield (inner, end), Key(to, key.rule, key.at + 1, end)

    def _widest(self, lexer: int, held: Constraint) -> int:
        """A lexer of more terminals that cuts those of this one alike: with it, fewer situations differ.

        What only the wider one knows cannot come next: what can is among the terminals that the table accepts.
        """
        key = lexer, held
        if lexer < 0 or key in self._wider:
            return self._wider.get(key, lexer)
        cut, names = self._lexing.pieces_of, self._lexing.names
        at_all = self._blank(lexer, held)
        self._wider[key] = next(
            wide for wide in sorted(range(len(names)), key=lambda n: (-len(names[n]), n))
            if names[lexer] <= names[wide] and all(
                {k: v for k, v in cut(wide, at).items() if k[0] in names[lexer]} == cut(lexer, at) for at in at_all
            )
        )
        return self._wider[key]

    def _cut(self, lexer: int, held: Constraint, terminal: str) -> set[Constraint]:
        """Constraints behind a terminal that may have ignored ones before it."""
        return {end for at in self._blank(lexer, held) for end in self._pieces(lexer, at, terminal)}

    def _pieces(self, lexer: int, held: Constraint, terminal: str) -> dict[Constraint, int]:
        """Pieces of one terminal by the constraint behind them."""
        own = self._tables.lexer_for(lexer, terminal)
        return {end: piece for (name, end), piece in self._lexing.pieces_of(own, held).items() if name == terminal}

    def _blank(self, lexer: int, held: Constraint) -> list[Constraint]:
        """Constraints after any number of ignored terminals."""
        found = [held]
        for at in found:
            found += sorted({end for _, end in self._blanks(lexer, at)} - set(found), key=sorted)
        return found

    def _blanks(self, lexer: int, held: Constraint) -> list[tuple[int, Constraint]]:
        """One ignored terminal: its piece, and the constraint behind it."""
        key = lexer, held
        if key not in self._blank_pieces:
            self._blank_pieces[key] = [
                (self._one(piece, end), FREE) if self._closed(lexer, ignored, end) else (piece, self._eased(lexer, end))
                for ignored in self._ignored
                for end, piece in self._pieces(lexer, held, ignored).items()
            ]
        return self._blank_pieces[key]

    def _eased(self, lexer: int, held: Constraint) -> Constraint:
        """No constraint where nothing that a lexer may cut next is touched by it."""
        key = lexer, held
        if key not in self._easy:
            cut, waits = self._lexing.pieces_of, self._lexing.waits(held)
            self._easy[key] = all(
                cut(own, held) == cut(own, FREE)
                and not any(waits & self._lexing.pieces[p].moves[0].keys() for p in cut(own, FREE).values())
                for own in self._tables.lexers(lexer)
            )
        return FREE if self._easy[key] else held

    def _one(self, piece: int, end: Constraint) -> int:
        """A run of characters as it is, or one of its characters where a run's end cannot be told at once."""
        dfa = self._lexing.pieces[piece]
        if not self._lexing.waits(end):
            return piece
        return self._lexing.number(Dfa((dfa.moves[0], {}), (None, True)))

    def _closed(self, lexer: int, ignored: str, end: Constraint) -> bool:
        """Whether an ignored terminal is a run of characters that may as well be cut into several of it.

        So with `/[ ]+/`: what must not follow it is only more of itself, and nothing else begins like it.
        """
        lexing = self._lexing
        free = self._pieces(lexer, FREE, ignored)
        if list(free) != [end]:
            return False
        dfa = lexing.pieces[free[end]]
        run = dfa.moves[0].keys()
        if len(dfa.moves) != 2 or set(dfa.moves[0].values()) != {1} or dfa.moves[1] != dfa.moves[0]:
            return False
        if lexing.forbidden(end) != run:
            return False
        return all(
            name == ignored or not run & lexing.pieces[p].moves[0].keys()
            for own in self._tables.lexers(lexer)
            for (name, _), p in lexing.pieces_of(own, FREE).items()
        )

    # ---------------------------------------------------------------- rules

    def _name(self, what: Any, stem: str) -> str:
        if what not in self._names:
            self._names[what] = f"{re.sub(r'[^a-z0-9]+', '-', stem.lower()).strip('-') or 'r'}.{len(self._names)}"
        return self._names[what]

    def _write(self, root: Key, end: Situation) -> str:
        """The name of the rule for a key with an end; writes it and all it needs."""
        first = self._name((root, end), "start")
        todo: list[tuple[Key, Situation]] = [(root, end)]
        done = {(root, end)}

        def named(key: Key, to: Situation) -> str:
            if (key, to) not in done:
                done.add((key, to))
                todo.append((key, to))
            stem = key.rule if key.at < 0 else key.rule.origin.name
            return self._name((key, to), str(getattr(stem, "value", stem)))

        while todo:
            key, goal = todo.pop()
            name = named(key, goal)
            if name in self._out:
                continue
            out: list[Sequence] = []
            self._out[name] = out
            if key.at < 0:
                for rule in self._rules.get(key.rule, ()):
                    needed = Key(key.state, rule, 0, key.begin)
                    if goal in self._ends[needed]:
                        out.append((named(needed, goal),))
            elif key.at == len(key.rule.expansion):
                out.append(())
            else:
                for way, rest in self._ways(key):
                    if way is None or goal not in self._ends[rest]:
                        continue
                    head: Symbol
                    if isinstance(way[0], Key):
                        head = named(*way)
                    else:
                        head = self._terminal(key.begin.lexer, key.begin.held, *way)
                    last = rest.at == len(key.rule.expansion) and self._complete(rest) == goal
                    out.append((head,) if last else (head, named(rest, goal)))
        return first

    def _terminal(self, lexer: int, held: Constraint, terminal: str, end: Constraint, to: int) -> str:
        """The rule for a terminal, with ignored ones before it; `to` is the lexer in force behind it."""
        name = self._name(("terminal", lexer, held, terminal, end, to), terminal)
        if name not in self._out:
            out: list[Sequence] = []
            self._out[name] = out
            for at in self._blank(lexer, held):
                for behind, piece in self._pieces(lexer, at, terminal).items():
                    if self._eased(to, behind) == end:
                        if at == held:
                            out.append((self._use(at, piece),))
                        if (before := self._gap(lexer, held, at)) is not None:
                            out.append((before, self._use(at, piece)))
        return name

    def _gap(self, lexer: int, held: Constraint, end: Constraint) -> str | None:
        """The rule for one ignored terminal or more; None if none leads from the one constraint to the other."""
        if not any(end in self._blank(lexer, to) for _, to in self._blanks(lexer, held)):
            return None
        name = self._name(("gap", lexer, held, end), "gap")
        if name not in self._out:
            out: list[Sequence] = []
            self._out[name] = out
            for blank, to in self._blanks(lexer, held):
                if to == end:
                    out.append((self._use(held, blank),))
                if (more := self._gap(lexer, to, end)) is not None:
                    out.append((self._use(held, blank), more))
        return name

    def _trailing(self, lexer: int, held: Constraint) -> str:
        name = self._name(("trailing", lexer, held), "end")
        if name not in self._out:
            gaps = [self._gap(lexer, held, end) for end in self._blank(lexer, held)]
            self._out[name] = [(), *((g,) for g in gaps if g is not None)]
        return name

    def _use(self, held: Constraint, piece: int) -> int:
        self._used.setdefault(held, set()).add(piece)
        return piece

    def _looks_ahead(self) -> bool:
        """Whether some piece may begin with a character that leaves it open whether the piece before it ends there."""
        lexing = self._lexing
        waits = any(
            lexing.waits(held) & lexing.pieces[p].moves[0].keys() for held, used in self._used.items() for p in used
        )
        return waits or (isinstance(self._tables, _Earley) and self._overlaps())

    def _overlaps(self) -> bool:
        """Whether a piece may end where another one that begins like it could go on (Earley tries both, others not)."""
        lexing = self._lexing
        used = sorted(set().union(*self._used.values()))
        follow = [(held, {c for p in ps for c in lexing.pieces[p].moves[0]}) for held, ps in self._used.items()]
        goes = {c for held, firsts in follow for c in firsts if lexing.after(held, c) is not None}
        for a in used:
            for b in used:
                first, second = lexing.pieces[a], lexing.pieces[b]
                seen, todo = {(0, 0)}, [(0, 0)]
                while todo:
                    s, t = todo.pop()
                    if first.tags[s] is not None and goes & second.moves[t].keys() and a != b:
                        return True
                    for c, to in first.moves[s].items():
                        if c in second.moves[t] and (to, second.moves[t][c]) not in seen:
                            seen.add((to, second.moves[t][c]))
                            todo.append((to, second.moves[t][c]))
        return False
