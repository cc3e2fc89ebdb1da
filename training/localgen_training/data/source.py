"""What a domain offers as material: which symbols may be used, what they answer, and names seen in its own examples."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from localgen.validation.grammars import grammars_of
from localgen_bundle.domains import resolve_domain
from localgen_grammars.statements import Statement, match_example, statements_of
from localgen_grammars.tcl import ListError, list_values, parse, walk
from localgen_retrieval.catalog import Arg, Proc
from localgen_retrieval.catalog_io import Domain
from localgen_retrieval.text import name_words

if TYPE_CHECKING:
    from localgen_grammars.dsl import DslGrammar

_MAX_NAMES = 200


@dataclass(frozen=True)
class SourceDsl:
    """A DSL with a grammar: its statements, and which of the catalog's productions (an index, -1: none) each is."""

    index: int
    grammar: DslGrammar
    statements: tuple[Statement, ...]
    productions: tuple[int, ...]


@dataclass(frozen=True)
class Source:
    """A domain as material.

    Attributes:
        usable: indices of the procs that may be generated.
        queries: of these, which tell something and change nothing, as far as the catalog says.
        answers: the queries by the type of the result (`list` where it is one).
        bodies: of these, which take a script.
        names: strings seen as values in the domain's own examples, by kind and by (proc, arg).
        alike: indices of procs whose names share two words or more, by those words.
        builtins: Tcl commands that the policy allows.
    """

    domain: Domain
    usable: tuple[int, ...]
    queries: frozenset[int]
    answers: dict[str, tuple[int, ...]]
    bodies: frozenset[int]
    dsls: tuple[SourceDsl, ...]
    names: dict[str, tuple[str, ...]]
    alike: tuple[tuple[str, tuple[int, ...]], ...]
    builtins: frozenset[str]
    by_name: dict[str, int] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether nothing can be made of it."""
        return not self.usable and not self.dsls and not self.domain.catalog.variables


def open_source(name_or_dir: str) -> Source:
    """Read a domain (a folder, or the name of a bundled one) as material.

    Raises:
        UsageError, CatalogError, GrammarError: as the product says it.
    """
    return source_of(resolve_domain(name_or_dir))


def source_of(domain: Domain) -> Source:
    """A domain that is read already as material."""
    catalog = domain.catalog
    barred = {n.removeprefix("::") for n in catalog.policy.forbidden}
    usable = [
        i for i, p in enumerate(catalog.procs) if p.deprecated is None and p.name.removeprefix("::") not in barred
    ]
    if catalog.host != "tcl":
        usable = []
    telling = any(p.side_effects for p in catalog.procs)
    queries = [i for i in usable if _queries(catalog.procs[i], telling)]
    answers: dict[str, list[int]] = {}
    for i in queries:
        returns = catalog.procs[i].returns
        assert returns is not None
        answers.setdefault("list" if returns.list_ else returns.type, []).append(i)
    bodies = frozenset(i for i in usable if any(a.type == "script" for a in catalog.procs[i].args))
    return Source(
        domain=domain,
        usable=tuple(usable),
        queries=frozenset(queries),
        answers={k: tuple(v) for k, v in answers.items()},
        bodies=bodies,
        dsls=tuple(_dsls(domain)),
        names=_names(domain),
        alike=_alike(catalog.procs, usable),
        builtins=frozenset(catalog.policy.allowed_builtins),
        by_name={p.name: i for i, p in enumerate(catalog.procs)},
    )


# A summary that names what the proc answers, or says that it answers, and one that says what it does.
_TELLS = re.compile(
    r"(?:number|total|whether|list|the|an?|names?|worst|best|current|min\w*|max\w*|average|all|true|is|are|has|how|what"
    r"|counts?|values?|share|amount|sum|length|ids?|returns?|gets?|reports?|tells?|quer\w+|gives?|reads?|checks?)\b",
    re.I,
)
_TELLING_NAME = re.compile(
    r"(?:^|_|::)(?:is|has|get|count|list|query|num|total|find)(?=_|$|[A-Z])|_(?:count|list|total)$"
)


def _queries(proc: Proc, telling: bool) -> bool:
    """Whether a proc tells something; `telling`: the catalog says which procs have side effects."""
    if proc.returns is None or not proc.returns.type or proc.side_effects:
        return False
    if any(a.required and a.type in ("script", "expr") for a in proc.args):
        return False
    return telling or bool(_TELLS.match(proc.summary) or _TELLING_NAME.search(proc.name))


def _dsls(domain: Domain) -> Iterable[SourceDsl]:
    grammars = grammars_of(domain)
    for index, dsl in enumerate(domain.catalog.dsls):
        if dsl.name not in grammars:
            continue
        grammar = grammars[dsl.name]
        statements = statements_of(grammar)
        which = [-1] * len(statements)
        for p, production in enumerate(dsl.productions):
            found = match_example(grammar, statements, production.example) if production.example else None
            if found is not None and which[found[0]] < 0:
                which[found[0]] = p
        yield SourceDsl(index, grammar, statements, tuple(which))


def _names(domain: Domain) -> dict[str, tuple[str, ...]]:
    """Values of string args in the catalog's example calls and the domain's scripts."""
    procs = {p.name: p for p in domain.catalog.procs}
    texts = [e for p in domain.catalog.procs for e in p.examples] + [e.script for e in domain.examples]
    found: dict[str, dict[str, None]] = {}
    for text in texts:
        for visit in walk(parse(text)):
            proc = procs.get((visit.command.name or "").removeprefix("::"))
            if proc is None:
                continue
            values = [w.value for w in visit.command.words[1:]]
            for arg, value in _assigned(proc, values):
                if arg.type != "string" or arg.unit or arg.pattern or arg.kind in ("", "file", "variable"):
                    continue
                try:
                    items = list_values(value) if arg.list_ else [value]
                except ListError:
                    continue
                for item in items:
                    if item and item.isprintable() and len(item) < 40:
                        found.setdefault(arg.kind, {})[item] = None
    return {kind: tuple(list(values)[:_MAX_NAMES]) for kind, values in found.items()}


def _assigned(proc: Proc, words: list[str | None]) -> Iterable[tuple[Arg, str]]:
    """(arg, value) of a plain call; what is computed is left out."""
    options = {f"-{a.name}": a for a in proc.options}
    bare = iter(proc.positionals)
    i = 0
    while i < len(words):
        word = words[i]
        arg = options.get(word or "")
        if arg is not None and arg.type == "flag":
            i += 1
            continue
        if arg is not None:
            value = words[i + 1] if i + 1 < len(words) else None
            i += 2
        else:
            arg, value = next(bare, None), word
            i += 1
        if arg is not None and value is not None:
            yield arg, value


def _alike(procs: tuple[Proc, ...], usable: list[int]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Groups of two to four procs that the same words may mean, by those words."""
    groups: dict[str, list[int]] = {}
    for i in usable:
        words = [w.lower() for w in name_words(procs[i].name.rpartition("::")[2]).split()]
        for a, first in enumerate(words):
            for second in words[a + 1 :]:
                groups.setdefault(f"{first} {second}", []).append(i)
        if len(words) > 1:
            groups.setdefault(words[0], []).append(i)
            groups.setdefault(words[-1], []).append(i)
    kept = {words: tuple(dict.fromkeys(g)) for words, g in groups.items()}
    return tuple((words, group) for words, group in sorted(kept.items()) if 2 <= len(group) <= 4)
