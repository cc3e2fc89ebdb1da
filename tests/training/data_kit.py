"""Data sets for tests: the bundled domain, the smallest catalog, and chunks of them made once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from localgen_training.data.rows import Row, RowMaker
from localgen_training.data.settings import DataSettings, read_material

ROOT = Path(__file__).resolve().parents[2]
MINIMAL = str(ROOT / "tests" / "data" / "minimal")
HARBOUR = str(ROOT / "tests" / "heldout" / "harbour")


@cache
def maker(*domains: str, scripts: Path | None = None) -> RowMaker:
    """Makes rows of these domains with seed 0."""
    settings = DataSettings(domains, scripts=scripts)
    return RowMaker(settings, read_material(settings))


@cache
def rows(*domains: str, chunks: int = 2) -> tuple[Row, ...]:
    """The rows of the first chunks."""
    return tuple(row for number in range(chunks) for row in maker(*domains).chunk(number).rows)
