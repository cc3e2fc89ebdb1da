"""`validate --hints --fix --diff --run --check` as a user runs them: what is printed, what is written, what is not."""

from __future__ import annotations

import copy
import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli import command, environment, run
from lab_domain import CATALOG, write_domain
from oracle import requires_tcl

BROKEN = "my::route -net A -lyer M1\nif {1} {\n  puts a\nputs b\n"
RIGHT = "my::route -net A -layer M1\nif {1} {\n  puts a\n}\nputs b\n"
DIFF = """\
--- s.tcl
+++ s.tcl
@@ -1,4 +1,5 @@
-my::route -net A -lyer M1
+my::route -net A -layer M1
 if {1} {
   puts a
+}
 puts b
"""


@pytest.fixture(scope="module")
def domain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lab domain with a checker that dislikes the word bad."""
    catalog = copy.deepcopy(CATALOG)
    catalog["checker"] = {
        "command": [sys.executable, "{domain}/check.py", "{script}"],
        "success": "^fine$",
        "error": r"^Error: (?P<message>.*)$",
    }
    folder = write_domain(tmp_path_factory.mktemp("domain"), catalog)
    (folder / "check.py").write_text(
        "import sys\n"
        "for number, line in enumerate(open(sys.argv[1]), 1):\n"
        "    if 'bad' in line:\n"
        "        print(f'Error: a bad word, line {number}')\n"
        "print('fine')\n"
    )
    return folder


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A broken script whose permissions are unusual."""
    path = tmp_path / "s.tcl"
    path.write_text(BROKEN)
    path.chmod(0o754)
    return path


def test_hints_print_each_fix(domain: Path, script: Path) -> None:
    ran = run("validate", "s.tcl", "--hints", "--domain", domain, cwd=script.parent)
    assert ran.code == 1 and ran.out.splitlines()[3] == "    fix: write -layer instead of -lyer"
    ran = run("validate", "-", "--hints", "--domain", domain, stdin=b"my::count x\n")
    assert "    fix: remove x (not applied by --fix)\n" in ran.out


def test_fix_writes_the_file_and_keeps_its_permissions(domain: Path, script: Path) -> None:
    ran = run("validate", script, "--fix", "--domain", domain)
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert script.read_text() == RIGHT and stat.S_IMODE(script.stat().st_mode) == 0o754
    assert [p.name for p in script.parent.iterdir()] == ["s.tcl"]


def test_line_ends_and_encoding_are_kept(domain: Path, script: Path) -> None:
    script.write_bytes('puts "é"\r\nmy::route -net é -lyer M1\r\n'.encode())
    assert run("validate", script, "--fix", "--domain", domain).code == 0
    assert script.read_bytes() == 'puts "é"\r\nmy::route -net é -layer M1\r\n'.encode()


def test_a_file_without_a_safe_fix_is_not_touched(domain: Path, script: Path) -> None:
    script.write_text("my::count x\n")
    before = script.stat()
    ran = run("validate", script, "--fix", "--domain", domain)
    after = script.stat()
    assert ran.code == 1 and "[CAT010]" in ran.out
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_link_stays_a_link(domain: Path, script: Path) -> None:
    link = script.parent / "link.tcl"
    link.symlink_to(script)
    assert run("validate", link, "--fix", "--domain", domain).code == 0
    assert link.is_symlink() and script.read_text() == RIGHT


def test_diff_alone_writes_nothing(domain: Path, script: Path) -> None:
    ran = run("validate", "s.tcl", "--diff", "--domain", domain, cwd=script.parent)
    assert ran.code == 1 and ran.out == DIFF and script.read_text() == BROKEN
    assert "[CAT002]" in ran.err and "[TCL001]" in ran.err


def test_diff_and_fix_show_and_write(domain: Path, script: Path) -> None:
    ran = run("validate", "s.tcl", "--diff", "--fix", "--domain", domain, cwd=script.parent)
    assert ran.code == 0 and ran.out == DIFF and script.read_text() == RIGHT


