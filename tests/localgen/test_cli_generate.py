"""`generate` as a filter, to a file, as JSON, in batches; with a model of random weights, so only forms are judged."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import time
from pathlib import Path

import pytest
from cli import command, environment, run

TASK = "Route net CLK on M3 and shield it with VSS.\n"
BATCH_KEYS = [
    "id", "type", "script", "message", "suggestions", "valid", "confidence", "candidates", "tokens", "seconds",
]  # fmt: skip
# Fast, and never a question: what comes back is a script.
QUICK = ("--k", "2", "--max-tokens", "120", "--no-ask")


@pytest.fixture(scope="module")
def script(random_model: Path) -> str:
    """What the task gives as a filter."""
    ran = run("generate", "--model", random_model, *QUICK, stdin=TASK.encode())
    assert ran.code == 0, ran.err
    return ran.out


def test_a_filter_prints_the_script_alone(script: str, random_model: Path) -> None:
    ran = run("generate", "--instruction", "-", "--out", "-", "--model", random_model, *QUICK, stdin=TASK.encode())
    assert ran.out == script and script.endswith("\n")
    assert all("warning: " in line for line in ran.err.splitlines())


def test_the_same_seed_gives_the_same_file(script: str, random_model: Path, tmp_path: Path) -> None:
    (tmp_path / "task.txt").write_text(TASK)
    out = tmp_path / "script.tcl"
    ran = run("generate", "--instruction", tmp_path / "task.txt", "--out", out, "--model", random_model, *QUICK)
    assert ran.code == 0 and ran.out == ""
    assert out.read_text() == script
    assert sorted(os.listdir(tmp_path)) == ["script.tcl", "task.txt"]


def test_permissions_are_kept_and_links_followed(random_model: Path, tmp_path: Path) -> None:
    real = tmp_path / "real.tcl"
    real.write_text("old\n")
    real.chmod(0o754)
    link = tmp_path / "link.tcl"
    link.symlink_to(real)
    ran = run("generate", "--out", link, "--model", random_model, *QUICK, stdin=TASK.encode())
    assert ran.code == 0
    assert link.is_symlink() and real.stat().st_mode & 0o777 == 0o754 and real.read_text() != "old\n"


def test_one_document_with_json(random_model: Path, script: str) -> None:
    ran = run("generate", "--json", "--model", random_model, *QUICK, stdin=TASK.encode())
    document = json.loads(ran.out)
    assert document["version"] == 1 and document["type"] == "script"
    assert document["script"] == script and document["valid"] is True
    assert 0 <= document["confidence"] <= 1 and document["candidates"] == 2 and document["tokens"] > 0
    parts = {"import", "load", "retrieve", "compile", "prompt", "decode", "validate"}
    assert parts <= set(document["timings"]) and all(s >= 0 for s in document["timings"].values())


def test_json_beside_a_file(random_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "s.tcl"
    ran = run("generate", "--json", "--out", out, "--model", random_model, *QUICK, stdin=TASK.encode())
    assert json.loads(ran.out)["script"] == out.read_text()


def test_both_spellings_of_max_tokens(random_model: Path, script: str) -> None:
    args = ("--k", "2", "--max_tokens", "120", "--no-ask")
    assert run("generate", "--model", random_model, *args, stdin=TASK.encode()).out == script


def test_progress_only_on_a_terminal(random_model: Path) -> None:
    main, terminal = pty.openpty()
    process = subprocess.Popen(
        command("generate", "--model", random_model, *QUICK),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=terminal,
        env=environment(),
    )
    os.close(terminal)
    out, _ = process.communicate(TASK.encode(), timeout=120)
    seen = b""
    while True:
        try:
            part = os.read(main, 4096)
        except OSError:
            break
        if not part:
            break
        seen += part
    os.close(main)
    assert process.returncode == 0 and out
    assert b"\r\x1b[K" in seen


def test_a_reader_that_goes_away_is_no_error(random_model: Path) -> None:
    process = subprocess.Popen(
        command("generate", "--model", random_model, *QUICK),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(TASK.encode(), timeout=120)
    assert b"Traceback" not in err and b"Exception ignored" not in err


def test_a_batch_keeps_its_order_and_survives_bad_lines(random_model: Path, tmp_path: Path) -> None:
    lines = [
        json.dumps({"id": "a", "instruction": TASK, "suite": "ignored"}),
        "{not json",
        json.dumps({"id": "c"}),
        "",
        json.dumps({"id": "d", "instruction": "  "}),
        json.dumps({"id": "e", "instruction": "Set the corner to slow.", "context": {"nets": ["CLK"]}}),
        json.dumps({"id": "f", "instruction": "x" * 70_000}),
        json.dumps({"id": "g", "instruction": "Route \u0000 CLK."}),
        json.dumps({"id": "h", "instruction": "Route CLK.", "context": "CLK"}),
        json.dumps(["i"]),
        '{"id": "j", "instruction": "Route \\ud800 CLK."}',
        json.dumps({"id": 11, "instruction": "Route net DATA on M2."}),
    ]
    (tmp_path / "tasks.jsonl").write_text("\n".join(lines) + "\n")
    out = tmp_path / "results.jsonl"
    ran = run("generate", "--batch", tmp_path / "tasks.jsonl", "--out", out, "--model", random_model, *QUICK)
    assert ran.code == 0, ran.err
    results = [json.loads(line) for line in out.read_text().splitlines()]
    assert [r["id"] for r in results] == ["a", None, "c", "d", "e", "f", "g", "h", None, "j", 11]
    kinds = {r["id"]: r["type"] for r in results}
    assert [i for i, kind in kinds.items() if kind == "script"] == ["a", "e", 11]
    for result in results:
        if result["type"] == "error":
            assert list(result) == ["id", "type", "message"] and result["message"].startswith("line ")
        else:
            assert list(result) == BATCH_KEYS and result["valid"] is True
    assert "line 2: not JSON" in results[1]["message"] and "line 5: the instruction is empty" in results[3]["message"]
    assert sorted(os.listdir(tmp_path)) == ["results.jsonl", "tasks.jsonl"]


def test_a_batch_as_a_filter(random_model: Path) -> None:
    line = json.dumps({"id": "ä", "instruction": TASK}, ensure_ascii=False)
    ran = run("generate", "--batch", "-", "--model", random_model, *QUICK, stdin=line.encode())
    assert ran.code == 0 and json.loads(ran.out)["id"] == "ä" and "ä" in ran.out


def test_an_empty_batch_has_empty_results(random_model: Path, tmp_path: Path) -> None:
    (tmp_path / "tasks.jsonl").write_text("\n")
    ran = run(
        "generate", "--batch", tmp_path / "tasks.jsonl", "--out", tmp_path / "r.jsonl", "--model", random_model, *QUICK
    )
    assert ran.code == 0 and (tmp_path / "r.jsonl").read_text() == ""


def test_a_model_that_cannot_be_used_ends_a_batch(tmp_path: Path) -> None:
    (tmp_path / "tasks.jsonl").write_text(json.dumps({"id": "a", "instruction": TASK}) + "\n")
    (tmp_path / "bad.gguf").write_bytes(b"GGUF")
    (tmp_path / "r.jsonl").write_text("old\n")
    ran = run(
        "generate", "--batch", tmp_path / "tasks.jsonl", "--out", tmp_path / "r.jsonl", "--model", tmp_path / "bad.gguf"
    )
    assert ran.code == 5 and "bad.gguf" in ran.err
    assert (tmp_path / "r.jsonl").read_text() == "old\n"
    assert sorted(os.listdir(tmp_path)) == ["bad.gguf", "r.jsonl", "tasks.jsonl"]


@pytest.mark.parametrize("delay", [0.0, 0.3, 1.0])
def test_interrupted_at_work_the_file_is_old_or_whole(delay: float, random_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "script.tcl"
    out.write_text("old\n")
    main, terminal = pty.openpty()
    process = subprocess.Popen(
        command("generate", "--out", out, "--model", random_model, "--k", "64", "--temperature", "1.5", "--no-ask"),
        stdin=subprocess.PIPE,
        stderr=terminal,
        env=environment(),
    )
    os.close(terminal)
    assert process.stdin is not None
    process.stdin.write(TASK.encode())
    process.stdin.close()
    seen = os.read(main, 4096)
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    while True:
        try:
            seen += os.read(main, 4096)
        except OSError:
            break
    os.close(main)
    # A generation that was done before the signal came has written its file.
    assert process.wait(60) in (0, 130) and b"Traceback" not in seen
    assert os.listdir(tmp_path) == ["script.tcl"]
    assert (out.read_text() == "old\n") == (process.returncode == 130)
    if not delay:
        assert process.returncode == 130 and b"interrupted, nothing was written" in seen


def test_interrupted_in_a_batch_the_old_results_stay(random_model: Path, tmp_path: Path) -> None:
    tasks, out = tmp_path / "tasks.jsonl", tmp_path / "results.jsonl"
    with tasks.open("w") as file:
        for i in range(2000):
            file.write(json.dumps({"id": str(i), "instruction": TASK}) + "\n")
    out.write_text("old\n")
    process = subprocess.Popen(
        command("generate", "--batch", tasks, "--out", out, "--model", random_model, *QUICK),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        text=True,
    )
    deadline = time.monotonic() + 60
    while not any(p.stat().st_size for p in tmp_path.glob(".localgen-*.partial")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    stdout, err = process.communicate(timeout=60)
    assert process.returncode == 130 and stdout == "" and "Traceback" not in err
    assert out.read_text() == "old\n"
    partial = next(tmp_path.glob(".localgen-*.partial"))
    assert str(partial) in err
    for i, line in enumerate(partial.read_text().splitlines()):
        assert json.loads(line)["id"] == str(i)
