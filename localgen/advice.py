"""Advice on one task: what retrieval and the reader make of an instruction, as votes that the decoder takes.

`advise` plans the task before anything is written; `Advice.vote` is asked at every token.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from localgen.decoder.assignment import Assignment
from localgen.decoder.completion import Completer
from localgen.decoder.decode import Vote
from localgen.decoder.model import LlamaModel
from localgen.decoder.names import enumerated, looks_like_a_name
from localgen.decoder.option_scores import Encode, OptionScores
from localgen.decoder.plan_lattice import TRIED, Lattice
from localgen.decoder.tail_scores import TailScores
from localgen.decoder.task_plan import branches_of, by_branch, left_over, plan_task
from localgen.decoder.texts import TokenTexts
from localgen.decoder.votes import STATEMENT_WEIGHT, StatementVotes, Steps, applied
from localgen.decoder.word_votes import WORD_WEIGHT, RepetitionVotes, WordVotes
from localgen.guide import Guide, Plan
from localgen_grammars.constraint import Constraint
from localgen_grammars.constraint.grounding import Words
from localgen_retrieval.retrieve import Ranking

Floats = NDArray[np.float64]

KEPT = 256  # places of which the votes are kept
# A plan without a call is doubted where it leaves over more than this share of the names and numbers that are said: of
# those for real requests nearly all leave less, of those for words at random few do.
BORNE_OUT = 0.4
# So is one that a call is nearly as good as (in nats), where something is left over or nothing speaks for it much.
CLOSE, SOME_LEFT, WEAK = 5.0, 0.15, 5.4


@dataclass(frozen=True)
class Weights:
    """Shares of the votes; 0 switches one off."""

    statements: float = STATEMENT_WEIGHT
    words: float = WORD_WEIGHT
    reader: float = 1.0


@dataclass(frozen=True)
class Advice:
    """What is known of a task before it is written.

    Attributes:
        ranking: retrieval's, with what the reader says and how well each call can be filled.
        plan: the calls, and the task's statements clause by clause.
    """

    guide: Guide
    ranking: Ranking
    plan: Plan

    @property
    def asks_for_a_call(self) -> bool:
        """Whether a script for this task calls a proc: one is planned, or nothing that the instruction bears out."""
        plan = self.plan
        close = plan.beyond_call < CLOSE and (plan.left > SOME_LEFT or plan.score < WEAK)
        return not plan.sure or plan.left > BORNE_OUT or close or any(p.candidate.calls for p in plan.task)

    def for_pack(self) -> Ranking:
        """The ranking that the context pack is built by: of several statements, each is in it."""
        return self.guide.needed(self.ranking, self.plan.task) if len(self.plan.task) > 1 else self.ranking

    def completer(self, constraint: Constraint, blocks: tuple[tuple[str, str], ...]) -> Completer:
        """Finishes calls that the budget cuts off, as the plan has them."""
        names = constraint.tail.union(constraint.procs)
        procs = {p.name: p for p in self.guide.catalog.procs if p.name in names}
        return Completer(procs, self.plan.calls, by_branch(self.plan.task), blocks)

    def vote(self, constraint: Constraint, model: LlamaModel, weights: Weights) -> Vote:
        """The votes at each place of a script: inside blocks, at its statements, inside calls, among words."""
        instruction, catalog, task = self.ranking.instruction, self.guide.catalog, self.plan.task
        words, ends = constraint.words or Words(), frozenset(model.end_tokens())
        listed = not task and bool(enumerated(instruction, words))
        tail = TailScores(self.ranking, constraint.tail, weights.statements) if constraint.tail else None
        statements = StatementVotes(
            self.ranking, constraint.procs, catalog, weights.statements, listed, branches_of(task), tail
        )
        blocks = self.guide.block_votes(words, weights.reader, task)
        calls = self.guide.call_votes(self.plan.calls, weights.reader, task)
        among_words = WordVotes(constraint.words, instruction, catalog, weights.words)
        repeated, texts = RepetitionVotes(), TokenTexts(model)

        def advised(text: str, tokens: NDArray[np.int64]) -> Steps:
            written = texts.of(tokens)
            if blocks.inside(text) is not None:
                return blocks.steps(text, tokens, written, ends)
            chosen = statements.steps(text, tokens, written, ends)
            if chosen is None:
                chosen = (calls if calls.inside(text) else among_words).steps(text, written)
            return repeated.steps(text, written) + chosen

        # Candidates mostly write the same for a while: what is advised there is worked out once.
        known: dict[tuple[str, bytes], Steps] = {}

        def vote(text: str, tokens: NDArray[np.int64], log_probs: Floats) -> Floats | None:
            key = text, tokens.tobytes()
            steps = known.get(key)
            if steps is None:
                if len(known) >= KEPT:
                    del known[next(iter(known))]
                steps = known[key] = advised(text, tokens)
            return applied(steps, log_probs)

        return vote


def advise(guide: Guide, ranking: Ranking, encode: Encode, words: Words) -> Advice:
    """Plan a task.

    Args:
        guide: the instruction as it was read. encode: texts to unit vectors. words: what values may be made of.
    """
    ranking, calls, lattice = considered(guide, ranking, encode, words)
    task = plan_task(lattice)
    score = lattice.score(lattice.best()[0]) if task else 0.0
    asked = max((c.evidence.asked for c in lattice.candidates), default=math.inf)
    beyond = score - lattice.best_call() if task else 0.0
    plan = Plan(calls, task, left_over(task, lattice.mentions), score, beyond, asked)
    return Advice(guide, ranking, plan)


def considered(
    guide: Guide, ranking: Ranking, encode: Encode, words: Words, tried: int = TRIED
) -> tuple[Ranking, Mapping[str, Assignment], Lattice]:
    """What a plan is made from: the ranking with the reader's odds, the ways to fill each call, and all plans."""
    names = [w for w in words.names if looks_like_a_name(w) or w in words.quoted]
    read = [p for p in guide.catalog.procs if p.name in guide.procs]
    scores = OptionScores(ranking.instruction, read, encode, words.quantities, names)
    calls = guide.plan(words, scores, names)
    ranking = guide.reranked(ranking, calls)
    return ranking, calls, guide.lattice(ranking, words, names, calls, scores, tried)
