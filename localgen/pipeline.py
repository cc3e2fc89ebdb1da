"""The main job: retrieve → context pack → constraint → decode → validate → rank.

`Generator` keeps what is expensive (encoder, index, model, tokenizer) for one domain; `generate` answers one
instruction. Reading and saving files is the commands' business.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from localgen.advice import Weights, advise
from localgen.clarify import Clarification, missing_value, outside_catalog, unsaid_value
from localgen.clock import Clock
from localgen.decoder.decode import DecodeSettings, GrammarEngine, decode
from localgen.decoder.model import LlamaModel
from localgen.facts import texts, with_facts
from localgen.guide import DomainReader
from localgen.options import Options
from localgen.outcome import Outcome
from localgen.rank import Ranked, rank
from localgen.remote import OpenAiServer, candidates_of
from localgen.repair import finish
from localgen.scripts import used_symbols
from localgen.validation.grammars import grammars_of
from localgen_bundle.default import encoder_path, model_path, reader_paths
from localgen_grammars.constraint import Constraint, compile_constraint
from localgen_grammars.constraint.dsl_rules import check_grammar
from localgen_grammars.constraint.grounding import words_of
from localgen_retrieval.catalog_io import Domain
from localgen_retrieval.encoder import GgufEncoder
from localgen_retrieval.errors import GrammarError, ModelError, UsageError
from localgen_retrieval.index import open_index
from localgen_retrieval.pack import ContextPack, build_pack
from localgen_retrieval.prompt import MARKERS, PromptForm, chat_messages, compact_prompt
from localgen_retrieval.reader import GgufReader
from localgen_retrieval.retrieve import Ranking, Retriever

# The shipped model was trained on packs of this size; a larger model reads more.
PACK = {"compact": (400, 7), "chat": (1500, 20)}


@dataclass(frozen=True)
class Request:
    """One task for another engine."""

    messages: list[dict[str, str]]
    constraint: Constraint
    ranking: Ranking


def gbnf_of(constraint: Constraint) -> str:
    """A constraint as GBNF: options in one order, otherwise as it is.

    Raises:
        GrammarError: it would be too large.
    """
    from localgen_grammars.constraint.patterns import Unsupported
    from localgen_grammars.portable import emit_grammar
    from localgen_grammars.portable.request import request_grammar

    try:
        return emit_grammar(request_grammar(constraint.grammar), "gbnf")
    except Unsupported as e:
        raise GrammarError(
            f"the constraint cannot be written as GBNF: {e}",
            hint="llguidance's form has no such limit", code="grammar-too-large",
        ) from None


class Generator:
    """Writes scripts for one domain.

    Args:
        model: a GGUF file; the bundled one by default.
        progress: called with a few words on what is going on.
        cache_dir: for the index; platformdirs' user cache by default.
        weights: shares of the votes in decoding; 0 switches one off.

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
    ) -> None:
        self.domain = domain
        self.weights = weights or Weights()
        self._model_path = model
        self._progress = progress or (lambda _text: None)
        self._cache_dir = cache_dir
        self._model: LlamaModel | None = None
        self._engine: GrammarEngine | None = None
        self._retriever: Retriever | None = None
        self._reader: DomainReader | None = None
        self._form: PromptForm = "chat"

    def generate(self, instruction: str, options: Options, context: dict[str, Any] | None = None) -> Outcome:
        """Answer one instruction.

        Args:
            context: facts about the situation; their texts are sources for values too.
        """
        clock = Clock()
        with clock.part("load"):
            retriever, engine, reader = self._load()
        start = time.perf_counter()
        facts = tuple(texts(context)) if context else ()
        with clock.part("retrieve"):
            self._progress("retrieving")
            ranking = retriever.rank(instruction)
        if options.ask:
            question = outside_catalog(ranking, self.domain.catalog)
            if question is not None:
                return _clarification(question, clock, start)
        with clock.part("read"):
            guide = reader.read(instruction, ranking)
            advice = advise(guide, ranking, retriever.encoder.encode, words_of(instruction, *facts))
            ranking = advice.ranking
        if options.ask:
            question = unsaid_value(advice.plan, ranking, self.domain.catalog)
            if question is not None:
                return _clarification(question, clock, start)
        with clock.part("compile"):
            grammars = grammars_of(self.domain)
            pack = self._pack(advice.for_pack(), engine.model)
            constraint = compile_constraint(
                self.domain, pack, grammars, instruction, grounding=options.grounding, more_sources=facts
            )
        prompt = self._prompt(pack, with_facts(instruction, context), engine.model)
        catalog = self.domain.catalog
        vote = advice.vote(constraint, engine.model, self.weights)
        embeddings = [dsl.embedding for dsl in catalog.dsls]
        settings = DecodeSettings(
            options.k, options.temperature, options.max_tokens, options.seed, catalog.host == "none",
            tuple((e.open.strip(), e.close.strip()) for e in embeddings if not e.open.strip().endswith("{")),
        )
        with clock.part("decode"):
            candidates = decode(
                engine, constraint.grammar, prompt, settings, vote,
                lambda n: self._progress(f"writing: {n} tokens"),
            )
        clock.split("decode", "prompt", engine.model.prompt_seconds)
        if self.domain.catalog.host != "none" and not any(c.data for c in candidates):
            # Every candidate was still inside a loop or condition when its budget ended: once more, without them.
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
                again = decode(engine, simple.grammar, prompt, settings, vote)
            candidates = [*again]
        with clock.part("validate"):
            ranked = rank(candidates, instruction, ranking, constraint.procs)
            best, script, valid, dropped = self._best(ranked)
        if options.ask and not advice.plan.task:
            question = missing_value(
                best.text, " ".join((instruction, *facts)), self.domain.catalog, constraint.excluded, ranking
            )
            if question is not None:
                return _clarification(question, clock, start, len(candidates), sum(c.tokens for c in candidates))
        return Outcome(
            type="script",
            script=script,
            valid=valid,
            confidence=_confidence(best, valid),
            candidates=len(candidates),
            tokens=sum(c.tokens for c in candidates),
            seconds=time.perf_counter() - start,
            truncated=best.truncated,
            dropped=dropped,
            notes=_notes(best, constraint),
            symbols=used_symbols(script, self.domain.catalog),
            timings=dict(clock.parts),
        )

    def request(
        self, instruction: str, options: Options, context: dict[str, Any] | None = None, *, plain: bool = True
    ) -> Request:
        """What another engine needs to write the script: the messages and the constraint.

        Args:
            plain: only calls, catalog variables and blocks, which an engine without parameters can be told too.
        """
        retriever, engine, reader = self._load()
        facts = tuple(texts(context)) if context else ()
        ranking = retriever.rank(instruction)
        advice = advise(
            reader.read(instruction, ranking), ranking, retriever.encoder.encode, words_of(instruction, *facts)
        )
        budget, procs = PACK["chat"]
        pack = build_pack(
            self.domain, advice.for_pack(), budget=budget, max_procs=procs,
            count_tokens=lambda text: len(engine.model.tokenize(text, special=False)),
        )
        constraint = compile_constraint(
            self.domain, pack, grammars_of(self.domain), instruction,
            grounding=options.grounding, more_sources=facts, plain=plain,
        )
        messages = chat_messages(pack.text, with_facts(instruction, context), self._rules())
        return Request(messages, constraint, advice.ranking)

    def generate_by(
        self, server: OpenAiServer, instruction: str, options: Options, context: dict[str, Any] | None = None
    ) -> Outcome:
        """Answer one instruction with another engine's model; what it returns is judged like any candidate."""
        clock = Clock()
        start = time.perf_counter()
        with clock.part("compile"):
            request = self.request(instruction, options, context)
            if options.ask:
                question = outside_catalog(request.ranking, self.domain.catalog)
                if question is not None:
                    return _clarification(question, clock, start)
            gbnf = gbnf_of(request.constraint) if server.kind() == "llama.cpp" else ""
        with clock.part("decode"):
            self._progress(f"asking {server.base_url}")
            answers = server.complete(
                request.messages, options, llguidance=request.constraint.grammar, gbnf=gbnf
            )
            candidates = candidates_of(answers)
        with clock.part("validate"):
            ranked = rank(candidates, instruction, request.ranking, request.constraint.procs)
            best, script, valid, dropped = self._best(ranked)
        if not valid:
            raise ModelError(
                f"{server.base_url}: none of {len(candidates)} answers can be made a valid script",
                hint="try again with more candidates (--k), or without --backend", code="backend-invalid",
            )
        return Outcome(
            type="script", script=script, valid=valid, confidence=_confidence(best, valid),
            candidates=len(candidates), tokens=sum(c.tokens for c in candidates),
            seconds=time.perf_counter() - start, truncated=best.truncated, dropped=dropped,
            notes=_notes(best, request.constraint), symbols=used_symbols(script, self.domain.catalog),
            timings=dict(clock.parts),
        )

    def close(self) -> None:
        """Free the models."""
        if self._model is not None:
            self._model.close()
        self._model = self._engine = None
        if self._retriever is not None and isinstance(self._retriever.encoder, GgufEncoder):
            self._retriever.encoder.close()
        if self._reader is not None:
            self._reader.close()
        self._retriever = self._reader = None

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
        messages = chat_messages(pack.text, instruction, self._rules())
        text = model.apply_chat_template(messages)
        if text is None:
            text = "\n\n".join(m["content"] for m in messages) + "\n\nScript:\n"
        return model.tokenize(text, special=True)

    def _rules(self) -> tuple[str, ...]:
        policy = self.domain.catalog.policy
        rules = ["options before positional arguments, one statement a line"]
        if policy.forbidden:
            rules.append(f"never call {', '.join(policy.forbidden)}")
        rules.append(f"of Tcl's own commands only {', '.join(policy.allowed_builtins)}")
        return tuple(rules)

    def _best(self, ranked: list[Ranked]) -> tuple[Ranked, str, bool, list[str]]:
        """The best candidate that is valid as it is; else the best of those that lost statements.

        Raises:
            UsageError: a pure DSL text did not fit the budget.
        """
        tries = []
        for r in ranked:
            script, report, dropped = finish(r.text, self.domain)
            if report.valid and not dropped:
                return r, script, True, []
            tries.append((report.valid, r, script, dropped))
        _, best, script, dropped = max(tries, key=lambda t: (t[0], t[1].score))
        valid = any(t[0] for t in tries)
        if self.domain.catalog.host == "none" and not valid:
            raise UsageError(
                "no valid text fits the token budget", hint="raise --max-tokens", code="budget-too-small"
            )
        return best, script, valid, dropped


