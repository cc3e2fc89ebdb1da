"""Paraphrases by rule: how people really type. Names and numbers (the marked pieces) stay as they are."""

from __future__ import annotations

import random
import re

from .marks import OPEN, outside

_TYPO_SHARE, _BARE_SHARE, _POLITE_SHARE = 0.07, 0.08, 0.06
_LONG_WORD = re.compile(r"\b[a-z]{6,}\b")
_SIGNS = re.compile(r"[.,;:!?()\"'“”-]+(?=\s|$)|(?<=\s)[-(\"'>*&+/]+(?=\s|\w)")
_POLITE = ("please ", "hi, ", "ok: ", "pls ", "quick one: ", "hello, ", "hey, ", "good morning, ")
_THANKS = (" please", ", thanks", " for me", " - thanks", " asap", " today", ", if possible", " thx")


def dressed(text: str, rng: random.Random) -> tuple[str, str]:
    """(marked text, what was done to it): as it is, with a typo, or in small letters without punctuation."""
    r = rng.random()
    if r < _TYPO_SHARE:
        return typo(text, rng), "typo"
    if r < _TYPO_SHARE + _BARE_SHARE:
        return bare(text), "bare"
    if r < _TYPO_SHARE + _BARE_SHARE + _POLITE_SHARE and "\n" not in text:
        if rng.random() < 0.5:
            return rng.choice(_POLITE) + _small(text), "polite"
        return text.rstrip(".") + rng.choice(_THANKS), "polite"
    return text, ""


def typo(text: str, rng: random.Random) -> str:
    """The text with two letters of one long plain word swapped, or one of them left out."""
    found: list[str] = []

    def note(part: str) -> str:
        found.extend(_LONG_WORD.findall(part))
        return part

    outside(text, note)
    if not found:
        return text
    word = rng.choice(found)
    k = rng.randint(1, len(word) - 3)
    wrong = word[:k] + word[k + 1] + word[k] + word[k + 2 :] if rng.random() < 0.5 else word[:k] + word[k + 1 :]
    return outside(text, lambda part: re.sub(rf"\b{word}\b", wrong, part, count=1))


def bare(text: str) -> str:
    """The text in small letters and without punctuation."""
    return outside(text, lambda part: _SIGNS.sub(" ", part.lower().replace("\n", " "))).replace("  ", " ").strip()


def _small(text: str) -> str:
    if text.startswith(OPEN) or text[:2].isupper():
        return text
    return text[:1].lower() + text[1:]
