"""A domain is found by name or folder, and a wrong name is told the nearest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from localgen_bundle.default import default_folder, domain_folders, encoder_path
from localgen_bundle.domains import DEFAULT_DOMAIN, resolve_domain
from localgen_retrieval.errors import CatalogError, UsageError


def test_every_bundled_domain_loads_without_a_warning() -> None:
    assert DEFAULT_DOMAIN in domain_folders()
    for name in domain_folders():
        domain = resolve_domain(name)
        assert domain.name == name and domain.catalog.procs and domain.warnings == ()


def test_the_encoder_is_there() -> None:
    assert encoder_path().parent == default_folder()


def test_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "pnr"
    folder.mkdir()
    (folder / "catalog.json").write_text(json.dumps({"procs": [{"name": "only_here", "args": []}]}))
    assert resolve_domain(str(folder)).catalog.proc("only_here")
    monkeypatch.chdir(tmp_path)
    # A bundled name wins over a folder of that name; `./` asks for the folder.
    assert resolve_domain("pnr").catalog.proc("only_here") is None
    assert resolve_domain("./pnr").catalog.proc("only_here")
    folder.rename(tmp_path / "mine")
    assert resolve_domain("mine").name == "mine"


@pytest.mark.parametrize(
    ("name", "hint"),
    [("pmr", "did you mean pnr?"), ("Pnr", "did you mean pnr?"), ("zz", "bundled domains: "), ("a/b", "a folder")],
)
def test_a_wrong_name(name: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve_domain(name)
    assert name in caught.value.message and hint in caught.value.hint and caught.value.code == "domain-unknown"


def test_a_folder_without_a_catalog(tmp_path: Path) -> None:
    with pytest.raises(CatalogError):
        resolve_domain(str(tmp_path))
