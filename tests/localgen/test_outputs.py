"""A file is the old one or the new one, whatever happens in between."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from localgen.outputs import AtomicFile, check_target
from localgen_retrieval.errors import UsageError


def test_the_target_changes_only_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "s.tcl"
    path.write_text("old")
    with AtomicFile(path) as file:
        file.write("new ")
        assert path.read_text() == "old"
        file.write("text é")
        assert path.read_text() == "old"
    assert path.read_text("utf-8") == "new text é"
    assert os.listdir(tmp_path) == ["s.tcl"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_leaves_the_target(error: type[BaseException], tmp_path: Path) -> None:
    path = tmp_path / "s.tcl"
    path.write_text("old")
    with pytest.raises(error), AtomicFile(path) as file:
        file.write("half")
        raise error
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["s.tcl"]


def test_what_was_written_can_be_kept_after_an_exception(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), AtomicFile(tmp_path / "r.jsonl", keep=True) as file:
        file.write("one line\n")
        raise KeyboardInterrupt
    assert file.partial_path.read_text() == "one line\n" and os.listdir(tmp_path) == [file.partial_path.name]
    with pytest.raises(KeyboardInterrupt), AtomicFile(tmp_path / "empty.jsonl", keep=True) as file:
        raise KeyboardInterrupt
    assert not file.partial_path.exists()


def test_permissions(tmp_path: Path) -> None:
    path = tmp_path / "s.tcl"
    before = os.umask(0o027)
    try:
        with AtomicFile(path) as file:
            file.write("a")
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        path.chmod(0o755)
        with AtomicFile(path) as file:
            file.write("b")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o755


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "link.tcl"
    link.symlink_to(tmp_path / "real" / "s.tcl")
    with AtomicFile(link) as file:
        file.write("new")
    assert link.is_symlink() and (tmp_path / "real" / "s.tcl").read_text() == "new"
    assert os.listdir(tmp_path / "real") == ["s.tcl"]


def test_a_pipe_is_written_directly(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(path.read_text()))
    reader.start()
    check_target(path)
    with AtomicFile(path) as file:
        file.write("new")
    reader.join(10)
    assert read == ["new"] and stat.S_ISFIFO(path.stat().st_mode)


def test_a_long_name(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    with AtomicFile(path) as file:
        file.write("new")
    assert path.read_text() == "new"


def test_the_check_leaves_nothing_behind(tmp_path: Path) -> None:
    check_target(tmp_path / "new.tcl")
    assert os.listdir(tmp_path) == []


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path, tmp_path / "no" / "x.tcl", tmp_path / "file" / "x.tcl"):
        with pytest.raises(UsageError) as caught:
            check_target(path)
        assert str(path) in caught.value.message and caught.value.code == "output-unwritable"
