"""How numbers are said in training tasks, and that the constraint reads each of them back."""

from __future__ import annotations

import random

import pytest

pytest.importorskip("yaml")

from localgen_grammars.constraint.quantities import number_texts, quantities_of
from localgen_training.families import split_fields
from localgen_training.values import draw_number, in_words, say_number


def test_whatever_is_said_the_constraint_can_write_the_number() -> None:
    rng = random.Random(3)
    specs = [
        a for f in split_fields("train") for c in f.concepts for a in c.args if a.type in ("int", "float")
    ]
    forms: set[str] = set()
    for _ in range(8000):
        spec = rng.choice(specs)
        text = draw_number(spec, rng)
        said = say_number(text, spec.unit, rng)
        found = quantities_of(f"put it at {said} please")
        assert text in number_texts(found, spec.unit, integer=spec.type == "int", low=None, high=None), (said, spec)
        forms.add(said.split(" ")[0] if not said[0].isdigit() else "digits")
    assert {"digits", "half", "a", "minus", "twenty", "three"} <= {f.split("-")[0] for f in forms}


@pytest.mark.parametrize(("n", "words"), [(0, "zero"), (12, "twelve"), (20, "twenty"), (47, "forty-seven")])
def test_numbers_below_a_hundred_in_words(n: int, words: str) -> None:
    assert in_words(n) == words
    assert number_texts(quantities_of(words), "", integer=True, low=0, high=None) == [str(n)]
