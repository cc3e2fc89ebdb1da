"""Readings made by hand: what a reader that is sure of itself would say of an instruction."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from localgen_retrieval.reader import Reading, SlotReading, SymbolReading
from localgen_retrieval.reading import ReadSlot, ReadSymbol

Given = str | Sequence[str] | bool  # what a slot is given: words, several of them, or whether a flag is set
SURE = 6.0


def reading(instruction: str, *symbols: tuple[ReadSymbol, Mapping[str, Given] | None]) -> Reading:
    """An instruction in which each symbol is asked for with these values (None: it is not asked for)."""
    offsets = tuple(m.span() for m in re.finditer(r"\w+|[^\w\s]", instruction))
    return Reading(instruction, offsets, tuple(_symbol(instruction, offsets, s, v) for s, v in symbols))


def _symbol(
    instruction: str, offsets: Sequence[tuple[int, int]], symbol: ReadSymbol, values: Mapping[str, Given] | None
) -> SymbolReading:
    slots = tuple(_slot(instruction, offsets, s, (values or {}).get(s.name, False)) for s in symbol.slots)
    said = [v for given in (values or {}).values() if not isinstance(given, bool) for v in _texts(given)]
    places = [instruction.find(v) for v in said if v in instruction]
    clause = _peaks(offsets, [i for i, (a, _) in enumerate(offsets) if a in places] or [0])
    return SymbolReading(symbol, SURE if values is not None else -SURE, clause, slots)


def _slot(instruction: str, offsets: Sequence[tuple[int, int]], slot: ReadSlot, given: Given) -> SlotReading:
    filled = SURE if given is not False else -SURE
    texts = [] if isinstance(given, bool) else _texts(given)
    if slot.values:
        odds = np.array([SURE if v in texts else 0.0 for v in slot.values])
        return SlotReading(slot, filled, odds - np.log(np.exp(odds).sum()), _peaks(offsets, []), _peaks(offsets, []))
    starts, ends = list[int](), list[int]()
    for text in texts:
        m = re.search(rf"(?<!\w){re.escape(text)}(?!\w)", instruction)
        if m:
            covered = [i for i, (a, b) in enumerate(offsets) if a < m.end() and b > m.start()]
            starts.append(covered[0])
            ends.append(covered[-1])
    return SlotReading(slot, filled, np.zeros(0), _peaks(offsets, starts), _peaks(offsets, ends))


def _texts(given: str | Sequence[str]) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


def _peaks(offsets: Sequence[tuple[int, int]], at: Sequence[int]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    odds = np.zeros(len(offsets))
    odds[list(at)] = SURE
    return odds - np.log(np.exp(odds).sum())
