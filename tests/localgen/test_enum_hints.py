"""Which value of an enum the instruction's own words and numbers speak for."""

from __future__ import annotations

import pytest

from localgen.decoder.enum_hints import SHARED_AMOUNT, SHARED_WORD, shared_evidence
from localgen_grammars.constraint.quantities import quantities_of
from localgen_retrieval.catalog import Arg
from localgen_retrieval.text import words as stems

DEPTH = "Which probe: shallow sits at 10 cm, middle at 30 cm, deep at 60 cm."
OVER = "gust: peak of the last 3 s; m1, m10: mean over one or ten minutes."
GRADE = "G green, B blue, R red, K black."


@pytest.mark.parametrize(
    ("values", "doc", "instruction", "expected"),
    [
        (["shallow", "middle", "deep"], DEPTH, "how wet is it sixty centimetres down", {"deep": SHARED_AMOUNT}),
        (["shallow", "middle", "deep"], DEPTH, "how wet is it 0.3 m down", {"middle": SHARED_AMOUNT}),
        (["gust", "m1", "m10"], OVER, "the peak", {"gust": SHARED_WORD}),
        (["G", "B", "R", "K"], GRADE, "make it a black run", {"K": SHARED_WORD}),
        (["G", "B", "R", "K"], GRADE, "make it a hard run", {}),
        (["x1", "x2"], "", "two at a time", {"x2": SHARED_AMOUNT}),
    ],
)
def test_what_only_one_value_shares_with_the_instruction_speaks_for_it(
    values: list[str], doc: str, instruction: str, expected: dict[str, float]
) -> None:
    arg = Arg.model_validate({"name": "a", "type": "enum", "values": values, "doc": doc})
    assert shared_evidence(arg, set(stems(instruction)), quantities_of(instruction)) == expected


def test_words_of_the_procs_own_summary_say_nothing() -> None:
    arg = Arg.model_validate({"name": "a", "type": "enum", "values": ["run", "red"], "doc": ""})
    said = set(stems("close the run"))
    assert shared_evidence(arg, said, ()) == {"run": SHARED_WORD}
    assert shared_evidence(arg, said, (), set(stems("Closes a run."))) == {}
