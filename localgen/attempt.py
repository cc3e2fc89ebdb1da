"""One answer with what led to it: the forms in which the pipeline hands out scripts and questions."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from localgen.choose import Choice
from localgen.clarify import Clarification
from localgen.clock import Clock
from localgen.confidence import LEAST, SURE, load_calibration
from localgen.outcome import Outcome
from localgen_grammars.constraint import Constraint


@dataclass(frozen=True)
class Attempt:
    """An answer and what led to it.

    Attributes:
        choices: the finished scripts, best first; none where a question came first.
        figures: what the confidence was judged by.
        question: the question that was asked, or would be with `ask`.
    """

    outcome: Outcome
    choices: tuple[Choice, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)
    question: Clarification | None = None


def confidence(best: Choice, judged: Mapping[str, float]) -> float:
    """How likely a script is right, 0 to 1; see `localgen.confidence`."""
    if not best.valid or best.ranked.truncated or not best.ranked.text.strip():
        return LEAST
    return round(load_calibration().probability(judged), 4)


def notes_on(constraint: Constraint, sure: float, doubtful: list[str]) -> list[str]:
    """Remarks for people on a script of this confidence, one line each."""
    notes = []
    if constraint.relaxed:
        notes.append("nothing could be written from the instruction's own words, so values are not grounded in it")
    if sure >= SURE:
        return notes
    return [*notes, *(doubtful or [f"not sure of this script (confidence {sure:.2f}): read it"])]


def clarified(
    question: Clarification, clock: Clock, start: float, candidates: int = 0, tokens: int = 0
) -> Attempt:
    """A question as an answer; `start`: when the task was begun."""
    outcome = Outcome(
        type="clarification",
        message=question.message,
        suggestions=list(question.suggestions),
        reason=question.reason,
        about={"proc": question.proc, "argument": question.arg} if question.proc else None,
        confidence=0.0,
        candidates=candidates,
        tokens=tokens,
        seconds=time.perf_counter() - start,
        timings=dict(clock.parts),
    )
    return Attempt(outcome, question=question)
