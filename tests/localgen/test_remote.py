"""Other engines under the same constraint: a real llama.cpp server on loopback, and servers that misbehave."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from cli import environment, run
from constraint_kit import shipped

from localgen.remote import without_fence
from localgen.validation.validate import validate_script

TASK = "Route net CLK on M3 and shield it with VSS.\n"
NEEDED = ("uvicorn", "starlette", "sse_starlette", "pydantic_settings", "fastapi", "starlette_context")
MISSING = [m for m in NEEDED if find_spec(m) is None]


@pytest.fixture(scope="module")
def llama_server(random_model: Path) -> Iterator[str]:
    """llama-cpp-python's own server with a model of random weights."""
    if MISSING:
        pytest.skip(f"llama_cpp.server needs {', '.join(MISSING)}")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    args = ["--model", str(random_model), "--host", "127.0.0.1", "--port", str(port), "--n_ctx", "4096",
            "--chat_format", "chatml"]
    process = subprocess.Popen(
        [sys.executable, "-m", "llama_cpp.server", *args],
        env=environment(NO_PROXY="*"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )
    url = f"http://127.0.0.1:{port}/v1"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        for _ in range(300):
            if process.poll() is not None:
                pytest.fail((process.stderr.read() if process.stderr else b"").decode()[-2000:])
            try:
                opener.open(url + "/models", timeout=2).close()
                break
            except OSError:
                time.sleep(0.3)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def test_random_weights_behind_a_real_server_write_a_valid_script(llama_server: str) -> None:
    ran = run("generate", "--backend", "openai", "--base-url", llama_server, "--no-ask", "--k", "2",
              "--max-tokens", "90", "--json", stdin=TASK.encode())
    document = json.loads(ran.out)
    assert ran.code == 0, ran.err
    assert document["type"] == "script" and document["valid"] and document["candidates"] == 2
    assert validate_script(document["script"], shipped(), strict=True).valid


class _Answers(BaseHTTPRequestHandler):
    owner, text, status = "vllm", "", 200
    seen: list[dict[str, Any]]

    def do_GET(self) -> None:
        self._send({"data": [{"id": "m", "owned_by": self.owner}]})

    def do_POST(self) -> None:
        self.seen.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self._send({"choices": [{"message": {"content": self.text}, "finish_reason": "stop"}]})

    def _send(self, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(self.status if self.command == "POST" else 200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[tuple[str, type[_Answers]]]:
    handler: type[_Answers] = type("Handler", (_Answers,), {"seen": []})
    made = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_port}/v1", handler
    made.shutdown()
    made.server_close()


def _generate(url: str, *more: str) -> Any:
    return run("generate", "--backend", "openai", "--base-url", url, "--no-ask", "--k", "1", *more, stdin=TASK.encode())


@pytest.mark.parametrize(
    ("owner", "field"), [("vllm", "structured_outputs"), ("me", "grammar"), ("llamacpp", "grammar"), ("openai", None)]
)
def test_each_server_gets_the_grammar_in_the_field_that_it_takes(
    server: tuple[str, type[_Answers]], owner: str, field: str | None
) -> None:
    url, handler = server
    handler.owner = owner
    assert _generate(url).code == 0
    (body,) = handler.seen
    assert {"structured_outputs", "grammar"} & body.keys() == ({field} if field else set())
    if field == "grammar":
        assert body[field].startswith("root ::= ")
    elif field:
        assert body[field]["grammar"].startswith("start: ")


@pytest.mark.parametrize(
    "answer",
    ["exec rm -rf /", "```tcl\nexec ls\nset ::tech::corner ss\n```", "if {", "\x00\ufffd", "Sure! Here is it:", "",
     "set ::tech::corner nonsense\n[[[", "my::route -net CLK -layer M99\n"],
)
def test_whatever_a_server_returns_the_script_is_valid(server: tuple[str, type[_Answers]], answer: str) -> None:
    url, handler = server
    handler.text = answer
    ran = _generate(url, "--json")
    document = json.loads(ran.out)
    if document["type"] == "script":
        assert ran.code == 0
        assert validate_script(document["script"], shipped(), strict=True).valid, document["script"]
        assert "exec" not in document["script"]
    else:
        assert ran.code != 0 and document["code"] == "backend-invalid"


def test_a_refusal_is_told_and_writes_nothing(server: tuple[str, type[_Answers]], tmp_path: Path) -> None:
    url, handler = server
    handler.status = 400
    ran = _generate(url, "--out", str(tmp_path / "x.tcl"))
    assert ran.code == 5 and "status 400" in ran.err and os.listdir(tmp_path) == []


def test_no_server_is_told_with_a_hint(tmp_path: Path) -> None:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        ran = _generate(f"http://127.0.0.1:{s.getsockname()[1]}/v1", "--out", str(tmp_path / "x.tcl"))
    assert ran.code == 5 and "no answer" in ran.err and "hint:" in ran.err and os.listdir(tmp_path) == []


@pytest.mark.parametrize("args", [("--backend", "openai"), ("--base-url", "http://x/v1"),
                                  ("--backend", "openai", "--base-url", "ftp://x")])
def test_backend_and_address_belong_together(args: tuple[str, ...]) -> None:
    assert run("generate", *args, stdin=TASK.encode()).code == 2


def test_a_fenced_answer_is_taken_out_of_its_fence() -> None:
    assert without_fence("Here:\n```tcl\nputs 1\n```\nDone") == "puts 1\n"
    assert without_fence("puts 1\n") == "puts 1\n"


# ---------------------------------------------------------------- localgen grammar


@pytest.mark.parametrize(("format", "begin"), [("llguidance", "start: "), ("gbnf", "root ::= "), ("lark", "start: ")])
def test_the_grammar_of_a_dsl_is_printed(format: str, begin: str) -> None:
    ran = run("grammar", "--format", format)
    assert ran.code == 0 and ran.out.startswith(begin) and "apply_to:" in ran.out


@pytest.mark.parametrize(("format", "begin"), [("llguidance", "start: s::0x0"), ("gbnf", "root ::= ")])
def test_the_constraint_of_a_task_is_printed(format: str, begin: str) -> None:
    ran = run("grammar", "--format", format, "--instruction", "-", stdin=TASK.encode())
    assert ran.code == 0 and ran.out.startswith(begin) and "CLK" in ran.out, ran.err


def test_what_has_no_such_form_is_refused() -> None:
    assert run("grammar", "--format", "lark", "--instruction", "-", stdin=TASK.encode()).code == 2
    assert run("grammar", "--format", "gbnf", "--dsl", "nope").code == 2
