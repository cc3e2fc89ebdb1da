"""The decoding loop: k candidates share a prompt, each under its own grammar state.

Forced tokens (those the grammar leaves no choice about) are taken without a model step and evaluated in one batch with
the next choice. The first candidate is greedy, the others sample; candidates that write the same text so far stay
apart, duplicates are merged by `rank`. Knows nothing of catalogs: the vote at branches is handed in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from localgen_retrieval.errors import GrammarError

from .candidate import Candidate
from .masks import TokenMasks, draw, log_softmax
from .model import LlamaModel
from .search import Boundary, banned, evaluate, go_on, mass
from .tail import Retyping, Tail

Floats = NDArray[np.float64]
_CERTAIN = np.zeros(1)


class Vote(Protocol):
    """Changes the log probabilities of allowed tokens at branches; None leaves them."""

    def __call__(self, text: str, tokens: NDArray[np.int64], log_probs: Floats) -> Floats | None: ...


@dataclass(frozen=True)
class DecodeSettings:
    """How to decode.

    Attributes:
        k: candidates. temperature: of all but the first, which is greedy. max_tokens: budget of each candidate.
        every_token: look for safe points after every token (texts that are not made of lines).
        blocks: (opening, closing) of DSL blocks that are no braces.
        boundary: what happens where a command ends.
    """

    k: int
    temperature: float
    max_tokens: int
    seed: int
    every_token: bool = False
    blocks: tuple[tuple[str, str], ...] = ()
    boundary: Boundary = field(default_factory=Boundary)

    @property
    def beam(self) -> bool:
        """Whether candidates are compared at the end of each command."""
        return self.boundary.search == "beam"


class GrammarEngine:
    """llguidance over one model's vocabulary: made once, used for every grammar."""

    def __init__(self, model: LlamaModel) -> None:
        import llguidance
        from llguidance.llamacpp import lltokenizer_from_vocab

        self._guidance = llguidance
        self.model = model
        self.tokenizer: Any = lltokenizer_from_vocab(model.vocab, eos_token=sorted(model.end_tokens()) or None)
        self._ends = model.end_tokens()
        self._masks = TokenMasks(model.n_vocab, int(self.tokenizer.vocab_size))

    def matcher(self, grammar: str) -> Any:
        """The start state of a grammar.

        Raises:
            GrammarError: llguidance refuses it (a bug of the compiler, or a limit of the engine).
        """
        made = self._guidance.LLMatcher(self.tokenizer, grammar, log_level=0)
        if made.is_error():
            reason = made.get_error().splitlines()[0]
            raise GrammarError(
                f"the constraint cannot be compiled: {reason}",
                hint="please report the catalog's proc that causes it; fewer options per proc may help",
                code="constraint",
            )
        return made

    def allowed(self, matcher: Any) -> NDArray[np.int64]:
        """Ids of the tokens that may come next, ends of text included where the grammar accepts."""
        return self._masks.allowed(matcher)

    def is_end(self, token: int) -> bool:
        """Whether a token ends the text."""
        return token in self._ends


def decode(
    engine: GrammarEngine,
    grammar: str,
    prompt: list[int],
    settings: DecodeSettings,
    vote: Vote | None = None,
    on_step: Callable[[int], None] | None = None,
    finish: Callable[[Candidate, Any, Any], None] | None = None,
    tail: Tail | None = None,
) -> list[Candidate]:
    """Write `settings.k` candidates.

    Args:
        prompt: token ids.
        vote: called before every choice with the candidate's text.
        finish: called with each candidate that the budget cut off, the grammar's start state and tokenizer.
        on_step: called with the number of tokens written so far.
        tail: procs of which the grammar has only the names.

    Returns:
        The candidates, finished; one that ran out of budget ends at its last safe point (`truncated`).
    """
    model = engine.model
    length = len(prompt) + settings.k * (min(settings.max_tokens, 1024) + 64) + 64
    model.open(length=length + Retyping.reserve(tail, prompt), sequences=settings.k)
    first = model.prompt(prompt, settings.k)
    root = engine.matcher(grammar)
    rng = np.random.default_rng(settings.seed)
    candidates = [
        Candidate(i, root.deep_copy(), 0.0 if i == 0 else settings.temperature, len(prompt)) for i in range(settings.k)
    ]
    for c in candidates:
        c.prompt, c.root, c.tail = prompt, root, tail.names if tail is not None else frozenset()
    retyping = Retyping(engine, tail, candidates, settings.boundary) if tail is not None else None
    rows: dict[int, NDArray[np.float32]] = {c.sequence: first for c in candidates}
    room = length - len(prompt)
    while True:
        active = [c for c in candidates if not c.finished and not c.resting]
        if not active:
            if not any(c.resting for c in candidates):
                for c in candidates:
                    if c.truncated and finish is not None:
                        finish(c, c.root, engine.tokenizer)
                return candidates
            go_on(model, candidates, settings.temperature)
            continue
        for c in active:
            if c.sequence in rows:
                _choose(engine, c, rows[c.sequence], rng, vote, settings, retyping)
            if not c.finished and not c.resting:
                _force(engine, c, settings, retyping)
        # One that went back to the very beginning chooses from the prompt's row again.
        rows = {c.sequence: first for c in active if not c.finished and not c.data and not c.pending}
        waiting = [c for c in active if not c.finished and not c.resting and c.pending]
        if waiting:
            if sum(c.tokens for c in candidates) > room - 64:
                for c in waiting:
                    c.stop_at_budget(settings.max_tokens)
                continue
            made = evaluate(model, waiting, exact=settings.beam)
            for c, row in zip(waiting, made, strict=True):
                c.position += len(c.pending)
                c.pending = []
                rows[c.sequence] = row
        if on_step is not None:
            on_step(sum(c.tokens for c in candidates))


