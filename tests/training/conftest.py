"""A tokenizer and a random model small enough to be made on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def tiny_tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a tokenizer of 1,024 entries, learnt from 200 synthetic tasks."""
    pytest.importorskip("tokenizers")
    from localgen_training.tokenizer import texts_for_tokenizer, train_tokenizer

    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    train_tokenizer(texts_for_tokenizer(200, None, 0), 1024).save(str(path))
    return path


@pytest.fixture(scope="session")
def tiny_model() -> Any:
    """A random Qwen3 of the trainer's own shape: 2 layers, 64 wide, with noise that makes its logits peaked."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from localgen_training.train_decoder import model_config

    torch.manual_seed(1)
    torch.set_num_threads(1)
    model = transformers.Qwen3ForCausalLM(model_config(1024, 64, 2, 2))
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(2.0) if p.ndim == 2 else p.add_(0.2 * torch.randn_like(p))
    return model.eval()
