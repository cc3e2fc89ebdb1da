"""Safe points: where a script may end, so that it is valid whatever the token budget.

At every line end the open bodies are closed on a copy of the grammar's state; where the grammar accepts that, the text
so far plus the closing lines is a whole script. When the budget runs out, the candidate goes back to the last such
point that fits: an unfinished command is dropped, never completed with invented values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SafePoint:
    """The script may end here.

    Attributes:
        text: the whole script, closing lines included.
        tokens: how many tokens it takes.
    """

    text: str
    tokens: int


def closing_lines(text: str) -> str:
    """What closes the bodies that are open at the end of a text, innermost first."""
    open_: list[str] = []
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("}") and open_:
            open_.pop()
        if stripped.endswith("{") and not stripped.endswith("\\{"):
            open_.append(line[: len(line) - len(line.lstrip())])
    return "".join(f"{indent}}}\n" for indent in reversed(open_))


def safe_point(matcher: Any, tokenizer: Any, text: str, used: int) -> SafePoint | None:
    """The safe point at the end of `text`, if the grammar can end there after closing lines.

    Args:
        matcher: llguidance state after `text`; it is not changed.
        tokenizer: llguidance tokenizer, for the closing lines.
        used: tokens spent on `text`.
    """
    closer = closing_lines(text)
    trial = matcher.deep_copy()
    if closer:
        tokens = tokenizer.tokenize_str(closer)
        if trial.try_consume_tokens(tokens) != len(tokens) or trial.is_error():
            return None
        used += len(tokens)
    return SafePoint(text + closer, used) if trial.is_accepting() else None
