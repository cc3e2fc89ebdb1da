"""The reader: which symbols an instruction asks for, which of their slots it fills, and where it says each value.

A BERT reads the instruction beside the symbols (`reading` has the form of a page); linear heads on the states of
markers and words give log odds and pointers. Trained by `localgen_training.train_reader`. Knows nothing of what values
look like: which words make a value is for those who decode.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from localgen_retrieval.bert_context import BertContext
from localgen_retrieval.errors import ModelError
from localgen_retrieval.processors import usable_processors
from localgen_retrieval.reading import Page, Pages, ReadSlot, ReadSymbol

Floats = NDArray[np.float64]
PAGE_TOKENS = 352  # the longest pages that the shipped reader was trained on


@dataclass(frozen=True)
class SlotReading:
    """What the reader says about a slot.

    Attributes:
        filled: log odds that the instruction fills it.
        choices: (values,) log probabilities of an enum's or bool's values; empty for others.
        starts, ends: (words,) log probabilities that the value starts or ends with a token of the instruction.
    """

    slot: ReadSlot
    filled: float
    choices: Floats
    starts: Floats
    ends: Floats


@dataclass(frozen=True)
class SymbolReading:
    """What the reader says about a symbol.

    Attributes:
        asked: log odds that the instruction asks for it.
        clause: (words,) log probabilities that a token of the instruction belongs to the clause that asks for it.
    """

    symbol: ReadSymbol
    asked: float
    clause: Floats
    slots: tuple[SlotReading, ...]


@dataclass(frozen=True)
class Reading:
    """An instruction as it was read.

    Attributes:
        offsets: (start, end) of its tokens.
        symbols: in the order in which they were given.
    """

    instruction: str
    offsets: tuple[tuple[int, int], ...]
    symbols: tuple[SymbolReading, ...]

    def span(self, slot: SlotReading, start: int, end: int) -> float:
        """Log probability (start and end together) that the characters from start to end are the slot's value."""
        covered = [i for i, (a, b) in enumerate(self.offsets) if a < end and b > start]
        if not covered or not len(slot.starts):
            return -np.inf
        return float(slot.starts[covered[0]] + slot.ends[covered[-1]])

    def middle(self, symbol: SymbolReading) -> float:
        """Where the words that ask for a symbol are: the expected character."""
        if not self.offsets:
            return 0.0
        return float(np.exp(symbol.clause) @ np.array([a for a, _ in self.offsets], np.float64))


class GgufReader:
    """The reader's network as a GGUF file, with its heads beside it. Loaded by the first `read`."""

    def __init__(self, path: Path, heads: Path, *, threads: int | None = None) -> None:
        self.path, self.heads_path = Path(path), Path(heads)
        self.threads = threads or usable_processors()
        self._context: BertContext | None = None
        self._heads: dict[str, NDArray[np.float32]] = {}
        self._pages: Pages | None = None
        self._lock = threading.Lock()

    def read(
        self, instruction: str, symbols: Sequence[ReadSymbol], within: tuple[int, int] | None = None
    ) -> Reading:
        """Read an instruction beside some symbols.

        Args:
            within: (start, end) of the only characters to be read.

        Raises:
            ModelError: a file is missing or damaged.
        """
        with self._lock:
            if self._pages is None:
                self._load()
            assert self._pages is not None
            found: list[SymbolReading] = []
            offsets: tuple[tuple[int, int], ...] = ()
            for page in self._pages.of(instruction, symbols, within):
                offsets = page.offsets
                found += self._read_page(page)
        return Reading(instruction, offsets, tuple(found))

    def close(self) -> None:
        """Free the model; the next `read` loads it again."""
        with self._lock:
            if self._context is not None:
                self._context.close()
            self._context = self._pages = None

    def _load(self) -> None:
        self._context = BertContext(self.path, self.threads, tokens=True)
        try:
            with np.load(self.heads_path) as data:
                self._heads = {name: data[name] for name in data.files}
        except (OSError, ValueError) as err:
            reason = f"{self.heads_path}: not the reader's heads: {err}"
            raise ModelError(reason, hint="install localgen again", code="reader-damaged") from None
        self._pages = Pages(self._context.pieces, PAGE_TOKENS)

    def _read_page(self, page: Page) -> list[SymbolReading]:
        assert self._context is not None
        states = self._context.states(page.ids).astype(np.float32)
        words = states[1 : 1 + len(page.offsets)]
        keys = {name: self._apply("key", name, words) for name in ("start", "end", "clause", "choice")}
        out = []
        for symbol, marks in zip(page.symbols, page.marks, strict=True):
            slots = []
            whole = _part(states, marks.symbol)
            clause = self._point("clause", whole, keys)
            words_of = _log_softmax(clause)
            for slot, at, values in zip(symbol.slots, marks.slots, marks.values, strict=False):
                part = _part(states, at)
                starts, ends = (self._point(n, part, keys) + self._scale(n) * words_of for n in ("start", "end"))
                chosen = [_part(states, v) for v in values]
                evidence = [self._point("choice", v, keys) + self._scale("choice") * words_of for v in chosen]
                choices = [self._odds("value", v, e) for v, e in zip(chosen, evidence, strict=True)]
                filled = self._odds("slot", part, starts)
                slots.append(
                    SlotReading(slot, filled, _log_softmax(np.array(choices)), _log_softmax(starts), _log_softmax(ends))
                )
            out.append(SymbolReading(symbol, self._odds("symbol", whole, clause), words_of, tuple(slots)))
        return out

    def _odds(self, name: str, part: NDArray[np.float32], points: Floats) -> float:
        """Log odds: what the part's own states say, and the best word of the instruction for it."""
        evidence = float(points.max()) if len(points) else 0.0
        return float(self._apply("mark", name, part)[0]) + self._scale(name) * evidence

    def _scale(self, name: str) -> float:
        return float(self._heads[f"evidence.{name}"])

    def _apply(self, group: str, name: str, states: NDArray[np.float32]) -> NDArray[np.float32]:
        weight, bias = self._heads[f"{group}.{name}.weight"], self._heads[f"{group}.{name}.bias"]
        made: NDArray[np.float32] = states @ weight.T + bias
        return made

    def _point(self, name: str, state: NDArray[np.float32], keys: dict[str, NDArray[np.float32]]) -> Floats:
        query = self._apply("mark", name, state)
        found: Floats = (keys[name] @ query / np.sqrt(len(query))).astype(np.float64)
        return found


def _part(states: NDArray[np.float32], part: tuple[int, int]) -> NDArray[np.float32]:
    """What stands for a marked part: its marker's state and the mean of all its states."""
    at, end = part
    found: NDArray[np.float32] = states[at] + states[at:end].mean(axis=0)
    return found


def _log_softmax(logits: NDArray[np.float32] | Floats) -> Floats:
    if not len(logits):
        return np.zeros(0)
    x = logits.astype(np.float64)
    x = x - x.max()
    out: Floats = x - np.log(np.exp(x).sum())
    return out
