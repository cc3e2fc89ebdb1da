"""What the reader reads: an instruction beside some symbols, each symbol and each of its slots behind a marker token.

    [CLS] instruction [SEP] [S] name. summary [O] option: doc [V] value [V] value [O] … [S] … [SEP]

A slot is a place for a value: an option or positional of a proc, the value of a variable, a name or number in the
example statement of a DSL production. Knows token ids and offsets, nothing of the network behind them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from localgen_retrieval.catalog import Arg, Proc, Variable
from localgen_retrieval.glosses import glosses, without_glosses
from localgen_retrieval.text import name_words

SlotKind = Literal["flag", "choice", "number", "text"]
Tokenize = Callable[[str], list[int]]
Part = tuple[int, int]

# Ids of BERT's vocabulary: its ends, and unused entries that serve as markers.
CLS, SEP = 101, 102
SYMBOL_MARK, SLOT_MARK, VALUE_MARK = 1, 2, 3
MAX_INSTRUCTION, MAX_TEXT, MAX_SLOT, MAX_VALUE, MAX_VALUES = 160, 40, 18, 10, 12
KNOWN = 20_000  # texts whose tokens are remembered: some MB
_PIECE = re.compile(r"\w+|[^\w\s]")
_PLACE = {"string": "text", "int": "number", "float": "number", "bool": "choice", "enum": "choice", "flag": "flag"}
BOOLS = ("true", "false")


@dataclass(frozen=True)
class ReadSlot:
    """A place for a value.

    Attributes:
        name: the arg's name, or its number in a production's example.
        text: what stands for it.
        values: of an enum or bool: what it chooses from. shown: what stands for each, if not its name.
    """

    name: str
    kind: SlotKind
    text: str
    values: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReadSymbol:
    """A symbol as the reader sees it; `name` as in `Symbol`."""

    kind: str
    name: str
    text: str
    slots: tuple[ReadSlot, ...] = ()


@dataclass(frozen=True)
class Marks:
    """Where one symbol stands: (marker, end) in token positions, up to the next marker; `values` is by slot."""

    symbol: Part
    slots: tuple[Part, ...]
    values: tuple[tuple[Part, ...], ...]


@dataclass(frozen=True)
class Page:
    """One sequence for the reader.

    Attributes:
        ids: token ids.
        offsets: (start, end) in the instruction of each of its tokens; the first of them is token 1.
        symbols, marks: what was put on this page, and where.
    """

    ids: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]
    symbols: tuple[ReadSymbol, ...]
    marks: tuple[Marks, ...]


def read_proc(proc: Proc) -> ReadSymbol:
    """A proc with all its args as slots."""
    text = f"{name_words(proc.name)} : {proc.summary}" if proc.summary else name_words(proc.name)
    return ReadSymbol("proc", proc.name, text, tuple(_slot(a) for a in proc.args))


def read_variable(variable: Variable) -> ReadSymbol:
    """A variable; its value is its one slot."""
    text = f"set {name_words(variable.name)}"
    kind: SlotKind = "choice" if variable.values else "number" if variable.type in ("int", "float") else "text"
    values = tuple(variable.values)
    doc = without_glosses(variable.doc, values)
    slot = ReadSlot("value", kind, f"{doc} {variable.unit}".strip() or "value", values, _shown(variable.doc, values))
    return ReadSymbol("variable", variable.name, text, (slot,))


def read_production(
    name: str,
    keyword: str,
    summary: str,
    example: str,
    places: Sequence[tuple[int, int]],
    names: Sequence[str] = (),
) -> ReadSymbol:
    """A statement of a DSL: the values in its example (at these offsets) are its slots, numbered unless named."""
    ends = [*(start for start, _ in places[1:]), len(example)][: len(places)]
    slots = []
    for i, ((start, end), to) in enumerate(zip(places, ends, strict=True)):
        number = bool(re.match(r"[-+]?[\d.]", example[start:end]))
        slots.append(ReadSlot(names[i] if names else str(i), "number" if number else "text", example[start:to]))
    head = example[: places[0][0]] if places else example
    return ReadSymbol("production", name, f"rule {name_words(keyword)} : {summary} . {head}", tuple(slots))


def _slot(arg: Arg) -> ReadSlot:
    kind: SlotKind = _PLACE.get(arg.type, "text")  # type: ignore[assignment]
    values = BOOLS if arg.type == "bool" else tuple(arg.values)
    said = name_words(arg.name)
    doc = without_glosses(arg.doc, values)
    about = " ".join(t for t in (arg.unit, arg.kind if arg.kind and arg.kind != arg.name else "", doc) if t)
    text = f"{said} : {about}" if about else said
    return ReadSlot(arg.name, "choice" if values else kind, text, values, _shown(arg.doc, values))


def _shown(doc: str, values: tuple[str, ...]) -> tuple[str, ...]:
    """Each value with what the doc says about it."""
    known = glosses(doc, values)
    return tuple(f"{name_words(v)} {known[v]}" if v in known else name_words(v) or v for v in values)


class Pages:
    """Puts an instruction and symbols on pages.

    Args:
        tokenize: a text to token ids, without special tokens.
        length: tokens that a page holds, but for a symbol's own text (at most `MAX_TEXT`) that has no room left.
    """

    def __init__(self, tokenize: Tokenize, length: int) -> None:
        self._tokenize = tokenize
        self.length = length
        self._known: dict[str, list[int]] = {}

    def of(
        self, instruction: str, symbols: Sequence[ReadSymbol], within: tuple[int, int] | None = None
    ) -> list[Page]:
        """As many pages as the symbols need, in their order; a symbol that no page holds loses its last slots.

        Args:
            within: (start, end) of the only characters of the instruction to be read.
        """
        ids, offsets = self._instruction(instruction)
        if within is not None:
            kept = [i for i, (start, end) in enumerate(offsets) if within[0] <= start and end <= within[1]]
            ids, offsets = [ids[i] for i in kept], [offsets[i] for i in kept]
        room = self.length - len(ids) - 3
        pages: list[Page] = []
        group: list[tuple[ReadSymbol, list[list[int]]]] = []
        used = 0
        for s in symbols:
            parts = self._symbol(s, room)
            size = sum(map(len, parts))
            if group and used + size > room:
                pages.append(_page(ids, offsets, group))
                group, used = [], 0
            group.append((s, parts))
            used += size
        if group:
            pages.append(_page(ids, offsets, group))
        return pages

    def _instruction(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        ids: list[int] = []
        offsets: list[tuple[int, int]] = []
        for m in _PIECE.finditer(text):
            # Pieces of a word share its offsets: a value is made of whole words and signs.
            for token in self._ids(m.group(0)):
                ids.append(token)
                offsets.append(m.span())
        return ids[:MAX_INSTRUCTION], offsets[:MAX_INSTRUCTION]

    def _symbol(self, symbol: ReadSymbol, room: int) -> list[list[int]]:
        parts = [[SYMBOL_MARK, *self._ids(symbol.text)[:MAX_TEXT]]]
        size = len(parts[0])
        for slot in symbol.slots:
            part = [SLOT_MARK, *self._ids(slot.text)[:MAX_SLOT]]
            for value in (slot.shown or tuple(name_words(v) or v for v in slot.values))[:MAX_VALUES]:
                part += [VALUE_MARK, *self._ids(value)[:MAX_VALUE]]
            if size + len(part) > room:
                break
            size += len(part)
            parts.append(part)
        return parts

    def _ids(self, text: str) -> list[int]:
        ids = self._known.get(text)
        if ids is None:
            if len(self._known) >= KNOWN:  # instructions bring new words for as long as the process lives
                self._known.clear()
            ids = self._known[text] = self._tokenize(text)
        return ids


def _page(
    instruction: list[int], offsets: list[tuple[int, int]], group: list[tuple[ReadSymbol, list[list[int]]]]
) -> Page:
    ids = [CLS, *instruction, SEP]
    marks = []
    for _, parts in group:
        slots, values = [], []
        symbol = (len(ids), len(ids) + len(parts[0]))
        ids += parts[0]
        for part in parts[1:]:
            at = [len(ids) + i for i, token in enumerate(part) if token in (SLOT_MARK, VALUE_MARK)]
            spans = list(zip(at, [*at[1:], len(ids) + len(part)], strict=True))
            slots.append(spans[0])
            values.append(tuple(spans[1:]))
            ids += part
        marks.append(Marks(symbol, tuple(slots), tuple(values)))
    ids.append(SEP)
    return Page(tuple(ids), tuple(offsets), tuple(s for s, _ in group), tuple(marks))
