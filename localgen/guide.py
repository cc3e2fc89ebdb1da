"""What the reader makes of an instruction: the symbols it asks for, and the votes that follow from it.

Retrieval proposes symbols; the reader reads the instruction beside them and says which are asked for and with which
values. `Guide` turns that into a new ranking and into the advice that decoding takes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from localgen.decoder.assignment import Assignment, Opening, call_openings, call_plan, mentions_of
from localgen.decoder.block_votes import BlockVotes
from localgen.decoder.call_votes import CallVotes
from localgen.decoder.draft import Draft
from localgen.decoder.dsl_reading import DslReader, DslReading
from localgen.decoder.option_scores import OptionScores
from localgen.decoder.plan_features import Evidence, roomy
from localgen.decoder.plan_lattice import TRIED, Candidate, Lattice, clause_spans
from localgen.decoder.said import SaidValues
from localgen.decoder.task_plan import Planned, by_branch
from localgen.decoder.value_hints import ValueHints
from localgen.decoder.votes import dsl_bonus
from localgen_grammars.constraint.grounding import Words
from localgen_grammars.dsl import DslGrammar
from localgen_retrieval.catalog import Arg, Catalog, Proc, Variable
from localgen_retrieval.catalog_io import Domain
from localgen_retrieval.pack import proc_order, relevant_dsls
from localgen_retrieval.reader import GgufReader, Reading, SymbolReading
from localgen_retrieval.reading import ReadSymbol, read_proc, read_variable
from localgen_retrieval.retrieve import Ranking

Floats = NDArray[np.float64]

# How many procs and variables, best first, and DSL statements are read.
PROCS, VARIABLES, STATEMENTS = 5, 3, 14
# Share of the reader's log odds beside retrieval's z-scores, and odds of what was not read.
ODDS_SHARE, UNREAD, MOST = 0.2, -5.0, 6.0
# Share of retrieval's z-scores beside the odds of a DSL's statements.
PRIOR_SHARE = 1.0
# Share of how well the instruction fills a proc's call, against the proc that it fills best.
PLAN_SHARE = 0.2
PLANNED = 3.0  # z-scores that a pack puts what is planned ahead by


@dataclass(frozen=True)
class Plan:
    """How an instruction can be carried out.

    Attributes:
        calls: the ways to fill each call that was read, by name. task: the statements that are asked for, in order.
        left: the share of the instruction's names and numbers that none of them takes.
        score: of the task's statements, above a plan of none; beyond_call: above that of the best single call.
        asked: the reader's log odds of the symbol that is likeliest asked for.
    """

    calls: Mapping[str, Assignment]
    task: tuple[Planned, ...]
    left: float = 0.0
    score: float = math.inf
    beyond_call: float = math.inf
    asked: float = math.inf

    @property
    def sure(self) -> bool:
        """Whether the task's statements were worth planning; the best guess otherwise."""
        return bool(self.task) and all(p.sure for p in self.task)


class DomainReader:
    """What of a domain is the same for every instruction: its symbols as the reader sees them."""

    def __init__(self, domain: Domain, grammars: Mapping[str, DslGrammar], reader: GgufReader) -> None:
        self.domain = domain
        self._reader = reader
        self._procs: dict[int, ReadSymbol] = {}
        self.hints = ValueHints(domain.catalog)
        self.dsls = {
            i: DslReader(dsl, grammars[dsl.name], self.hints.vocabulary)
            for i, dsl in enumerate(domain.catalog.dsls)
            if dsl.name in grammars
        }

    def close(self) -> None:
        """Free the reader."""
        self._reader.close()

    def reread(self, instruction: str, symbol: ReadSymbol, within: tuple[int, int]) -> Reading:
        """Some characters of an instruction, beside one symbol."""
        return self._reader.read(instruction, [symbol], within)

    def read(self, instruction: str, ranking: Ranking) -> Guide:
        """Read an instruction beside what retrieval found for it."""
        catalog = self.domain.catalog
        positions = [i for i, _ in proc_order(ranking, PROCS)]
        variables = [s.position for s, _ in ranking.top("variable", VARIABLES)]
        symbols = [self._procs.setdefault(i, read_proc(catalog.procs[i])) for i in positions]
        symbols += [read_variable(catalog.variables[i]) for i in variables]
        # Reading takes most of a short task's time: a DSL that the pack would not hold is not read.
        names = {found.dsl.name for found in relevant_dsls(self.domain, ranking)}
        dsls = {d: dsl for d, dsl in self.dsls.items() if dsl.dsl.name in names}
        for dsl in dsls.values():
            symbols += dsl.symbols[:STATEMENTS]
        reading = self._reader.read(instruction, symbols)
        found = iter(reading.symbols)
        procs = {catalog.procs[i].name: next(found) for i in positions}
        set_ = {catalog.variables[i].name: next(found) for i in variables}
        statements = {d: [next(found) for _ in dsl.symbols[:STATEMENTS]] for d, dsl in dsls.items()}
        prior = {d: _z_scores(d, dsl, ranking) for d, dsl in dsls.items()}
        return Guide(self, reading, procs, set_, statements, prior)


