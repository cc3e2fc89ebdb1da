"""What is read off a whole catalog, worked out once: a catalog of 10,000 procs is not read again for each request."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from localgen_retrieval.catalog import Catalog

T = TypeVar("T")
KEPT = 4


def once_per_catalog(function: Callable[[Catalog], T]) -> Callable[[Catalog], T]:
    """The same function, which remembers its answers for the last few catalogs; they are told apart by identity."""
    known: deque[tuple[Catalog, T]] = deque(maxlen=KEPT)

    @wraps(function)
    def remembered(catalog: Catalog) -> T:
        for other, found in tuple(known):
            if other is catalog:
                return found
        made = function(catalog)
        known.append((catalog, made))
        return made

    return remembered
