"""The index and its cache: reuse, rebuilding, damage, and folders that cannot be written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from localgen_retrieval.catalog_io import load_domain
from localgen_retrieval.encoder import GgufEncoder, Vectors
from localgen_retrieval.index import Index, open_index, save_index

MakeDomain = Callable[..., Path]


class CountingEncoder:
    """The shipped encoder, with a note of what it was asked to encode."""

    def __init__(self, encoder: GgufEncoder, digest: str = "") -> None:
        self.encoder, self.seen = encoder, list[str]()
        self.name, self.digest = encoder.name, digest or encoder.digest

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.seen.extend(texts)
        return self.encoder.encode(texts)


@pytest.fixture
def counting(encoder: GgufEncoder) -> CountingEncoder:
    return CountingEncoder(encoder)


def vectors_of(index: Index) -> Vectors:
    found: Vectors = index.vectors.reconstruct_n(0, index.vectors.ntotal)
    return found


def only_file(cache: Path) -> Path:
    (path,) = (cache / "index").glob("*.faiss")
    return path


def procs(*summaries: str) -> dict[str, Any]:
    return {"procs": [{"name": f"p{i}", "summary": s} for i, s in enumerate(summaries)]}


def test_built_once_then_read(make_domain: MakeDomain, counting: CountingEncoder, tmp_path: Path) -> None:
    domain = load_domain(make_domain())
    first = open_index(domain, counting, tmp_path / "cache")
    assert len(counting.seen) == len(first.symbols) == 4
    second = open_index(domain, counting, tmp_path / "cache")
    assert len(counting.seen) == 4
    assert np.array_equal(vectors_of(first), vectors_of(second)) and first.digest == second.digest


def test_similarities_are_cosines_in_the_order_of_the_symbols(make_domain: MakeDomain, encoder: GgufEncoder) -> None:
    index = open_index(load_domain(make_domain()), encoder, None)
    vectors = encoder.encode([s.text for s in index.symbols])
    assert np.allclose(index.similarities(vectors[[2, 0]]), vectors[[2, 0]] @ vectors.T, atol=1e-5)


def test_only_changed_symbols_are_embedded_again(
    make_domain: MakeDomain, counting: CountingEncoder, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    open_index(load_domain(make_domain(procs("one", "two", "three"))), counting, cache)
    counting.seen.clear()
    changed = load_domain(make_domain(procs("zero", "two", "three", "two and a half")))
    index = open_index(changed, counting, cache)
    assert counting.seen == ["p0. zero", "p3. two and a half"]
    assert np.allclose(vectors_of(index), counting.encoder.encode([s.text for s in index.symbols]), atol=1e-3)
    assert len(list((cache / "index").glob("*.faiss"))) == 1


def test_a_change_that_no_symbol_shows_keeps_the_vectors_and_changes_the_digest(
    make_domain: MakeDomain, counting: CountingEncoder, tmp_path: Path
) -> None:
    first = open_index(load_domain(make_domain(procs("one"))), counting, tmp_path)
    counting.seen.clear()
    second = open_index(load_domain(make_domain({**procs("one"), "version": "2"})), counting, tmp_path)
    assert counting.seen == [] and first.digest != second.digest


def test_another_encoder_has_its_own_vectors(make_domain: MakeDomain, encoder: GgufEncoder, tmp_path: Path) -> None:
    domain = load_domain(make_domain())
    a, b = CountingEncoder(encoder), CountingEncoder(encoder, digest="other")
    assert open_index(domain, a, tmp_path / "cache").digest != open_index(domain, b, tmp_path / "cache").digest
    assert len(b.seen) == 4


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "header", "no json", "other format", "too few"])
def test_a_damaged_cache_is_rebuilt_silently(
    make_domain: MakeDomain,
    counting: CountingEncoder,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    damage: str,
) -> None:
    domain, cache = load_domain(make_domain()), tmp_path / "cache"
    good = vectors_of(open_index(domain, counting, cache))
    path = only_file(cache)
    data = path.read_bytes()
    line, _, payload = data.partition(b"\n")
    header = json.loads(line)
    match damage:
        case "empty":
            data = b""
        case "cut":
            data = data[:-200]
        case "flipped":
            data = data[:-50] + bytes([data[-50] ^ 255]) + data[-49:]
        case "header":
            data = b"[]\n" + payload
        case "no json":
            data = b"\xff\x00" * 300
        case "other format":
            data = json.dumps({**header, "format": 99}).encode() + b"\n" + payload
        case "too few":
            data = json.dumps({**header, "texts": header["texts"][:-1]}).encode() + b"\n" + payload
    path.write_bytes(data)
    counting.seen.clear()
    assert np.array_equal(vectors_of(open_index(domain, counting, cache)), good)
    assert len(counting.seen) == 4
    open_index(domain, counting, cache)
    assert len(counting.seen) == 4
    assert capfd.readouterr() == ("", "")


def test_without_a_cache_dir_nothing_is_written(make_domain: MakeDomain, encoder: GgufEncoder, tmp_path: Path) -> None:
    folder = make_domain()
    open_index(load_domain(folder), encoder, None)
    assert {p.name for p in tmp_path.rglob("*")} == {"dom", "catalog.json", "rules.lark"}


def test_a_cache_path_that_is_a_file_still_works(make_domain: MakeDomain, encoder: GgufEncoder, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("x")
    assert len(open_index(load_domain(make_domain()), encoder, blocked).symbols) == 4
    assert blocked.read_text() == "x"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a folder that this user cannot write")
def test_a_read_only_cache_dir_still_works(make_domain: MakeDomain, encoder: GgufEncoder, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o500)
    assert len(open_index(load_domain(make_domain()), encoder, cache).symbols) == 4


def test_an_interrupted_write_leaves_the_old_file(
    make_domain: MakeDomain, counting: CountingEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    open_index(load_domain(make_domain(procs("one"))), counting, cache)
    before = only_file(cache).read_bytes()

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        open_index(load_domain(make_domain(procs("two"))), counting, cache)
    assert only_file(cache).read_bytes() == before
    assert not [p for p in (cache / "index").iterdir() if p.name.startswith(".index-")]


def test_progress_is_reported_while_embedding_only(
    make_domain: MakeDomain, encoder: GgufEncoder, tmp_path: Path
) -> None:
    domain = load_domain(make_domain(procs(*(f"number {i}" for i in range(70)))))
    calls: list[tuple[int, int]] = []
    open_index(domain, encoder, tmp_path / "cache", progress=lambda done, total: calls.append((done, total)))
    assert calls == [(64, 70), (70, 70)]
    open_index(domain, encoder, tmp_path / "cache", progress=lambda done, total: calls.append((done, total)))
    assert len(calls) == 2


def test_a_shipped_index_is_used_and_never_written(
    make_domain: MakeDomain, counting: CountingEncoder, tmp_path: Path
) -> None:
    domain, shipped = load_domain(make_domain()), tmp_path / "pnr.faiss"
    save_index(domain, counting, shipped)
    before = shipped.read_bytes()
    counting.seen.clear()
    open_index(domain, counting, tmp_path / "cache", shipped=shipped)
    assert counting.seen == [] and not (tmp_path / "cache").exists()
    changed = load_domain(make_domain(procs("new")))
    open_index(changed, counting, tmp_path / "cache", shipped=shipped)
    assert counting.seen == ["p0. new"] and shipped.read_bytes() == before


def test_two_symbols_with_the_same_text(make_domain: MakeDomain, encoder: GgufEncoder) -> None:
    catalog = {"procs": [{"name": "a::b"}, {"name": "a_b"}]}
    index = open_index(load_domain(make_domain(catalog)), encoder, None)
    assert np.array_equal(*vectors_of(index))


def test_an_empty_catalog(make_domain: MakeDomain, encoder: GgufEncoder, tmp_path: Path) -> None:
    for _ in range(2):
        index = open_index(load_domain(make_domain({})), encoder, tmp_path / "cache")
        assert index.similarities(encoder.encode(["x"])).shape == (1, 0)


def test_processes_that_start_at_once_agree(make_domain: MakeDomain, encoder: GgufEncoder, tmp_path: Path) -> None:
    folder = make_domain()
    code = (
        "from pathlib import Path; from localgen_retrieval import index as i, catalog_io as c, encoder as e\n"
        f"x = i.open_index(c.load_domain(Path({str(folder)!r})), e.GgufEncoder(Path({str(encoder.path)!r})), "
        f"Path({str(tmp_path / 'cache')!r}))\nprint(x.digest, x.vectors.ntotal)\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    results = {p.communicate(timeout=60) for p in running}
    assert len(results) == 1 and results.pop()[1] == ""
    only_file(tmp_path / "cache")
