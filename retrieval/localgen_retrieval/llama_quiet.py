"""llama.cpp without its log: files are loaded quietly, and its errors go into our own messages."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

from localgen_retrieval.errors import ModelError

_ERROR_LEVEL = 4  # GGML_LOG_LEVEL_ERROR
_errors: list[str] = []
_callback: Any = None


def silence() -> None:
    """Send llama.cpp's log nowhere. Idempotent; imports llama_cpp."""
    global _callback
    import llama_cpp

    if _callback is not None:
        return

    def note(level: int, text: bytes, _user: Any) -> None:
        if level == _ERROR_LEVEL and text.strip() and len(_errors) < 8:
            _errors.append(text.decode("utf-8", "replace").strip())

    # ctypes keeps no reference of its own: the callback must live as long as the library.
    _callback = llama_cpp.llama_log_callback(note)
    llama_cpp.llama_log_set(_callback, ctypes.c_void_p(0))


def load_model(path: Path, *, what: str, missing: str) -> Any:
    """The weights of a GGUF file, to be used on the CPU and freed by the caller.

    Args:
        what: what the file is to its user (`model`, `encoder`); it goes into messages and codes.
        missing: the hint where there is no such file.

    Raises:
        ModelError: there is no such file (`WHAT-missing`), or llama.cpp cannot load it (`WHAT-damaged`).
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such {what}", hint=missing, code=f"{what}-missing")
    silence()
    import llama_cpp

    llama_cpp.llama_backend_init()
    params = llama_cpp.llama_model_default_params()
    params.n_gpu_layers = 0
    model = llama_cpp.llama_model_load_from_file(str(path).encode(), params)
    if not model:
        raise ModelError(
            f"{path}: llama.cpp cannot load this {what}: {first_error() or 'unknown reason'}",
            hint="the file may be truncated or not a GGUF model; copy it again",
            code=f"{what}-damaged",
        )
    return model


def first_error() -> str:
    """The first error that llama.cpp logged since the last call (later ones repeat it); "" if none."""
    text = _errors[0] if _errors else ""
    _errors.clear()
    return text
