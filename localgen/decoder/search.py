"""Search over commands: where a command ends, what is written is judged, and the better beginnings go on.

A mask bends a model's choice token by token: a likely first piece may lead into a corner where only unlikely values
are left (arXiv 2405.21047). So a beginning is scored by what the model thinks of all of it: the log probability of
what was chosen, of what the grammar forced, and of the mass that the mask left (`reach`). `beam` compares beginnings
at the end of each command and continues the better half, twice each.

What a grammar cannot express (the order of calls, limits over nested bodies) is checked here too: a command that
breaks a rule is taken back to the last safe point, and another one is written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .candidate import Candidate
from .model import Continuation, LlamaModel

Search = Literal["sample", "beam", "greedy"]
SEARCHES: tuple[Search, ...] = ("sample", "beam", "greedy")
Floats = NDArray[np.float64]
Check = Callable[[str], bool]

# How often a command is written again at one place, and what it costs each time to write what was taken back, in nats.
RETURNS, TAKEN_BACK = 3, 12.0


@dataclass(frozen=True)
class Boundary:
    """What happens where a command ends.

    Attributes:
        search: `beam` lets candidates wait for each other there.
        check: whether a text of whole commands keeps the rules that the grammar does not know; None for none.
    """

    search: Search = "sample"
    check: Check | None = None

    def reached(self, model: LlamaModel, c: Candidate) -> bool:
        """Called behind each token: whether the candidate stopped going on (it waits, went back, or ended)."""
        if not c.data.endswith(b"\n") or not c.safe or c.safe[-1].text != c.text:
            return False
        if self.check is not None and not self.check(c.text):
            self.back(model, c)
            return True
        c.keep()
        c.resting = self.search == "beam"
        return c.resting

    def back(self, model: LlamaModel, c: Candidate, more: str = "") -> None:
        """Take back what was written since the last command, or give it up; `more` would have come next."""
        point = c.checkpoint
        refused = (c.text + more)[len(point.data.decode("utf-8", "replace")) :]
        c.returns += 1
        if c.returns > RETURNS:
            c.refuse(refused)
            return
        c.go_back(point, refused)
        forget(model, c.sequence, c.position)


def banned(c: Candidate, tokens: NDArray[np.int64], log_probs: Floats, model: LlamaModel) -> Floats:
    """Log probabilities with what leads to a command that was taken back here made less likely."""
    if not c.refused:
        return log_probs
    begun = c.text[len(c.checkpoint.data.decode("utf-8", "replace")) :]
    again = [r for r in c.refused if r.startswith(begun)]
    if not again:
        return log_probs
    out = log_probs.copy()
    for k, token in enumerate(tokens):
        more = begun + model.piece(int(token)).decode("utf-8", "replace")
        out[k] -= TAKEN_BACK * sum(r.startswith(more) for r in again)
    return out - _log_sum(out)


def mass(row: NDArray[np.float32], allowed: NDArray[np.int64]) -> float:
    """Logarithm of the share of the model's probability that a mask leaves."""
    return _log_sum(row[allowed].astype(np.float64)) - _log_sum(row.astype(np.float64))


def evaluate(model: LlamaModel, waiting: Sequence[Candidate], *, exact: bool) -> list[NDArray[np.float32]]:
    """One row of logits behind each candidate's tokens; with `exact`, forced tokens count in its `reach`.

    Candidates that wrote the same so far are evaluated once: the others take over what the model saw.
    """
    alike: dict[tuple[int, int, tuple[int, ...]], list[Candidate]] = {}
    for c in waiting:
        alike.setdefault((id(c.prompt), c.position, tuple(c.ids)), []).append(c)
    firsts = [group[0] for group in alike.values()]
    known: dict[int, NDArray[np.float32]] = {}
    for group, (row, reach) in zip(alike.values(), _evaluated(model, firsts, exact), strict=True):
        for c in group:
            if c is not group[0]:
                take_over(model, group[0].sequence, c.sequence, c.position)
            c.reach += reach
            known[c.sequence] = row
    return [known[c.sequence] for c in waiting]


def _evaluated(
    model: LlamaModel, waiting: Sequence[Candidate], exact: bool
) -> list[tuple[NDArray[np.float32], float]]:
    """The row of logits behind each candidate, and what its forced tokens add to its reach."""
    if not exact:
        rows = model.step([Continuation(c.sequence, c.pending, c.position) for c in waiting])
        return [(row, 0.0) for row in rows]
    single = [Continuation(c.sequence, [t], c.position + i) for c in waiting for i, t in enumerate(c.pending)]
    each = iter(model.step(single))
    out = []
    for c in waiting:
        mine = [next(each) for _ in c.pending]
        pairs = zip(mine, c.pending[1:], strict=False)
        out.append((mine[-1], sum(float(row[t]) - _log_sum(row.astype(np.float64)) for row, t in pairs)))
    return out


def go_on(model: LlamaModel, candidates: list[Candidate], temperature: float) -> None:
    """All candidates that go on wait: the better half of the distinct beginnings goes on, in all of their places."""
    waiting = [c for c in candidates if c.resting]
    distinct: dict[str, Candidate] = {}
    for c in sorted(waiting, key=lambda c: -c.merit):
        distinct.setdefault(c.text, c)
    kept = list(distinct.values())[: max(1, (len(waiting) + 1) // 2)]
    free = [c for c in waiting if c not in kept]
    for i, place in enumerate(free):
        source = kept[i % len(kept)]
        copy_sequence(model, source.sequence, place.sequence)
        candidates[candidates.index(place)] = source.copy(place.sequence, temperature)
    for i, c in enumerate(kept):
        c.temperature = 0.0 if i == 0 else temperature
    for c in candidates:
        c.resting = False


def copy_sequence(model: LlamaModel, source: int, target: int, length: int = -1) -> None:
    """What the model has seen of one sequence, or its first tokens, becomes that of another."""
    memory = _memory(model)
    model.lib.llama_memory_seq_rm(memory, target, -1, -1)
    model.lib.llama_memory_seq_cp(memory, source, target, -1, length)


def take_over(model: LlamaModel, source: int, target: int, position: int) -> None:
    """What the model has seen of one sequence from a position on is seen of another one too."""
    model.lib.llama_memory_seq_cp(_memory(model), source, target, position, -1)


def forget(model: LlamaModel, sequence: int, position: int) -> None:
    """The model forgets what it has seen of a sequence from a position on."""
    model.lib.llama_memory_seq_rm(_memory(model), sequence, position, -1)


def _memory(model: LlamaModel) -> Any:
    return model.lib.llama_get_memory(model._context)


def _log_sum(values: Floats) -> float:
    top = float(values.max())
    return top + float(np.log(np.exp(values - top).sum()))



