"""`validate` as CI uses it: folders, settings of a team, formats for machines, pre-commit."""

from __future__ import annotations

import json
import os
import pty
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml
from cli import command, environment, run
from lab_domain import CATALOG, write_domain

from localgen.commands.validate import parser
from localgen.validation.codes import CODES
from localgen.validation.rules.pages import explain

ROOT = Path(__file__).resolve().parents[2]
GOOD = "my::route -net A -layer M1\n"
BAD = "my::route -net A -layer M9\n"
MESSAGE = 'my::route: -layer: "M9" is not one of M1, M2, M3 [CAT013]'


@pytest.fixture
def team(tmp_path: Path) -> Path:
    """A team's repository: its domain, its settings, scripts."""
    write_domain(tmp_path / "domain", CATALOG)
    (tmp_path / "localgen.toml").write_text('domain = "domain"\nexclude = ["old"]\n')
    for name, text in {"flows/a.tcl": BAD, "flows/b.tcl": GOOD, "flows/old/c.tcl": BAD, "top.tcl": "my::old\n"}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_folder_is_checked_with_the_settings_above_its_scripts(team: Path) -> None:
    ran = run("validate", "--concise", "flows", cwd=team)
    assert (ran.code, ran.out, ran.err) == (1, f"flows/a.tcl:1:25: {MESSAGE}\n", "")
    elsewhere = run("validate", "--concise", team / "flows", cwd=Path("/"))
    assert elsewhere.code == 1 and elsewhere.out == f"{team}/flows/a.tcl:1:25: {MESSAGE}\n"


def test_what_is_excluded_is_checked_where_it_is_named_unless_that_is_forced(team: Path) -> None:
    assert run("validate", "flows/old/c.tcl", cwd=team).code == 1
    forced = run("validate", "--force-exclude", "flows/old/c.tcl", cwd=team)
    assert (forced.code, forced.out, forced.err) == (0, "", "")
    assert run("validate", "flows", "--exclude", "a.tcl", cwd=team).code == 0


def test_the_command_line_wins_over_the_settings(team: Path) -> None:
    settings = team / "localgen.toml"
    settings.write_text(settings.read_text() + '[severity]\nCAT013 = "warning"\nCAT019 = "error"\n')
    assert run("validate", "flows", cwd=team).code == 0
    assert run("validate", "top.tcl", cwd=team).code == 1
    # A rule's own severity wins over what --strict makes of it.
    assert run("validate", "--strict", "flows", cwd=team).code == 0
    assert run("validate", "--severity", "CAT013=error", "flows", cwd=team).code == 1
    off = run("validate", "--severity", "CAT=off", "flows", "top.tcl", cwd=team)
    assert (off.code, off.out) == (0, "")
    pnr = run("validate", "--domain", "pnr", "--concise", "flows/b.tcl", cwd=team)
    assert "[CAT001]" in pnr.out


def test_settings_can_be_named_or_left_aside(team: Path) -> None:
    (team / "strict.toml").write_text('domain = "domain"\nstrict = true\n')
    assert run("validate", "top.tcl", cwd=team).code == 0
    assert run("validate", "--config", "strict.toml", "top.tcl", cwd=team).code == 1
    assert run("validate", "--isolated", "--domain", "domain", "flows/old", cwd=team).code == 1
    both = run("validate", "--config", "strict.toml", "--isolated", "top.tcl", cwd=team)
    assert both.code == 2 and "exclude each other" in both.err


def test_bad_settings_are_a_usage_error(team: Path) -> None:
    (team / "flows" / "localgen.toml").write_text("strikt = true\n")
    ran = run("validate", "--json", ".", cwd=team)
    assert ran.code == 2 and f"{team}/flows/localgen.toml: strikt: no such key" in ran.err
    assert "did you mean strict?" in ran.err and json.loads(ran.out)["code"] == "config-key"


def test_standard_input_can_have_a_name(team: Path) -> None:
    (team / "flows" / "localgen.toml").write_text('domain = "../domain"\n[severity]\nCAT013 = "hint"\n')
    ran = run("validate", "-", "--concise", "--stdin-filename", "flows/new.tcl", stdin=BAD.encode(), cwd=team)
    assert (ran.code, ran.out) == (0, f"flows/new.tcl:1:25: hint: {MESSAGE}\n")


