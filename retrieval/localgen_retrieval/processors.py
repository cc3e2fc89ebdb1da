"""How many processors this process may use: a container's or a scheduler's share, not the whole machine."""

from __future__ import annotations

import os


def usable_processors() -> int:
    """At least 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
