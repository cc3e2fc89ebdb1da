"""One candidate: its text so far, the grammar's state, and where it may end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .closing import SafePoint, safe_point

# A block that is not closed after so many tokens, with so many last lines of which many are alike, will not be.
STALL_TOKENS, STALL_LINES = 160, 12


@dataclass
class Candidate:
    """A sequence being written.

    Attributes:
        sequence: its number in the model's context.
        matcher: llguidance state.
        temperature: 0 takes the likeliest token.
        position: how many tokens of it the model has seen, the prompt included.
        pending: tokens taken but not seen by the model yet.
        log_prob, choices: sum of log probabilities over free choices, and how many there were.
    """

    sequence: int
    matcher: Any
    temperature: float
    position: int
    pending: list[int] = field(default_factory=list)
    data: bytearray = field(default_factory=bytearray)
    tokens: int = 0
    forced: int = 0
    log_prob: float = 0.0
    choices: int = 0
    safe: list[SafePoint] = field(default_factory=list)
    finished: bool = False
    truncated: bool = False

    @property
    def text(self) -> str:
        """What is written so far."""
        return self.data.decode("utf-8", "replace")

    def take(self, token: int, piece: bytes) -> None:
        """Add a token that the matcher has consumed already."""
        self.pending.append(token)
        self.data += piece
        self.tokens += 1

    def note_safe_point(
        self, tokenizer: Any, every_token: bool = False, blocks: Sequence[tuple[str, str]] = (), line_end: str = ""
    ) -> None:
        """Remember the end of the text as a place to stop at, if it is one; `line_end`: with that behind it."""
        if not line_end and not every_token and not self.data.endswith(b"\n"):
            return
        point = safe_point(self.matcher, tokenizer, self.text, self.tokens, blocks, line_end)
        if point is not None:
            self.safe.append(point)
            del self.safe[:-8]

    def in_circles(self) -> bool:
        """Whether much has been written since the last safe point, and mostly what was written before."""
        last = self.safe[-1] if self.safe else None
        if self.tokens - (last.tokens if last else 0) < STALL_TOKENS or not self.data.endswith(b"\n"):
            return False
        lines = [line.strip() for line in self.text.split("\n")[-STALL_LINES - 1 : -1]]
        return len(lines) == STALL_LINES and len(set(lines)) < STALL_LINES * 0.7

    def stop_at_budget(self, budget: int) -> None:
        """End at the last safe point within the budget; with none, at nothing."""
        self.finished = self.truncated = True
        fitting = [p for p in self.safe if p.tokens <= budget]
        text = fitting[-1].text if fitting else ""
        self.data = bytearray(text.encode())

    @property
    def score(self) -> float:
        """Mean log probability of the free choices (0 if nothing was free)."""
        return self.log_prob / self.choices if self.choices else 0.0
