"""One training example: a row of training/data/NAME/*.jsonl, and the conversation that a model learns from it.

The data stage writes these rows and the training stages read them; both know each other only through this module.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Category = Literal["script", "sweep", "production", "flow", "virtual", "repair", "clarification", "refusal"]
Phase = Literal["micro", "multi", "flow"]


class Message(BaseModel):
    """One turn of the conversation."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Literal["system", "user", "assistant"]
    content: str


class Example(BaseModel):
    """A task with the answer to learn.

    Attributes:
        family: what the example was made from (template, script, production); no family is in two splits.
        phase: place in the curriculum: one statement, several blocks or statements, a whole flow.
        symbols: names of the catalog symbols in the pack.
        messages: system, user (goal, constraints, context pack) and assistant (the answer), as the generator asks.
        header: what the product puts before the answer when it writes the file (the policy's required header).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    domain: str
    family: str
    category: Category
    phase: Phase
    style: str = "natural"
    instruction: str
    symbols: tuple[str, ...] = ()
    messages: tuple[Message, ...] = Field(min_length=2)
    valid: Literal[True] = True
    header: str = ""

    @property
    def response(self) -> str:
        """The text that training learns: the last turn."""
        return self.messages[-1].content


class Negative(BaseModel):
    """A broken answer, what the validator says of it, and the answer that is right."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    of: str
    domain: str
    family: str
    kind: str
    instruction: str
    script: str
    valid: Literal[False] = False
    code: str
    message: str
    correction: str
    split: Literal["train", "validation", "test"] = "train"


def read_examples(path: Path) -> Iterator[Example]:
    """The rows of one split, one after the other (constant memory).

    Raises:
        pydantic.ValidationError: a row that is no example.
        OSError: the file cannot be read.
    """
    with path.open(encoding="utf-8") as f:
        for line in f:
            if line.strip():
                yield Example.model_validate(json.loads(line))
