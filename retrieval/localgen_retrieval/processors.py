"""How many processors this process may use: a container's or a scheduler's share, not the whole machine."""

from __future__ import annotations

import os


def usable_processors() -> int:
    """At least 1; at most `OMP_NUM_THREADS`, the usual way to say how many threads a process should take."""
    if hasattr(os, "sched_getaffinity"):
        found = len(os.sched_getaffinity(0))
    else:
        found = os.cpu_count() or 1
    told = os.environ.get("OMP_NUM_THREADS", "")
    return min(found, max(1, int(told))) if told.isdigit() else found
