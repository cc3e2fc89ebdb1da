"""The main job: retrieve → context pack → constraint → decode → validate → rank.

`Generator` keeps what is expensive (`models`) for one domain; `generate` answers one instruction. Reading and saving
files is the commands' business.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from localgen.advice import Advice, Weights, advise
from localgen.attempt import Attempt, clarified, confidence, notes_on
from localgen.choose import Choice
from localgen.clarify import (
    Clarification,
    low_confidence,
    missing_value,
    nothing_fits,
    outside_catalog,
    two_procs,
    unsaid_value,
)
from localgen.clock import Clock
from localgen.confidence import doubts, figures
from localgen.decoder.candidate import Candidate
from localgen.decoder.decode import DecodeSettings, decode
from localgen.decoder.model import LlamaModel
from localgen.decoder.search import Boundary, Check
from localgen.decoder.tail import Tail, Typed
from localgen.dialogue import Task, preferred
from localgen.facts import texts, with_facts
from localgen.models import Models, load_models
from localgen.options import Options
from localgen.outcome import Outcome
from localgen.provenance import Sources, origins
from localgen.rank import Ranked, rank
from localgen.remote import OpenAiServer, candidates_of
from localgen.repair import faults
from localgen.scripts import called_procs, used_symbols
from localgen.validation.grammars import grammars_of
from localgen_grammars.constraint import Constraint, compile_constraint
from localgen_grammars.constraint.grounding import Words, words_of
from localgen_retrieval.catalog_io import Domain
from localgen_retrieval.errors import ModelError, UsageError
from localgen_retrieval.pack import ContextPack, with_proc
from localgen_retrieval.retrieve import Ranking


@dataclass(frozen=True)
class Decoded:
    """What one decoding started from and came to, for those who measure: model, the prompt's ids, all candidates."""

    model: LlamaModel
    prompt: list[int]
    candidates: Sequence[Candidate]


@dataclass(frozen=True)
class Request:
    """One task as it is put to a model: the pack, the task's text with its facts, and the constraint."""

    task: Task
    pack: ContextPack
    facts: tuple[str, ...]
    text: str
    constraint: Constraint
    advice: Advice


