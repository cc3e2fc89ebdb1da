"""The context pack: the slice of a catalog that a task needs, within a token budget.

Best symbols first, no symbol cut in half. What is in the pack is what the model reads and what the constraint allows;
how a symbol is written is `render`'s business, how well it fits the task is `retrieve`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from localgen_retrieval.catalog import Dsl, Proc, Production, Variable
from localgen_retrieval.catalog_io import Domain, Example
from localgen_retrieval.render import render_dsl, render_example, render_proc, render_variable
from localgen_retrieval.retrieve import Ranking

MAX_VARIABLES = 4
MAX_PRODUCTIONS = 5
# A variable this far below the best symbol is not worth its tokens (a first guess). A DSL comes in when a production
# leads the best proc by this much in a clause, or is this near to it in the whole instruction: on three tuning domains
# 93% of the DSL tasks are above the latter, 93% of the single calls below.
VARIABLE_MARGIN, DSL_LEAD, DSL_NEAR = 1.5, 0.5, -0.5


@dataclass(frozen=True)
class PackDsl:
    """A DSL in a pack: the catalog's entry, and the productions that the task is likely to need."""

    dsl: Dsl
    productions: tuple[Production, ...] = ()


@dataclass(frozen=True)
class ContextPack:
    """What one task may use, best first, and the text that shows it to the model.

    Attributes:
        proc_scores: relevance of each proc of `procs` (hybrid z-score), in the same order.
        tokens: length of `text` by the counter it was built with. example_text: the end of `text` that shows `example`.
    """

    procs: tuple[Proc, ...]
    proc_scores: tuple[float, ...]
    variables: tuple[Variable, ...]
    dsls: tuple[PackDsl, ...]
    example: Example | None
    text: str
    tokens: int
    left_out: tuple[str, ...] = field(default=())
    example_text: str = ""

    @property
    def symbols(self) -> tuple[str, ...]:
        """Names of everything in the pack."""
        return (*(p.name for p in self.procs), *(v.name for v in self.variables), *(d.dsl.name for d in self.dsls))


@dataclass
class _Budget:
    """Lines taken so far, counted as they are taken."""

    limit: int
    count: Callable[[str], int]
    used: int = 0

    def take(self, line: str) -> bool:
        """Take a line if it still fits."""
        cost = self.count(line + "\n")
        if self.used + cost > self.limit:
            return False
        self.used += cost
        return True


def build_pack(
    domain: Domain, ranking: Ranking, *, budget: int, count_tokens: Callable[[str], int], max_procs: int = 10
) -> ContextPack:
    """Fill a pack of at most `budget` tokens, as `count_tokens` counts.

    The best proc of every clause comes first, then procs by overall score; variables and DSLs that fit the task better
    than the catalog's average; last, if there is room, the worked example closest to the task. A DSL comes in when it
    is the better fit for some clause, or when the catalog has nothing else.
    """
    catalog = domain.catalog
    take = _Budget(budget, count_tokens)
    dsls = relevant_dsls(domain, ranking)
    chosen_dsls: list[PackDsl] = []
    dsl_lines: list[str] = []
    for d in dsls:
        line = render_dsl(d.dsl, d.productions, grammar_excerpt(domain.grammars.get(d.dsl.name, "")))
        if take.take(line):
            chosen_dsls.append(d)
            dsl_lines.append(line)
    variables, variable_lines = [], []
    best = float(ranking.scores.max()) if len(ranking.scores) else 0.0
    for symbol, score in ranking.top("variable", MAX_VARIABLES):
        v = catalog.variables[symbol.position]
        line = render_variable(v)
        if score > best - VARIABLE_MARGIN and take.take(line):
            variables.append(v)
            variable_lines.append(line)
    procs: list[Proc] = []
    scores: list[float] = []
    lines: list[str] = []
    left_out: list[str] = []
    for position, score in proc_order(ranking, max_procs):
        p = catalog.procs[position]
        line = render_proc(p)
        if take.take(line):
            procs.append(p)
            scores.append(score)
            lines.append(line)
        else:
            left_out.append(p.name)
    example, example_lines = _closest_example(domain, ranking, take)
    return ContextPack(
        procs=tuple(procs),
        proc_scores=tuple(scores),
        variables=tuple(variables),
        dsls=tuple(chosen_dsls),
        example=example,
        text="\n".join([*lines, *variable_lines, *dsl_lines, *example_lines]),
        tokens=take.used,
        left_out=tuple(left_out),
        example_text="\n".join(example_lines),
    )


