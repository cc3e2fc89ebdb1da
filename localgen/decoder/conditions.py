"""Conditions as instructions say them: which words make one, what is compared with which number, and "otherwise"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from localgen_grammars.constraint.quantities import Quantity, number_texts
from localgen_retrieval.catalog import Proc

_IF = re.compile(
    r"\b(?:if|when|whenever|unless|in case|should|as long as|provided|once)\b|\?\s*$|^(?:more|less|fewer|over|under)\b",
    re.IGNORECASE,
)
_ELSE = re.compile(r"\s*(?:and\s+)?(?:otherwise|or\s+else|else|if\s+not|or)\b", re.IGNORECASE)
_EITHER_WAY = re.compile(
    r"\b(?:in (?:any|either|every) case|either way|anyway|regardless|in any event|at any rate)\b", re.IGNORECASE
)
_NOT = re.compile(r"\b(?:not|no|nobody|nothing|none|never|unless|without|\w+n't|isnt|hasnt|doesnt)\b", re.IGNORECASE)
# What stands before or behind a number, and the comparison that it says.
_MORE = r"more|greater|higher|larger|longer|bigger|over|above|past|beyond|exceed\w*|older|warmer|hotter|faster"
_LESS = r"less|fewer|lower|smaller|shorter|under|below|short of|colder|cooler|slower|younger"
_COMPARED = tuple((sign, re.compile(cue, re.IGNORECASE)) for sign, cue in (
    (">=", r"(?:at least|(?:no|not) less than|reach(?:es|ed)?)\s*$|^\s*\S*\s*or (?:more|above|over)\b"),
    ("<=", r"(?:at most|(?:no|not) more than|up to)\s*$|^\s*\S*\s*or (?:less|fewer|below|under)\b"),
    (">", rf"(?:{_MORE})(?:\s+than)?\s*$"),
    ("<", rf"(?:{_LESS})(?:\s+than)?\s*$"),
    ("==", r"(?:exactly|equals?|is|are|at)\s*$"),
))  # fmt: skip
_NUMBERS = frozenset({"int", "float"})


def is_condition(words: str) -> bool:
    """Whether a clause says when something is to be done."""
    return _IF.search(words.strip(" ,;")) is not None


def turns(words: str) -> bool:
    """Whether a clause begins what is done otherwise."""
    return _ELSE.match(words) is not None


def in_either_case(words: str) -> bool:
    """Whether a clause says what is done whatever the condition says."""
    return _EITHER_WAY.search(words) is not None


def comparison_of(
    proc: Proc, call: str, used: Sequence[str], words: str, start: int, quantities: Sequence[Quantity]
) -> str | None:
    """The expression that tests a call's result as a clause says it; None for a result that cannot be tested.

    Args:
        used: the values that the call takes. start: where the clause begins in the instruction.
    """
    kind = proc.returns.type if proc.returns is not None else ""
    negative = _NOT.search(words) is not None
    if kind == "bool":
        return f"{'!' if negative else ''}[{call}]"
    if proc.returns is None or kind not in _NUMBERS:
        return None
    for q in quantities:
        places = [(a - start, b - start) for a, b in q.at if 0 <= a - start < len(words)]
        texts = number_texts((q,), proc.returns.unit, integer=kind == "int", low=0, high=None)
        if places and texts and texts[0] not in used:
            a, b = places[0]
            sign = next((sign for sign, cue in _COMPARED if cue.search(words[:a]) or cue.search(words[b:])), ">")
            return f"[{call}] {sign} {texts[0]}"
    return f"[{call}] {'==' if negative else '>'} 0"
