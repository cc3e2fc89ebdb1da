"""The main job: retrieve → context pack → constraint → decode → validate → rank.

`Generator` keeps what is expensive (encoder, index, model, tokenizer) for one domain; `generate` answers one
instruction. Reading and saving files is the commands' business.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localgen.advice import Weights, advise
from localgen.attempt import Attempt, clarified, confidence, notes_on
from localgen.choose import Choice, Chooser
from localgen.clarify import (
    low_confidence,
    missing_value,
    outside_catalog,
    two_procs,
    unsaid_value,
)
from localgen.clock import Clock
from localgen.confidence import doubts, figures
from localgen.decoder.candidate import Candidate
from localgen.decoder.decode import DecodeSettings, GrammarEngine, decode
from localgen.decoder.model import LlamaModel
from localgen.decoder.search import Boundary, Check
from localgen.dialogue import Task, preferred
from localgen.facts import texts, with_facts
from localgen.guide import DomainReader
from localgen.options import Options
from localgen.outcome import Outcome
from localgen.provenance import Sources, origins
from localgen.rank import Ranked, rank
from localgen.repair import faults
from localgen.scripts import called_procs, used_symbols
from localgen.validation.grammars import grammars_of
from localgen_bundle.default import encoder_path, model_path, reader_paths
from localgen_grammars.constraint import compile_constraint
from localgen_grammars.constraint.dsl_rules import check_grammar
from localgen_grammars.constraint.grounding import words_of
from localgen_grammars.dsl import DslGrammar
from localgen_retrieval.catalog_io import Domain
from localgen_retrieval.encoder import GgufEncoder
from localgen_retrieval.errors import UsageError
from localgen_retrieval.index import open_index
from localgen_retrieval.pack import ContextPack, build_pack
from localgen_retrieval.prompt import MARKERS, PromptForm, chat_messages, compact_prompt, policy_rules
from localgen_retrieval.reader import GgufReader
from localgen_retrieval.retrieve import Ranking, Retriever

# The shipped model was trained on packs of this size; a larger model reads more.
PACK = {"compact": (400, 7), "chat": (1500, 20)}


@dataclass(frozen=True)
class Decoded:
    """What one decoding started from and came to, for those who measure: model, the prompt's ids, all candidates."""

    model: LlamaModel
    prompt: list[int]
    candidates: Sequence[Candidate]


