"""Votes inside a DSL block: which statement, which of its optional parts, and which value in each of its places.

What the reader says about the statements of the DSL, at the place where the text ends (`statement_cursor`). The model
still chooses; a statement that is asked for and not written yet, a value that the instruction gives, gain.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from localgen.decoder.dsl_reading import DslReading
from localgen.decoder.said import Spellings
from localgen_grammars.statement_cursor import Cursor
from localgen_grammars.statements import Literal, Place, Repeated

from .votes import Floats, Steps, Written, among, applied

# Shares of the odds that a statement is asked for and of a value; the most that either may take.
STATEMENT_SHARE, VALUE_SHARE, MOST = 1.0, 3.0, 7.0
# A statement that stands there already; the next one that is asked for, less for each before it.
WRITTEN, NEXT, LATER = -8.0, 2.0, 0.7
# The statement whose turn it is in the task's plan; a planned list that goes on while items are left, or does not.
PLANNED, LISTED = 6.0, 8.0
# The end of a line where a statement is whole, and of the block where all that is asked for is there; against a line's
# end in the middle of a statement.
LINE_END, BLOCK_END, BROKEN_LINE, BARE_SPACE = 4.0, 6.0, 10.0, 1.0


@dataclass(frozen=True)
class _Inside:
    """An open block: the text of it so far, its lines that are whole, and the statement that is being written."""

    reading: DslReading
    lines: tuple[str, ...]
    begun: str


class BlockVotes:
    """Advice inside blocks.

    Args:
        readings: of the DSLs.
        weight: share of the vote; 0 switches it off.
        pure: the whole text is one block, of the first DSL.
    """

    def __init__(self, readings: Sequence[DslReading], weight: float = 1.0, *, pure: bool = False) -> None:
        self.weight = weight
        self._pure = pure
        self._readings = list(readings)

    def inside(self, text: str) -> _Inside | None:
        """The block that is open at the end of a text."""
        if not self.weight:
            return None
        for reading in self._readings:
            inner = text if self._pure else _inner(text, reading)
            if inner is not None:
                *lines, begun = inner.split("\n")
                return _Inside(reading, tuple(x.strip() for x in lines if x.strip()), begun.strip())
        return None

    def biases(
        self, text: str, tokens: NDArray[np.int64], log_probs: Floats, pieces: Written,
        ends: frozenset[int] = frozenset(),
    ) -> Floats | None:  # fmt: skip
        """New log probabilities (n,), or None outside blocks."""
        return applied(self.steps(text, tokens, pieces, ends), log_probs)

    def steps(
        self, text: str, tokens: NDArray[np.int64], pieces: Written, ends: frozenset[int] = frozenset()
    ) -> Steps:
        """The votes for the allowed tokens (n,) and what they write; none outside blocks."""
        block = self.inside(text)
        if block is None:
            return ()
        found = block.reading.cursors(block.begun)
        if text.endswith(" "):  # what was begun has ended
            found = [c for c in found if not c.begun]
        if not found:
            return ()
        used = block.reading.used(block.lines)
        left = block.reading.left(block.lines)
        whole = [c for c in found if c.element is None]
        more_after = len(left) > (bool(whole) and whole[0].statement in left)
        scored = [(c, self._statement(block, c, used, left)) for c in found]
        spelt = {
            (c.statement, _place(block, c)): Spellings(
                block.reading.values(c.statement, _place(block, c), block.begun.removesuffix(c.begun), block.lines)
            )
            for c in found if isinstance(c.element, Place)
        }  # fmt: skip
        closing = "" if self._pure else block.reading.dsl.embedding.close.strip()
        vote = np.full(len(tokens), -np.inf)
        for k, (token, written) in enumerate(zip(tokens, pieces, strict=True)):
            last = int(token) in ends or bool(closing and written.strip().startswith(closing))
            if last or (not written.strip() and "\n" in written):
                if block.begun and not whole:
                    vote[k] = -self.weight * BROKEN_LINE
                elif last:
                    vote[k] = self.weight * (-BLOCK_END if more_after else BLOCK_END + LINE_END * bool(whole))
                elif block.begun:  # a line end alone may close the block; white space behind it goes on
                    vote[k] = self.weight * (LINE_END if more_after or written == "\n" else -BLOCK_END)
                continue
            if not written.strip():  # white space alone leads to whatever comes next
                vote[k] = -self.weight * BARE_SPACE
                continue
            fits = [score + self._element(block, c, written, spelt) for c, score in scored]
            best = max(fits, default=-np.inf)
            head, broken, _ = written.partition("\n")
            if broken and not any(c.element is None for c in block.reading.cursors((block.begun + head).strip())):
                best = min(best, 0.0) - BROKEN_LINE if np.isfinite(best) else -BROKEN_LINE
            if np.isfinite(best):
                vote[k] = self.weight * best
        return among(vote)

    def _statement(self, block: _Inside, c: Cursor, used: Counter[int], left: Sequence[int]) -> float:
        """What speaks for a statement and the optional parts that a reading of the text gives it."""
        reading = block.reading
        score = 0.0
        if not block.begun or c.at == 0:
            odds = float(np.clip(reading.odds[c.statement], -MOST, MOST))
            score += STATEMENT_SHARE * odds + WRITTEN * (used[c.statement] > 0 and c.statement not in left)
            score += max(0.0, NEXT - LATER * left.index(c.statement)) if c.statement in left else 0.0
            if reading.planned:
                score = PLANNED * (c.statement in left[:1]) + WRITTEN * (c.statement not in left)
        return score + reading.part_odds(c.statement, c.part, c.at, block.lines)

    def _element(
        self, block: _Inside, c: Cursor, written: str, spelt: Mapping[tuple[int, int], Spellings]
    ) -> float:
        """What speaks for a token as the next piece of an element; -inf where it is none."""
        text = written.lstrip() if not c.begun or written[:1].isspace() else c.begun + written
        if c.begun and written[:1].isspace():
            return -np.inf
        if not text or c.element is None:
            return -np.inf
        if isinstance(c.element, Literal):
            word = c.element.text
            listed = block.reading.goes_on(c, block.begun, block.lines) * LISTED
            return listed if word.startswith(text) or (text.startswith(word) and c.begun != word) else -np.inf
        if not isinstance(c.element, Place):
            return -np.inf
        place = _place(block, c)
        return VALUE_SHARE * spelt[c.statement, place].best(text)


def _place(block: _Inside, c: Cursor) -> int:
    """The element of the statement whose value is being written; what repeats goes on with the one before it."""
    return c.at - 1 if isinstance(block.reading.statements[c.statement].full[c.at], Repeated) else c.at


def _inner(text: str, reading: DslReading) -> str | None:
    """What a block of the DSL that is open at the end of a text holds so far."""
    opening, closing = reading.dsl.embedding.open.strip(), reading.dsl.embedding.close.strip()
    at = text.rfind(opening)
    if at < 0:
        return None
    inner = text[at + len(opening) :]
    bracket = opening[-1:]
    if closing in ("}", ")", "]") and bracket in "{([":
        return inner if 1 + inner.count(bracket) - inner.count(closing) > 0 else None
    return inner if "\n" in inner and closing not in inner else None
