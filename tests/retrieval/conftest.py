"""Domains written to a temporary folder, and the encoder that ships."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localgen_retrieval.encoder import GgufEncoder

ENCODER = Path(__file__).resolve().parents[2] / "bundle" / "default" / "encoder.gguf"

GRAMMAR = 'start: rule+\nrule: "rule" ID "apply_to:" NET\nID: /"[A-Z]+"/\nNET: /[A-Z]+/\n%ignore " "\n'

MakeDomain = Callable[..., Path]


def minimal() -> dict[str, Any]:
    """The smallest catalog that must load."""
    return {
        "procs": [
            {"name": "my::route", "args": [{"name": "net"}, {"name": "layer", "values": ["M1", "M2", "M3"]}]},
            {"name": "my::keepout", "args": [{"name": "net"}, {"name": "width"}], "notes": "Width in um."},
        ],
        "variables": [{"name": "::tech::corner", "values": ["tt", "ss", "ff"]}],
        "dsl": {"embedding": {"open": "dsl {", "close": "}"}, "grammar": "rules.lark"},
    }


@pytest.fixture
def make_domain(tmp_path: Path) -> MakeDomain:
    """Write a domain folder: the catalog (data or text), the grammar, and further files by relative name."""

    def make(catalog: Any = None, *, name: str = "dom", file: str = "catalog.json", **files: str) -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        catalog = minimal() if catalog is None else catalog
        text = catalog if isinstance(catalog, str) else json.dumps(catalog, indent=1)
        (folder / file).write_text(text, encoding="utf-8")
        (folder / "rules.lark").write_text(GRAMMAR, encoding="utf-8")
        for relative, content in files.items():
            path = folder / relative.replace("__", "/").replace("_tcl", ".tcl")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        return folder

    return make


@pytest.fixture(scope="session")
def encoder() -> GgufEncoder:
    """The encoder of the default bundle, loaded once."""
    return GgufEncoder(ENCODER)
