"""Evaluated beginnings of prompts: what is reused, and that nothing damaged ever is."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from constraint_kit import minimal
from hypothesis import given
from hypothesis import strategies as st
from tiny_model import write_tiny_model

from localgen.decoder import model as model_module
from localgen.decoder.model import STEP, LlamaModel
from localgen.decoder.prompt_cache import Beginning, PromptCache, common, file_identity
from localgen.models import load_models
from localgen_retrieval.pack import whole_catalog

CHATML = (
    "{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    "{%- endfor %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)
A = Beginning((1, 2, 3, 4), b"state of a")
B = Beginning((1, 2, 9), b"state of b")


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.state"))


# ---------------------------------------------------------------- the folder


@given(st.lists(st.integers(0, 2**31 - 1), max_size=30), st.binary(max_size=200))
def test_what_was_kept_is_found(tmp_path_factory: pytest.TempPathFactory, tokens: list[int], state: bytes) -> None:
    cache = PromptCache(tmp_path_factory.mktemp("prompts"), "m")
    kept = Beginning((7, *tokens), state)
    assert cache.keep(kept)
    assert cache.find([7, *tokens, 1]) == kept


def test_the_beginning_that_shares_most_is_found(tmp_path: Path) -> None:
    cache = PromptCache(tmp_path, "m")
    cache.keep(A)
    cache.keep(B)
    assert cache.find([1, 2, 9, 9]) == B
    assert cache.find([1, 2, 3, 4]) == A
    assert cache.find([1, 2, 3, 4], longer_than=4) is None
    assert cache.find([5]) is None


def test_another_model_does_not_see_it(tmp_path: Path) -> None:
    PromptCache(tmp_path, "m").keep(A)
    assert PromptCache(tmp_path, "other").find(A.tokens) is None


@pytest.mark.parametrize(
    "attack", ["cut in the state", "cut in the tokens", "cut in the header", "one bit", "empty", "more"]
)
def test_a_damaged_file_is_ignored_and_written_anew(tmp_path: Path, attack: str) -> None:
    cache = PromptCache(tmp_path, "m")
    cache.keep(A)
    (path,) = files(tmp_path)
    data = path.read_bytes()
    head = data.index(b"\n") + 1
    path.write_bytes({
        "cut in the state": data[:-3], "cut in the tokens": data[: head + 5], "cut in the header": data[: head // 2],
        "one bit": data[:-1] + bytes([data[-1] ^ 1]), "empty": b"", "more": data + b"x",
    }[attack])  # fmt: skip
    assert cache.find(A.tokens) is None
    assert cache.keep(A)
    assert files(tmp_path) == [path]
    assert cache.find(A.tokens) == A


def test_a_damaged_file_does_not_hide_a_shorter_one(tmp_path: Path) -> None:
    cache = PromptCache(tmp_path, "m")
    cache.keep(A)
    (long,) = files(tmp_path)
    cache.keep(B)
    long.write_bytes(long.read_bytes()[:-1])
    assert cache.find(A.tokens) == B


def test_the_folder_is_bounded_and_what_was_not_used_longest_goes(tmp_path: Path) -> None:
    made = [Beginning((i,), bytes(1000)) for i in range(4)]
    cache = PromptCache(tmp_path, "m", max_bytes=4000)
    for i, beginning in enumerate(made[:3]):
        cache.keep(beginning)
        for path in files(tmp_path):
            if (found := path.stat()).st_mtime > 1000:
                os.utime(path, (found.st_atime, i + 1))
    assert cache.find([0]) == made[0]  # used: now the newest
    cache.keep(made[3])
    assert [cache.find([i]) is not None for i in range(4)] == [True, False, True, True]
    assert sum(p.stat().st_size for p in files(tmp_path)) <= 4000


def test_what_is_larger_than_the_cache_is_not_kept_and_pushes_nothing_out(tmp_path: Path) -> None:
    cache = PromptCache(tmp_path, "m", max_bytes=1000)
    cache.keep(A)
    assert not cache.keep(Beginning((5,), bytes(2000)))
    assert cache.find(A.tokens) == A


def test_a_folder_that_cannot_be_made_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = PromptCache(tmp_path / "file" / "prompts", "m")
    assert not cache.keep(A)
    assert cache.find(A.tokens) is None


def test_leftovers_of_killed_processes_are_removed_in_time(tmp_path: Path) -> None:
    old, new = tmp_path / ".state-old", tmp_path / ".state-new"
    old.write_bytes(b"half")
    new.write_bytes(b"half")
    os.utime(old, (1, 1))
    PromptCache(tmp_path, "m").keep(A)
    assert not old.exists() and new.exists()


def test_processes_that_write_at_once_leave_whole_files(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from localgen.decoder.prompt_cache import *\n"
        "c = PromptCache(Path(sys.argv[1]), 'm', max_bytes=60_000)\n"
        "for i in range(60):\n"
        "    b = Beginning((1, i % 7), bytes([i % 7]) * 10_000)\n"
        "    c.keep(b)\n"
        "    f = c.find(b.tokens)\n"
        "    assert f is None or f.state == bytes([f.tokens[1]]) * 10_000\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path)]) for _ in range(3)]
    assert [p.wait() for p in running] == [0, 0, 0]
    assert not list(tmp_path.glob(".state-*"))
    assert sum(p.stat().st_size for p in files(tmp_path)) <= 60_000


def test_a_file_that_changed_is_another_model(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(bytes(3 << 20))
    before = file_identity(path)
    assert file_identity(path) == before
    data = bytearray(path.read_bytes())
    data[-1] = 1
    path.write_bytes(data)
    assert file_identity(path) != before


@given(st.lists(st.integers(0, 3)), st.lists(st.integers(0, 3)))
def test_common_is_the_length_of_the_common_beginning(a: list[int], b: list[int]) -> None:
    n = common(a, b)
    assert a[:n] == b[:n]
    assert n == min(len(a), len(b)) or a[n] != b[n]


# ---------------------------------------------------------------- the model


@pytest.fixture
def model(random_model: Path) -> Iterator[LlamaModel]:
    made = LlamaModel(random_model)
    yield made
    made.close()


def ask(model: LlamaModel, tokens: list[int], sequences: int = 3) -> np.ndarray:
    model.open(length=len(tokens) + 300, sequences=sequences)
    row = model.prompt(tokens, sequences)
    # What comes behind the prompt must not stay in the way of the next one.
    model.step([model_module.Continuation(s, [5, 6, 7], len(tokens)) for s in range(sequences)])
    return row


def ids(n: int, seed: int) -> list[int]:
    return np.random.default_rng(seed).integers(10, 300, n).tolist()


def test_a_prompt_with_the_same_beginning_evaluates_the_rest_and_gives_the_same_logits(random_model: Path) -> None:
    start = ids(3 * STEP + 5, 0)
    prompts = [start + ids(40, 1), start + ids(70, 2), start[:100] + ids(200, 3), start + ids(40, 1)]
    warm = LlamaModel(random_model)
    for tokens, reused in zip(prompts, [0, 3 * STEP, STEP, STEP], strict=True):
        alone = LlamaModel(random_model)
        assert np.array_equal(ask(warm, tokens), ask(alone, tokens))
        assert (warm.reused, alone.reused) == (reused, 0)
        alone.close()
    warm.close()


def test_the_same_prompt_again_is_not_evaluated(model: LlamaModel) -> None:
    tokens = ids(2 * STEP, 0)
    first = ask(model, tokens)
    assert np.array_equal(ask(model, tokens), first)
    assert model.reused == len(tokens)


def test_a_prompt_that_is_a_beginning_of_the_last_one_has_logits_of_its_own(random_model: Path) -> None:
    tokens = ids(3 * STEP, 0)
    warm, alone = LlamaModel(random_model), LlamaModel(random_model)
    ask(warm, tokens)
    assert np.array_equal(ask(warm, tokens[: 2 * STEP]), ask(alone, tokens[: 2 * STEP]))
    assert warm.reused == STEP
    warm.close()
    alone.close()


def test_another_process_goes_on_from_the_file_and_gets_the_same_logits(random_model: Path, tmp_path: Path) -> None:
    start = ids(2 * STEP + 9, 0)
    rows = []
    for seed, reused in ((1, 0), (2, 2 * STEP)):
        made = LlamaModel(random_model)
        made.worth_seconds = 0
        made.keep_beginnings(tmp_path)
        made.expect(start)
        rows.append(ask(made, start + ids(30, seed)))
        assert made.reused == reused
        made.close()
    assert len(files(tmp_path)) == 1
    alone = LlamaModel(random_model)
    assert np.array_equal(ask(alone, start + ids(30, 2)), rows[1])
    alone.close()


@pytest.mark.parametrize("keep", [0, 0.3, 0.9])
def test_a_truncated_file_changes_nothing_but_the_time(random_model: Path, tmp_path: Path, keep: float) -> None:
    tokens = ids(2 * STEP + 9, 0)
    rows = []
    for _ in range(2):
        made = LlamaModel(random_model)
        made.worth_seconds = 0
        made.keep_beginnings(tmp_path)
        made.expect(tokens)
        rows.append(ask(made, tokens))
        assert made.reused == 0
        made.close()
        (path,) = files(tmp_path)
        size = path.stat().st_size
        os.truncate(path, int(size * keep))
    assert np.array_equal(rows[0], rows[1])


def test_a_state_that_llama_cpp_refuses_is_not_used(random_model: Path, tmp_path: Path) -> None:
    tokens = ids(2 * STEP, 0)
    made = LlamaModel(random_model)
    made.worth_seconds = 1e9
    made.keep_beginnings(tmp_path)
    made.expect(tokens)
    assert made._cache is not None
    made._cache.keep(Beginning(tuple(tokens[:STEP]), b"\0\0\0\1nonsense" * 50))
    alone = LlamaModel(random_model)
    assert np.array_equal(ask(made, tokens), ask(alone, tokens))
    assert made.reused == 0
    made.close()
    alone.close()


def test_what_took_no_time_is_not_written(random_model: Path, tmp_path: Path) -> None:
    made = LlamaModel(random_model)
    made.worth_seconds = 1e9
    made.keep_beginnings(tmp_path)
    made.expect(ids(2 * STEP, 0))
    ask(made, [*ids(2 * STEP, 0), 5])
    made.close()
    assert not files(tmp_path)


# ---------------------------------------------------------------- what prompts have in common


def test_prompts_of_one_domain_differ_only_behind_what_the_model_is_told_to_expect(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "chat.gguf", chat_template=CHATML)
    models = load_models(minimal(), path, tmp_path / "cache", lambda _text: None)
    prompts = []
    for task in ("route CLK on M2", "keep 2 um away from RST"):
        prompt = models.prompt(models.pack(models.retriever.rank(task)), task)
        text = b"".join(map(models.model.piece, prompt)).decode()
        assert task in text.rpartition("Goal:\n")[2]
        assert whole_catalog(minimal()) in text
        prompts.append(prompt)
    expected = models.model._expected
    assert models.form == "chat"
    assert common(prompts[0], prompts[1]) >= common(expected, prompts[0]) >= len(expected) - 2
    assert len(expected) > STEP
    models.close()
