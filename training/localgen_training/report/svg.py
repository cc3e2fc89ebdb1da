"""Line and bar charts as inline SVG: no library, no network, no script."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

Points = Sequence[tuple[float, float]]
_COLOURS = ("#1f5fa8", "#c4501b", "#2b8a4b", "#7a3fa0", "#8a6d1a", "#555555")
_WIDTH, _HEIGHT = 640, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 16, 34, 44


def line_chart(title: str, series: Mapping[str, Points], *, x: str, y: str, floor: float | None = None) -> str:
    """A chart of series of (x, y) points with a legend; points that are no finite numbers are left out.

    Args:
        floor: the lowest y that is shown at least.
    """
    kept = {n: [p for p in pts if math.isfinite(p[0]) and math.isfinite(p[1])] for n, pts in series.items()}
    kept = {n: p for n, p in kept.items() if p}
    if not kept:
        return ""
    xs = [p[0] for pts in kept.values() for p in pts]
    ys = [p[1] for pts in kept.values() for p in pts]
    x0, x1 = min(xs), max(xs)
    y0, y1 = min([*ys, *([floor] if floor is not None else [])]), max(ys)
    x1, y1 = (x1 if x1 > x0 else x0 + 1), (y1 if y1 > y0 else y0 + 1)
    y1 += 0.05 * (y1 - y0)
    wide, high = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def at(point: tuple[float, float]) -> str:
        across, up = (point[0] - x0) / (x1 - x0), (point[1] - y0) / (y1 - y0)
        return f"{_LEFT + across * wide:.1f},{_TOP + high - up * high:.1f}"

    parts = []
    for tick in ticks(y0, y1):
        height = _TOP + high - (tick - y0) / (y1 - y0) * high
        parts.append(f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{height:.1f}" y2="{height:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{height + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for tick in ticks(x0, x1):
        place = _LEFT + (tick - x0) / (x1 - x0) * wide
        parts.append(f'<text x="{place:.1f}" y="{_TOP + high + 16}" text-anchor="middle">{tick:g}</text>')
    for i, (name, points) in enumerate(kept.items()):
        colour = _COLOURS[i % len(_COLOURS)]
        path = " ".join(at(p) for p in points)
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{path}"/>')
        if len(points) <= 40:
            places = [at(p).split(",") for p in points]
            parts += [f'<circle cx="{a}" cy="{b}" r="2.5" fill="{colour}"/>' for a, b in places]
        spot = f'x="{_WIDTH - _RIGHT}" y="{_TOP + 14 + 15 * i}"'
        parts.append(f'<text {spot} text-anchor="end" fill="{colour}">{escape(name)}</text>')
    parts.append(f'<text x="{_LEFT + wide / 2}" y="{_HEIGHT - 8}" text-anchor="middle">{escape(x)}</text>')
    parts.append(f'<text x="14" y="{_TOP - 8}">{escape(y)}</text>')
    return _frame(title, parts, _HEIGHT)


def bar_chart(title: str, groups: Mapping[str, Mapping[str, float]], *, unit: str = "") -> str:
    """Horizontal bars: for each name of `groups` one bar a series, from 0."""
    names = list(groups)
    series = list(dict.fromkeys(s for g in groups.values() for s in g))
    most = max((v for g in groups.values() for v in g.values()), default=0)
    if not names or most <= 0:
        return ""
    row, left = 16, 190
    height = _TOP + 8 + sum(row * max(1, len(groups[n])) + 8 for n in names)
    parts, y = [], _TOP + 8
    for name in names:
        label = y + row * max(1, len(groups[name])) / 2 + 4
        parts.append(f'<text x="{left - 8}" y="{label:.0f}" text-anchor="end">{escape(name)}</text>')
        for s, value in groups[name].items():
            colour = _COLOURS[series.index(s) % len(_COLOURS)]
            wide = (_WIDTH - left - 90) * value / most
            parts.append(f'<rect x="{left}" y="{y}" width="{wide:.1f}" height="{row - 3}" fill="{colour}"/>')
            told = f"{value:g}{unit}" + (f" {s}" if len(series) > 1 else "")
            parts.append(f'<text x="{left + wide + 5:.1f}" y="{y + row - 5}">{escape(told)}</text>')
            y += row
        y += 8
    return _frame(title, parts, height)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers from low to high, about so many."""
    step = 10 ** math.floor(math.log10((high - low) / about))
    step *= next((m for m in (1, 2, 5, 10) if (high - low) / (step * m) <= about), 10)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(i * step, 10) for i in range(first, last + 1)]


def _frame(title: str, parts: Sequence[str], height: float) -> str:
    head = f'<text x="{_WIDTH / 2}" y="16" text-anchor="middle" font-weight="bold">{escape(title)}</text>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:g}" width="{_WIDTH}" '
        f'height="{height:g}" role="img" aria-label="{escape(title)}" font-family="sans-serif" font-size="11">'
        f'<rect width="100%" height="100%" fill="white"/>{head}{"".join(parts)}</svg>'
    )
