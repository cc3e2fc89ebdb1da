"""What all tests share: a model with random weights."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings
from tiny_model import write_tiny_model

# How long an example takes says more about the machine than about the code.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")


@pytest.fixture(scope="session")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GGUF file with random weights, for tests of what must not depend on the model."""
    return write_tiny_model(tmp_path_factory.mktemp("model") / "random.gguf")