def test_what_patch_makes_of_the_diff_is_the_fixed_script(domain: Path, script: Path) -> None:
    diff = run("validate", "s.tcl", "--diff", "--domain", domain, cwd=script.parent).out
    try:
        subprocess.run(["patch", "-s", "s.tcl"], input=diff.encode(), cwd=script.parent, check=True)
    except FileNotFoundError:
        pytest.skip("there is no patch here")
    assert script.read_text() == RIGHT


def test_the_fixed_text_of_standard_input_is_printed(domain: Path) -> None:
    ran = run("validate", "-", "--fix", "--domain", domain, stdin=BROKEN.encode() + b"my::count x\n")
    assert ran.code == 1 and ran.out == RIGHT + "my::count x\n" and "<stdin>:6:11: " in ran.err
    ran = run("validate", "-", "--fix", "--domain", domain, stdin=b"puts a\r\n")
    assert ran.code == 0 and ran.out == "puts a\r\n"


def test_json_has_fixes_and_what_was_fixed(domain: Path, script: Path) -> None:
    document = json.loads(run("validate", script, "--json", "--domain", domain).out)
    (fix,) = document["details"][0]["fixes"]
    assert fix["safe"] and fix["edits"] == [
        {"start": 17, "end": 22, "start_byte": 17, "end_byte": 22, "text": "-layer"}
    ]  # fmt: skip
    assert "fixed" not in document and script.read_text() == BROKEN
    document = json.loads(run("validate", "-", "--fix", "--json", "--domain", domain, stdin=BROKEN.encode()).out)
    assert document["valid"] and document["fixed"]["text"] == RIGHT and len(document["fixed"]["applied"]) == 2


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="a superuser may write anything")
def test_a_read_only_file_is_refused(domain: Path, script: Path) -> None:
    script.chmod(0o444)
    ran = run("validate", script, "--fix", "--domain", domain)
    assert ran.code == 2 and "is read-only" in ran.err and script.read_text() == BROKEN


def test_a_file_that_cannot_be_read_does_not_keep_others_from_being_fixed(domain: Path, script: Path) -> None:
    ran = run("validate", script, script.parent / "missing.tcl", "--fix", "--domain", domain)
    assert ran.code == 2 and script.read_text() == RIGHT


@requires_tcl
def test_run_reports_where_a_script_fails(domain: Path) -> None:
    text = b"puts hello\nforeach n {1 2} {\n  my::route -net $n -layer M1\n  lindex {a b} oops\n}\n"
    ran = run("validate", "-", "--run", "--domain", domain, stdin=text)
    assert ran.code == 0 and ran.out.startswith("<stdin>:4:3: warning: when run: bad index") and "[RUN001]" in ran.out
    strict = run("validate", "-", "--run", "--strict", "--json", "--domain", domain, stdin=text)
    document = json.loads(strict.out)
    assert strict.code == 1 and document["details"][-1]["code"] == "RUN001"
    assert document["run"]["calls"] == [
        {"proc": "my::route", "args": {"layer": "M1", "net": "1"}, "stray": [], "line": 3}
    ]  # fmt: skip
    assert document["run"]["output"] == "hello\n" and document["run"]["variables"] == {"n": "1"}


@requires_tcl
def test_a_script_with_syntax_errors_is_not_run(domain: Path) -> None:
    ran = run("validate", "-", "--run", "--json", "--domain", domain, stdin=b"puts {\n")
    assert ran.code == 1 and json.loads(ran.out)["run"] is None


@requires_tcl
def test_what_is_fixed_is_what_runs(domain: Path, script: Path) -> None:
    ran = run("validate", script, "--fix", "--run", "--json", "--domain", domain)
    assert ran.code == 0 and json.loads(ran.out)["run"]["output"] == "a\nb\n"


