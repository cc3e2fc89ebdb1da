"""The facts of a situation (`--context`): texts that values may come from, and what the model is told of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


def texts(value: Any) -> Iterator[str]:
    """The texts and numbers in a JSON value."""
    if isinstance(value, dict):
        for v in value.values():
            yield from texts(v)
    elif isinstance(value, list):
        for v in value:
            yield from texts(v)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def with_facts(instruction: str, context: dict[str, Any] | None) -> str:
    """The instruction with the facts behind it."""
    if not context:
        return instruction
    facts = "; ".join(f"{k}: {v if isinstance(v, str) else json.dumps(v)}" for k, v in context.items())
    return f"{instruction.rstrip()} ({facts})"
