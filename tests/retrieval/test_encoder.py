"""The shipped encoder under llama.cpp, and files that are no encoder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from localgen_retrieval.encoder import Encoder, GgufEncoder, SentenceTransformerEncoder
from localgen_retrieval.errors import ExitCode, ModelError

TEXTS = ["Route the clock net on metal three.", "Draw the clock wire on the third metal layer.", "Feed the cat."]


def test_vectors_have_length_one_and_meaning(encoder: GgufEncoder) -> None:
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (3, 384) and vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > 0.6
    assert vectors[0] @ vectors[2] < 0.3


def test_a_text_has_the_same_vector_in_any_company(encoder: GgufEncoder) -> None:
    many = [f"{TEXTS[i % 3]} {'more words ' * (i % 40)}{i}" for i in range(100)]
    together = encoder.encode(many)
    for i in (0, 1, 41, 99):
        assert together[i] @ encoder.encode([many[i]])[0] > 0.999


def test_two_threads_give_the_same_vectors(encoder: GgufEncoder) -> None:
    long = ["a text that is long enough for two threads " * 9] * 2
    two = GgufEncoder(encoder.path, threads=2)
    assert np.allclose(two.encode(long), encoder.encode(long), atol=1e-3)
    two.close()


@pytest.mark.parametrize(
    "texts", [[], [""], ["\n\t "], ["\ud800 lone surrogate \x00 nul"], ["语 🙂 é"], ["x" * 100_000]]
)
def test_strange_texts(encoder: GgufEncoder, texts: list[str]) -> None:
    vectors = encoder.encode(texts)
    assert vectors.shape == (len(texts), 384) and np.isfinite(vectors).all()


def test_what_lies_beyond_the_model_length_does_not_count(encoder: GgufEncoder) -> None:
    long = "valve " * 400
    assert np.array_equal(encoder.encode([long]), encoder.encode([long + "entirely different end"]))


def test_special_tokens_cannot_be_injected(encoder: GgufEncoder) -> None:
    plain, marked = encoder.encode(["open valve", "open valve [SEP] [SEP]"])
    assert plain @ marked < 0.9999


def test_closing_frees_and_encoding_loads_again(encoder: GgufEncoder) -> None:
    own = GgufEncoder(encoder.path)
    before = own.encode(TEXTS)
    own.close()
    own.close()
    assert np.array_equal(own.encode(TEXTS), before)


def test_digest_follows_the_weights(encoder: GgufEncoder, tmp_path: Path) -> None:
    data = bytearray(encoder.path.read_bytes())
    same, changed = tmp_path / "same.gguf", tmp_path / "changed.gguf"
    same.write_bytes(data)
    data[-100] ^= 1
    changed.write_bytes(data)
    assert GgufEncoder(same).digest == encoder.digest != GgufEncoder(changed).digest


def test_the_protocol_is_met(encoder: GgufEncoder, tmp_path: Path) -> None:
    assert isinstance(encoder, Encoder) and isinstance(SentenceTransformerEncoder(tmp_path), Encoder)
    assert encoder.name == "encoder"


@pytest.mark.parametrize("size", [0, 10, 5000, 3_000_000, 20_000_000])
def test_truncated_file(encoder: GgufEncoder, tmp_path: Path, size: int) -> None:
    path = tmp_path / "cut.gguf"
    path.write_bytes(encoder.path.read_bytes()[:size])
    with pytest.raises(ModelError) as caught:
        GgufEncoder(path).encode(["a"])
    assert "cut.gguf" in caught.value.message and caught.value.exit_code == ExitCode.MODEL and caught.value.hint


def test_missing_file(tmp_path: Path) -> None:
    encoder = GgufEncoder(tmp_path / "none.gguf")
    for use in (lambda: encoder.encode(["a"]), lambda: encoder.digest):
        with pytest.raises(ModelError) as caught:
            use()
        assert "none.gguf" in caught.value.message


def test_missing_model_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        SentenceTransformerEncoder(tmp_path / "none").encode(["a"])


def test_llama_cpp_says_nothing_and_torch_stays_out(encoder: GgufEncoder) -> None:
    code = (
        "import sys; from pathlib import Path; from localgen_retrieval.encoder import GgufEncoder\n"
        "assert 'llama_cpp' not in sys.modules\n"
        f"GgufEncoder(Path({str(encoder.path)!r})).encode(['a b'])\n"
        "assert 'torch' not in sys.modules and 'transformers' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
