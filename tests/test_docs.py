"""The documents point at files that exist, and name files of the code that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "training/README.md", *sorted(ROOT.glob("docs/*.md"))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text("utf-8"))
    missing = [t for t in targets if not (document.parent / t).exists()]
    assert not missing


@pytest.mark.parametrize("document", ["architecture.md", "decoding.md"])
def test_modules_that_are_named_exist(document: str) -> None:
    named = set(re.findall(r"`([\w/]+\.py)`", (ROOT / "docs" / document).read_text("utf-8")))
    code = {p.relative_to(ROOT).as_posix() for p in ROOT.rglob("*.py") if ".venv" not in p.parts}
    assert named and not {n for n in named if not any(c == n or c.endswith(f"/{n}") for c in code)}
