"""Numbers as people say them, with the unit that goes with them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localgen_grammars.constraint.finite import grounded_matches
from localgen_grammars.constraint.grounding import words_of
from localgen_grammars.constraint.number_words import ONES, TENS
from localgen_grammars.constraint.patterns import Grounder
from localgen_grammars.constraint.quantities import number_text, quantities_of


def said(text: str) -> list[tuple[str, str]]:
    return [(number_text(q.value), q.unit) for q in quantities_of(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a hundred and eighty cubic metres a second", [("180", "m3/s")]),
        ("another hundred and fifty gigs", [("150", "GB")]),
        ("two thousand five hundred revs", [("2500", "rpm")]),
        ("hundred and ten", [("110", "")]),
        ("one thousand and one", [("1001", "")]),
        ("23 and a half degrees", [("23.5", "deg")]),
        ("two and a half thousand", [("2500", "")]),
        ("the next day and a half", [("1.5", "d")]),
        ("an hour and a half", [("1.5", "h")]),
        ("two hours and a half", [("2.5", "h")]),
        ("a couple of hours", [("2", "h")]),
        ("half a dozen", [("6", "")]),
        ("two dozen", [("24", "")]),
        ("a tenth of a second", [("0.1", "s")]),
        ("three quarters of an hour", [("0.75", "h")]),
        ("zero point two five", [("0.25", "")]),
        ("between twenty and thirty", [("20", ""), ("30", "")]),
        ("two and three", [("2", ""), ("3", "")]),
        ("eight K", [("8", "")]),
        ("forty kilonewtons", [("40", "kN")]),
    ],
)
def test_a_number_in_words_is_one_quantity(text: str, expected: list[tuple[str, str]]) -> None:
    assert said(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("between 1.19 and 1.21 V", [("1.19", "V"), ("1.21", "V")]),
        ("swept 8 to 14 ns by half a nanosecond", [("8", "ns"), ("14", "ns"), ("0.5", "ns")]),
        ("100-400 um", [("100", "um"), ("400", "um")]),
        ("5, 10 or 15 mm", [("5", "mm"), ("10", "mm"), ("15", "mm")]),
        ("minus 5 to plus 10 degrees", [("-5", "deg"), ("10", "deg")]),
        ("two to three hours", [("2", "h"), ("3", "h")]),
        ("zones 3 and 5 for 10 min", [("3", ""), ("5", ""), ("10", "min")]),
        ("rows 2, 5 mm apart", [("2", ""), ("5", "mm")]),
        ("8 bar to 20 degrees", [("8", "bar"), ("20", "deg")]),
    ],
)
def test_the_numbers_of_a_range_or_series_share_its_unit(text: str, expected: list[tuple[str, str]]) -> None:
    assert said(text) == expected


def spoken(n: int) -> str:
    if n < 20:
        return ONES[n]
    if n < 100:
        return TENS[n // 10 - 2] + (f"-{ONES[n % 10]}" if n % 10 else "")
    if n < 1000:
        return f"{ONES[n // 100]} hundred" + (f" and {spoken(n % 100)}" if n % 100 else "")
    rest = n % 1000
    return f"{spoken(n // 1000)} thousand" + (f"{' and' if rest < 100 else ''} {spoken(rest)}" if rest else "")


@given(st.integers(2, 99_999))
def test_every_whole_number_is_read_back(n: int) -> None:
    assert said(f"make it {spoken(n)} now") == [(str(n), "")]


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (r"[0-9]+m\b", "keep 90 m free", "90m"),
        (r"[1-9](?![0-9.:A-Za-z])", "with rank 3", "3"),
        (r"[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]", "from half past nine to 12:00", "09:30-12:00"),
        (r'"20[0-9][0-9]-[01][0-9]-[0-3][0-9]"', "until 2025-11-30", '"2025-11-30"'),
        (r"[A-Za-z][A-Za-z0-9.]*(_[A-Za-z0-9]+)*", "between w_left and w_right", "w_left"),
    ],
)
def test_a_pattern_finds_what_is_said(pattern: str, text: str, expected: str) -> None:
    assert expected in grounded_matches(pattern, 0, Grounder(words_of(text)))