def _force(
    engine: GrammarEngine, c: Candidate, settings: DecodeSettings, retyping: Retyping | None = None
) -> None:
    """Take the tokens that the grammar leaves no choice about."""
    for token in c.matcher.compute_ff_tokens():
        if c.tokens >= settings.max_tokens:
            c.stop_at_budget(settings.max_tokens)
            return
        if retyping is not None and retyping.ended(c, engine.model.piece(token)):
            return
        _note_line_end(engine, c, token, settings)
        if not c.matcher.consume_token(token):
            c.stop_at_budget(settings.max_tokens)
            return
        if engine.is_end(token):
            c.finished = True
            return
        c.take(token, engine.model.piece(token))
        c.forced += 1
        c.note_safe_point(engine.tokenizer, settings.every_token, settings.blocks)
        if settings.boundary.reached(engine.model, c):
            return


def _choose(
    engine: GrammarEngine,
    c: Candidate,
    row: NDArray[np.float32],
    rng: np.random.Generator,
    vote: Vote | None,
    settings: DecodeSettings,
    retyping: Retyping | None = None,
) -> None:
    """Choose one token by the model, the vote and the temperature."""
    if c.tokens >= settings.max_tokens:
        c.stop_at_budget(settings.max_tokens)
        return
    allowed = engine.allowed(c.matcher)
    if len(allowed) == 0:
        c.stop_at_budget(settings.max_tokens)
        return
    log_probs, at = _CERTAIN, 0
    if len(allowed) > 1:
        log_probs = log_softmax(row, allowed)
        if vote is not None:
            voted = vote(c.text, allowed, log_probs)
            log_probs = log_probs if voted is None else voted
        log_probs = banned(c, allowed, log_probs, engine.model)
        at = int(log_probs.argmax()) if c.temperature <= 0 else draw(log_probs, c.temperature, rng)
    elif c.temperature > 0:
        rng.random()  # a seed's later draws stay what they were
    token = int(allowed[at])
    if retyping is not None and retyping.ended(c, engine.model.piece(token)):
        return  # what comes behind the name is chosen again
    if len(allowed) > 1:
        c.log_prob += float(log_probs[at])
        c.choices += 1
    if settings.beam:
        c.reach += mass(row, allowed) + float(log_probs[at])
    if engine.is_end(token):
        c.finished = True
        return
    _note_line_end(engine, c, token, settings)
    if not c.matcher.consume_token(token):
        c.stop_at_budget(settings.max_tokens)
        return
    c.take(token, engine.model.piece(token))
    c.note_safe_point(engine.tokenizer, settings.every_token, settings.blocks)
    if c.matcher.is_error() or c.in_circles():
        c.stop_at_budget(settings.max_tokens)
    elif c.matcher.is_stopped():
        c.finished = True
    else:
        settings.boundary.reached(engine.model, c)


def _note_line_end(engine: GrammarEngine, c: Candidate, token: int, settings: DecodeSettings) -> None:
    """A token that ends a line and begins the next leaves no text that ends with the line: look before it."""
    piece = engine.model.piece(token)
    if piece[:1] == b"\n" and piece.strip(b"\n"):
        c.note_safe_point(engine.tokenizer, False, settings.blocks, "\n")
