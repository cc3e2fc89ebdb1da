"""What cannot be used is refused with a message, a hint and the status of its kind; nothing is overwritten."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from cli import command, environment, run

OLD = "# the script from yesterday\n"

MINIMAL: dict[str, Any] = {
    "procs": [{"name": "my::route", "args": [{"name": "net"}, {"name": "layer", "values": ["M1", "M2", "M3"]}]}],
    "variables": [{"name": "::tech::corner", "values": ["tt", "ss", "ff"]}],
    "dsl": {"embedding": {"open": "dsl {", "close": "}"}, "grammar": "rules.lark"},
}
GRAMMAR = 'start: rule+\nrule: "rule" NET\nNET: /[A-Z]+/\n%ignore " "\n'


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """An existing output file, in a folder of its own."""
    path = tmp_path / "out" / "script.tcl"
    path.parent.mkdir()
    path.write_text(OLD)
    path.chmod(0o640)
    return path


@pytest.fixture
def task(tmp_path: Path) -> Path:
    """A good instruction."""
    path = tmp_path / "task.txt"
    path.write_text("Route net CLK on M3.")
    return path


def domain(folder: Path, catalog: object, grammar: str = GRAMMAR) -> Path:
    """A domain folder with that catalog (an object, or text) and that grammar."""
    folder.mkdir()
    (folder / "catalog.json").write_text(catalog if isinstance(catalog, str) else json.dumps(catalog, indent=1))
    (folder / "rules.lark").write_text(grammar)
    return folder


def refused(code: int, *args: str | Path, says: tuple[str, ...], old: Path, stdin: bytes | None = None) -> None:
    """Run `generate` and check how it refuses: status, message, a hint, no traceback, nothing written."""
    before = sorted(os.listdir(old.parent))
    ran = run("generate", "--out", old, *args, stdin=stdin)
    assert ran.code == code, ran.err
    for text in says:
        assert text in ran.err
    assert ran.err.startswith("generate: ") and "\n  hint: " in ran.err
    assert "Traceback" not in ran.err
    assert ran.out == ""
    assert old.read_text() == OLD and old.stat().st_mode & 0o777 == 0o640
    assert sorted(os.listdir(old.parent)) == before


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the instruction is empty"),
        (b" \n\t\n", "the instruction is empty"),
        (b"\xef\xbb\xbf\n", "the instruction is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not plain text"),
        ("Route net CLK".encode("utf-16"), "not plain text"),
        (b"Route \x1b[1mCLK\x1b[0m", "not plain text"),
        (b"Route net CLK. " * 70_000, "longer than 64 kB"),
        ("Führe CLK. ".encode() * 6_000, "longer than 64 kB"),
        (b"\0" * 1_000_000, "not plain text"),
    ],
)
@pytest.mark.parametrize("piped", [False, True])
def test_an_instruction_that_is_none(content: bytes, says: str, piped: bool, old: Path, tmp_path: Path) -> None:
    if piped:
        refused(2, "--instruction", "-", says=(says, "standard input"), old=old, stdin=content)
    else:
        path = tmp_path / "task.txt"
        path.write_bytes(content)
        refused(2, "--instruction", path, says=(says, str(path)), old=old)


def test_a_missing_instruction(old: Path, tmp_path: Path) -> None:
    path = tmp_path / "none.txt"
    refused(2, "--instruction", path, says=("no such file", str(path)), old=old)


def test_a_folder_as_instruction(old: Path, tmp_path: Path) -> None:
    refused(2, "--instruction", tmp_path, says=("cannot be read", str(tmp_path)), old=old)


def test_no_instruction_at_a_terminal(old: Path) -> None:
    main, terminal = pty.openpty()
    done = subprocess.run(
        command("generate", "--out", old), stdin=terminal, capture_output=True, env=environment(), timeout=60, text=True
    )
    os.close(main)
    os.close(terminal)
    assert done.returncode == 2 and "no instruction" in done.stderr and "hint:" in done.stderr
    assert old.read_text() == OLD


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--k", "0"), "--k 0"),
        (("--k", "-3"), "--k -3"),
        (("--k", "1000"), "--k 1000"),
        (("--k", "many"), "--k"),
        (("--temperature", "nan"), "--temperature nan"),
        (("--temperature", "-1"), "--temperature -1.0"),
        (("--max-tokens", "0"), "--max-tokens 0"),
        (("--max_tokens", "-5"), "--max-tokens -5"),
        (("--seed", "-1"), "--seed -1"),
        (("--grounding", "maybe"), "maybe"),
        (("--instructions", "x"), "--instructions"),
        (("--batch", "tasks.jsonl"), "--batch and --instruction"),
    ],
)
def test_options_out_of_range(args: tuple[str, ...], says: str, old: Path, task: Path) -> None:
    refused(2, "--instruction", task, *args, says=(says,), old=old)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("pnrr", "did you mean pnr?"),
        ("PNR", "did you mean pnr?"),
        ("zzz", "bundled domains: "),
        ("./nowhere", "catalog.json"),
        ("", "an empty name"),
    ],
)
def test_an_unknown_domain(name: str, says: str, old: Path, task: Path) -> None:
    refused(2, "--instruction", task, "--domain", name, says=("no such domain", says), old=old)


def test_a_folder_without_a_catalog(old: Path, task: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    refused(4, "--instruction", task, "--domain", tmp_path / "empty", says=("no catalog.json",), old=old)


def test_a_catalog_that_is_not_json(old: Path, task: Path, tmp_path: Path) -> None:
    folder = domain(tmp_path / "d", '{\n "procs": [\n  {"name": "a" "args": []}\n ]\n}\n')
    refused(4, "--instruction", task, "--domain", folder, says=(f"{folder / 'catalog.json'}:3",), old=old)


def test_a_catalog_with_a_wrong_field(old: Path, task: Path, tmp_path: Path) -> None:
    catalog = {**MINIMAL, "procs": [{"name": "my::route", "args": [{"name": "net", "type": "strnig"}]}]}
    folder = domain(tmp_path / "d", catalog)
    line = (folder / "catalog.json").read_text().split('"type"')[0].count("\n") + 1
    says = (f"{folder / 'catalog.json'}:{line}", "procs", "args", "type")
    refused(4, "--instruction", task, "--domain", folder, says=says, old=old)


def test_a_grammar_with_an_error(old: Path, task: Path, tmp_path: Path) -> None:
    folder = domain(tmp_path / "d", MINIMAL, 'start: rule+\nrule: "rule" (NET\nNET: /[A-Z]+/\n')
    refused(4, "--instruction", task, "--domain", folder, says=(f"{folder / 'rules.lark'}:",), old=old)


def test_a_grammar_that_cannot_be_a_constraint(old: Path, task: Path, tmp_path: Path) -> None:
    # llguidance has no look-behind; lark, by Python's re, does.
    folder = domain(tmp_path / "d", MINIMAL, 'start: rule+\nrule: "rule" NET\nNET: /(?<!x)[A-Z]+/\n%ignore " "\n')
    says = (str(folder / "rules.lark"), "NET")
    refused(4, "--instruction", task, "--domain", folder, says=says, old=old)


@pytest.mark.parametrize("net", ["", r"NET: /(?<!x)[A-Z]+/"])
def test_a_bad_grammar_is_reported_whatever_the_task_is(net: str, old: Path, tmp_path: Path) -> None:
    folder = domain(tmp_path / "d", MINIMAL, f'start: rule+\nrule: "rule" NET\n{net}\n%ignore " "\n')
    says = (str(folder / "rules.lark"), "NET")
    refused(4, "--instruction", "-", "--domain", folder, says=says, old=old, stdin=b"Book a flight to Rome.")


def test_a_missing_model(old: Path, task: Path, tmp_path: Path) -> None:
    model = tmp_path / "none.gguf"
    refused(5, "--instruction", task, "--model", model, says=(str(model),), old=old)


@pytest.mark.parametrize("kind", ["empty", "truncated", "noise", "text"])
def test_a_damaged_model(kind: str, old: Path, task: Path, tmp_path: Path, random_model: Path) -> None:
    good = random_model.read_bytes()
    content = {"empty": b"", "truncated": good[: len(good) * 2 // 3], "noise": bytes(range(256)) * 40, "text": b"hi\n"}
    model = tmp_path / "model.gguf"
    model.write_bytes(content[kind])
    refused(5, "--instruction", task, "--model", model, says=(str(model),), old=old)


def test_an_encoder_as_model(old: Path, task: Path) -> None:
    from localgen_bundle.default import encoder_path

    refused(5, "--instruction", task, "--model", encoder_path(), says=(str(encoder_path()),), old=old)


@pytest.mark.parametrize("content", [None, b"", b"[1, 2]", b"{", b"\xff\xfe"])
def test_a_context_that_is_none(content: bytes | None, old: Path, task: Path, tmp_path: Path) -> None:
    path = tmp_path / "context.json"
    if content is not None:
        path.write_bytes(content)
    refused(2, "--instruction", task, "--context", path, says=(str(path),), old=old)


def test_a_missing_batch_file(old: Path, tmp_path: Path) -> None:
    refused(2, "--batch", tmp_path / "none.jsonl", says=("none.jsonl", "cannot be read"), old=old)


def test_an_output_folder_that_is_missing(task: Path, tmp_path: Path) -> None:
    ran = run("generate", "--instruction", task, "--out", tmp_path / "no" / "x.tcl")
    assert ran.code == 2 and f"there is no folder {tmp_path / 'no'}" in ran.err and "hint:" in ran.err
    assert not (tmp_path / "no").exists()


def test_an_output_that_is_a_folder(task: Path, tmp_path: Path) -> None:
    ran = run("generate", "--instruction", task, "--out", tmp_path)
    assert ran.code == 2 and "is a folder" in ran.err


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that even root cannot write")
def test_an_output_folder_that_is_read_only(task: Path) -> None:
    ran = run("generate", "--instruction", task, "--out", "/proc/self/script.tcl")
    assert ran.code == 2 and "cannot be written" in ran.err and "Traceback" not in ran.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_output_folder_without_permission(old: Path, task: Path) -> None:
    old.parent.chmod(0o555)
    try:
        refused(2, "--instruction", task, says=("cannot be written",), old=old)
    finally:
        old.parent.chmod(0o755)


def test_errors_are_documents_with_json(task: Path) -> None:
    ran = run("generate", "--instruction", task, "--domain", "pnrr", "--json")
    document = json.loads(ran.out)
    assert ran.code == 2 and document["type"] == "error" and document["version"] == 1
    assert document["code"] == "domain-unknown" and "pnr" in document["hint"]


def test_interrupted_while_it_waits_for_input(old: Path) -> None:
    before = sorted(os.listdir(old.parent))
    process = subprocess.Popen(
        command("generate", "--instruction", "-", "--out", str(old)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        text=True,
    )
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130 and "interrupted" in err and "Traceback" not in err
    assert out == "" and old.read_text() == OLD and sorted(os.listdir(old.parent)) == before


def test_an_unknown_verb_gets_the_nearest() -> None:
    ran = run("genrate")
    assert ran.code == 2 and "did you mean generate?" in ran.err
