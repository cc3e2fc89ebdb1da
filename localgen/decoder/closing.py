"""Safe points: where a script may end, so that it is valid whatever the token budget.

At every line end the open bodies are closed on a copy of the grammar's state; where the grammar accepts that, the text
so far plus the closing lines is a whole script. When the budget runs out, the candidate goes back to the last such
point that fits: an unfinished command is dropped, never completed with invented values.
"""

from __future__ import annotations

from collections.abc import Sequence
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


def closing_lines(text: str, blocks: Sequence[tuple[str, str]] = ()) -> str:
    """What closes the bodies and blocks that are open at the end of a text, innermost first.

    Args:
        blocks: (opening, closing) of DSL blocks that are no braces.
    """
    open_: list[tuple[str, str]] = []  # (indent, what closes it)
    for line in text.splitlines():
        stripped = line.strip()
        indent = line[: len(line) - len(line.lstrip())]
        if open_ and stripped.startswith(open_[-1][1]):
            open_.pop()
        opened = next((closing for opening, closing in blocks if stripped == opening), None)
        if opened is not None:
            open_.append((indent, opened))
        elif stripped.endswith("{") and not stripped.endswith("\\{"):
            open_.append((indent, "}"))
    return "".join(f"{indent}{closing}\n" for indent, closing in reversed(open_))


def safe_point(
    matcher: Any, tokenizer: Any, text: str, used: int, blocks: Sequence[tuple[str, str]] = (), line_end: str = ""
) -> SafePoint | None:
    """The safe point at the end of `text`, if the grammar can end there after closing lines.

    Args:
        matcher: llguidance state after `text`; it is not changed.
        tokenizer: llguidance tokenizer, for the closing lines.
        used: tokens spent on `text`.
        blocks: as in `closing_lines`. line_end: what ends the text's last line, where it has not ended.
    """
    closer = line_end + closing_lines(text, blocks)
    trial = matcher.deep_copy()
    if closer:
        tokens = tokenizer.tokenize_str(closer)
        if trial.try_consume_tokens(tokens) != len(tokens) or trial.is_error():
            return None
        used += len(tokens)
    return SafePoint(text + closer, used) if trial.is_accepting() else None