class Generator:
    """Writes scripts for one domain.

    Args:
        model: a GGUF file; the bundled one by default.
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
        progress: Callable[[str], None] | None = None,
        cache_dir: Path | None = None,
        weights: Weights | None = None,
        observe: Callable[[Decoded], None] | None = None,
    ) -> None:
        self.domain = domain
        self._observe = observe
        self.weights = weights or Weights()
        self._model_path = model
        self._progress = progress or (lambda _text: None)
        self._cache_dir = cache_dir
        self._model: LlamaModel | None = None
        self._engine: GrammarEngine | None = None
        self._retriever: Retriever | None = None
        self._reader: DomainReader | None = None
        self._chooser: Chooser | None = None
        self._form: PromptForm = "chat"

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
        instruction = task.text
        clock = Clock()
        with clock.part("load"):
            retriever, engine, reader = self._load()
        start = time.perf_counter()
        facts = tuple(texts(context)) if context else ()
        with clock.part("retrieve"):
            self._progress("retrieving")
            ranking = preferred(retriever.rank(instruction), task.procs)
        question = None if task.procs else outside_catalog(ranking, self.domain.catalog)
        if options.ask and question is not None:
            return clarified(question, clock, start)
        with clock.part("read"):
            guide = reader.read(instruction, ranking)
            advice = advise(guide, ranking, retriever.encoder.encode, words_of(instruction, *facts))
            ranking = advice.ranking
        question = question or unsaid_value(advice.plan, ranking, self.domain.catalog)
        question = question or (None if task.procs else two_procs(advice.plan, ranking, self.domain.catalog))
        if options.ask and question is not None:
            return clarified(question, clock, start)
        with clock.part("compile"):
            grammars = grammars_of(self.domain)
            pack = self._pack(advice.for_pack(), engine.model)
            constraint = compile_constraint(
                self.domain, pack, grammars, instruction, grounding=options.grounding, more_sources=facts
            )
        prompt = self._prompt(pack, with_facts(instruction, context), engine.model)
        catalog = self.domain.catalog
        vote = advice.vote(constraint, engine.model, self.weights)
        blocks = tuple(
            (e.open.strip(), e.close.strip())
            for e in (dsl.embedding for dsl in catalog.dsls)
            if not e.open.strip().endswith("{")
        )
        settings = DecodeSettings(
            k=1 if options.search == "greedy" else options.k,
            temperature=options.temperature,
            max_tokens=options.max_tokens,
            seed=options.seed,
            every_token=catalog.host == "none",
            blocks=blocks,
            boundary=Boundary(options.search, None if catalog.host == "none" else self._rules_kept()),
        )
        with clock.part("decode"):
            candidates = decode(
                engine, constraint.grammar, prompt, settings, vote,
                lambda n: self._progress(f"writing: {n} tokens"),
                advice.completer(constraint, blocks).finish,
            )
        clock.split("decode", "prompt", engine.model.prompt_seconds)
        wanted = constraint.procs if advice.asks_for_a_call else ()
        if catalog.host != "none" and not any(_does_something(c, wanted) for c in candidates):
            # Every candidate was still inside a loop or a block when its budget ended: once more, only calls.
            with clock.part("decode"):
                simple = compile_constraint(
                    self.domain,
                    pack,
                    grammars,
                    instruction,
                    grounding=options.grounding,
                    more_sources=facts,
                    plain=True,
                )
                finish = advice.completer(simple, blocks).finish
                candidates += decode(engine, simple.grammar, prompt, settings, vote, finish=finish)
        if self._observe is not None:
            self._observe(Decoded(engine.model, prompt, candidates))
        with clock.part("validate"):
            ranked = rank(candidates, instruction, ranking, constraint.procs, call_wanted=bool(wanted))
            choices = self._choose(ranked, instruction, grammars)
        best, tokens = choices[0], sum(c.tokens for c in candidates)
        if question is None and not advice.plan.sure:
            question = missing_value(
                best.ranked.text, " ".join((instruction, *facts)), catalog, constraint.excluded, ranking
            )
        if options.ask and question is not None:
            return clarified(question, clock, start, len(candidates), tokens)
        values = origins(best.script, catalog, grammars, Sources(instruction, facts, len(task.instruction)))
        judged = figures(choices, advice, values, question is not None)
        sure = confidence(best, judged)
        if options.ask and sure < options.ask_below and not task.answers:
            question = low_confidence(sure, doubts(advice, best), ranking, catalog)
            return clarified(question, clock, start, len(candidates), tokens)
        outcome = Outcome(
            type="script",
            script=best.script,
            valid=best.valid,
            confidence=sure,
            candidates=len(candidates),
            tokens=tokens,
            seconds=time.perf_counter() - start,
            truncated=best.ranked.truncated,
            completed=[best.ranked.completed] if best.ranked.completed else [],
            dropped=[*best.dropped, *best.ranked.lost, *([best.ranked.cut] if best.ranked.cut else [])],
            notes=notes_on(constraint, sure, doubts(advice, best)),
            symbols=used_symbols(best.script, catalog),
            values=[v.to_document() for v in values],
            timings=dict(clock.parts),
        )
        return Attempt(outcome, tuple(choices), judged, question)

    def close(self) -> None:
        """Free the models."""
        if self._model is not None:
            self._model.close()
        self._model = self._engine = None
        if self._retriever is not None and isinstance(self._retriever.encoder, GgufEncoder):
            self._retriever.encoder.close()
        if self._reader is not None:
            self._reader.close()
        self._retriever = self._reader = self._chooser = None

    # ---------------------------------------------------------------- parts

    def _load(self) -> tuple[Retriever, GrammarEngine, DomainReader]:
        if self._engine is None or self._retriever is None or self._reader is None:
            # A grammar that cannot be used is reported whatever the task is, and before anything large is loaded.
            grammars = grammars_of(self.domain)
            for grammar in grammars.values():
                check_grammar(grammar)
            self._progress("loading the model")
            self._model = LlamaModel(self._model_path or model_path())
            self._form = _form(self._model)
            self._engine = GrammarEngine(self._model)
            encoder = GgufEncoder(encoder_path())
            index = open_index(self.domain, encoder, self._cache_dir or _cache_dir(), progress=self._indexing)
            self._retriever = Retriever(index, encoder)
            self._reader = DomainReader(self.domain, grammars, GgufReader(*reader_paths()))
        return self._retriever, self._engine, self._reader

    def _indexing(self, done: int, total: int) -> None:
        self._progress(f"indexing {done}/{total} symbols")

    def _pack(self, ranking: Ranking, model: LlamaModel) -> ContextPack:
        budget, procs = PACK[self._form]
        return build_pack(
            self.domain, ranking, budget=budget, max_procs=procs,
            count_tokens=lambda text: len(model.tokenize(text, special=False)),
        )

    def _prompt(self, pack: ContextPack, instruction: str, model: LlamaModel) -> list[int]:
        if self._form == "compact":
            return model.tokenize(compact_prompt(pack.text, instruction), special=True)
        messages = chat_messages(pack.text, instruction, policy_rules(self.domain.catalog.policy))
        text = model.apply_chat_template(messages)
        if text is None:
            text = "\n\n".join(m["content"] for m in messages) + "\n\nScript:\n"
        return model.tokenize(text, special=True)

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

    def _choose(self, ranked: list[Ranked], instruction: str, grammars: Mapping[str, DslGrammar]) -> list[Choice]:
        """The candidates as finished scripts, best first.

        Raises:
            UsageError: a pure DSL text did not fit the budget.
        """
        if self._chooser is None:
            assert self._retriever is not None
            self._chooser = Chooser(self.domain, grammars, self._retriever.encoder.encode)
        choices = self._chooser.choose(ranked, instruction)
        if self.domain.catalog.host == "none" and not any(c.valid for c in choices):
            raise UsageError(
                "no valid text fits the token budget", hint="raise --max-tokens", code="budget-too-small"
            )
        return choices


def _form(model: LlamaModel) -> PromptForm:
    """How to ask this model: the shipped model's own form, or its chat template."""
    stated = model.meta("localgen.prompt_form")
    if stated == "compact" or all(len(model.tokenize(m, special=True)) == 1 for m in MARKERS):
        return "compact"
    return "chat"


def _does_something(candidate: Candidate, wanted: Sequence[str]) -> bool:
    """Whether a candidate calls one of the procs, or, where no call is wanted, says anything."""
    return bool(called_procs(candidate.text, wanted) if wanted else candidate.data)


def _cache_dir() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("localgen", appauthor=False)
