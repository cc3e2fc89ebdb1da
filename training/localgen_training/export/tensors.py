"""Tensors of a model by name, read one at a time: a large model is written without being in memory twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True)
class Tensor:
    """A tensor that can be read: `load()` is float32 of this shape."""

    shape: tuple[int, ...]
    load: Callable[[], Floats]


def of_state(state: Mapping[str, Any]) -> dict[str, Tensor]:
    """The tensors of a torch state dictionary."""

    def reader(value: Any) -> Callable[[], Floats]:
        return lambda: value.detach().float().cpu().numpy()

    return {name: Tensor(tuple(value.shape), reader(value)) for name, value in state.items()}


def of_files(paths: Iterable[Path]) -> dict[str, Tensor]:
    """The tensors of safetensors files; each is read from disk when it is loaded."""
    from safetensors import safe_open

    found: dict[str, Tensor] = {}
    for path in paths:
        with safe_open(path, framework="pt") as f:
            for name in f.keys():  # noqa: SIM118 (it is no mapping)
                found[name] = Tensor(tuple(f.get_slice(name).get_shape()), _reader(path, name))
    return found


def _reader(path: Path, name: str) -> Callable[[], Floats]:
    def load() -> Floats:
        from safetensors import safe_open

        with safe_open(path, framework="pt") as f:
            data: Floats = f.get_tensor(name).float().numpy()
            return data

    return load
