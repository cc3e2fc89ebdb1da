"""Which scripts are checked when files, folders and standard input are named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from localgen.config import Config
from localgen.discovery import Script, discover
from localgen_retrieval.errors import UsageError


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with scripts, the working directory of the test."""
    for name in ("b.tcl", "a.tcl", "notes.txt", "sub/d.tcl", "sub/deep/c.tcl", ".git/x.tcl", "old/e.tcl", "z.sdc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("puts a\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(scripts: list[Script]) -> list[str]:
    """What the scripts are called."""
    return [s.name for s in scripts]


def test_a_folder_is_searched_in_a_fixed_order_without_hidden_ones(tree: Path) -> None:
    assert names(discover(["."])) == ["a.tcl", "b.tcl", "old/e.tcl", "sub/d.tcl", "sub/deep/c.tcl"]
    assert names(discover(["sub/"])) == ["sub/d.tcl", "sub/deep/c.tcl"]


def test_named_files_keep_their_order_and_come_once(tree: Path) -> None:
    assert names(discover(["z.sdc", "b.tcl", "./b.tcl", "sub", "sub/d.tcl", "a.tcl"])) == [
        "z.sdc", "b.tcl", "sub/d.tcl", "sub/deep/c.tcl", "a.tcl",
    ]  # fmt: skip


def test_the_configuration_includes_and_excludes(tree: Path) -> None:
    (tree / "localgen.toml").write_text('include = ["*.tcl", "*.sdc"]\nexclude = ["old", "sub/*/c.tcl"]\n')
    assert names(discover(["."])) == ["a.tcl", "b.tcl", "z.sdc", "sub/d.tcl"]
    assert names(discover(["sub/deep"])) == []


def test_patterns_of_the_configuration_are_relative_to_it_and_others_to_the_working_directory(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree / "sub" / "localgen.toml").write_text('exclude = ["deep/c.tcl"]\n')
    assert names(discover(["."], exclude=["sub/d.tcl"])) == ["a.tcl", "b.tcl", "old/e.tcl"]
    monkeypatch.chdir(tree / "sub")
    assert names(discover(["."])) == ["d.tcl"]
    assert names(discover(["."], exclude=["sub/d.tcl"])) == ["d.tcl"]


def test_a_named_file_is_checked_though_excluded_unless_that_is_forced(tree: Path) -> None:
    assert names(discover(["old/e.tcl"], exclude=["old"])) == ["old/e.tcl"]
    assert names(discover(["old/e.tcl", "a.tcl"], exclude=["old"], force_exclude=True)) == ["a.tcl"]
    assert names(discover(["-"], stdin_name="old/e.tcl", exclude=["old"], force_exclude=True)) == []


def test_each_script_has_the_configuration_nearest_to_it(tree: Path) -> None:
    (tree / "localgen.toml").write_text("strict = true\n")
    (tree / "sub" / "localgen.toml").write_text("")
    strict = {s.name: s.config.strict for s in discover([".", "-"], stdin_name="sub/new.tcl")}
    assert strict == {
        "a.tcl": True, "b.tcl": True, "old/e.tcl": True, "sub/d.tcl": False, "sub/deep/c.tcl": False,
        "sub/new.tcl": False,
    }  # fmt: skip
    assert not any(s.config.strict for s in discover(["."], config=Config()))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_cannot_be_read_is_not_passed_over(tree: Path) -> None:
    (tree / "sub").chmod(0)
    with pytest.raises(OSError):
        discover(["."])


def test_nothing_to_check_is_an_error_so_that_no_check_passes_by_a_typo(tree: Path) -> None:
    (tree / "empty").mkdir()
    for wrong in ([], ["-", "-"], ["empty"]):
        with pytest.raises(UsageError):
            discover(wrong)
