"""A team's settings: where they are found, what may be in them, and how a mistake is told."""

from __future__ import annotations

from pathlib import Path, PurePath

import pytest

from localgen.config import Config, ConfigFinder, matches, parse_levels, read_config
from localgen.validation.codes import CODES, codes_of, levels_by_code
from localgen_retrieval.errors import UsageError


def write(path: Path, text: str) -> Path:
    """Write a file and the folders it is in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_everything_that_can_be_set(tmp_path: Path) -> None:
    (tmp_path / "team").mkdir()
    file = write(
        tmp_path / "localgen.toml",
        'domain = "team"\nstrict = true\ninclude = ["*.tcl", "*.sdc"]\nexclude = ["old/*"]\n'
        '[severity]\nCAT = "warning"\nCAT013 = "error"\nPOL002 = "off"\nVAR001 = "hint"\n',
    )
    config = read_config(file)
    assert config == Config(
        path=file,
        domain=str(tmp_path / "team"),
        strict=True,
        severity={"CAT": "warning", "CAT013": "error", "POL002": "off", "VAR001": "hint"},
        include=("*.tcl", "*.sdc"),
        exclude=("old/*",),
    )


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    file = write(tmp_path / "localgen.toml", "")
    assert read_config(file) == Config(path=file)


def test_the_nearest_file_counts_alone(tmp_path: Path) -> None:
    write(tmp_path / "localgen.toml", 'strict = true\nexclude = ["a"]\n')
    near = write(tmp_path / "a" / "localgen.toml", 'exclude = ["b"]\n')
    deep = tmp_path / "a" / "b" / "c"
    deep.mkdir(parents=True)
    assert ConfigFinder().find(deep) == Config(path=near, exclude=("b",))
    assert ConfigFinder().find(tmp_path).strict


def test_pyproject_counts_where_it_has_the_table_and_no_own_file_is_beside_it(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", "[tool.localgen]\nstrict = true\n")
    inner = write(tmp_path / "inner" / "pyproject.toml", "[tool.other]\nx = 1\n").parent
    assert ConfigFinder().find(inner).path == tmp_path / "pyproject.toml"
    both = write(tmp_path / "both" / "pyproject.toml", "[tool.localgen]\nstrict = true\n").parent
    write(both / "localgen.toml", "")
    assert ConfigFinder().find(both) == Config(path=both / "localgen.toml")


def test_without_a_file_the_defaults_count() -> None:
    assert ConfigFinder().find(Path("/")) == Config()


def test_a_bundled_domain_is_named_as_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "pnr").mkdir()
    assert read_config(write(tmp_path / "localgen.toml", 'domain = "pnr"\n')).domain == "pnr"
    assert read_config(write(tmp_path / "localgen.toml", 'domain = "./pnr"\n')).domain == str(tmp_path / "pnr")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("strikt = true\n", ": strikt: no such key", "did you mean strict?"),
        ("q = 1\n", ": q: no such key", "known are domain, strict, severity, include, exclude"),
        ('[severity]\nxyzzy = "off"\n', ": severity.xyzzy: there is no rule xyzzy", "docs/rules has them all"),
        ('[severity]\nCAT12 = "off"\n', ": severity.CAT12: there is no rule CAT12", "did you mean CAT012?"),
        ('[severity]\nCAT012 = "of"\n', ': severity.CAT012: "of" is not a severity', "did you mean off?"),
        ("[severity]\nCAT012 = false\n", ": severity.CAT012: false is not a severity", ""),
        ('severity = "off"\n', ': severity: "off" is not a table of levels by rule', ""),
        ('strict = "yes"\n', ': strict: "yes" is not true or false', ""),
        ("domain = 1\n", ": domain: 1 is not a name or a folder", ""),
        ('domain = "pnrr"\n', ': domain: "pnrr": no such domain or folder', "did you mean pnr?"),
        ('exclude = "a"\n', ': exclude: "a" is not a list of patterns', ""),
        ("exclude = [1]\n", ": exclude: not a list of texts", 'write exclude = ["…"]'),
        ("strict = \n", ": not TOML: Invalid value (at line 1, column 10)", ""),
    ],
)
def test_a_mistake_is_told_with_file_key_and_nearest_name(tmp_path: Path, text: str, message: str, hint: str) -> None:
    file = write(tmp_path / "localgen.toml", text)
    with pytest.raises(UsageError) as caught:
        read_config(file)
    assert caught.value.message == f"{file}{message}"
    assert hint in caught.value.hint and caught.value.hint


def test_keys_in_pyproject_are_told_with_their_table(tmp_path: Path) -> None:
    file = write(tmp_path / "pyproject.toml", "[tool.localgen]\nstrikt = true\n")
    with pytest.raises(UsageError, match=r"tool\.localgen\.strikt: no such key"):
        ConfigFinder().find(tmp_path)
    write(file, "[tool]\nlocalgen = 1\n")
    with pytest.raises(UsageError, match=r"tool\.localgen: not a table"):
        read_config(file)
    write(file, "[tool.other]\n")
    with pytest.raises(UsageError, match=r"no table \[tool.localgen\]"):
        read_config(file)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_config(tmp_path / "localgen.toml")


def test_a_group_stands_for_its_codes_and_a_code_wins_over_its_group() -> None:
    assert set(codes_of("DSL")) == {c for c in CODES if c.startswith("DSL")}
    levels = levels_by_code({"DSL001": "error", "DSL": "hint"})
    assert levels["DSL001"] == "error" and levels["DSL002"] == "hint" and "CAT001" not in levels


def test_levels_on_the_command_line() -> None:
    assert parse_levels(["CAT=off", "CAT012=hint"]) == {"CAT": "off", "CAT012": "hint"}
    for wrong in ("CAT012", "CAT012=loud", "CAT999=off"):
        with pytest.raises(UsageError, match=f"--severity {wrong}"):
            parse_levels([wrong])


@pytest.mark.parametrize(
    ("path", "pattern", "matched"),
    [
        ("a/b/c.tcl", "b", True),
        ("a/b/c.tcl", "c.tcl", True),
        ("a/b/c.tcl", "*.tcl", True),
        ("a/b/c.tcl", "a/b", True),
        ("a/b/c.tcl", "a/b/", True),
        ("a/b/c.tcl", "./a", True),
        ("a/b/c.tcl", "a/*.tcl", True),
        ("a/b/c.tcl", "b/c.tcl", False),
        ("a/b/c.tcl", "*/b/*.tcl", True),
        ("a/b/c.tcl", "B", False),
        ("a/bb/c.tcl", "b", False),
        ("a/b/c.tcl", "[ab]?c", False),
    ],
)
def test_patterns(path: str, pattern: str, matched: bool) -> None:
    assert matches(PurePath(path), [pattern]) is matched