def with_proc(pack: ContextPack, proc: Proc, score: float = 0.0) -> ContextPack:
    """The pack with one more proc behind its procs, whatever the budget."""
    shown = "\n".join(map(render_proc, pack.procs))
    line, rest = render_proc(proc), pack.text[len(shown) :]
    text = f"{shown}\n{line}{rest}" if shown else f"{line}\n{rest}" if rest else line
    return replace(pack, procs=(*pack.procs, proc), proc_scores=(*pack.proc_scores, score), text=text)


def whole_catalog(domain: Domain) -> str:
    """All symbols of a domain as a pack shows them, in the catalog's order: the same text for every task."""
    catalog = domain.catalog
    dsls = [
        render_dsl(d, tuple(d.productions), grammar_excerpt(domain.grammars[d.name]))
        for d in catalog.dsls
        if d.name in domain.grammars
    ]
    return "\n".join([*map(render_proc, catalog.live_procs), *map(render_variable, catalog.variables), *dsls])


def proc_order(ranking: Ranking, limit: int) -> Iterable[tuple[int, float]]:
    """(position, score) of procs: each clause's best first, then by score."""
    index = ranking.of("proc")
    if not len(index):
        return []
    firsts = index[ranking.clause_scores[:, index].argmax(axis=1)]
    best = index[np.argsort(-ranking.scores[index], kind="stable")[: limit + len(firsts)]]
    order = list(dict.fromkeys([*firsts.tolist(), *best.tolist()]))
    return [(ranking.symbols[i].position, float(ranking.scores[i])) for i in order[:limit]]


def relevant_dsls(domain: Domain, ranking: Ranking) -> list[PackDsl]:
    """DSLs with a grammar that some clause asks for: by name, or because a production fits it as well as any proc."""
    found: list[tuple[float, PackDsl]] = []
    others = np.concatenate([ranking.of("proc"), ranking.of("variable")])
    rows = [ranking.scores, *ranking.clause_scores]
    for d, dsl in enumerate(domain.catalog.dsls):
        if dsl.name not in domain.grammars:
            continue
        own = [i for i in ranking.of("production").tolist() if ranking.symbols[i].dsl == d]
        gaps = [float(row[own].max() - row[others].max()) for row in rows] if own and len(others) else [-np.inf]
        fits = gaps[0] > DSL_NEAR or max(gaps) > DSL_LEAD
        named = any(w in ranking.instruction.lower() for w in _names_of(dsl))
        if named or fits or not len(others):
            order = sorted(own, key=lambda i: -float(ranking.scores[i]))[:MAX_PRODUCTIONS]
            positions = [ranking.symbols[i].position for i in order]
            found.append((max(gaps), PackDsl(dsl, tuple(dsl.productions[p] for p in positions if p >= 0))))
    return [p for _, p in sorted(found, key=lambda t: -t[0])]


def _names_of(dsl: Dsl) -> tuple[str, ...]:
    """Words by which an instruction asks for this DSL outright."""
    head = dsl.embedding.open.strip().strip("@{(").split()
    return tuple({f"{w.lower()} block" for w in (dsl.name, *head[:1]) if len(w) > 1})


def _closest_example(domain: Domain, ranking: Ranking, take: _Budget) -> tuple[Example | None, list[str]]:
    for symbol, score in ranking.top("example", 1):
        example = domain.examples[symbol.position]
        line = render_example(example.task, _body(example.script))
        if score > 1.0 and take.take(line):
            return example, [line]
    return None, []


def _body(script: str) -> str:
    """An example's script without its header, comments and blank lines."""
    return "\n".join(line for line in script.splitlines() if line.strip() and not line.lstrip().startswith("#"))


def grammar_excerpt(grammar: str, lines: int = 12) -> str:
    """The first rules of a Lark grammar, for DSLs that describe themselves no other way."""
    kept = [line for line in grammar.splitlines() if line.strip() and not line.lstrip().startswith(("//", "%"))]
    return "\n".join(kept[:lines])
