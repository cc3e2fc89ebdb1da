"""The manifest notices whatever happens to a bundle; verifying changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from localgen_bundle import manifest
from localgen_bundle.default import default_folder
from localgen_retrieval.errors import ModelError


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A small bundle with its manifest."""
    domain = tmp_path / "b" / "domains" / "toy"
    domain.mkdir(parents=True)
    (domain / "catalog.json").write_text(json.dumps({"version": "1.2", "procs": [{"name": "a", "args": []}]}))
    (tmp_path / "b" / "model.gguf").write_bytes(bytes(range(256)) * 100)
    manifest.write(tmp_path / "b")
    return tmp_path / "b"


def refused(folder: Path, says: str) -> None:
    """The bundle is refused, and as it was before."""
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    with pytest.raises(ModelError) as caught:
        manifest.verify(folder)
    assert says in caught.value.message and caught.value.hint
    assert before == {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_shipped_bundle_is_what_its_manifest_says() -> None:
    found = manifest.verify()
    assert found.versions == manifest.build(default_folder()).versions
    assert {"model.gguf", "encoder.gguf", "encoder.LICENSE", "domains/pnr/catalog.json"} <= {
        e.path for e in found.files
    }


def test_an_intact_bundle(bundle: Path) -> None:
    found = manifest.verify(bundle)
    assert [e.path for e in found.files] == ["domains/toy/catalog.json", "model.gguf"]
    assert found.versions["domain toy"] == "1.2"


def test_written_twice_it_is_the_same(bundle: Path) -> None:
    before = (bundle / manifest.NAME).read_bytes()
    manifest.write(bundle)
    assert (bundle / manifest.NAME).read_bytes() == before


def test_one_altered_byte(bundle: Path) -> None:
    data = bytearray((bundle / "model.gguf").read_bytes())
    data[12345] ^= 1
    (bundle / "model.gguf").write_bytes(data)
    refused(bundle, "model.gguf was altered")


def test_a_truncated_file(bundle: Path) -> None:
    data = (bundle / "model.gguf").read_bytes()
    (bundle / "model.gguf").write_bytes(data[:-1])
    refused(bundle, "model.gguf has 25599 bytes, not 25600")


def test_a_missing_file(bundle: Path) -> None:
    (bundle / "model.gguf").unlink()
    refused(bundle, "model.gguf is missing")


def test_a_foreign_file(bundle: Path) -> None:
    (bundle / "domains" / "toy" / "extra.lark").write_text("start: X")
    refused(bundle, "domains/toy/extra.lark is not in the manifest")


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "not a manifest"), ("[]", "not a manifest"), ('{"format": 99}', "format 99"), ('{"format": 1}', "not a")],
)
def test_a_manifest_that_is_none(text: str, says: str, bundle: Path) -> None:
    (bundle / manifest.NAME).write_text(text)
    refused(bundle, says)


def test_no_manifest(bundle: Path) -> None:
    (bundle / manifest.NAME).unlink()
    refused(bundle, "missing")