def _form(model: LlamaModel) -> PromptForm:
    """How to ask this model: the shipped model's own form, or its chat template."""
    stated = model.meta("localgen.prompt_form")
    if stated == "compact" or all(len(model.tokenize(m, special=True)) == 1 for m in MARKERS):
        return "compact"
    return "chat"


def _cache_dir() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("localgen", appauthor=False)


def _confidence(best: Ranked, valid: bool) -> float:
    """A rough 0 to 1 from the model's odds, agreement and coverage; not calibrated yet."""
    if not valid or best.truncated or not best.text.strip():
        return 0.1
    odds = float(np.exp(min(0.0, best.log_prob)))
    return round(min(0.99, odds * (0.6 + 0.4 * best.share) * (0.4 + 0.6 * best.coverage)), 4)


def _notes(best: Ranked, constraint: Constraint) -> list[str]:
    notes = []
    if constraint.relaxed:
        notes.append("nothing could be written from the instruction's own words, so values are not grounded in it")
    if best.unused:
        notes.append(f"not used in the script: {', '.join(best.unused[:6])}")
    return notes


def _clarification(
    question: Clarification, clock: Clock, start: float, candidates: int = 0, tokens: int = 0
) -> Outcome:
    return Outcome(
        type="clarification",
        message=question.message,
        suggestions=list(question.suggestions),
        confidence=0.0,
        candidates=candidates,
        tokens=tokens,
        seconds=time.perf_counter() - start,
        timings=dict(clock.parts),
    )