def test_suppressions_count_unless_they_are_to_be_ignored(team: Path) -> None:
    text = b"my::route -net A -layer M9 ;# localgen: disable=CAT013\n"
    assert run("validate", "-", stdin=text, cwd=team).out == ""
    assert run("validate", "-", "--ignore-suppressions", stdin=text, cwd=team).code == 1


def test_one_script_that_cannot_be_read_does_not_hide_the_others(team: Path) -> None:
    (team / "flows" / "z.tcl").write_bytes(b"puts \0")
    ran = run("validate", "--concise", "flows", "gone.tcl", cwd=team)
    assert ran.code == 2 and ran.out == f"flows/a.tcl:1:25: {MESSAGE}\n"
    assert "flows/z.tcl: binary data" in ran.err and "gone.tcl: cannot be read: No such file" in ran.err
    document = json.loads(run("validate", "--json", "flows", cwd=team).out)
    assert document["valid"] is False
    assert [r.get("code") or r["valid"] for r in document["reports"]] == [False, True, "script-binary"]
    lines = run("validate", "--format", "github", "flows", cwd=team).out.splitlines()
    assert lines[1] == "::error file=flows/z.tcl,title=localgen script-binary::flows/z.tcl: binary data, not a script"
    log = json.loads(run("validate", "--format", "sarif", "flows", cwd=team).out)
    assert log["runs"][0]["invocations"][0]["executionSuccessful"] is False


def test_bytes_that_are_not_utf_8_are_a_warning_and_the_rest_is_checked(team: Path) -> None:
    ran = run("validate", "-", "--concise", stdin=b"# M\xfcller\r\nputs {\xe9\xe8}; zzz\n", cwd=team)
    assert ran.code == 1 and ran.out.splitlines() == [
        "<stdin>:1:4: warning: the byte 0xFC is not UTF-8 (save the script as UTF-8) [TCL016]",
        '<stdin>:2:12: unknown command "zzz" [CAT001]',
    ]
    assert json.loads(run("validate", "-", "--json", stdin=b"puts \xff\n", cwd=team).out)["warnings"] == 1


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
def test_several_processes_print_what_one_does(team: Path, form: str) -> None:
    for i in range(12):
        (team / "flows" / f"n{i}.tcl").write_text(BAD * i)
    one = run("validate", "--format", form, "--jobs", "1", "flows", "top.tcl", "-", stdin=BAD.encode(), cwd=team)
    three = run("validate", "--format", form, "--jobs", "3", "flows", "top.tcl", "-", stdin=BAD.encode(), cwd=team)
    assert one == three and one.code == 1 and one.err == ""


def test_a_domain_that_cannot_be_used_ends_several_processes_as_one(team: Path) -> None:
    (team / "domain" / "rules.lark").write_text("start: nothing\n")
    (team / "flows" / "b.tcl").write_text("dsl {\n}\n")
    ran = run("validate", "--jobs", "2", "flows", cwd=team)
    assert ran.code == 4 and "rules.lark" in ran.err and "Traceback" not in ran.err and ran.out == ""


def test_an_interrupt_ends_all_processes_quietly(team: Path) -> None:
    for i in range(4):
        (team / "flows" / f"n{i}.tcl").write_text("".join(f"set v{k} [expr {{{k} + 1}}]\n" for k in range(20_000)))
    process = subprocess.Popen(
        command("validate", "--jobs", "2", "--isolated", "--domain", "domain", "flows"),
        cwd=team, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while process.poll() is None and len(children.read_text().split()) < 2:
        time.sleep(0.01)
    time.sleep(0.5)  # until they have begun
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=100)
    assert (process.returncode, out, err) == (130, b"", b"validate: interrupted, nothing was written\n")


def test_a_folder_gives_a_list_in_json_however_many_scripts_it_has(team: Path) -> None:
    document = json.loads(run("validate", "--json", "flows", "--exclude", "a.tcl", cwd=team).out)
    assert document["valid"] is True and [r["file"] for r in document["reports"]] == ["flows/b.tcl"]


