"""Training tasks from written domains: each time with other names, other near symbols, other slips."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from localgen_grammars.constraint.places import name_places
from localgen_retrieval.encoder import Encoder
from localgen_retrieval.reading import ReadSlot, ReadSymbol

from .compose import Use
from .noise import slip
from .synthesis import PlacedUse, Task
from .values import draw_string
from .written import WrittenDomain, WrittenTask, domain_folders

# Shares: names that another one takes the place of (plain words: fewer), a number as one; docs that a symbol or a slot
# loses; instructions typed in haste.
_RENAMED, _WORD_RENAMED, _NUMBER, _NO_TEXT, _NO_DOC, _SLIP = 0.6, 0.25, 0.1, 0.06, 0.12, 0.12
_NAME = re.compile(r"[A-Za-z_][\w./\[\]-]*")


@dataclass(frozen=True)
class _Known:
    domain: WrittenDomain
    tasks: tuple[WrittenTask, ...]
    names: tuple[str, ...]  # that its tasks give as text values


class WrittenTasks:
    """Draws tasks of the written domains of a split; a draw is a function of its seed.

    Args:
        encoder: ranks each domain's symbols, so that a page holds near twins of what is asked for.
    """

    def __init__(self, encoder: Encoder, split: str = "train", root: Path | None = None) -> None:
        folders = domain_folders(split) if root is None else domain_folders(split, root)
        self._known = [_known(WrittenDomain(f), encoder) for f in folders]
        self._all = [(k, t) for k in self._known for t in k.tasks]

    def __len__(self) -> int:
        return len(self._all)

    def __call__(self, seed: int, n: int) -> list[Task]:
        """n tasks, each of any domain."""
        rng = random.Random(f"written-{seed}")
        return [_vary(*rng.choice(self._all), rng) for _ in range(n)]

    def plain(self) -> list[Task]:
        """Every task once, as it is written."""
        return [_task(k.domain, t, t.near[:12]) for k, t in self._all]


def _known(domain: WrittenDomain, encoder: Encoder) -> _Known:
    texts = {(s.name, slot.name) for s in domain.symbols.values() for slot in s.slots if slot.kind == "text"}
    names = [v for t in domain.tasks for u in t.uses for slot, values in u.values.items()
             if (u.symbol, slot) in texts for v in values if _NAME.fullmatch(v)]  # fmt: skip
    return _Known(domain, domain.ranked(encoder), tuple(dict.fromkeys(names)))


def _vary(known: _Known, task: WrittenTask, rng: random.Random) -> Task:
    swap = _swaps(known, task, rng)
    said = re.compile("|".join(rf"(?<![A-Za-z0-9_]){re.escape(k)}(?![A-Za-z0-9_])" for k in swap) or r"(?!)")

    def other(text: str) -> str:
        return said.sub(lambda m: swap[m.group(0)], text)

    changed = replace(
        task,
        instruction=other(task.instruction),
        clauses=tuple((other(words), symbol) for words, symbol in task.clauses),
        uses=tuple(_use(u, swap) for u in task.uses),
    )
    made = _task(known.domain, changed, task.near[: rng.randint(4, 14)])
    symbols = tuple(_lessened(s, rng) for s in made.symbols)
    instruction = made.instruction
    if rng.random() < _SLIP and not task.clauses:  # a clause's words must stay where they are
        instruction = slip(instruction, [v for u in made.uses for vs in u.use.values.values() for v in vs], rng)
        made = replace(made, uses=tuple(PlacedUse(u.use, (0, len(instruction))) for u in made.uses))
    return replace(made, symbols=symbols, instruction=instruction)


def _use(use: Use, swap: Mapping[str, str]) -> Use:
    return Use(use.symbol, {slot: tuple(swap.get(v, v) for v in values) for slot, values in use.values.items()})


def _swaps(known: _Known, task: WrittenTask, rng: random.Random) -> dict[str, str]:
    """Names of the task, and what is said in their place."""
    fixed = {v for s in known.domain.symbols.values() for slot in s.slots for v in slot.values}
    used = {v for u in task.uses for vs in u.values.values() for v in vs}
    out: dict[str, str] = {}
    for name in sorted(used & set(known.names) - fixed):
        if name_places(task.instruction, name) and name in task.instruction:
            word = name.isalpha() and name.islower()
            if rng.random() < (_WORD_RENAMED if word else _RENAMED):
                new = str(rng.randint(1, 999)) if rng.random() < _NUMBER else draw_string(known.names, rng)
                if new not in used and new not in out.values():
                    out[name] = new
    return out


def _lessened(symbol: ReadSymbol, rng: random.Random) -> ReadSymbol:
    """The symbol as a team would have it that documents less."""
    text = symbol.text.partition(" : ")[0] if symbol.kind != "production" and rng.random() < _NO_TEXT else symbol.text
    return replace(symbol, text=text, slots=tuple(_less_said(s, symbol.kind, rng) for s in symbol.slots))


def _less_said(slot: ReadSlot, kind: str, rng: random.Random) -> ReadSlot:
    if kind != "proc" or rng.random() >= _NO_DOC:
        return slot
    return replace(slot, text=slot.text.partition(" : ")[0])


def _task(domain: WrittenDomain, task: WrittenTask, near: Sequence[str]) -> Task:
    names = dict.fromkeys([u.symbol for u in task.uses] + list(near))
    symbols = tuple(domain.symbols[n] for n in names)
    return Task("written", "", task.instruction, "", symbols, tuple(_placed(domain.productions, task)))


def _placed(productions: Mapping[str, str], task: WrittenTask) -> list[PlacedUse]:
    """Each use with the words that ask for it: those of its next clause, else the whole instruction."""
    left = list(task.clauses)
    out = []
    for use in task.uses:
        name = productions.get(use.symbol, use.symbol)
        mine = [c for c in left if c[1] == name]
        if mine and len([u for u in task.uses if productions.get(u.symbol, u.symbol) == name]) > 1 and len(mine) > 1:
            left.remove(mine[0])
        at = task.instruction.find(mine[0][0]) if mine else -1
        place = (at, at + len(mine[0][0])) if at >= 0 else (0, len(task.instruction))
        out.append(PlacedUse(use, place))
    return out
