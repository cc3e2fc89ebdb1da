"""A base model's folder in Hugging Face's form: whether it can be trained and exported, and what it is."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localgen_retrieval.errors import ModelError, UsageError

# transformers' class by llama.cpp's name of the architecture.
ARCHITECTURES = {"LlamaForCausalLM": "llama", "Qwen2ForCausalLM": "qwen2", "Qwen3ForCausalLM": "qwen3"}


@dataclass(frozen=True)
class BaseModel:
    """A folder that was looked at.

    Attributes:
        architecture: llama.cpp's name. config: config.json. weights: the files with tensors. size: their bytes.
    """

    folder: Path
    architecture: str
    config: dict[str, Any]
    weights: tuple[Path, ...]

    @property
    def size(self) -> int:
        """Bytes of all weights."""
        return sum(p.stat().st_size for p in self.weights)

    @property
    def digest(self) -> str:
        """sha256 (hex) over the config, the tokenizer, and the names and sizes of the weights."""
        total = hashlib.sha256()
        for name in ("config.json", "tokenizer.json"):
            total.update((self.folder / name).read_bytes())
        for path in self.weights:
            total.update(f"{path.name} {path.stat().st_size}\0".encode())
        return total.hexdigest()


def open_base(folder: Path) -> BaseModel:
    """Look at a base model's folder.

    Raises:
        UsageError: there is no such folder.
        ModelError: a file is missing, or the architecture has no exporter here.
    """
    hint = "BASE (base.model in config.toml) is a local Hugging Face folder: config.json, tokenizer.json, *.safetensors"
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such base model folder", hint=hint, code="base-missing")
    for name in ("config.json", "tokenizer.json"):
        if not (folder / name).is_file():
            raise ModelError(f"{folder}: no {name} there", hint=hint, code="base-incomplete")
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except ValueError as e:
        raise ModelError(f"{folder / 'config.json'}: not JSON: {e}", hint=hint, code="base-damaged") from None
    names = config.get("architectures") or ["(none)"]
    if names[0] not in ARCHITECTURES:
        raise ModelError(
            f"{folder}: the architecture {names[0]} is not supported",
            hint=f"these can be trained and exported: {', '.join(ARCHITECTURES)}",
            code="base-architecture",
        )
    if config.get("quantization_config"):
        raise ModelError(
            f"{folder}: the weights are quantised already ({config['quantization_config'].get('quant_method')})",
            hint="take the folder with the original weights; qlora quantises them itself",
            code="base-quantised",
        )
    return BaseModel(folder, ARCHITECTURES[names[0]], config, _weights(folder, hint))


def _weights(folder: Path, hint: str) -> tuple[Path, ...]:
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        found = [folder / n for n in names]
        missing = [p.name for p in found if not p.is_file()]
        if missing:
            raise ModelError(f"{folder}: weights are missing: {', '.join(missing)}", hint=hint, code="base-incomplete")
        return tuple(found)
    found = sorted(folder.glob("*.safetensors"))
    if not found:
        raise ModelError(f"{folder}: no *.safetensors there", hint=hint, code="base-incomplete")
    return tuple(found)
