"""What is read off a whole catalog, worked out once: a catalog of 10,000 procs is not read again for each request.

It is told apart by identity, so what is read must not change.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

A = TypeVar("A")
T = TypeVar("T")
KEPT = 4


def once_per_catalog(function: Callable[[A], T]) -> Callable[[A], T]:
    """The same function, which remembers its answers for the last few catalogs (or other large values)."""
    known: deque[tuple[A, T]] = deque(maxlen=KEPT)

    @wraps(function)
    def remembered(catalog: A) -> T:
        for other, found in tuple(known):
            if other is catalog:
                return found
        made = function(catalog)
        known.append((catalog, made))
        return made

    return remembered
