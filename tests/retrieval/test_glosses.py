"""What a doc says about the values of an enum."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localgen_retrieval.glosses import glosses, without_glosses


@pytest.mark.parametrize(
    ("doc", "values", "expected", "rest"),
    [
        ("G green, B blue, R red.", "G B R", {"G": "green", "B": "blue", "R": "red"}, ""),
        (
            "Which probe: shallow sits at 10 cm, deep at 60 cm.",
            "shallow deep",
            {"shallow": "sits at 10 cm", "deep": "at 60 cm"},
            "Which probe",
        ),
        (
            "gust: peak of the last 3 s; m1, m10: mean over one or ten minutes.",
            "gust m1 m10",
            {
                "gust": "peak of the last 3 s",
                "m1": "mean over one or ten minutes",
                "m10": "mean over one or ten minutes",
            },
            "",
        ),
        ("latched: up and pinned, for storms.", "up down latched", {"latched": "up and pinned, for storms"}, ""),
        (
            "opening = today's opening, hour = the last 60 minutes.",
            "opening hour week",
            {"opening": "today's opening", "hour": "the last 60 minutes"},
            "",
        ),
        ("End: `soft` (waits) or `hard` (kills).", "soft hard", {"soft": "waits", "hard": "kills"}, "End"),
        ("a - one side\nb - both sides", "a b", {"a": "one side", "b": "both sides"}, ""),
        ("Goes into the report.", "rain frost", {}, "Goes into the report."),
        ("fast, slow or auto", "fast slow auto", {}, "fast, slow or auto"),
        ("Do not use upper case.", "upper lower", {}, "Do not use upper case."),
        ("", "a b", {}, ""),
    ],
)
def test_a_gloss_is_what_follows_its_value(doc: str, values: str, expected: dict[str, str], rest: str) -> None:
    assert glosses(doc, values.split()) == expected
    assert without_glosses(doc, values.split()) == rest


@given(st.text(alphabet="ab ,:;=.()`-\n"), st.lists(st.sampled_from(["a", "b", "ab", "-", ""]), max_size=4))
def test_any_doc_has_glosses_of_the_enum_s_own_values_only(doc: str, values: list[str]) -> None:
    found = glosses(doc, values)
    assert set(found) <= set(values)
    assert all(found.values())
    assert doc.startswith(without_glosses(doc, values))
