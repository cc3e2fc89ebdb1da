"""Context-free grammars over pieces of text, and what makes them small or free of left recursion.

A symbol is a rule's name (`str`) or the number of a piece (`int`). Every step keeps the language.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

from .charsets import Ranges
from .dfa import Dfa

Symbol = str | int
Sequence = tuple[Symbol, ...]


@dataclass
class Cfg:
    """A grammar.

    Attributes:
        rules: alternatives by rule.
        pieces, classes: machines that the numbers in sequences stand for, and what their classes of characters are.
        look_ahead: whether some cut of the text takes more than one character of look-ahead to be found.
    """

    start: str
    rules: dict[str, list[Sequence]]
    pieces: list[Dfa]
    classes: list[Ranges]
    look_ahead: bool = False
    notes: list[str] = field(default_factory=list)

    def with_rules(self, start: str, rules: dict[str, list[Sequence]]) -> Cfg:
        """The same pieces under other rules."""
        return Cfg(start, rules, self.pieces, self.classes, self.look_ahead, self.notes)


def tidy(cfg: Cfg) -> Cfg:
    """Merge rules that say the same, write rules that are used once in their place, drop what nothing reaches."""
    rules, start = _merged(_reached(cfg.rules, cfg.start), cfg.start)
    return cfg.with_rules(start, _inlined(rules, start))


def _reached(rules: dict[str, list[Sequence]], start: str) -> dict[str, list[Sequence]]:
    seen, todo = {start}, [start]
    while todo:
        for alternative in rules[todo.pop()]:
            for s in alternative:
                if isinstance(s, str) and s not in seen:
                    seen.add(s)
                    todo.append(s)
    return {n: list(dict.fromkeys(alts)) for n, alts in rules.items() if n in seen}


def _merged(rules: dict[str, list[Sequence]], start: str) -> tuple[dict[str, list[Sequence]], str]:
    """The coarsest merge such that merged rules have the same alternatives."""
    group = dict.fromkeys(rules, 0)
    count = 0
    while True:
        signatures: dict[Hashable, int] = {}
        fresh = {}
        for n, alts in rules.items():
            key = frozenset(tuple(("r", group[s]) if isinstance(s, str) else s for s in a) for a in alts)
            fresh[n] = signatures.setdefault((group[n], key), len(signatures))
        group = fresh
        if len(signatures) == count:
            break
        count = len(signatures)
    name: dict[int, str] = {}
    for n, g in group.items():
        name.setdefault(g, n)
    out = {}
    for n, alts in rules.items():
        if name[group[n]] == n:
            out[n] = list(dict.fromkeys(tuple(name[group[s]] if isinstance(s, str) else s for s in a) for a in alts))
    return out, name[group[start]]


def _inlined(rules: dict[str, list[Sequence]], start: str) -> dict[str, list[Sequence]]:
    rules = {n: [a for a in alts if a != (n,)] for n, alts in rules.items()}
    while True:
        uses: dict[str, int] = {}
        for alts in rules.values():
            for a in alts:
                for s in a:
                    if isinstance(s, str):
                        uses[s] = uses.get(s, 0) + 1
        victims: dict[str, Sequence] = {}
        named: set[Symbol] = set()
        for n, alts in rules.items():
            once = n != start and len(alts) == 1 and n not in alts[0] and (len(alts[0]) <= 1 or uses.get(n, 0) == 1)
            # A victim's own text must not name another victim: that one waits for the next round.
            if once and n not in named and not any(s in victims for s in alts[0]):
                victims[n] = alts[0]
                named.update(alts[0])
        if not victims:
            return _reached(rules, start)
        rules = {n: [_spliced(a, victims) for a in alts] for n, alts in rules.items() if n not in victims}


def _spliced(alternative: Sequence, by: dict[str, Sequence]) -> Sequence:
    out: list[Symbol] = []
    for s in alternative:
        out += by[s] if isinstance(s, str) and s in by else (s,)
    return tuple(out)


def gathered(cfg: Cfg, limit: int = 4000) -> Cfg:
    """Alternatives that differ in one rule only become one, with a rule for either: fewer ways to try side by side.

    A top-down engine (llama.cpp's) follows all alternatives at once, so `a x | b x` costs it twice what `(a|b) x` does.
    """
    rules = dict(cfg.rules)
    members: dict[str, frozenset[str]] = {}
    names: dict[frozenset[str], str] = {}
    todo = list(rules)

    def either(symbols: Iterable[str]) -> str:
        every = frozenset().union(*(members.get(s, frozenset({s})) for s in symbols))
        if every not in names:
            first = min(every)
            names[every] = f"{first}.{len(names)}u"
            members[names[every]] = every
            rules[names[every]] = [a for m in sorted(every) for a in rules[m]]
            todo.append(names[every])
        return names[every]

    while todo:
        name = todo.pop()
        alternatives = list(dict.fromkeys(rules[name]))
        while len(names) < limit:
            groups: dict[tuple[int, Sequence, Sequence], list[Sequence]] = {}
            for a in alternatives:
                for i in reversed(range(len(a))):
                    if isinstance(a[i], str):
                        groups.setdefault((i, a[:i], a[i + 1 :]), []).append(a)
            found = next(((k, v) for k, v in groups.items() if len(v) > 1), None)
            if found is None:
                break
            (i, before, after), same = found
            one = (*before, either(str(a[i]) for a in same), *after)
            alternatives = list(dict.fromkeys([*(a for a in alternatives if a not in same), one]))
        rules[name] = [a for a in alternatives if a != (name,)]
    return tidy(cfg.with_rules(cfg.start, rules))


def left_factored(cfg: Cfg) -> Cfg:
    """Alternatives that begin alike are begun once: `a x | a y` is `a (x | y)`.

    Without this an engine that tries all alternatives side by side doubles its work at every bracket of an expression.
    """
    rules = dict(cfg.rules)
    todo = list(rules)
    while todo:
        name = todo.pop()
        heads: dict[Symbol, list[Sequence]] = {}
        empty = [a for a in rules[name] if not a]
        for a in rules[name]:
            if a:
                heads.setdefault(a[0], []).append(a)
        out: list[Sequence] = []
        for same in heads.values():
            if len(same) == 1:
                out += same
                continue
            common = 1
            while all(len(a) > common and a[common] == same[0][common] for a in same):
                common += 1
            rest = f"{name}.{len(rules)}f"
            rules[rest] = [a[common:] for a in same]
            todo.append(rest)
            out.append((*same[0][:common], rest))
        rules[name] = [*empty, *out]
    return tidy(cfg.with_rules(cfg.start, rules))


def productive(rules: dict[str, list[Sequence]]) -> dict[str, list[Sequence]]:
    """Without the alternatives from which no text comes."""
    known: set[str] = set()
    while True:
        more = {
            n for n, alts in rules.items()
            if n not in known and any(all(isinstance(s, int) or s in known for s in a) for a in alts)
        }
        if not more:
            break
        known |= more
    return {
        n: [a for a in alts if all(isinstance(s, int) or s in known for s in a)]
        for n, alts in rules.items() if n in known
    }


def without_empty(cfg: Cfg) -> tuple[Cfg, bool]:
    """No rule but the start has an empty text; whether the whole grammar has it."""
    nullable: set[str] = set()
    while True:
        more = {n for n, alts in cfg.rules.items() if n not in nullable
                and any(all(s in nullable for s in a) for a in alts)}
        if not more:
            break
        nullable |= more
    rules: dict[str, list[Sequence]] = {}
    for n, alts in cfg.rules.items():
        out: dict[Sequence, None] = {}
        for a in alts:
            forms: list[Sequence] = [()]
            for s in a:
                forms = [(*f, s) for f in forms] + (forms if s in nullable else [])
            out.update((f, None) for f in forms if f and f != (n,))
        rules[n] = list(out)
    rules = productive(rules)
    rules.setdefault(cfg.start, [])
    return cfg.with_rules(cfg.start, rules), cfg.start in nullable


def without_left_recursion(cfg: Cfg) -> Cfg:
    """No rule begins with itself, directly or through others; the grammar must have no empty texts.

    Rules that begin with each other are a left-linear system; its solution by paths is right-recursive.
    """
    rules = dict(cfg.rules)
    for component in _components(rules):
        inside = set(component)
        if not any(a[0] in inside for n in component for a in rules[n] if a):
            continue
        begins = {n: [a for a in rules[n] if a[0] not in inside] for n in component}
        tails: dict[str, list[tuple[str, Sequence]]] = {n: [] for n in component}  # from n: (to, what is added)
        for n in component:
            for a in rules[n]:
                if a[0] in inside and a != (n,):
                    tails[str(a[0])].append((n, a[1:]))
        fresh: dict[str, list[Sequence]] = {}
        for goal in component:
            reach = _reaching(goal, tails)
            for k in component:
                if k in reach:
                    own: list[Sequence] = [()] if k == goal else []
                    fresh[f"{k}>{goal}"] = own + [(*t, f"{to}>{goal}") for to, t in tails[k] if to in reach]
            rules[goal] = [(*b, f"{k}>{goal}") for k in component if k in reach for b in begins[k]]
        rules |= fresh
    return cfg.with_rules(cfg.start, _reached(rules, cfg.start))


def _reaching(goal: str, tails: dict[str, list[tuple[str, Sequence]]]) -> set[str]:
    found = {goal}
    while True:
        more = {k for k, ways in tails.items() if k not in found and any(to in found for to, _ in ways)}
        if not more:
            return found
        found |= more


def _components(rules: dict[str, list[Sequence]]) -> list[list[str]]:
    """Strongly connected components of "may begin with" (Tarjan, without recursion)."""
    edges = {n: list(dict.fromkeys(a[0] for a in alts if a and isinstance(a[0], str))) for n, alts in rules.items()}
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on: set[str] = set()
    out: list[list[str]] = []
    for root in rules:
        if root in index:
            continue
        work: list[tuple[str, Iterable[Symbol]]] = [(root, iter(edges[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on.add(root)
        while work:
            n, it = work[-1]
            pushed = False
            for m in it:
                m = str(m)
                if m not in index:
                    index[m] = low[m] = len(index)
                    stack.append(m)
                    on.add(m)
                    work.append((m, iter(edges[m])))
                    pushed = True
                    break
                if m in on:
                    low[n] = min(low[n], index[m])
            if pushed:
                continue
            work.pop()
            if work:
                low[work[-1][0]] = min(low[work[-1][0]], low[n])
            if low[n] == index[n]:
                found = []
                while True:
                    m = stack.pop()
                    on.discard(m)
                    found.append(m)
                    if m == n:
                        break
                out.append(sorted(found))
    return out