class Guide:
    """The reading of one instruction.

    Attributes:
        procs, variables: readings by name. statements: those of each DSL, by its index in the catalog.
    """

    def __init__(
        self,
        domain: DomainReader,
        reading: Reading,
        procs: dict[str, SymbolReading],
        variables: dict[str, SymbolReading],
        statements: dict[int, list[SymbolReading]],
        prior: dict[int, Floats],
    ) -> None:
        self._produces = {d: domain.dsls[d].productions[:STATEMENTS] for d in statements}
        self._domain = domain
        self.reading = reading
        self.procs = procs
        self.variables = variables
        self.statements = statements
        self._prior = prior

    @property
    def catalog(self) -> Catalog:
        """The domain's."""
        return self._domain.domain.catalog

    def plan(self, words: Words, scores: OptionScores, names: Sequence[str]) -> dict[str, Assignment]:
        """How the instruction fills the calls that were read, by name; a variable's as `set NAME`.

        Args:
            scores: what speaks for options and values beside the reader. names: words that look like names.
        """
        catalog = self.catalog
        said, mentions = SaidValues(self.reading, words), mentions_of(self.reading.instruction, words, names)
        calls = [(p, self.procs[p.name]) for p in catalog.procs if p.name in self.procs]
        calls += [(_setter(v), self.variables[v.name]) for v in catalog.variables if v.name in self.variables]
        return {p.name: call_plan(p, r, said, mentions, scores, self._domain.hints) for p, r in calls}

    def reranked(self, ranking: Ranking, plans: Mapping[str, Assignment]) -> Ranking:
        """The ranking with the reader's odds in it, and how well each proc's call can be filled."""
        best = max((a.score for name, a in plans.items() if name in self.procs), default=0.0)
        odds = np.full(len(ranking.symbols), UNREAD, np.float32)
        for i, s in enumerate(ranking.symbols):
            if s.kind == "proc" and s.name in self.procs:
                odds[i] = self.procs[s.name].asked
            elif s.kind == "variable" and s.name in self.variables:
                odds[i] = self.variables[s.name].asked
            elif s.kind == "production" and s.dsl in self.statements:
                mine = [r.asked for r, n in zip(self.statements[s.dsl], self._produces[s.dsl], strict=True)
                        if n == s.position]  # fmt: skip
                odds[i] = max(mine, default=UNREAD)
            elif s.kind == "example":
                odds[i] = 0.0
        bonus = ODDS_SHARE * np.clip(odds, -MOST, MOST)
        for i, s in enumerate(ranking.symbols):
            if s.kind == "proc" and s.name in plans:
                bonus[i] += PLAN_SHARE * max(plans[s.name].score - best, -MOST)
        return replace(ranking, scores=(ranking.scores + bonus).astype(np.float32))

    def lattice(
        self, ranking: Ranking, words: Words, names: Sequence[str], calls: Mapping[str, Assignment],
        scores: OptionScores | None = None, tried: int = TRIED,
    ) -> Lattice:  # fmt: skip
        """The ways to cut the instruction into statements; see `task_plan`.

        Args:
            calls: the ways to fill each call, as `plan` has them. scores: as there.
        """
        said, mentions = SaidValues(self.reading, words), mentions_of(self.reading.instruction, words, names)
        spans = clause_spans(ranking.instruction, ranking.clauses)
        cost = roomy(sum(s.kind != "example" for s in ranking.symbols))
        return Lattice(self.candidates(ranking, said, calls, scores), spans, said, mentions, cost, tried=tried)

    def candidates(
        self, ranking: Ranking, said: SaidValues, calls: Mapping[str, Assignment], scores: OptionScores | None = None
    ) -> list[Candidate]:
        """What a statement may be of: the calls, variables and DSL statements that were read."""
        column = {s.name if s.kind == "proc" else f"set {s.name}": i
                  for i, s in enumerate(ranking.symbols) if s.kind in ("proc", "variable")}  # fmt: skip
        spans = clause_spans(ranking.instruction, ranking.clauses)
        read = {**self.procs, **{f"set {name}": r for name, r in self.variables.items()}}
        returning = {p.name for p in self.catalog.procs if p.returns is not None}
        out = []
        for name, c in calls.items():
            whole, clauses = ranking.whole_scores[column[name]], ranking.clause_scores[:, column[name]]
            asked = float(read[name].asked)
            evidence = Evidence(
                float(whole), clauses.astype(np.float64), asked, self._share(spans, read[name]), 0.0, name in returning
            )
            reopen = partial(self._reopened_call, self._as_proc(name), read[name].symbol, said.words, scores)
            out.append(Candidate(name, evidence, c.openings, c.pairs, reopen=reopen))
        for d, readings in self.statements.items():
            if not readings:  # no statement of a form that the grammar fixes
                continue
            dsl = self._domain.dsls[d]
            branch = dsl.dsl.embedding.open.strip()
            reading = DslReading(dsl, readings, said, PRIOR_SHARE * self._prior[d])
            opened = dsl_bonus(branch, ranking.instruction, self.catalog)
            for i, r in enumerate(readings):
                fits = self._prior[d][:, i]
                evidence = Evidence(float(fits[0]), fits[1:], float(r.asked), self._share(spans, r), opened)
                reopen = partial(self._reopened_rule, reading, dsl.symbols[i], i, said.words)
                out.append(Candidate(branch, evidence, reading.openings(i), (), (d, i), reopen))
        return out

    def _as_proc(self, name: str) -> Proc:
        """A proc, or `set NAME` of a variable as if it were one."""
        proc = self.catalog.proc(name)
        if proc is not None:
            return proc
        return next(_setter(v) for v in self.catalog.variables if f"set {v.name}" == name)

    def _reopened_call(
        self, proc: Proc, symbol: ReadSymbol, words: Words, scores: OptionScores | None, start: int, end: int
    ) -> tuple[Opening, ...]:
        reading = self._domain.reread(self.reading.instruction, symbol, (start, end))
        said = SaidValues(reading, words)
        return call_openings(proc, reading.symbols[0], said, scores, self._domain.hints)

    def _reopened_rule(
        self, rules: DslReading, symbol: ReadSymbol, i: int, words: Words, start: int, end: int
    ) -> tuple[Opening, ...]:
        reading = self._domain.reread(self.reading.instruction, symbol, (start, end))
        return rules.openings(i, (reading.symbols[0], SaidValues(reading, words)))

    def _share(self, spans: Sequence[tuple[int, int]], symbol: SymbolReading) -> Floats:
        """(clauses,) of the words that ask for a symbol."""
        return np.array([
            sum(float(np.exp(p)) for p, (a, _) in zip(symbol.clause, self.reading.offsets, strict=False) if s <= a < e)
            for s, e in spans
        ])  # fmt: skip

    def draft(self, plan: Plan, words: Words) -> str | None:
        """The plan written out as a script; None where a value is missing."""
        statements = {d: dsl.statements for d, dsl in self._domain.dsls.items()}
        return Draft(self.catalog, statements).write(plan.task, self.reading.instruction, words.quantities)

    def needed(self, ranking: Ranking, task: Sequence[Planned]) -> Ranking:
        """The ranking with what is planned in front, so that the pack holds it."""
        first: dict[tuple[str, str], float] = {}
        for p in task:
            if p.candidate.statement is None:
                name = p.branch.removeprefix("set ")
                first["variable" if p.branch != name else "proc", name] = PLANNED
        bonus = [first.get((s.kind, s.name), 0.0) for s in ranking.symbols]
        return replace(ranking, scores=(ranking.scores + np.array(bonus)).astype(np.float32))

    def call_votes(
        self, plans: Mapping[str, Assignment], weight: float, task: Sequence[Planned] = ()
    ) -> CallVotes:
        """Advice inside the calls that are planned."""
        catalog = self.catalog
        procs: dict[str, Proc] = {name: p for name in self.procs if (p := catalog.proc(name)) is not None}
        procs |= {f"set {v.name}": _setter(v) for v in catalog.variables if v.name in self.variables}
        return CallVotes(procs, plans, by_branch(task), weight)

    def block_votes(self, words: Words, weight: float, task: Sequence[Planned] = ()) -> BlockVotes:
        """Advice inside DSL blocks."""
        readings = self.dsl_readings(words)
        for d, reading in zip((d for d, found in self.statements.items() if found), readings, strict=True):
            reading.plan([(p.candidate.statement[1], p.assignment) for p in task
                          if p.candidate.statement is not None and p.candidate.statement[0] == d])  # fmt: skip
        return BlockVotes(readings, weight, pure=self._domain.domain.catalog.host == "none")

    def dsl_readings(self, words: Words) -> list[DslReading]:
        """What was read of each DSL's statements."""
        said = SaidValues(self.reading, words)
        return [
            DslReading(self._domain.dsls[d], found, said, PRIOR_SHARE * self._prior[d])
            for d, found in self.statements.items()
            if found
        ]


def _z_scores(d: int, dsl: DslReader, ranking: Ranking) -> Floats:
    """(clauses, statements) retrieval's score of each statement's production, 0 where the catalog has none."""
    found = {s.position: i for i, s in enumerate(ranking.symbols) if s.kind == "production" and s.dsl == d}
    rows = np.vstack([ranking.whole_scores[None], ranking.clause_scores])
    columns = [rows[:, found[n]] if n in found else np.zeros(len(rows)) for n in dsl.productions[:STATEMENTS]]
    return np.array(columns, np.float64).reshape(len(columns), len(rows)).T


def _setter(variable: Variable) -> Proc:
    """`set NAME` as if it were a proc."""
    data = variable.model_dump(by_alias=True, exclude_unset=True) | {"name": "value", "positional": True}
    return Proc(name=f"set {variable.name}", args=(Arg.model_validate(data),))