def test_no_tcl_is_said_with_a_status_of_its_own(domain: Path, script: Path, tmp_path: Path) -> None:
    # Neither tclsh on PATH, nor tkinter: as on a bare server.
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(
        "import importlib.util as u\n"
        "find = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == '_tkinter' else find(name, *rest)\n"
    )
    variables = environment(PATH=str(tmp_path))
    variables["PYTHONPATH"] = os.pathsep.join((str(tmp_path / "site"), variables["PYTHONPATH"]))
    line = command("validate", script, "--run", "--fix", "--domain", domain)
    done = subprocess.run(line, env=variables, capture_output=True, text=True, timeout=60)
    assert done.returncode == 6 and "there is no Tcl" in done.stderr and "hint: install Tcl" in done.stderr
    assert script.read_text() == BROKEN


def test_the_checker_is_run_only_when_asked(domain: Path, script: Path) -> None:
    script.write_text("puts a\nputs bad\n")
    assert run("validate", script, "--domain", domain).code == 0
    ran = run("validate", script, "--check", "--domain", domain)
    assert ran.code == 1 and f"{script}:2:1: {Path(sys.executable).name}: a bad word, line 2 [CHK001]\n" in ran.out
    ran = run("validate", "-", "--check", "--domain", domain, stdin=b"puts a\n")
    assert (ran.code, ran.out) == (0, "")


def test_what_the_checker_reports_is_suppressed_and_graded_like_any_finding(domain: Path, script: Path) -> None:
    script.write_text("puts a\nputs bad  ;# localgen: disable=CHK001\n")
    ran = run("validate", script, "--check", "--domain", domain)
    assert (ran.code, ran.out) == (0, "")
    # Nothing is run here, so nobody knows whether the comment is of use.
    assert run("validate", script, "--domain", domain).out == ""
    graded = ("--check", "--concise", "--ignore-suppressions", "--severity", "CHK=hint", "--domain", domain)
    ran = run("validate", script, *graded)
    assert ran.code == 0 and ":2:1: hint: " in ran.out and ran.out.endswith("[CHK001]\n")


@requires_tcl
def test_what_a_run_reports_is_suppressed_and_graded_like_any_finding(domain: Path) -> None:
    text = b"puts a\nlindex {a b} oops\n"
    assert run("validate", "-", "--run", "--domain", domain, stdin=text).code == 1
    off = run("validate", "-", "--run", "--severity", "RUN001=off", "--domain", domain, stdin=text)
    assert (off.code, off.out) == (0, "")
    said = run("validate", "-", "--run", "--domain", domain, stdin=b"# localgen: disable-file=RUN\n" + text)
    assert (said.code, said.out) == (0, "")


def test_what_is_suppressed_is_not_fixed(domain: Path, script: Path) -> None:
    text = "my::route -net A -lyer M1  ;# localgen: disable=CAT002\n"
    script.write_text(text)
    assert run("validate", script, "--fix", "--domain", domain).code == 0 and script.read_text() == text
    run("validate", script, "--fix", "--ignore-suppressions", "--domain", domain)
    assert script.read_text() == text.replace("lyer", "layer")


def test_bytes_that_are_not_utf_8_stay_as_they_are(domain: Path, script: Path) -> None:
    script.write_bytes(b"# M\xfcller\r\nmy::route -net A -lyer M1\r\n")
    document = json.loads(run("validate", script, "--json", "--domain", domain).out)
    (edit,) = document["details"][1]["fixes"][0]["edits"]
    assert [edit[k] for k in ("start", "end", "start_byte", "end_byte")] == [27, 32, 27, 32]
    assert b"# M\xfcller\r\n" in subprocess.run(
        command("validate", script, "--diff", "--domain", domain), env=environment(), capture_output=True
    ).stdout
    assert run("validate", script, "--fix", "--domain", domain).code == 0
    assert script.read_bytes() == b"# M\xfcller\r\nmy::route -net A -layer M1\r\n"


