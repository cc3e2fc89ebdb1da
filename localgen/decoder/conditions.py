"""Conditions as instructions say them: which words make one, what is compared with which number, and "otherwise"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from localgen_grammars.constraint.quantities import Quantity, number_texts
from localgen_retrieval.catalog import Proc
from localgen_retrieval.text import name_words
from localgen_retrieval.text import words as stems

_IF = re.compile(
    r"\b(?:if|when|whenever|unless|in case|should|as long as|provided|once)\b|\?\s*$|^(?:more|less|fewer|over|under)\b",
    re.IGNORECASE,
)
_IT = r"(?:it|they|that|this|he|she|so)"
_ELSE = re.compile(
    rf"\s*(?:and\s+)?(?:otherwise|or\s+else|else|failing\s+that|or|no:|(?:if|when|should)\s+(?:{_IT}\s*)?"
    rf"(?:'s|is|are|has|have|does|do|was|be)?\s*(?:not|n't|{_IT}\s+not))\b"
    r"|.*\b(?:otherwise|else|if\s+not)[\s.!]*$",
    re.IGNORECASE | re.DOTALL,
)
_UNLESS = re.compile(r"\bunless\b", re.IGNORECASE)
_EITHER_WAY = re.compile(
    r"\b(?:in (?:any|either|every|both) cases?|either way|anyway|regardless|in any event|at any rate|"
    r"whatever the case)\b",
    re.IGNORECASE,
)
_AFTERWARDS = re.compile(r"[.!?;]\s*(?:and\s+)?(?:then|after(?:wards|\s+that)|finally)[\s,]*$", re.IGNORECASE)
_NOT = re.compile(r"\b(?:not|no|nobody|nothing|none|never|unless|without|\w+n't|isnt|hasnt|doesnt)\b", re.IGNORECASE)
# A proc that tells whether something is absent, and what says that it is, or that it is not.
_ABSENCE = re.compile(
    r"\b(?:is ?)?(?:free|vacant|empty|idle|available|clear|unused|unoccupied|nobody|nothing|no\s*one|none|no\s+\w+)\b",
    re.IGNORECASE,
)
_PRESENCE = re.compile(
    r"\b(?:occupied|taken|busy|full|in use|used|still|some(?:body|one|thing)|any(?:body|one|thing))\b", re.IGNORECASE
)
# What says that something is not as it should be.
_FAILING = re.compile(
    r"\b(?:down|unreachable|offline|off|dead|cold|refus\w+|flunk\w*|violat\w+|fail\w*|lost|stopped|at rest|"
    r"stands? still|missing|broken|without|yet to)\b", re.IGNORECASE,
)  # fmt: skip
# What stands before or behind a number, and the comparison that it says.
_MORE = r"\w*more|greater|higher|larger|longer|bigger|over|above|past|beyond|exceed\w*|older|warmer|hotter|faster"
_LESS = (
    r"less|fewer|lower|smaller|shorter|under|below|short of|colder|cooler|slower|younger|lighter|drier|nearer|closer|"
    r"thinner|cheaper"
)
_COMPARED = tuple((sign, re.compile(cue, re.IGNORECASE)) for sign, cue in (
    (">=", r"(?:at least(?: at)?|(?:no|not) less than|reach(?:es|ed)?|got to)\s*$"
           r"|^[^,.;]{0,24}\b(?:or (?:more|above|over|beyond|higher|longer)|at least)\b"),
    ("<=", r"(?:at most|(?:no|not) more than|up to)\s*$|^[^,.;]{0,24}\bor (?:less|fewer|below|under|lower)\b"),
    ("<", rf"\b(?:{_LESS})(?:\s+than)?\s*$"),
    (">", rf"\b(?:{_MORE}|\w+er(?= than))(?:\s+than)?\s*$"),
    ("==", r"(?:exactly|equals?|is|are|at)\s*$"),
))  # fmt: skip
_PART = re.compile(r"[\w.:/#][-.]?$")  # what a number is a part of a name behind
_OPPOSITE = {">=": "<", "<=": ">", ">": "<=", "<": ">=", "==": "!="}
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


def afterwards(before: str) -> bool:
    """Whether a text ends with a sentence's beginning that makes what follows another step."""
    return _AFTERWARDS.search(before) is not None


def comparison_of(
    proc: Proc, call: str, used: Sequence[str], words: str, start: int, quantities: Sequence[Quantity]
) -> str | None:
    """The expression that tests a call's result as a clause says it; None for a result that cannot be tested.

    Args:
        used: the values that the call takes. start: where the clause begins in the instruction.
    """
    kind = proc.returns.type if proc.returns is not None else ""
    if kind == "bool":
        return f"{'!' if _negated(proc, words) else ''}[{call}]"
    if proc.returns is None or kind not in _NUMBERS:
        return None
    for q in quantities:
        places = [(a - start, b - start) for a, b in q.at if 0 <= a - start < len(words)]
        places = [(a, b) for a, b in places if not _PART.search(words[:a]) and not re.match(r"\w|:\d", words[b:])]
        texts = number_texts((q,), proc.returns.unit, integer=kind == "int", low=None, high=None)
        if places and texts and texts[0] not in used:
            a, b = places[0]
            sign = next((sign for sign, cue in _COMPARED if cue.search(words[:a]) or cue.search(words[b:])), ">")
            return f"[{call}] {_OPPOSITE[sign] if _UNLESS.search(words) else sign} {texts[0]}"
    return f"[{call}] {'==' if _NOT.search(words) else '>'} 0"


def _negated(proc: Proc, words: str) -> bool:
    """Whether a clause asks for the opposite of what a proc tells; "if nobody is in" does not, of what is free."""
    name = name_words(proc.name)
    if not _ABSENCE.search(name):
        failing = _FAILING.search(words)
        own = set(stems(f"{name} {proc.summary}"))
        return _NOT.search(words) is not None or (failing is not None and not set(stems(failing.group(0))) & own)
    rest = _ABSENCE.sub("", words)  # nobody, nothing: absence, not its opposite
    absent, present, negative = rest != words, _PRESENCE.search(rest) is not None, _NOT.search(rest) is not None
    return negative != (present and not absent)
