"""Pages for the reader: what stands on them, where the markers are, and what happens when they are full."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localgen_retrieval import reading
from localgen_retrieval.catalog import Proc, Variable
from localgen_retrieval.reading import (
    CLS,
    SEP,
    SLOT_MARK,
    SYMBOL_MARK,
    VALUE_MARK,
    Pages,
    ReadSlot,
    ReadSymbol,
    read_proc,
    read_production,
    read_variable,
)


def pieces(text: str) -> list[int]:
    """A stand-in for word pieces: one token for every four letters of a word."""
    return [200 + len(w[i : i + 4]) for w in re.findall(r"\w+|[^\w\s]", text) for i in range(0, len(w), 4)]


PROC = Proc.model_validate({
    "name": "ns::move_it", "summary": "Moves it.",
    "args": [
        {"name": "target", "type": "string", "kind": "net"},
        {"name": "mode", "type": "enum", "values": ["A", "B", "C"], "required": False},
        {"name": "force", "type": "flag"},
        {"name": "by", "type": "float", "unit": "um", "doc": "How far."},
    ],
})  # fmt: skip


def test_every_arg_of_a_proc_is_a_slot() -> None:
    symbol = read_proc(PROC)
    assert symbol.text == "ns move it : Moves it."
    assert [(s.name, s.kind, s.text, s.values) for s in symbol.slots] == [
        ("target", "text", "target : net", ()),
        ("mode", "choice", "mode", ("A", "B", "C")),
        ("force", "flag", "force", ()),
        ("by", "number", "by : um How far.", ()),
    ]


def test_a_variable_has_its_value_as_one_slot() -> None:
    variable = Variable.model_validate({"name": "::cfg::corner", "type": "enum", "values": ["slow", "fast"]})
    (slot,) = read_variable(variable).slots
    assert (slot.kind, slot.values) == ("choice", ("slow", "fast"))


def test_the_values_of_an_example_are_the_slots_of_a_production() -> None:
    symbol = read_production("dsl.0", "halt", "Stops a crane.", "halt STS9 when wind > 23mps;", [(5, 9), (22, 27)])
    assert symbol.text == "rule halt : Stops a crane. . halt "
    assert [(s.name, s.kind, s.text) for s in symbol.slots] == [
        ("0", "text", "STS9 when wind > "),
        ("1", "number", "23mps;"),
    ]
    assert read_production("dsl.1", "stop", "", "stop", []).slots == ()


def test_markers_stand_before_what_they_mark() -> None:
    (page,) = Pages(pieces, 200).of("move clk", [read_proc(PROC)])
    (marks,) = page.marks
    assert page.ids[0] == CLS
    assert page.ids[1 + len(page.offsets)] == SEP == page.ids[-1]
    assert page.ids[marks.symbol[0]] == SYMBOL_MARK
    assert [page.ids[at] for at, _ in marks.slots] == [SLOT_MARK] * 4
    assert [[page.ids[at] for at, _ in row] for row in marks.values] == [[], [VALUE_MARK] * 3, [], []]
    parts = [marks.symbol, *(p for s, values in zip(marks.slots, marks.values, strict=True) for p in (s, *values))]
    assert [end for _, end in parts] == [*(at for at, _ in parts[1:]), len(page.ids) - 1]


def test_pieces_of_a_word_share_its_offsets() -> None:
    (page,) = Pages(pieces, 200).of("route clock_main now", [read_proc(PROC)])
    assert ["route clock_main now"[a:b] for a, b in page.offsets] == ["route", "route", *["clock_main"] * 3, "now"]


@given(
    st.text(max_size=400),
    st.lists(st.tuples(st.text(max_size=60), st.integers(0, 30)), min_size=1, max_size=12),
    st.integers(180, 400),
)
def test_no_page_is_too_long_and_no_symbol_is_lost(
    instruction: str, drawn: list[tuple[str, int]], length: int
) -> None:
    symbols = [
        ReadSymbol("proc", f"p{i}", text, tuple(ReadSlot(f"s{k}", "text", text) for k in range(slots)))
        for i, (text, slots) in enumerate(drawn)
    ]
    pages = Pages(pieces, length).of(instruction, symbols)
    assert [s.name for page in pages for s in page.symbols] == [s.name for s in symbols]
    for page in pages:
        assert len(page.ids) <= length + 43  # a symbol's own text is kept, whatever room the instruction leaves
        assert all(0 <= a < b <= len(instruction) for a, b in page.offsets)


def test_words_of_many_instructions_are_forgotten_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "KNOWN", 50)
    long_lived, symbols = Pages(pieces, 200), [read_proc(PROC)]
    for i in range(200):
        assert long_lived.of(f"route net_{i}", symbols) == Pages(pieces, 200).of(f"route net_{i}", symbols)
        assert len(long_lived._known) <= 50
