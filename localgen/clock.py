"""Where the time of an answer goes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    """Seconds by part of the work."""

    def __init__(self) -> None:
        self.parts: dict[str, float] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Adds the time of the block to a part."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.parts[name] = self.parts.get(name, 0.0) + time.perf_counter() - start

    def split(self, name: str, inner: str, seconds: float) -> None:
        """Takes the seconds of a piece of work out of the part that it was measured in."""
        self.parts[name] -= seconds
        self.parts[inner] = self.parts.get(inner, 0.0) + seconds
