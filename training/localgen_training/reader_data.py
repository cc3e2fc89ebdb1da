"""Pages and labels that the reader is trained on, from tasks; a batch is a function of its seed.

A label says which symbols of the page an instruction asks for and in which of its words, which of their slots it fills,
which choice it makes, and where it says each value.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from localgen_grammars.constraint.places import Spans, name_places
from localgen_grammars.constraint.quantities import Quantity, convert, quantities_of, same_amount
from localgen_retrieval.reading import Page, Pages, Part, ReadSlot, ReadSymbol, Tokenize

from .synthesis import PlacedUse, Task, examples

Draw = Callable[[int, int], list[Task]]
Batch = list[tuple[Page, "Labels"]]
_ALONE = 0.12  # share of pages that hold no symbol that is needed, or not all of them
_LENGTHS = (128, 160, 208, 352)  # shorter ones have more labels for their tokens


@dataclass
class Labels:
    """What is right on one page; parts and tokens are token positions of the page.

    Attributes:
        symbols: whether each symbol is asked for.
        slots: whether each slot of those is filled.
        choices: (the values, index of the right one).
        starts, ends: (a slot, tokens of which one starts or ends its value), a row for each value.
        clauses: (a symbol, tokens of the words that ask for it).
    """

    symbols: dict[Part, bool] = field(default_factory=dict)
    slots: dict[Part, bool] = field(default_factory=dict)
    choices: list[tuple[tuple[Part, ...], int]] = field(default_factory=list)
    starts: list[tuple[Part, list[int]]] = field(default_factory=list)
    ends: list[tuple[Part, list[int]]] = field(default_factory=list)
    clauses: list[tuple[Part, list[int]]] = field(default_factory=list)


def label(page: Page, instruction: str, uses: Sequence[PlacedUse]) -> Labels:
    """The labels of a page."""
    out = Labels()
    said = quantities_of(instruction)
    for symbol, marks in zip(page.symbols, page.marks, strict=True):
        mine = [u for u in uses if u.use.symbol == symbol.name]
        out.symbols[marks.symbol] = bool(mine)
        for u in mine:
            clause = [t for t, span in enumerate(page.offsets, 1) if _inside(span, u.place)]
            if clause:
                out.clauses.append((marks.symbol, clause))
        if not mine:
            continue
        for slot, at, values in zip(symbol.slots, marks.slots, marks.values, strict=False):
            given = [u for u in mine if slot.name in u.use.values]
            out.slots[at] = bool(given)
            for u in given:
                _label_slot(out, page, instruction, said, slot, at, values, u)
    return out


def _label_slot(
    out: Labels, page: Page, instruction: str, said: Sequence[Quantity], slot: ReadSlot, at: Part,
    values: tuple[Part, ...], u: PlacedUse,
) -> None:  # fmt: skip
    for value in u.use.values[slot.name]:
        if slot.values:
            if value in slot.values[: len(values)]:
                out.choices.append((values, slot.values.index(value)))
            continue
        spans = _number_places(said, value) if slot.kind == "number" else name_places(instruction, value)
        spans = spans or _number_places(said, value)
        near = tuple(s for s in spans if _inside(s, u.place)) or spans
        starts, ends = _edges(page, near)
        if starts and ends:
            out.starts.append((at, starts))
            out.ends.append((at, ends))


def _edges(page: Page, spans: Spans) -> tuple[list[int], list[int]]:
    """The first tokens that begin and the last that end one of the spans."""
    starts, ends = [], []
    for a, b in spans:
        covered = [t for t, (x, y) in enumerate(page.offsets, 1) if x < b and y > a]
        if covered:
            starts.append(covered[0])
            ends.append(covered[-1])
    return sorted(set(starts)), sorted(set(ends))


def _number_places(said: Sequence[Quantity], value: str) -> Spans:
    number = re.search(r"[-+]?\d+(?:\.\d+)?", value)  # a unit may follow, a fixed letter stand before
    if number is None or re.search(r"\d", value[number.end() :]):
        return ()
    wanted, unit = Decimal(number.group(0)), value[number.end() :]
    exact = [q for q in said if abs(q.value) == abs(wanted)]
    alike = [q for q in said if same_amount(q, wanted) or any(abs(v) == abs(wanted) for v in convert(q, unit))]
    return tuple(s for q in exact or alike for s in q.at)


def _inside(span: tuple[int, int], place: tuple[int, int]) -> bool:
    return span[0] >= place[0] and span[1] <= place[1]


def page_of(task: Task, tokenize: Tokenize, rng: random.Random) -> Page | None:
    """One page with some of the task's symbols in random order; None where the instruction is too long for it."""
    pages = Pages(tokenize, rng.choice(_LENGTHS))
    needed = {u.use.symbol for u in task.uses}
    symbols = list(task.symbols)
    rng.shuffle(symbols)
    if rng.random() > _ALONE:
        symbols.sort(key=lambda s: s.name not in needed)
    made = pages.of(task.instruction, symbols)
    if not made or len(made[0].offsets) > pages.length * 0.7:
        return None
    shown: list[ReadSymbol] = list(made[0].symbols)
    rng.shuffle(shown)
    return pages.of(task.instruction, shown)[0]


def draw_tasks(seed: int, n: int, split: str = "train") -> list[Task]:
    """n tasks of the families' worlds."""
    return examples(seed, n, split)


def batches(
    draws: Sequence[tuple[float, Draw]], tokenize: Tokenize, seed: int, tokens: int, group: int = 96
) -> Iterator[Batch]:
    """Batches without end, of pages of like length, `tokens` tokens each with their padding.

    Args:
        draws: sources of tasks, with their shares.
        group: pages that are drawn and sorted together.
    """
    number = 0
    while True:
        rng = random.Random(f"reader-{seed}-{number}")
        found: list[tuple[Page, Labels]] = []
        while len(found) < group:
            draw = rng.choices([d for _, d in draws], [w for w, _ in draws])[0]
            for task in draw(rng.randrange(1 << 40), 2):
                page = page_of(task, tokenize, rng)
                if page is not None:
                    found.append((page, label(page, task.instruction, task.uses)))
        found.sort(key=lambda pl: len(pl[0].ids))
        cut: list[list[tuple[Page, Labels]]] = [[]]
        for item in found:
            if (len(cut[-1]) + 1) * len(item[0].ids) > tokens:
                cut.append([])
            cut[-1].append(item)
        rng.shuffle(cut)
        yield from cut
        number += 1
