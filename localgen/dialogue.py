"""A task over several turns: an instruction, and the answers to what was asked about it.

An answer becomes part of the task's text, beside the name of what it answers, so that it is read as any other value; an
answer that names a proc puts that proc first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from localgen.clarify import Clarification
from localgen_retrieval.errors import UsageError
from localgen_retrieval.retrieve import Ranking
from localgen_retrieval.text import name_words

# In z-scores: what a proc gains that an answer names.
PREFERRED = 8.0


@dataclass(frozen=True)
class Task:
    """What is to be done.

    Attributes:
        instruction: as it was given. said: what the answers add to it. procs: those that answers name.
    """

    instruction: str
    said: str = ""
    procs: tuple[str, ...] = ()

    @property
    def answers(self) -> bool:
        """Whether a question was answered already."""
        return bool(self.said or self.procs)

    @property
    def text(self) -> str:
        """The instruction with the answers behind it, in one clause with its end."""
        return self.instruction.rstrip(" \t\n.!?,;:") + self.said if self.said else self.instruction

    def answered(self, question: Clarification, answer: str) -> Task:
        """The task with an answer to a question about it: a value, a suggestion, or its number from 1 on.

        Raises:
            UsageError: the answer is empty.
        """
        text = " ".join(answer.split()).rstrip(".!;")
        if not text:
            raise UsageError("the answer is empty", hint=f"the question was: {question.message}", code="answer-empty")
        text = _chosen(question, text)
        if question.reason != "missing-value":
            if text in question.answers:
                return replace(self, procs=(*self.procs, text))
            return replace(self, said=f"{self.said}, namely {text}")
        name = name_words(question.arg)
        own = f"{re.escape(question.arg)}|{re.escape(name)}"
        named = re.match(rf"(?:the\s+)?(?:{own})\s*(?:[:=]|is\b)?\s+(.+)$", text, re.I)
        return replace(self, said=f"{self.said} with {name} {named.group(1) if named else text}")


def _chosen(question: Clarification, text: str) -> str:
    """What an answer stands for: a suggestion may be given by its number, in full, or by what it begins with."""
    if text.isdigit() and 0 < int(text) <= len(question.answers) and text not in question.answers:
        return question.answers[int(text) - 1]
    for stands_for, suggestion in zip(question.answers, question.suggestions, strict=False):
        if text.lower() in (stands_for.lower(), suggestion.lower().rstrip(".")):
            return stands_for
    return text


def preferred(ranking: Ranking, procs: Sequence[str]) -> Ranking:
    """The ranking with some procs in front of all others."""
    if not procs:
        return ranking
    gain = np.array([PREFERRED * (s.kind == "proc" and s.name in procs) for s in ranking.symbols], np.float32)
    return replace(
        ranking, scores=ranking.scores + gain, whole_scores=ranking.whole_scores + gain,
        clause_scores=ranking.clause_scores + gain,
    )  # fmt: skip
