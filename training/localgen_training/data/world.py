"""What one example is made in: a domain's symbols, under their own names or under others, and the pack it shows."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

from localgen_retrieval.catalog import Catalog, Dsl, Policy, Proc, Production, Variable
from localgen_retrieval.catalog_io import Domain
from localgen_retrieval.pack import grammar_excerpt
from localgen_retrieval.render import render_dsl, render_proc, render_variable

from .renaming import Renaming
from .source import Source, SourceDsl
from .splits import Split


@dataclass(frozen=True)
class WorldDsl:
    """A DSL as a world has it; `text` is its grammar's, `words` the keywords that are others in this world."""

    entry: Dsl
    text: str
    source: SourceDsl
    words: dict[str, str] = field(default_factory=dict)


@dataclass
class World:
    """A domain's symbols by index.

    Attributes:
        label: the domain's name; with a suffix of its own where the names are changed.
    """

    source: Source
    rng: random.Random
    split: Split
    label: str
    dsls: tuple[WorldDsl, ...]
    renaming: Renaming | None = None

    def proc(self, index: int) -> Proc:
        """The proc at an index of the catalog."""
        return self.renaming.proc(index) if self.renaming else self.source.domain.catalog.procs[index]

    def variable(self, index: int) -> Variable:
        """The variable at an index of the catalog."""
        return self.renaming.variable(index) if self.renaming else self.source.domain.catalog.variables[index]

    def allows(self, *commands: str) -> bool:
        """Whether the policy allows these Tcl commands."""
        return self.source.builtins.issuperset(commands)

    def policy(self) -> Policy:
        """The policy under this world's names."""
        policy = self.source.domain.catalog.policy
        if self.renaming is None or not (policy.required_calls or policy.order):
            return policy
        calls = tuple(self.renaming.name(n) for n in policy.required_calls)
        order = tuple((self.renaming.name(a), self.renaming.name(b)) for a, b in policy.order)
        return policy.model_copy(update={"required_calls": calls, "order": order})


@dataclass
class Shown:
    """The symbols of a pack, by index; `productions` by DSL, best first."""

    procs: list[int] = field(default_factory=list)
    variables: list[int] = field(default_factory=list)
    dsls: dict[int, list[int]] = field(default_factory=dict)

    def add(self, other: Shown) -> None:
        """Add what is not there yet."""
        self.procs += [i for i in other.procs if i not in self.procs]
        self.variables += [i for i in other.variables if i not in self.variables]
        for d, productions in other.dsls.items():
            own = self.dsls.setdefault(d, [])
            own += [p for p in productions if p not in own]


@dataclass(frozen=True)
class Pack:
    """A context pack: its text as the generator's, its symbols' names, and a domain of just these symbols."""

    text: str
    symbols: tuple[str, ...]
    domain: Domain


def pack_of(world: World, shown: Shown) -> Pack:
    """The pack that shows these symbols, procs before variables before DSLs."""
    source = world.source
    procs = tuple(world.proc(i) for i in shown.procs)
    variables = tuple(world.variable(i) for i in shown.variables)
    policy = world.policy()
    lines = [render_proc(p) for p in procs] + [render_variable(v) for v in variables]
    dsls, grammars, paths = [], {}, {}
    for d, positions in shown.dsls.items():
        w = world.dsls[d]
        chosen = tuple(w.entry.productions[p] for p in positions if p >= 0)
        lines.append(render_dsl(w.entry, chosen, grammar_excerpt(w.text)))
        dsls.append(w.entry.model_copy(update={"productions": chosen}))
        grammars[w.entry.name] = w.text
        path = source.domain.grammar_paths.get(w.entry.name)
        if path is not None:
            paths[w.entry.name] = path
    whole = source.domain.catalog
    needed = set(policy.required_calls) - {p.name for p in procs}
    procs += tuple(world.proc(source.by_name[n]) for n in source.domain.catalog.policy.required_calls
                   if n in source.by_name and world.proc(source.by_name[n]).name in needed)  # fmt: skip
    catalog = whole.model_copy(
        update={"procs": procs, "variables": variables, "dsls": tuple(dsls), "policy": policy, "checker": None}
    )
    return Pack("\n".join(lines), _names(procs, variables, dsls), sub_domain(source.domain, catalog, grammars, paths))


def sub_domain(domain: Domain, catalog: Catalog, grammars: dict[str, str], paths: dict) -> Domain:  # type: ignore[type-arg]
    """A domain with another catalog and other grammars."""
    return replace(domain, catalog=catalog, grammars=grammars, grammar_paths=paths, examples=(), warnings=())


def _names(procs: tuple[Proc, ...], variables: tuple[Variable, ...], dsls: list[Dsl]) -> tuple[str, ...]:
    return (*(p.name for p in procs), *(v.name for v in variables), *(d.name for d in dsls))


def with_others(world: World, needed: Shown, most: int) -> Shown:
    """The needed symbols with some that are not, in a noisy order of relevance: needed ones mostly first."""
    rng, source = world.rng, world.source
    others = [i for i in _sample(source.usable, rng.randint(0, most), rng) if i not in needed.procs]
    ranked = [(rng.gauss(2.6 - 0.15 * k, 1.0), i) for k, i in enumerate(needed.procs)]
    ranked += [(rng.gauss(0.4, 0.9), i) for i in others]
    out = Shown([i for _, i in sorted(ranked, key=lambda t: -t[0])], list(needed.variables))
    count = len(source.domain.catalog.variables)
    if count and rng.random() < 0.4:
        out.variables += [i for i in _sample(range(count), rng.randint(1, 2), rng) if i not in out.variables]
        rng.shuffle(out.variables)
    for d, productions in needed.dsls.items():
        out.dsls[d] = _more_productions(world.dsls[d].entry.productions, productions, rng)
    if world.dsls and not needed.dsls and rng.random() < 0.25:
        d = rng.randrange(len(world.dsls))
        out.dsls[d] = _more_productions(world.dsls[d].entry.productions, [], rng)
    return out


def _more_productions(all_: tuple[Production, ...], needed: list[int], rng: random.Random) -> list[int]:
    more = _sample(range(len(all_)), rng.randint(1, 4), rng)
    own = [p for p in needed if p >= 0]
    out = own + [p for p in more if p not in own]
    if rng.random() < 0.2:
        rng.shuffle(out)
    return out


def _sample(pool: range | tuple[int, ...], count: int, rng: random.Random) -> list[int]:
    return rng.sample(pool, min(count, len(pool)))