@requires_tcl
@pytest.mark.parametrize("jobs", ["1", "3"])
def test_many_files_are_fixed_and_run_by_several_processes(domain: Path, tmp_path: Path, jobs: str) -> None:
    for i in range(6):
        (tmp_path / f"{i}.tcl").write_text(BROKEN if i % 2 else "lindex {a b} oops\n")
    ran = run("validate", "--fix", "--run", "--jobs", jobs, "--concise", "--domain", domain, ".", cwd=tmp_path)
    assert ran.code == 1 and [line.split(":")[0] for line in ran.out.splitlines()] == ["0.tcl", "2.tcl", "4.tcl"]
    assert "[RUN001]" in ran.out and all((tmp_path / f"{i}.tcl").read_text() == RIGHT for i in (1, 3, 5))


def test_the_diff_is_alone_on_standard_output_in_every_form(domain: Path, script: Path) -> None:
    github = run("validate", "s.tcl", "--diff", "--format", "github", "--domain", domain, cwd=script.parent)
    assert github.out == DIFF and "::error file=s.tcl,line=1," in github.err
    script.write_text("my::count x\n")
    ran = run("validate", "s.tcl", "--diff", "--domain", domain, cwd=script.parent)
    assert ran.code == 1 and ran.out == "" and "[CAT010]" in ran.err


def test_sarif_has_the_fixes(domain: Path, script: Path) -> None:
    log = json.loads(run("validate", "s.tcl", "--format", "sarif", "--domain", domain, cwd=script.parent).out)
    (fix,) = log["runs"][0]["results"][0]["fixes"]
    (change,) = fix["artifactChanges"]
    assert fix["description"]["text"] == "write -layer instead of -lyer"
    assert change["artifactLocation"] == {"uri": "s.tcl", "uriBaseId": "%SRCROOT%"}
    (replacement,) = change["replacements"]
    assert replacement["deletedRegion"] == {"charOffset": 17, "charLength": 5}
    assert replacement["insertedContent"] == {"text": "-layer"}


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks processes up in /proc")
def test_an_interrupt_ends_what_several_processes_run(domain: Path, tmp_path: Path) -> None:
    for i in range(4):
        (tmp_path / f"{i}.tcl").write_text("puts a\n")
    line = command("validate", "--check", "--check-seconds", "60", "--jobs", "2", "--domain", domain, tmp_path)
    (domain / "check.py").rename(domain / "kept.py")
    mark = tmp_path / "pids"
    slow = f"import os, time\nopen({str(mark)!r}, 'a').write(f'{{os.getpid()}}\\n')\ntime.sleep(300)\n"
    (domain / "check.py").write_text(slow)
    try:
        process = subprocess.Popen(
            line, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
        while process.poll() is None and (not mark.exists() or mark.read_text().count("\n") < 2):
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode == 130
        assert all(ended(int(pid)) for pid in mark.read_text().split())
    finally:
        (domain / "kept.py").replace(domain / "check.py")


def ended(pid: int) -> bool:
    """Whether a process is gone, or will be within some seconds."""
    for _ in range(50):
        status = Path(f"/proc/{pid}/stat")
        if not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.1)
    return False


def test_a_domain_without_a_checker_and_a_checker_that_is_missing(tmp_path: Path, script: Path) -> None:
    plain = write_domain(tmp_path / "plain", CATALOG)
    ran = run("validate", script, "--check", "--domain", plain)
    assert ran.code == 4 and "names no checker" in ran.err
    missing = write_domain(tmp_path / "missing", {**CATALOG, "checker": {"command": ["no-such-tool", "{script}"]}})
    ran = run("validate", script, "--check", "--domain", missing)
    assert ran.code == 6 and "no-such-tool" in ran.err and "hint: install it" in ran.err


@pytest.mark.parametrize("seconds", ["0", "x", "-1", "999999"])
def test_odd_limits_are_refused(domain: Path, script: Path, seconds: str) -> None:
    ran = run("validate", script, "--run", "--run-seconds", seconds, "--domain", domain)
    assert ran.code == 2 and "number of seconds" in ran.err
