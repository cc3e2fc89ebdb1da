"""pass@k and the uncertainty of means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


def pass_at_k(n: int, c: int, k: int) -> float:
    """The chance that one of k samples is right, from n samples of which c are: unbiased (Chen et al. 2021).

    Raises:
        ValueError: k is not 1 to n, or c not 0 to n.
    """
    if not (1 <= k <= n and 0 <= c <= n):
        raise ValueError(f"pass@{k} from {c} of {n} samples")
    return 1.0 if n - c < k else 1.0 - math.comb(n - c, k) / math.comb(n, k)


@dataclass(frozen=True)
class Estimate:
    """A mean over tasks with its 95% interval; `of` tasks."""

    of: int
    rate: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.rate:.0%} [{self.low:.0%}-{self.high:.0%}]"


def mean_estimate(values: Sequence[float], *, seed: int = 0, rounds: int = 1000) -> Estimate | None:
    """The mean of per-task values with the percentile bootstrap's interval (tasks drawn anew); None without tasks."""
    if not values:
        return None
    data = np.asarray(values, dtype=np.float64)
    rng = np.random.default_rng(seed)
    means = data[rng.integers(0, len(data), (rounds, len(data)))].mean(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Estimate(len(data), round(float(data.mean()), 4), round(float(low), 4), round(float(high), 4))


def curve(counts: Sequence[tuple[int, int]], *, seed: int = 0) -> dict[int, Estimate]:
    """pass@k for k = 1, 2, 4, … from (samples, right ones) of each task; k up to the fewest samples of a task."""
    out: dict[int, Estimate] = {}
    k, most = 1, min((n for n, _ in counts), default=0)
    while k <= most:
        found = mean_estimate([pass_at_k(n, c, k) for n, c in counts], seed=seed)
        if found is not None:
            out[k] = found
        k *= 2
    return out
