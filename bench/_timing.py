"""Median processor time of a call, and a line of a table of figures with their targets."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any


def seconds(runs: int, body: Callable[[], Any]) -> float:
    """Median processor seconds of a call."""
    taken = []
    for _ in range(runs):
        start = time.process_time()
        body()
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def show(what: str, value: str, target: str = "") -> None:
    """One line of the table."""
    print(f"{what:<66}{value:>14}   {target}", flush=True)
