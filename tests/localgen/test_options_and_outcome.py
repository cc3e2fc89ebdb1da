"""The values that go in and out of a generation."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localgen.inputs import MAX_INSTRUCTION_BYTES, check_instruction
from localgen.options import Options
from localgen.outcome import Outcome
from localgen_retrieval.errors import UsageError

CATALOG_FORMAT = Path(__file__).resolve().parents[2] / "docs" / "catalog.md"


@pytest.mark.parametrize(
    "wrong",
    [{"k": 0}, {"k": 65}, {"temperature": float("inf")}, {"temperature": -0.1}, {"max_tokens": 0}, {"seed": -1}],
)
def test_out_of_range(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError) as caught:
        Options(**wrong)  # type: ignore[arg-type]
    assert caught.value.code == "option-range" and caught.value.hint


def test_the_edges_are_in_range() -> None:
    Options(k=1, temperature=0, max_tokens=1, seed=0)
    Options(k=64, temperature=10, seed=2**32 - 1)


def test_a_batch_line_is_as_the_format_says() -> None:
    text = CATALOG_FORMAT.read_text("utf-8")
    line = next(m for m in re.findall(r"`(\{.*?\})`", text) if '"confidence"' in m)
    keys = re.findall(r'"(\w+)"(?=:|,)', line.replace('"script" | "clarification"', "str"))
    found = Outcome(type="script", script="a\n", valid=True, timings={"load": 0.1}).to_batch_line("x")
    assert list(found) == keys and found["id"] == "x"


def test_a_document_is_versioned_json() -> None:
    outcome = Outcome(type="clarification", message="Which net?", suggestions=["CLK"], timings={"load": 0.123456789})
    document = json.loads(json.dumps(outcome.to_document()))
    assert document["version"] == 1 and document["script"] is None and document["timings"] == {"load": 0.1235}


@given(st.text(max_size=200))
def test_an_instruction_is_itself_or_refused(text: str) -> None:
    try:
        assert check_instruction(text) == text
    except UsageError as err:
        assert err.code in ("instruction-empty", "instruction-binary")
        assert not text.strip() or re.search("[\0-\x08\x0e-\x1f\x7f\ud800-\udfff]", text)


def test_the_longest_instruction() -> None:
    check_instruction("x" * MAX_INSTRUCTION_BYTES)
    with pytest.raises(UsageError, match="longer than 64 kB"):
        check_instruction("é" * (MAX_INSTRUCTION_BYTES // 2 + 1))
