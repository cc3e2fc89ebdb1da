"""`localgen-train data`: what it makes, what it says, and clear errors for what it cannot use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from training.data_kit import MINIMAL

from localgen_training.cli import main
from localgen_training.examples import read_examples


def data(out: Path, *args: str) -> int:
    return main(["data", "--name", "d", "--spread", "0", "--num", "120", "--out", str(out), *args])


def test_a_data_set_is_made_and_told_about(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert data(tmp_path, "--domain", MINIMAL) == 0
    said = capsys.readouterr()
    assert "train" in said.out and "hash" in said.out
    assert "passed (" in said.err
    facts = json.loads((tmp_path / "d" / "data.json").read_text("utf-8"))
    assert facts["diversity"]["instructions"]["2-grams"]["distinct"] > 500
    assert facts["hash"].startswith(said.out.rpartition("hash ")[2].strip())


def test_several_domains_are_mixed(tmp_path: Path) -> None:
    assert data(tmp_path, "--domain", "pnr", "--domain", MINIMAL) == 0
    names = {e.domain.partition("~")[0] for e in read_examples(tmp_path / "d" / "train.jsonl")}
    assert {"pnr", "minimal"} <= names


def test_scripts_of_the_team_are_read_and_what_cannot_be_used_is_counted(tmp_path: Path) -> None:
    scripts = tmp_path / "flows"
    scripts.mkdir()
    (scripts / "good.tcl").write_text("# task: Route CLK_IN on M2.\nmy::route -net CLK_IN -layer M2\n")
    (scripts / "comment.tcl").write_text("# Keep 4 um clear around RST.\nmy::keepout -net RST -width 4\n")
    (scripts / "wrong.tcl").write_text("# task: Route B on M9.\nmy::route -net B -layer M9\n")
    (scripts / "mute.tcl").write_text("my::route -net B -layer M1\n")
    (scripts / "other.tcl").write_text("# task: Print hello to the user.\nputs hello\n")
    assert data(tmp_path, "--domain", MINIMAL, "--scripts", str(scripts), "--num", "600") == 0
    rows = [e for e in read_examples(tmp_path / "d" / "train.jsonl") if e.category == "script"]
    assert any("route" in e.response for e in rows)
    discarded = json.loads((tmp_path / "d" / "data.json").read_text("utf-8"))["telemetry"]["discarded"]
    assert {"script says no task", "script uses nothing of the catalog"} <= set(discarded)
    assert any(reason.startswith("CAT013") for reason in discarded)
    assert not any("M9" in e.response for e in rows)


@pytest.mark.parametrize(
    ("args", "status", "said"),
    [
        (["--domain", "nowhere"], 2, "no such domain"),
        (["--domain", MINIMAL, "--num", "0"], 2, "--num 0"),
        (["--domain", MINIMAL, "--name", "../x"], 2, "not a name"),
        (["--domain", MINIMAL, "--domain", MINIMAL], 2, "two domains are called minimal"),
        (["--domain", MINIMAL, "--scripts", "none-there"], 2, "no such folder of scripts"),
        (["--domain", MINIMAL, "--jobs", "0"], 2, "--jobs 0"),
        (["--domain", MINIMAL, "--paraphrase-model", "none.gguf"], 5, "no such file"),
        (["--domain", MINIMAL, "--paraphrase-url", "http://127.0.0.1:9"], 6, "no answer"),
    ],
)
def test_what_cannot_be_used_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], args: list[str], status: int, said: str
) -> None:
    assert data(tmp_path, *args) == status
    err = capsys.readouterr().err
    assert said in err
    assert not (tmp_path / "d" / "train.jsonl").exists()


def test_a_domain_with_nothing_to_generate_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / "catalog.json").write_text(json.dumps({"procs": [{"name": "a", "args": [], "deprecated": True}]}))
    assert data(tmp_path, "--domain", str(folder)) == 2
    err = capsys.readouterr().err
    assert "nothing to make tasks of" in err and "hint:" in err


def test_a_broken_grammar_is_said_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "bad"
    folder.mkdir()
    catalog = {
        "procs": [{"name": "a", "args": []}],
        "dsl": {"embedding": {"open": "d {", "close": "}"}, "grammar": "g.lark"},
    }
    (folder / "catalog.json").write_text(json.dumps(catalog))
    (folder / "g.lark").write_text("start: nothing_there+\n")
    assert data(tmp_path, "--domain", str(folder)) == 4
    assert "g.lark:1" in capsys.readouterr().err
