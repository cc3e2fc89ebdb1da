"""Paraphrases keep every name and number: those by rule, and those of a model, whatever it says."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localgen_retrieval.errors import ModelError, ToolError
from localgen_training.data.marks import keep, kept, plain
from localgen_training.data.paraphrase import bare, dressed, typo
from localgen_training.data.paraphrase_model import GgufChat, Paraphraser, ServerChat, accepted, open_paraphraser

TASK = f"Please route net {keep('CLK_2')} on {keep('M3')}, with a width of {keep('0.12 um')}."

_PLAIN = st.text("abcdefgh ,.;!", max_size=20)
_KEPT = st.text("ABCxyz0123_./-", min_size=1, max_size=8)
_MARKED = st.lists(st.tuples(_PLAIN, _KEPT), max_size=5).map(
    lambda ps: "".join(f"{a} {keep(k)}" for a, k in ps) + " end"
)


@given(_MARKED, st.integers(0, 1 << 20))
def test_no_rule_touches_a_name_or_number(text: str, seed: int) -> None:
    rng = random.Random(seed)
    for changed in (bare(text), typo(text, rng), dressed(text, rng)[0]):
        assert kept(changed) == kept(text)


def test_small_letters_and_no_punctuation() -> None:
    assert plain(bare(TASK)) == "please route net CLK_2 on M3 with a width of 0.12 um"


def test_a_typo_is_in_one_plain_word() -> None:
    text = f"shield the neighbouring wires of {keep('neighbouring')}"
    changed = typo(text, random.Random(3))
    differ = [a for a, b in zip(plain(text).split(), plain(changed).split(), strict=True) if a != b]
    assert len(differ) == 1 and kept(changed) == ("neighbouring",)


# ---------------------------------------------------------------- what a model says


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("Route net CLK on M3 with a width of 0.12 um", "a name is another one"),
        ("Route net clk_2 on M3 with a width of 0.12 um", "a name in other letters"),
        ("Route net CLK_2 on M3", "a number is gone"),
        ("Route net CLK_2 on M3 with a width of 0.12 um and 2 vias", "a number is new"),
        ("Route net CLK_2 on M33 with a width of 0.12 um", "a name within another"),
        ("Please route net CLK_2 on M3, with a width of 0.12 um.", "the same words"),
        ("", "nothing"),
        ("Sure! " * 60 + "CLK_2 M3 0.12 um", "chatter"),
    ],
)
def test_a_paraphrase_that_loses_or_invents_something_is_refused(answer: str, reason: str) -> None:
    assert accepted(TASK, answer) is None, reason


def test_a_good_paraphrase_is_taken_with_its_names_still_marked() -> None:
    got = accepted(TASK, '"On M3, the net CLK_2 is to be routed 0.12 um wide."')
    assert got is not None
    assert plain(got) == "On M3, the net CLK_2 is to be routed 0.12 um wide."
    assert sorted(kept(got)) == sorted(kept(TASK))


@given(_MARKED, st.permutations(range(5)))
def test_pieces_may_come_in_any_order_and_none_is_found_within_another(text: str, order: list[int]) -> None:
    pieces = kept(text)
    answer = " und ".join(pieces[i] for i in order if i < len(pieces)) + " so"
    got = accepted(text, answer)
    assert got is None or sorted(kept(got)) == sorted(pieces)


class Says:
    """A chat that answers what it is told to."""

    def __init__(self, answer: str) -> None:
        self.said = answer
        self.asked: list[dict[str, str]] = []

    def answer(self, messages: list[dict[str, str]], seed: int, most: int) -> str:
        self.asked = messages
        return self.said


def test_the_model_sees_the_task_without_signs() -> None:
    chat = Says("x")
    assert Paraphraser(chat).paraphrase(TASK, "terse", 0) is None
    assert plain(TASK) in chat.asked[-1]["content"] and "\ue000" not in str(chat.asked)


# ---------------------------------------------------------------- real models


def test_a_real_gguf_is_asked_and_the_same_seed_gives_the_same(random_model: Path) -> None:
    chat = GgufChat(random_model)
    messages = [{"role": "user", "content": "Rephrase: route CLK"}]
    first = chat.answer(messages, 7, 12)
    chat.answer(messages, 8, 12)
    assert first and chat.answer(messages, 7, 12) == first
    assert chat.answer([{"role": "user", "content": "x " * 9000}], 0, 8) == "", "longer than the context"
    got = Paraphraser(chat).paraphrase(TASK, "natural", 1)
    assert got is None or sorted(kept(got)) == sorted(kept(TASK)), "random weights are believed no more than others"


def test_a_missing_or_damaged_model_is_an_error_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such file"):
        open_paraphraser(str(tmp_path / "none.gguf"))
    (tmp_path / "bad.gguf").write_bytes(b"GGUF" + bytes(40))
    with pytest.raises(ModelError) as e:
        open_paraphraser(str(tmp_path / "bad.gguf"))
    assert e.value.hint


@pytest.fixture(scope="module")
def server(random_model: Path) -> Iterator[str]:
    """llama-cpp-python's own server on loopback."""
    pytest.importorskip("llama_cpp.server.app")
    uvicorn = pytest.importorskip("uvicorn")
    from llama_cpp.server.app import create_app
    from llama_cpp.server.settings import ModelSettings, ServerSettings

    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    models = [ModelSettings(model=str(random_model), n_ctx=1024, n_threads=1, verbose=False)]
    app = create_app(server_settings=ServerSettings(host="127.0.0.1", port=port), model_settings=models)
    running = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 120
    while not running.started and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert running.started
    yield f"http://127.0.0.1:{port}"
    running.should_exit = True
    thread.join(60)


def test_a_real_server_is_asked(server: str) -> None:
    for url in (server, f"{server}/v1/"):
        said = ServerChat(url).answer([{"role": "user", "content": "Rephrase: route CLK"}], 7, 12)
        assert isinstance(said, str) and said
    paraphraser = open_paraphraser(server)
    assert paraphraser is not None
    got = paraphraser.paraphrase(TASK, "academic", 3)
    assert got is None or sorted(kept(got)) == sorted(kept(TASK))


def test_no_server_is_an_error_with_a_hint() -> None:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    with pytest.raises(ToolError) as e:
        ServerChat(f"http://127.0.0.1:{port}").answer([{"role": "user", "content": "x"}], 0, 8)
    assert "--paraphrase-url" in e.value.hint
