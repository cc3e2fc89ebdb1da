"""Shares with their uncertainty, and the table that shows them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

_Z95 = 1.959964


@dataclass(frozen=True)
class Rate:
    """n cases out of `of`, with the 95% interval of Wilson (1927)."""

    n: int
    of: int
    rate: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.rate:.0%} [{self.low:.0%}-{self.high:.0%}]"


def rate(n: int, of: int) -> Rate | None:
    """n out of `of` cases; None where there are no cases."""
    if of == 0:
        return None
    low, high = wilson(n, of)
    return Rate(n, of, round(n / of, 4), round(low, 4), round(high, 4))


def wilson(n: int, of: int, z: float = _Z95) -> tuple[float, float]:
    """The score interval of Wilson (1927) for a share: bounds within [0, 1]; `of` is at least 1."""
    p, zz = n / of, z * z
    centre = (p + zz / (2 * of)) / (1 + zz / of)
    half = z / (1 + zz / of) * math.sqrt(p * (1 - p) / of + zz / (4 * of * of))
    return max(0.0, centre - half), min(1.0, centre + half)


def table(lines: dict[str, dict[str, Any]]) -> str:
    """Lines of figures as text columns; the figures of the first line name the columns."""
    if not lines:
        return ""
    columns = list(next(iter(lines.values())))
    rows = [["suite", *columns]]
    rows += [[name, *("-" if d.get(c) is None else str(d[c]) for c in columns)] for name, d in lines.items()]
    widths = [max(len(r[i]) for r in rows) for i in range(len(columns) + 1)]
    out = []
    for r in rows:
        cells = [cell.rjust(w) for cell, w in zip(r[1:], widths[1:], strict=True)]
        out.append("  ".join([r[0].ljust(widths[0]), *cells]))
    return "\n".join(out)
