"""How the words of an instruction are shared out among the arguments of a call, and what their look says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from localgen.decoder.assignment import Assignment, call_plan, mentions_of
from localgen.decoder.said import SaidValues
from localgen.decoder.value_hints import ValueHints
from localgen_grammars.constraint.grounding import words_of
from localgen_retrieval.catalog import Catalog, Proc
from localgen_retrieval.reading import read_proc

from .readings import Given, reading

TOW = Proc.model_validate({
    "name": "tow", "args": [
        {"name": "car", "type": "string", "kind": "car"},
        {"name": "by", "type": "string", "kind": "truck"},
        {"name": "speed", "type": "float", "unit": "km", "required": False},
        {"name": "min", "type": "float", "required": False},
        {"name": "max", "type": "float", "required": False},
        {"name": "lights", "type": "flag"},
        {"name": "note", "type": "string", "kind": "text", "required": False},
        {"name": "gear", "type": "enum", "values": ["G1", "G2", "G3"], "required": False},
        {"name": "lamps", "type": "enum", "values": ["L1", "L2", "L3", "all"], "list": True, "required": False},
    ],
    "examples": ["tow -car CAR9 -by TRK3", "tow -car CAR12 -by TRK1 -note {flat tyre}"],
})  # fmt: skip
CATALOG = Catalog.model_validate({"name": "road", "procs": [TOW.model_dump(by_alias=True, exclude_unset=True)]})


def plan(
    task: str, given: Mapping[str, Given], names: tuple[str, ...] = (), *, hints: bool = False, doubt: bool = False
) -> Assignment:
    """The ways to fill the call, by a reader sure of its words, not of its options (`doubt`: thinks none is given)."""
    words = words_of(task)
    read = reading(task, (read_proc(TOW), given))
    flat = np.full(len(read.offsets), -np.log(len(read.offsets)))
    slots = tuple(replace(s, filled=-1.0 if doubt else s.filled / 4) for s in read.symbols[0].slots)
    symbol = replace(read.symbols[0], clause=flat, slots=slots)
    known = ValueHints(CATALOG) if hints else None
    return call_plan(TOW, symbol, SaidValues(read, words), mentions_of(task, words, names), hints=known)


def filled(made: Assignment) -> dict[str, tuple[str, ...]]:
    return dict(made.fillings[0].values)


def test_each_argument_takes_the_words_that_the_reader_points_at() -> None:
    made = plan("tow CAR4 with TRK2, lights on", {"car": "CAR4", "by": "TRK2", "lights": True}, ("CAR4", "TRK2"))
    assert filled(made) == {"car": ("CAR4",), "by": ("TRK2",), "lights": ()}


def test_two_arguments_do_not_take_the_same_words() -> None:
    made = plan("tow CAR4 with TRK2", {"car": "CAR4", "by": ("CAR4", "TRK2")}, ("CAR4", "TRK2"))
    assert filled(made) == {"car": ("CAR4",), "by": ("TRK2",)}


def test_a_number_that_is_said_is_not_left_over() -> None:
    task = "tow CAR4 with TRK2 and 30 km"
    given: Mapping[str, Given] = {"car": "CAR4", "by": "TRK2", "speed": "30"}
    assert filled(plan(task, given, ("CAR4", "TRK2"), doubt=True))["speed"] == ("30",)
    assert "speed" not in filled(plan("tow CAR4 with TRK2", given, ("CAR4", "TRK2"), doubt=True))


def test_the_number_of_a_value_is_taken_by_it() -> None:
    given: Mapping[str, Given] = {"car": "CAR4", "by": "TRK2", "gear": "G3", "speed": "3"}
    assert "speed" not in filled(plan("tow CAR4 with TRK2 in gear 3", given, ("CAR4", "TRK2"), doubt=True))
    made = filled(plan("tow CAR4 with TRK2 in gear 3", given, ("CAR4", "TRK2")))
    assert made["gear"] == ("G3",) and "speed" not in made
    both = filled(plan("tow CAR4 with TRK2 in gear 3, 5 km", {**given, "speed": "5"}, ("CAR4", "TRK2")))
    assert both["gear"] == ("G3",) and both["speed"] == ("5",)


def test_a_list_has_every_value_that_is_named() -> None:
    given: Mapping[str, Given] = {"car": "CAR4", "by": "TRK2", "lamps": ("L1", "L3")}
    made = filled(plan("tow CAR4 with TRK2, lamps 3 and 1 on", given, ("CAR4", "TRK2")))
    assert made["lamps"] == ("L3", "L1")


def test_a_lower_bound_is_not_above_the_upper_one() -> None:
    unsure: Mapping[str, Given] = {"car": "CAR4", "by": "TRK2", "min": ("3", "9"), "max": ("3", "9")}
    made = filled(plan("tow CAR4 with TRK2 between 9 and 3", unsure, ("CAR4", "TRK2"), hints=True))
    assert (made["min"], made["max"]) == (("3",), ("9",))


def test_what_is_written_already_narrows_the_rest() -> None:
    made = plan("tow CAR4 with TRK2", {"car": "CAR4", "by": "TRK2"}, ("CAR4", "TRK2"))
    ways = made.consistent({"car": ("TRK2",)})
    assert made.values("by", ways)["CAR4"] == 0.0
    assert made.consistent({"car": ("somebody",)}) == made.fillings


def test_odds_are_large_where_one_way_is_plainly_better() -> None:
    made = plan("tow CAR4 with TRK2, lights on", {"car": "CAR4", "by": "TRK2", "lights": True}, ("CAR4", "TRK2"))
    assert made.odds("lights", made.fillings) > 1
    assert made.odds("speed", made.fillings) < 0
    assert made.odds("car", made.fillings) > 2


def test_a_value_goes_where_the_examples_have_one_like_it() -> None:
    swapped: Mapping[str, Given] = {"car": ("CAR4", "TRK2"), "by": ("CAR4", "TRK2")}
    made = plan("TRK2 it is that takes CAR4", swapped, ("CAR4", "TRK2"), hints=True)
    assert filled(made) == {"car": ("CAR4",), "by": ("TRK2",)}


def test_a_value_goes_to_the_argument_whose_name_stands_before_it() -> None:
    unsure: Mapping[str, Given] = {"car": ("rust", "blue"), "by": ("rust", "blue")}
    assert filled(plan("by rust, car blue", unsure, hints=True)) == {"car": ("blue",), "by": ("rust",)}


def test_a_quoted_phrase_is_the_text() -> None:
    given: Mapping[str, Given] = {"car": "CAR4", "by": "TRK2", "note": "six"}
    made = plan('tow CAR4 with TRK2, saying "mind berth six"', given, ("CAR4", "TRK2", "mind berth six"), hints=True)
    assert filled(made)["note"] == ("mind berth six",)


@pytest.mark.parametrize(
    ("task", "expected"),
    [("tow at half past six", [(7, 20)]), ("tow 30 km with one rope", [(4, 6), (15, 18)]), ("tow it", [])],
)
def test_mentions_are_names_numbers_and_times(task: str, expected: list[tuple[int, int]]) -> None:
    assert [(m.start, m.end) for m in mentions_of(task, words_of(task), ())] == expected