def test_sarif_and_github_go_to_standard_output_alone(team: Path) -> None:
    sarif = run("validate", "--format", "sarif", "flows", cwd=team)
    assert sarif.code == 1 and sarif.err == ""
    assert json.loads(sarif.out)["runs"][0]["results"][0]["ruleId"] == "CAT013"
    github = run("validate", "--format", "github", "flows", cwd=team)
    assert github.code == 1 and github.out.startswith("::error file=flows/a.tcl,line=1,") and github.err == ""


def on_terminal(team: Path, *args: str, **variables: str) -> str:
    """What the command writes to a terminal."""
    ours, theirs = pty.openpty()
    variables = {"TERM": "xterm", "NO_COLOR": "", **variables}
    subprocess.run(command("validate", *args), stdout=theirs, stderr=theirs, cwd=team, env=environment(**variables))
    os.close(theirs)
    out = b""
    try:
        while piece := os.read(ours, 65536):
            out += piece
    except OSError:  # Linux's way to say that the other end is closed
        pass
    os.close(ours)
    return out.decode()


def test_colours_are_for_terminals_that_want_them(team: Path) -> None:
    assert "\x1b[31m^^" in on_terminal(team, "flows/a.tcl")
    assert "\x1b[" not in on_terminal(team, "flows/a.tcl", NO_COLOR="1")
    assert "\x1b[" not in on_terminal(team, "flows/a.tcl", TERM="dumb")
    assert "\x1b[" not in on_terminal(team, "flows/a.tcl", "--color", "never")
    assert "\x1b[" not in run("validate", "flows/a.tcl", cwd=team).out
    assert "\x1b[31m^^" in run("validate", "flows/a.tcl", "--color", "always", cwd=team).out


def test_a_terminal_gets_a_progress_bar_and_a_summary(team: Path) -> None:
    shown = on_terminal(team, "flows", "top.tcl")
    assert "3/3 scripts" in shown and shown.endswith("3 scripts, 1 invalid: 1 error, 1 warning\r\n")
    assert on_terminal(team, "flows/b.tcl") == "1 script, valid: no findings\r\n"


@pytest.mark.parametrize("name", ["CAT013", "SUP"])
def test_explain_prints_the_page(name: str) -> None:
    ran = run("validate", "--explain", name)
    assert (ran.code, ran.out, ran.err) == (0, explain(name), "")


def test_explain_of_an_unknown_rule_names_the_nearest() -> None:
    ran = run("validate", "--explain", "CAT13")
    assert ran.code == 2 and "CAT13: no such rule" in ran.err and "CAT013" in ran.err and ran.out == ""


@pytest.mark.parametrize("arguments", [["--jobs", "0"], ["--severity", "CAT013"], ["--format", "xml"]])
def test_wrong_options_are_refused(arguments: list[str]) -> None:
    ran = run("validate", "-", *arguments)
    assert ran.code == 2 and arguments[-1] in ran.err and "Traceback" not in ran.err and ran.out == ""


def test_the_pre_commit_hook_calls_the_command_with_options_that_it_has(team: Path) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    program, *options = shlex.split(hook["entry"])
    assert program == "validate" and hook["types"] == ["tcl"] and hook["language"] == "python"
    assert parser().parse_args([*options, "a.tcl"]).files == ["a.tcl"]
    assert run("validate", *options, "flows/a.tcl", "flows/old/c.tcl", "--concise", cwd=team).out.count("\n") == 1
    assert run("validate", *options, "flows/b.tcl", "flows/old/c.tcl", cwd=team).code == 0


def test_every_option_and_rule_is_documented() -> None:
    text = (ROOT / "docs" / "cli.md").read_text("utf-8")
    options = {o for a in parser()._actions for o in a.option_strings if o.startswith("--") and o != "--help"}
    assert not [o for o in sorted(options) if f"`{o}" not in text]
    pages = "".join((ROOT / "docs" / "rules" / f"{g}.md").read_text("utf-8") for g in {c[:3] for c in CODES})
    assert not [code for code in CODES if f"## {code}\n" not in pages]
