"""Text in which some pieces must stay as they are: names and numbers, between two signs of private use.

Every paraphrase changes what is outside the signs only, so that what the answer needs is still said.
"""

from __future__ import annotations

import re
from collections.abc import Callable

OPEN, CLOSE = "\ue000", "\ue001"
_KEPT = re.compile(f"{OPEN}([^{OPEN}{CLOSE}]*){CLOSE}")


def keep(text: str) -> str:
    """The text as a piece that stays."""
    return f"{OPEN}{text.replace(OPEN, '').replace(CLOSE, '')}{CLOSE}"


def plain(text: str) -> str:
    """The text without the signs."""
    return text.replace(OPEN, "").replace(CLOSE, "")


def kept(text: str) -> tuple[str, ...]:
    """The pieces that stay, in order."""
    return tuple(_KEPT.findall(text))


def outside(text: str, change: Callable[[str], str]) -> str:
    """The text with everything between the pieces changed."""
    parts = re.split(f"({OPEN}[^{CLOSE}]*{CLOSE})", text)
    return "".join(p if p.startswith(OPEN) else change(p) for p in parts)


def capital(text: str) -> str:
    """The text with a capital first letter, unless a kept piece begins it."""
    return text[:1].upper() + text[1:]
