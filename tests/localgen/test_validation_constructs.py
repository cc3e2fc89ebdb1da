"""Every construct of Tcl, and slips in them: `data/constructs/x.tcl` gives exactly the lines of `x.txt`.

Real Tcl is asked about the same files, and about a sample of a corpus of real scripts where there is one: what Tcl
compiles is never rejected.
"""

from __future__ import annotations

import difflib
import json
import random
import sys
from functools import cache
from pathlib import Path

import pytest
from oracle import RealTcl, requires_tcl

from localgen.validation.validate import validate_script
from localgen_grammars.tcl import parse, unparse
from localgen_retrieval.catalog_io import Domain, load_domain

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((ROOT / "tests" / "data" / "constructs").glob("*.tcl"))
# Tcl compiles these, and fails when it gets there.
AT_RUN_TIME = ("TCL006", "TCL011", "TCL012", "TCL013", "TCL014", "TCL015")
SAMPLE = 60

sys.path.append(str(ROOT / "bench"))
from _tcl_corpus import ABSENT, FOLDER, TclFile, tcl_files  # noqa: E402
from validator import rightly  # noqa: E402


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Domain:
    """A domain that has no commands, forbids nothing and allows all that the scripts call."""
    folder = tmp_path_factory.mktemp("plain")
    catalog = {"procs": [], "variables": [], "policy": {"allowed_builtins": _builtins()}}
    (folder / "catalog.json").write_text(json.dumps(catalog), encoding="utf-8")
    return load_domain(folder)


def _builtins() -> list[str]:
    from localgen_grammars.tcl.core import ARITY

    return [*ARITY, "oo::class", "oo::define"]


@pytest.mark.parametrize("script", SCRIPTS, ids=[s.stem for s in SCRIPTS])
def test_the_report_is_the_golden_one(script: Path, plain: Domain) -> None:
    found = "".join(f"{line}\n" for line in validate_script(_read(script), plain, filename=script.name).lines())
    golden = script.with_suffix(".txt")
    wanted = golden.read_text("utf-8") if golden.exists() else ""
    difference = "".join(difflib.unified_diff(wanted.splitlines(True), found.splitlines(True), golden.name, "found"))
    assert found == wanted, difference


@requires_tcl
@pytest.mark.parametrize("script", SCRIPTS, ids=[s.stem for s in SCRIPTS])
def test_real_tcl_agrees(script: Path, plain: Domain) -> None:
    text = _read(script)
    codes = {d.code for d in validate_script(text, plain).details if d.code.startswith("TCL")}
    with RealTcl() as tcl:
        complaint = tcl.check(text)
    if script.stem == "slip_class":  # Tcl compiles a method when it is called
        assert codes and complaint is None
    else:
        assert bool(codes - set(AT_RUN_TIME)) == (complaint is not None), complaint


@pytest.mark.parametrize("script", SCRIPTS, ids=[s.stem for s in SCRIPTS])
def test_nothing_of_a_file_is_lost(script: Path) -> None:
    assert unparse(parse(_read(script))) == _read(script)


@cache
def _sample() -> tuple[TclFile, ...]:
    return tuple(random.Random(4).sample(list(tcl_files()), SAMPLE))


needs_corpus = pytest.mark.skipif(not any(FOLDER.glob("code-*.jsonl.xz")), reason=ABSENT)


@needs_corpus
@requires_tcl
def test_no_real_script_that_tcl_compiles_is_wrongly_rejected(plain: Domain) -> None:
    with RealTcl() as tcl:
        for file in _sample():
            report = validate_script(file.text, plain)
            if report.valid_syntax or tcl.check(file.text) is not None:
                continue
            wrong = [i for i in range(len(report.details)) if not rightly(file.text, report, i, tcl.check)]
            assert not wrong, (file.source, file.path, report.lines()[wrong[0]])


@needs_corpus
def test_nothing_of_a_real_script_is_lost() -> None:
    for file in _sample():
        assert unparse(parse(file.text)) == file.text, file.path


def _read(script: Path) -> str:
    return script.read_text(encoding="utf-8")
