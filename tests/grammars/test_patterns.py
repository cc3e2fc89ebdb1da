"""Patterns and DSL terminals as the constraint's regular expressions: what they match; that llguidance takes them."""

from __future__ import annotations

import itertools
import re

import pytest
from llguidance import LLMatcher, LLTokenizer

from localgen_grammars.constraint.grounding import words_of
from localgen_grammars.constraint.patterns import Grounder, Unsupported, rewrite

TOKENIZER = LLTokenizer("byte")
INSTRUCTION = "Spacing rule SR7 for net DATA0 from left:100-400 to met2-met5: 0.3um, 250 nm or 5 volts, abcd and bcd."
PATTERNS = [
    r"[0-9]+(\.[0-9]+)?um",
    r"\d+um",
    r"left:\d+-\d+",
    r"[A-Z]+\d+",
    r"(SR|R)[0-9]+",
    r"(ab)cd|[a-z]+",
    r'"[A-Za-z][A-Za-z0-9_]*"',
    r"met\d-met\d",
    r"-?\d+(\.\d+)?(e[+-]?\d+)?",
    r"(\d+)(V|mV)",
    r"((a)(b))(c)(d)",
    r"[A-Za-z_]\w*(\[\d+\])?",
]


def problem(regex: str) -> str:
    """What llguidance says against a terminal; "" if it takes it."""
    matcher = LLMatcher(TOKENIZER, f"start: A\nA: /{regex}/\n", log_level=0)
    if not matcher.is_error():
        matcher.compute_bitmask()
    return str(matcher.get_error()) if matcher.is_error() else ""


@pytest.mark.parametrize("pattern", PATTERNS)
def test_llguidance_takes_every_rewritten_pattern(pattern: str) -> None:
    for words in (words_of(INSTRUCTION), None):
        regex = rewrite(pattern, 0, Grounder(words))
        assert regex is not None and not problem(regex), regex


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(PATTERNS[:6], 2)))
def test_llguidance_takes_a_choice_of_patterns(one: str, other: str) -> None:
    regex = rewrite(f"({one})|({other})", 0, Grounder(words_of(INSTRUCTION)))
    assert regex is not None and not problem(regex), regex


def test_equal_texts_with_different_groups_are_one_literal() -> None:
    """Where groups capture, llguidance 1.9 panics on this one."""
    regex = rewrite(r"[0-9]+(\.[0-9]+)?um", 0, Grounder(words_of("0.3um here and 4um there")))
    assert regex is not None and not problem(regex)
    assert re.fullmatch(regex, "0.3um") and re.fullmatch(regex, "4um") and not re.fullmatch(regex, "7um")


@pytest.mark.parametrize("pattern", [r"(?=a)b", r"(a)\1", r"\bx", r"(?<!a)b"])
def test_what_no_mask_engine_can_express_is_refused_by_name(pattern: str) -> None:
    with pytest.raises(Unsupported, match=r"look|reference|boundary"):
        rewrite(pattern, 0, Grounder(None))
