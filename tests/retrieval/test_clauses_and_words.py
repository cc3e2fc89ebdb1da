"""Words for BM25, names as words, and the clauses of an instruction."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localgen_retrieval.text import name_words, split_clauses, stem, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("my::route_net", ["rout", "net"]),
        ("setCornerFast HTTPServer", ["set", "corner", "fast", "http", "server"]),
        ("read-only db.cells", ["read", "onli", "db", "cell"]),
        ("plane45", ["plane45", "plan"]),
        ("M3 2.5um", ["m3", "2.5um", "um"]),
        ("V7's travel", ["v7", "travel"]),
        ("Please put it on the table", ["put", "tabl"]),
        ("Überlauf", ["überlauf"]),
        ("", []),
        ("?! ->", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    "forms",
    [
        ("route", "routes", "routed", "routing"),
        ("stop", "stops", "stopped", "stopping"),
        ("policy", "policies"),
        ("switch", "switches", "switched"),
        ("fill", "fills", "filled", "filling"),
    ],
)
def test_endings_are_one_word(forms: tuple[str, ...]) -> None:
    assert len({stem(f) for f in forms}) == 1


@pytest.mark.parametrize("pair", [("ring", "r"), ("need", "ne"), ("bus", "bu"), ("pass", "pas"), ("net", "nets'")])
def test_short_words_are_not_cut_to_pieces(pair: tuple[str, str]) -> None:
    assert stem(pair[0]) != stem(pair[1])


def test_names_as_words_keep_their_case() -> None:
    assert name_words("my::routeNet_fast2") == "my route Net fast2"


@pytest.mark.parametrize(
    ("instruction", "clauses"),
    [
        ("Route CLK on M3", ["Route CLK on M3"]),
        (
            "Fill the pump for a while, start it at 4 bar, then open V2 all the way.",
            ["Fill the pump for a while", "start it at 4 bar", "open V2 all the way"],
        ),
        ("Emergency: kill P1, no run-down.", ["Emergency: kill P1", "no run-down"]),
        ("Two rules. SA: SDA keeps 2 um. LA: SDA is short.", ["Two rules", "SA: SDA keeps 2 um", "LA: SDA is short"]),
        ("hold J310 if it is warm, otherwise shut D14 unless D15 is open",
         ["hold J310", "if it is warm", "otherwise shut D14", "unless D15 is open"]),
        ("charge it once a day, and once more before 13:30", ["charge it once a day", "once more before 13:30"]),
        ("hops, vines and berries all hang on P3", ["hops, vines and berries all hang on P3"]),
        (
            'tell maria "stopped, and then some more words" and close the valve',
            ['tell maria "stopped, and then some more words"', "close the valve"],
        ),
        ("it holds 1,500 litres in this tank", ["it holds 1,500 litres in this tank"]),
        (
            "keep 1.5 um clear. Then route it there\nadd a second shield",
            ["keep 1.5 um clear", "route it there", "add a second shield"],
        ),
        ("In the fast corner, route A, B and C on M1.", ["In the fast corner", "route A, B and C on M1"]),
        ("overtime is double, drivers 1.3, welders 1.6, and lab/qa 1.2",
         ["overtime is double", "drivers 1.3", "welders 1.6", "lab/qa 1.2"]),
        ("", [""]),
        ("and then", ["and then"]),
    ],
)
def test_clauses(instruction: str, clauses: list[str]) -> None:
    assert split_clauses(instruction) == clauses


def test_a_long_instruction_has_a_bounded_number_of_clauses() -> None:
    assert len(split_clauses("open the first valve, " * 500)) <= 24


def test_splitting_takes_linear_time() -> None:
    text = "open 'x, y' now, " * 60_000
    start = time.perf_counter()
    split_clauses(text)
    assert time.perf_counter() - start < 5


@given(st.text(alphabet="ab1 ,;.:\"\n'", max_size=80))
def test_no_word_is_lost(text: str) -> None:
    clauses = split_clauses(text)
    assert clauses
    joined = " ".join(clauses)
    assert all(letter in joined for letter in set(text) if letter.isalnum())
