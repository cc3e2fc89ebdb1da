"""The `validate` command as a user runs it: lines, JSON, exit statuses, bad input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cli import environment, run
from lab_domain import CATALOG, write_domain

GOOD = "my::route -net A -layer M1\n"
BAD = "puts a\nmy::route -net A -layer M9\n"


@pytest.fixture(scope="module")
def domain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lab domain in a folder."""
    return write_domain(tmp_path_factory.mktemp("domain"), CATALOG)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A good and a bad script."""
    good, bad = tmp_path / "good.tcl", tmp_path / "bad.tcl"
    good.write_text(GOOD)
    bad.write_text(BAD)
    return good, bad


def test_a_valid_script_prints_nothing(domain: Path, files: tuple[Path, Path]) -> None:
    ran = run("validate", files[0], "--domain", domain)
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_findings_are_printed_with_file_line_and_column(domain: Path, files: tuple[Path, Path]) -> None:
    ran = run("validate", "--domain", domain, *files)
    assert ran.code == 1 and ran.err == ""
    finding = f'{files[1]}:2:25: my::route: -layer: "M9" is not one of M1, M2, M3 [CAT013]\n'
    assert ran.out == finding + " 2 | my::route -net A -layer M9\n   |                         ^^\n"
    assert run("validate", "--concise", "--domain", domain, *files).out == finding


def test_standard_input(domain: Path) -> None:
    ran = run("validate", "-", "--domain", domain, stdin=BAD.encode())
    assert ran.code == 1 and ran.out.startswith("<stdin>:2:25: ")


def test_json_of_one_and_of_several_files(domain: Path, files: tuple[Path, Path]) -> None:
    one = run("validate", "--json", files[1], "--domain", domain)
    document = json.loads(one.out)
    assert one.code == 1 and document["valid"] is False
    assert document["valid_syntax"] is True and document["valid_DSL_blocks"] is True
    assert document["details"][0]["code"] == "CAT013" and document["details"][0]["line"] == 2
    several = run("validate", "--json", *files, "--domain", domain)
    document = json.loads(several.out)
    assert several.code == 1 and document["valid"] is False
    assert [r["valid"] for r in document["reports"]] == [True, False]


def test_warnings_alone_are_valid_unless_strict(domain: Path) -> None:
    plain = run("validate", "-", "--domain", domain, stdin=b"my::old\n")
    assert plain.code == 0 and "warning: my::old is deprecated" in plain.out
    strict = run("validate", "-", "--strict", "--domain", domain, stdin=b"my::old\n")
    assert strict.code == 1 and "warning" not in strict.out


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "message"),
    [
        ([], b"", 2, "no script given"),
        (["missing.tcl"], b"", 2, "missing.tcl: cannot be read"),
        (["."], b"", 2, "no script in this folder"),
        (["-", "-"], b"", 2, "given twice"),
        (["-", "--nonsense"], b"", 2, "unrecognized arguments"),
        (["-", "--domain", "nowhere"], b"", 2, "no such domain"),
        (["-"], b"\xff\xfe\x00", 2, "binary data"),
        (["-"], b"puts a\0b", 2, "binary data"),
    ],
)
def test_bad_input_is_refused_with_a_message(
    arguments: list[str], stdin: bytes, code: int, message: str, tmp_path: Path
) -> None:
    ran = run("validate", *arguments, stdin=stdin, cwd=tmp_path)
    assert ran.code == code and message in ran.err and "Traceback" not in ran.err and ran.out == ""


def test_a_bad_catalog_and_a_bad_grammar_have_their_status(tmp_path: Path) -> None:
    (tmp_path / "catalog.json").write_text("{")
    ran = run("validate", "-", "--domain", tmp_path)
    assert ran.code == 4 and "catalog.json:1" in ran.err and "Traceback" not in ran.err
    broken = write_domain(tmp_path / "g", CATALOG, 'start: rule+\nrule: "a" nothing\n')
    block = b"dsl {\na\n}\n"
    ran = run("validate", "-", "--domain", broken, stdin=block)
    assert ran.code == 4 and "rules.lark:2" in ran.err and "nothing" in ran.err and "Traceback" not in ran.err
    as_json = run("validate", "-", "--json", "--domain", broken, stdin=block)
    assert as_json.code == 4 and json.loads(as_json.out)["type"] == "error"


def test_the_default_domain_is_used(tmp_path: Path) -> None:
    ran = run("validate", "-", stdin=b"nothing_of_the_kind\n", cwd=tmp_path)
    assert ran.code == 1 and "[CAT001]" in ran.out


def test_help_answers_without_anything_heavy() -> None:
    code = (
        "import sys, localgen.commands.validate as v\n"
        "try: v.main(['--help'])\nexcept SystemExit: pass\n"
        "sys.exit(','.join(m for m in ('pydantic', 'lark', 'numpy', 'yaml') if m in sys.modules) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment())
    assert done.returncode == 0, done.stderr
    assert "usage: validate" in done.stdout


def test_validate_is_a_pure_reader(domain: Path, files: tuple[Path, Path]) -> None:
    before = {p: p.read_bytes() for p in (*files, *domain.iterdir()) if p.is_file()}
    run("validate", *files, "--domain", domain)
    assert {p: p.read_bytes() for p in before} == before
    assert sorted(files[0].parent.iterdir()) == sorted(files)
