"""Text as bytes again."""

from __future__ import annotations


def encoded(text: str) -> bytes:
    """Text as UTF-8; what `surrogateescape` made of bytes that are not UTF-8 becomes those bytes again."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        return text.encode("utf-8", "replace")
