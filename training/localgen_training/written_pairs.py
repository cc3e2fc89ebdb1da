"""Pairs for the sentence encoder from written domains: what a person asks for, and the symbol's text in the index."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from localgen_retrieval.symbols import symbols_of

from .encoder_pairs import Pair
from .written import WRITTEN, WrittenDomain, WrittenTask, domain_folders

_WHOLE = 0.3  # share of the pairs of a task with several statements that have the whole instruction


@dataclass(frozen=True)
class _Known:
    texts: dict[str, str]  # of the index, by the name that the reader has for the symbol
    asking: dict[str, list[tuple[WrittenTask, str]]]  # (task, words that ask for it) by that name


class WrittenPairs:
    """Batches of pairs of a few domains, each symbol once: the near twins of a catalog are each other's negatives."""

    def __init__(self, split: str = "train", root: Path = WRITTEN) -> None:
        self._known = [_known(WrittenDomain(f)) for f in domain_folders(split, root)]

    def __len__(self) -> int:
        return sum(len(asking) for k in self._known for asking in k.asking.values())

    def batch(self, rng: random.Random, size: int) -> list[Pair]:
        """`size` pairs; fewer where the split has too few symbols."""
        out: list[Pair] = []
        for i in rng.sample(range(len(self._known)), len(self._known)):
            known = self._known[i]
            names = sorted(known.asking)
            for name in rng.sample(names, min(len(names), size - len(out))):
                out.append(_pair(known, i, name, rng))
            if len(out) == size:
                break
        return out


def _pair(known: _Known, domain: int, name: str, rng: random.Random) -> Pair:
    task, words = rng.choice(known.asking[name])
    query = task.instruction if not words or rng.random() < _WHOLE else words
    also = frozenset(f"{domain}.{u.symbol}" for u in task.uses if u.symbol != name) if query != words else frozenset()
    return Pair(query, known.texts[name], f"{domain}.{name}", also)


def _known(domain: WrittenDomain) -> _Known:
    index = {s.name: s.text for s in symbols_of(domain.domain)}
    texts = {name: index[name] for name in domain.symbols if name in index}
    texts |= {name: index[key] for name, production in domain.productions.items()
              if (key := f"{name.rpartition('.')[0]}.{production}") in index}  # fmt: skip
    asking: dict[str, list[tuple[WrittenTask, str]]] = {}
    for task in domain.tasks:
        said = {symbol: words for words, symbol in task.clauses}
        for name in dict.fromkeys(u.symbol for u in task.uses):
            if name in texts:
                words = said.get(domain.productions.get(name, name), "")
                asking.setdefault(name, []).append((task, words))
    return _Known(texts, asking)
