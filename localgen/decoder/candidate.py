"""One candidate: its text so far, the grammar's state, and where it may end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .closing import SafePoint, safe_point

# A block that is not closed after so many tokens, with so many last lines of which many are alike, will not be.
STALL_TOKENS, STALL_LINES = 160, 12


@dataclass(frozen=True)
class Checkpoint:
    """The state of a candidate where a command ended (or where it began)."""

    matcher: Any
    position: int
    pending: tuple[int, ...]
    data: bytes
    tokens: int
    forced: int
    log_prob: float
    choices: int
    reach: float
    safe: tuple[SafePoint, ...]
    count: int


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
        reach: sum of log probabilities of all that is written, as the model has them without the mask (beam search).
        resting: it waits at the end of a command. checkpoint: the last such place. returns: how often it went back.
        refused: commands that were taken back there. lost: those that were given up. cut: the end that did not fit.
        whole: all that was written, with that end.
        completed: what was added to finish a command.
        drafted: the task's plan written out, not what the model wrote.
        ids: the tokens of the text. prompt: those that it is written behind. root: llguidance state before the text.
        tail: procs whose names alone can be written (`tail`). typed: those that were, and are in the pack now.
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
    reach: float = 0.0
    resting: bool = False
    returns: int = 0
    refused: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    cut: str = ""
    whole: str = ""
    completed: str = ""
    drafted: bool = False
    ids: list[int] = field(default_factory=list)
    prompt: Sequence[int] = ()
    root: Any = None
    tail: frozenset[str] = frozenset()
    typed: tuple[str, ...] = ()
    checkpoint: Checkpoint = field(init=False)

    def __post_init__(self) -> None:
        self.keep()

    @classmethod
    def of_draft(cls, text: str, tokens: int, score: float) -> Candidate:
        """The plan written out, with the score that it starts from."""
        made = cls(-1, None, 0.0, 0, data=bytearray(text.encode()), tokens=tokens, finished=True, drafted=True)
        made.log_prob, made.choices = score, 1
        return made

    @property
    def text(self) -> str:
        """What is written so far."""
        return self.data.decode("utf-8", "replace")

    def take(self, token: int, piece: bytes) -> None:
        """Add a token that the matcher has consumed already."""
        self.pending.append(token)
        self.ids.append(token)
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

    def keep(self) -> None:
        """Remember this place as the last at which a command ended."""
        matcher = self.matcher.deep_copy() if self.matcher is not None else None
        self.checkpoint = Checkpoint(
            matcher, self.position, tuple(self.pending), bytes(self.data), self.tokens, self.forced,
            self.log_prob, self.choices, self.reach, tuple(self.safe), len(self.ids),
        )  # fmt: skip
        self.returns, self.refused = 0, []

    def go_back(self, point: Checkpoint, refused: str) -> None:
        """Return to a checkpoint; what was written since is refused there."""
        self.matcher = point.matcher.deep_copy()
        self.position, self.pending, self.data = point.position, list(point.pending), bytearray(point.data)
        self.forced, self.log_prob, self.choices = point.forced, point.log_prob, point.choices
        self.reach, self.safe = point.reach, list(point.safe)
        del self.ids[point.count :]
        self.refused.append(refused)

    def refuse(self, refused: str) -> None:
        """End before a command for which no other was found."""
        self.lost.append(" ".join(refused.split())[:120])
        self.data = bytearray(self.checkpoint.data)
        self.safe = list(self.checkpoint.safe)
        self.finished = True

    def copy(self, sequence: int, temperature: float) -> Candidate:
        """The same beginning in another sequence."""
        new = Candidate(sequence, self.matcher.deep_copy(), temperature, self.position, list(self.pending))
        new.data, new.tokens, new.forced = bytearray(self.data), self.tokens, self.forced
        new.log_prob, new.choices, new.reach = self.log_prob, self.choices, self.reach
        new.safe, new.lost, new.ids = list(self.safe), list(self.lost), list(self.ids)
        new.prompt, new.root, new.tail, new.typed = self.prompt, self.root, self.tail, self.typed
        new.keep()
        return new

    @property
    def merit(self) -> float:
        """Mean of `reach` over the tokens."""
        return self.reach / max(1, self.tokens)

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
        written = self.text
        self.cut = written[len(text) :] if written.startswith(text) else written.rpartition("\n")[2]
        self.whole = written
        self.data = bytearray(text.encode())

    @property
    def score(self) -> float:
        """Mean log probability of the free choices (0 if nothing was free)."""
        return self.log_prob / self.choices if self.choices else 0.0
