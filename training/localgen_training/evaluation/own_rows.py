"""The test split's own rows, asked of the model alone: how often the likeliest text is the answer, word for word.

Most test rows are over renamed or virtual catalogs, which exist in the row's pack only, so no domain can judge them.
The model gets the row's own messages, without grammar, votes and repair. Word for word is stricter than doing the same.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from localgen.decoder.model import LlamaModel

from ..examples import Example, read_examples
from ..measures import rate
from ..sft.conversation import render_chat
from .sampling import free_samples


def exact_answers(model_path: Path, test: Path, most: int, *, seed: int, limit: int) -> dict[str, Any] | None:
    """Shares of exact answers over at most so many rows, by category; None where there are no rows or no chat template.

    Args:
        limit: tokens of each answer.
    """
    examples = list(read_examples(test)) if test.is_file() else []
    if len(examples) > most:
        examples = random.Random(f"rows-{seed}").sample(examples, most)
    if not examples:
        return None
    model = LlamaModel(model_path)
    try:
        if model.meta("localgen.prompt_form") == "compact":
            return None
        right = [same_answer(answer(model, e, limit), e.response) for e in examples]
    finally:
        model.close()
    print(f"eval: {sum(right)} of {len(right)} rows of the test split word for word", file=sys.stderr)
    return {
        "rows": len(right),
        "exact": rate(sum(right), len(right)),
        "by_category": {c: _share(examples, right, c) for c in sorted({e.category for e in examples})},
    }


def answer(model: LlamaModel, example: Example, limit: int) -> str:
    """The likeliest answer to the example's messages."""
    asked = [m.model_dump() for m in example.messages[:-1]]
    text = model.apply_chat_template(asked)
    prompt = model.tokenize(render_chat(None, asked) if text is None else text, special=True)
    return free_samples(model, prompt, [0.0], limit, np.random.default_rng(0))[0]


def same_answer(one: str, two: str) -> bool:
    """Whether two answers are the same text; blanks at line ends and empty lines do not count."""
    return _lines(one) == _lines(two)


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def _share(examples: Sequence[Example], right: Sequence[bool], category: str) -> Any:
    chosen = [r for e, r in zip(examples, right, strict=True) if e.category == category]
    return rate(sum(chosen), len(chosen))
