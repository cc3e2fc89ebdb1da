"""How people really type: politeness, missing capitals and stops, joined steps, the odd typo."""

from __future__ import annotations

import random
from collections.abc import Sequence

_BEFORE = ("please ", "Please ", "can you ", "could you ", "I want you to ", "we need to ", "now ", "hi, ", "ok: ",
           "pls ", "I'd like to ", "let's ", "go ahead and ", "quick one: ", "next, ")
_AFTER = (" please", ", thanks", " for me", " now", ", please", " - thanks", " today", " asap")
_JOIN = (", then ", ", and ", ". Then ", ". ", "; ", " and then ", ". After that, ", ", after that ", ". Next, ",
         " and ", ". Also ", ". Finally, ", ";\n", "\n")


def _typo(text: str, rng: random.Random) -> str:
    words = text.split(" ")
    long = [i for i, w in enumerate(words) if len(w) > 5 and w.isalpha() and w.islower()]
    if not long:
        return text
    i = rng.choice(long)
    k = rng.randint(1, len(words[i]) - 3)
    w = words[i]
    words[i] = w[:k] + w[k + 1] + w[k] + w[k + 2:] if rng.random() < 0.5 else w[:k] + w[k + 1:]
    return " ".join(words)


def slip(text: str, names: Sequence[str], rng: random.Random) -> str:
    """The text as typed in haste: without capitals, without a stop, or with a typo; names stay as they are."""
    r = rng.random()
    changed = text.lower() if r < 0.35 else text.rstrip(".!?") if r < 0.6 else _typo(text, rng)
    return changed if all((name in text) == (name in changed) for name in names) else text


# Signs of private use stand around each step while its text is put together, so that its place can be told after.
_OPEN, _CLOSE = "\ue000", "\ue001"


def dress(steps: list[str], rng: random.Random) -> str:
    """One instruction out of the sentences of its steps."""
    return dress_placed(steps, rng)[0]


def dress_placed(steps: list[str], rng: random.Random) -> tuple[str, list[tuple[int, int]]]:
    """One instruction out of the sentences of its steps, and the (start, end) of each in it."""
    steps = [f"{_OPEN}{s}{_CLOSE}" for s in steps]
    text = steps[0]
    for s in steps[1:]:
        joint = rng.choice(_JOIN)
        text += joint + (_capital(s) if joint.rstrip().endswith(".") else s)
    r = rng.random()
    if r < 0.12:
        text = rng.choice(_BEFORE) + text
    elif r < 0.18:
        text += rng.choice(_AFTER)
    elif r < 0.23 and len(steps) > 1:
        text = "\n".join(f"{i}. {s}" for i, s in enumerate(steps, 1))
    if rng.random() < 0.04:
        text = _typo(text, rng)
    if rng.random() < 0.6:
        text = _capital(text)
    if rng.random() < 0.6 and text.rstrip(_CLOSE)[-1] not in ".?!":
        text += "."
    places: list[tuple[int, int]] = []
    plain = ""
    for sign in text:
        if sign == _OPEN:
            places.append((len(plain), len(plain)))
        elif sign == _CLOSE:
            places[-1] = (places[-1][0], len(plain))
        else:
            plain += sign
    return plain, places


def _capital(text: str) -> str:
    at = 1 if text[:1] == _OPEN else 0
    return text[:at] + text[at : at + 1].upper() + text[at + 1 :]