class Generator:
    """Writes scripts for one domain.

    Args:
        model: a GGUF file; the bundled one by default.
        server: writes instead of a model here.
        progress: called with a few words on what is going on.
        cache_dir: for the index; platformdirs' user cache by default.
        weights: shares of the votes in decoding; 0 switches one off.
        observe: called with every decoding, before the candidates are ranked.

    Raises:
        ModelError, CatalogError, GrammarError: by the first `generate`.
    """

    def __init__(
        self,
        domain: Domain,
        *,
        model: Path | None = None,
        server: OpenAiServer | None = None,
        progress: Callable[[str], None] | None = None,
        cache_dir: Path | None = None,
        weights: Weights | None = None,
        observe: Callable[[Decoded], None] | None = None,
    ) -> None:
        self.domain = domain
        self.weights = weights or Weights()
        self._observe = observe
        self._model_path, self._cache_dir, self._server = model, cache_dir, server
        self._progress = progress or (lambda _text: None)
        self._models: Models | None = None

    def generate(
        self, instruction: str, options: Options, context: dict[str, Any] | None = None, answers: Sequence[str] = ()
    ) -> Outcome:
        """Answer one instruction.

        Args:
            context: facts about the situation; their texts are sources for values too.
            answers: to the questions that it leads to, one after the other.
        """
        task = Task(instruction)
        made = self.attempt(task, options, context)
        for answer in answers:
            if made.question is None or made.outcome.type != "clarification":
                break
            task = task.answered(made.question, answer)
            made = self.attempt(task, options, context)
        return made.outcome

    def attempt(self, task: Task, options: Options, context: dict[str, Any] | None = None) -> Attempt:
        """Answer one task, and say what led to the answer; arguments as `generate` has them."""
        clock, catalog = Clock(), self.domain.catalog
        with clock.part("load"):
            models = self._load()
        start = time.perf_counter()
        with clock.part("retrieve"):
            self._progress("retrieving")
            ranking = preferred(models.retriever.rank(task.text), task.procs)
        question = None if task.procs else outside_catalog(ranking, catalog)
        if options.ask and question is not None:
            return clarified(question, clock, start)
        with clock.part("read"):
            advice = self._advise(models, task, ranking, context)
        ranking = advice.ranking
        question = question or (None if task.procs else nothing_fits(advice.plan, ranking, catalog))
        question = question or unsaid_value(advice.plan, ranking, catalog)
        question = question or (None if task.procs else two_procs(advice.plan, ranking, catalog))
        if options.ask and question is not None:
            return clarified(question, clock, start)
        here = self._server is None  # another engine does not stop where a name of the tail ends
        request = self._request(models, task, advice, options, context, clock, plain=not here, tail=here)
        candidates = self._write(models, request, options, clock)
        with clock.part("validate"):
            wanted = bool(self._wanted(request))
            typed = dict.fromkeys(name for c in candidates for name in c.typed)
            ranked = rank(candidates, task.text, ranking, (*request.constraint.procs, *typed), call_wanted=wanted)
            choices = self._choose(models, ranked, task.text)
        written = [c for c in candidates if not c.drafted]
        tokens = sum(c.tokens for c in written)
        if question is None and not advice.plan.sure:
            said, best = " ".join((task.text, *request.facts)), choices[0]
            question = missing_value(best.ranked.text, said, catalog, request.constraint.excluded, ranking)
        if options.ask and question is not None:
            return clarified(question, clock, start, len(written), tokens)
        return self._judged(request, choices, question, options, clock, start, (len(written), tokens))

    def request(
        self, instruction: str, options: Options, context: dict[str, Any] | None = None, *, plain: bool = True
    ) -> Request:
        """What another engine needs to write the script.

        Args:
            plain: only calls, catalog variables and blocks, which an engine without parameters can be told too.
        """
        models, task = self._load(), Task(instruction)
        advice = self._advise(models, task, models.retriever.rank(instruction), context)
        return self._request(models, task, advice, options, context, Clock(), plain=plain)

    def close(self) -> None:
        """Free the models."""
        if self._models is not None:
            self._models.close()
        self._models = None

    # ---------------------------------------------------------------- parts

    def _load(self) -> Models:
        if self._models is None:
            self._models = load_models(self.domain, self._model_path, self._cache_dir, self._progress)
        return self._models

    def _advise(self, models: Models, task: Task, ranking: Ranking, context: dict[str, Any] | None) -> Advice:
        facts = tuple(texts(context)) if context else ()
        guide = models.reader.read(task.text, ranking)
        return advise(guide, ranking, models.encoder.encode, words_of(task.text, *facts))

    def _request(
        self, models: Models, task: Task, advice: Advice, options: Options, context: dict[str, Any] | None,
        clock: Clock, *, plain: bool, tail: bool = False,
    ) -> Request:  # fmt: skip
        facts = tuple(texts(context)) if context else ()
        with clock.part("compile"):
            pack = models.pack(advice.for_pack(), "chat" if self._server is not None else None)
            constraint = self._constraint(task, pack, facts, options, plain=plain, tail=tail)
        return Request(task, pack, facts, with_facts(task.text, context), constraint, advice)

    def _constraint(
        self, task: Task, pack: ContextPack, facts: tuple[str, ...], options: Options, *,
        plain: bool = False, calls_only: bool = False, tail: bool = False,
    ) -> Constraint:  # fmt: skip
        return compile_constraint(
            self.domain, pack, grammars_of(self.domain), task.text,
            grounding=options.grounding, more_sources=facts, plain=plain, calls_only=calls_only,
            tail=tail,
        )

    def _wanted(self, request: Request) -> tuple[str, ...]:
        """The procs of which a script for this task calls one, if it has to."""
        return request.constraint.procs if request.advice.asks_for_a_call else ()

    def _write(self, models: Models, request: Request, options: Options, clock: Clock) -> list[Candidate]:
        if self._server is not None:
            with clock.part("decode"):
                self._progress(f"asking {self._server.base_url}")
                messages = models.messages(request.pack, request.text)
                return candidates_of(self._server.complete(messages, options, request.constraint))
        prompt = models.prompt(request.pack, request.text)
        with clock.part("decode"):
            tail = Tail(request.constraint.tail, lambda names: self._typed(models, request, options, names))
            candidates = self._decode(
                models, prompt, request, request.constraint, options, tail if tail.names else None
            )
        clock.split("decode", "prompt", models.model.prompt_seconds)
        wanted = self._wanted(request)
        if self.domain.catalog.host != "none" and not any(_does_something(c, wanted) for c in candidates):
            # Every candidate was still inside a loop, a block or a word when its budget ended: once more, only calls,
            # and of words that are given.
            with clock.part("decode"):
                given = replace(options, grounding=True)
                simple = self._constraint(request.task, request.pack, request.facts, given, calls_only=True)
                candidates += self._decode(models, prompt, request, simple, options)
        if self._observe is not None:
            self._observe(Decoded(models.model, prompt, candidates))
        return candidates + self._draft(models, request, candidates, options)

    def _draft(
        self, models: Models, request: Request, candidates: Sequence[Candidate], options: Options
    ) -> list[Candidate]:
        """The task's plan written out, for the shipped model: a larger one may know better than its plan.

        A plan knows nothing of facts, and has no say where its votes have none.
        """
        text = None
        if models.form == "compact" and options.grounding and self.weights.statements and not request.facts:
            text = request.advice.guide.draft(request.advice.plan, request.constraint.words or Words())
        tokens = len(models.model.tokenize(text, special=False)) if text else 0
        if not text or tokens > options.max_tokens:
            return []
        return [Candidate.of_draft(text, tokens, max(c.score for c in candidates))]

    def _decode(
        self, models: Models, prompt: list[int], request: Request, constraint: Constraint, options: Options,
        tail: Tail | None = None,
    ) -> list[Candidate]:  # fmt: skip
        catalog = self.domain.catalog
        embeddings = [dsl.embedding for dsl in catalog.dsls]
        blocks = tuple((e.open.strip(), e.close.strip()) for e in embeddings if not e.open.strip().endswith("{"))
        settings = DecodeSettings(
            k=1 if options.search == "greedy" else options.k,
            temperature=options.temperature,
            max_tokens=options.max_tokens,
            seed=options.seed,
            every_token=catalog.host == "none",
            blocks=blocks,
            boundary=Boundary(options.search, None if catalog.host == "none" else self._rules_kept()),
        )
        return decode(
            models.engine, constraint.grammar, prompt, settings,
            request.advice.vote(constraint, models.model, self.weights),
            lambda n: self._progress(f"writing: {n} tokens"),
            request.advice.completer(constraint, blocks).finish,
            tail,
        )

    def _typed(self, models: Models, request: Request, options: Options, names: tuple[str, ...]) -> Typed | None:
        """The constraint and the prompt with these procs of the tail in the pack; None where the last is no use."""
        pack = request.pack
        for proc in map(self.domain.catalog.proc, names):
            pack = pack if proc is None else with_proc(pack, proc)
        constraint = self._constraint(request.task, pack, request.facts, options, tail=True)
        if names[-1] not in constraint.procs:
            return None
        return Typed(constraint.grammar, constraint.tail, models.prompt(pack, request.text))

    def _rules_kept(self) -> Check:
        """Whether whole commands keep what the grammar does not express; required calls may be missing yet.

        Candidates mostly begin alike, so each text is judged once.
        """
        known: dict[str, bool] = {}

        def check(text: str) -> bool:
            if text not in known:
                known[text] = not faults(text, self.domain)
            return known[text]

        return check

    def _choose(self, models: Models, ranked: list[Ranked], instruction: str) -> list[Choice]:
        """The candidates as finished scripts, best first.

        Raises:
            UsageError: a pure DSL text did not fit the budget.
            ModelError: nothing of what a server wrote is valid.
        """
        choices = models.chooser.choose(ranked, instruction)
        if any(c.valid for c in choices):
            return choices
        if self._server is not None:
            raise ModelError(
                f"{self._server.base_url}: none of {len(ranked)} answers can be made a valid script",
                hint="try again with more candidates (--k), or without --backend", code="backend-invalid",
            )
        if self.domain.catalog.host == "none":
            raise UsageError("no valid text fits the token budget", hint="raise --max-tokens", code="budget-too-small")
        return choices

    def _judged(
        self, request: Request, choices: list[Choice], question: Clarification | None, options: Options, clock: Clock,
        start: float, written: tuple[int, int],
    ) -> Attempt:  # fmt: skip
        """The best choice as the answer, or a question where it is hardly right."""
        best, advice, catalog = choices[0], request.advice, self.domain.catalog
        sources = Sources(request.task.text, request.facts, len(request.task.instruction))
        values = origins(best.script, catalog, grammars_of(self.domain), sources)
        judged = figures(choices, advice, values, question is not None)
        sure = confidence(best, judged)
        if options.ask and sure < options.ask_below and not request.task.answers:
            question = low_confidence(sure, doubts(advice, best), advice.ranking, catalog)
            return clarified(question, clock, start, *written)
        outcome = Outcome(
            type="script",
            script=best.script,
            valid=best.valid,
            confidence=sure,
            candidates=written[0],
            tokens=written[1],
            seconds=time.perf_counter() - start,
            truncated=best.ranked.truncated,
            completed=[best.ranked.completed] if best.ranked.completed else [],
            dropped=[*best.dropped, *best.ranked.lost, *([best.ranked.cut] if best.ranked.cut else [])],
            notes=notes_on(request.constraint, sure, doubts(advice, best)),
            symbols=used_symbols(best.script, catalog),
            values=[v.to_document() for v in values],
            timings=dict(clock.parts),
        )
        return Attempt(outcome, tuple(choices), judged, question)


def _does_something(candidate: Candidate, wanted: Sequence[str]) -> bool:
    """Whether a candidate calls one of the procs, or, where no call is wanted, says anything."""
    return bool(called_procs(candidate.text, (*wanted, *candidate.typed)) if wanted else candidate.data)
