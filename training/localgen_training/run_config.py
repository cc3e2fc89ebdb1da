"""What one training is to do: training/runs/NAME/config.toml, read by every stage.

Two kinds of run share the pipeline. `virtual` makes our own small decoder from scratch on tasks over virtual catalogs
(that is how the shipped model is made); `base` teaches a base model the examples of training/data/NAME. Every field has
a default, so that a file holds what somebody decided and nothing else.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from localgen_bundle.default import domain_folders
from localgen_bundle.domains import DEFAULT_DOMAIN
from localgen_retrieval.errors import UsageError

FILE = "config.toml"
SMALL = "small"
QUANTISATIONS = ("f16", "q8_0", "q6_k", "q5_k_m", "q5_k_s", "q4_k_m", "q4_k_s", "q3_k_m", "q2_k")
Quantisation = Literal["f16", "q8_0", "q6_k", "q5_k_m", "q5_k_s", "q4_k_m", "q4_k_s", "q3_k_m", "q2_k"]

Kind = Literal["virtual", "base"]
Share = Field(ge=0, le=1)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Base(_Part):
    """The model that training starts from.

    Attributes:
        model: a Hugging Face folder, or `small`: a random Qwen3 of this size with a tokenizer learnt from the data.
        vocab, width, layers, heads, context: of `small`.
    """

    model: str = SMALL
    vocab: int = Field(default=4096, ge=300)
    width: int = Field(default=256, ge=32)
    layers: int = Field(default=4, ge=1)
    heads: int = Field(default=4, ge=1)
    context: int = Field(default=4096, ge=256)


class Data(_Part):
    """What the data stage makes.

    Attributes:
        num: examples. domains: folders or names of bundled domains (default: that of the run's name, else `pnr`).
        options: further options of `localgen-train data`, as on the command line.
    """

    num: int = Field(default=5000, ge=1)
    domains: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


class Sft(_Part):
    """Fine-tuning.

    Attributes:
        method: `auto` trains small models in full and adds LoRA to larger ones; `qlora` needs bitsandbytes.
        length: most tokens of an example and of a packed row; longer examples are left out, and counted.
        rows, accumulate: packed rows a forward pass, passes a step.
        curriculum: the first epoch goes from single statements over several blocks to whole flows.
        patience: evaluations without a better validation loss after which training stops; 0 never stops early.
        max_steps: stop there (0: after the epochs).
            save_steps, eval_steps, log_steps: how often, in steps.
    """

    method: Literal["auto", "full", "lora", "qlora"] = "auto"
    epochs: int = Field(default=3, ge=1)
    max_steps: int = Field(default=0, ge=0)
    length: int = Field(default=2048, ge=32)
    rows: int = Field(default=1, ge=1)
    accumulate: int = Field(default=8, ge=1)
    learning_rate: float | None = Field(default=None, gt=0)
    warmup: float = Field(default=0.05, ge=0, lt=1)
    packing: bool = True
    curriculum: bool = True
    dtype: Literal["auto", "bf16", "fp16", "fp32"] = "auto"
    device: Literal["auto", "cuda", "mps", "cpu"] = "auto"
    gradient_checkpointing: bool | None = None
    patience: int = Field(default=3, ge=0)
    log_steps: int = Field(default=10, ge=1)
    eval_steps: int = Field(default=50, ge=1)
    save_steps: int = Field(default=50, ge=1)
    keep: int = Field(default=2, ge=1)
    tensorboard: bool = True


class Lora(_Part):
    """The adapter: rank, scale, dropout, which modules, only the last N layers (0: all), modules trained in full."""

    rank: int = Field(default=16, ge=1)
    alpha: int = Field(default=32, ge=1)
    dropout: float = Field(default=0.05, ge=0, lt=1)
    target_modules: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
    top_layers: int = Field(default=0, ge=0)
    modules_to_save: tuple[str, ...] = ()


class Export(_Part):
    """The GGUF: how it is quantised (default: q4_k_m, our own small model q8_0), and how it is checked.

    Attributes:
        min_cosine: of the f16 file's logits with the original's. texts, prompts: how many are compared.
    """

    quantise: Quantisation | None = None
    min_cosine: float = Field(default=0.999, gt=0, le=1)
    texts: int = Field(default=200, ge=1)
    prompts: int = Field(default=4, ge=1)


class Evaluation(_Part):
    """What is measured.

    Attributes:
        suites: folders with tasks.jsonl (default: the domain's held-out suite, and the data's own test split).
        limit: most tasks of each suite folder (0: all). test_tasks: most tasks of the data's test split.
        k: candidates of the product's own answers.
        temperatures, samples: of the samples that pass@k is estimated from; 0 samples leave them out.
        unconstrained: ask the model without grammar and votes too.
        max_tokens: of each sample. processes: 0 takes one a core.
    """

    suites: tuple[str, ...] = ()
    limit: int = Field(default=0, ge=0)
    test_tasks: int = Field(default=60, ge=0)
    k: int = Field(default=8, ge=1, le=64)
    temperatures: tuple[float, ...] = (0.2, 0.8)
    samples: int = Field(default=8, ge=0, le=63)
    unconstrained: bool = True
    max_tokens: int = Field(default=400, ge=1)
    processes: int = Field(default=0, ge=0)


class Virtual(_Part):
    """Our own decoder: size of model and data, minutes of training over all sittings, a corpus for words and tasks."""

    size: Literal["default", "tiny"] = "default"
    minutes: float = Field(default=90.0, gt=0)
    corpus: str = ""


class RunConfig(_Part):
    """The whole file; `targets` are figures (by the names of the evaluation's table) that make the run a go."""

    kind: Kind = "base"
    seed: int = Field(default=0, ge=0, lt=2**32)
    virtual: Virtual = Virtual()
    base: Base = Base()
    data: Data = Data()
    sft: Sft = Sft()
    lora: Lora = Lora()
    export: Export = Export()
    eval: Evaluation = Evaluation()
    targets: dict[str, float] = {"tcl_parse": 0.99, "dsl_parse": 0.95, "policy": 0.99, "pass@1": 0.5}

    def domains(self, name: str) -> tuple[str, ...]:
        """The domains of the run of this name."""
        return self.data.domains or (name if name in domain_folders() else DEFAULT_DOMAIN,)

    @property
    def quantisation(self) -> str:
        """How the exported model is quantised."""
        return self.export.quantise or ("q8_0" if self.kind == "virtual" else "q4_k_m")


def load_config(run: Path, changes: Mapping[str, Any] | None = None) -> RunConfig:
    """The run's config with these changes (`{"sft.epochs": 1}`); the defaults where there is no file.

    Raises:
        UsageError: the file, or a change, is no config.
    """
    path = run / FILE
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise UsageError(f"{path}: not TOML: {e}", code="config-syntax") from None
    if not path.is_file() and run.name == "default":
        values = {"kind": "virtual"}
    for key, value in (changes or {}).items():
        place = values
        *parts, last = key.split(".")
        for part in parts:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise UsageError(f"{key}: no such setting", code="config")
        place[last] = value
    try:
        return RunConfig.model_validate(values)
    except ValidationError as e:
        first = e.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(
            f"{path}: {where}: {first['msg']}", hint="training/README.md lists the settings", code="config"
        ) from None


def save_config(run: Path, config: RunConfig) -> None:
    """Write what differs from the defaults to config.toml, whole or not at all."""
    text = as_toml(config.model_dump(mode="json", exclude_defaults=True, exclude_none=True) | {"kind": config.kind})
    path = run / FILE
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    if path.is_file() and load_config(run) == config:  # somebody's own file, with comments, says the same
        return
    run.mkdir(parents=True, exist_ok=True)
    partial = run / f"{FILE}.partial"
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def as_toml(values: Mapping[str, Any]) -> str:
    """One level of tables as TOML: numbers, strings, booleans and lists of them."""
    plain = {k: v for k, v in values.items() if not isinstance(v, Mapping)}
    lines = [f"{k} = {_value(v)}" for k, v in sorted(plain.items())]
    for name, table in sorted((k, v) for k, v in values.items() if isinstance(v, Mapping)):
        lines += ["", f"[{name}]", *(f"{_key(k)} = {_value(v)}" for k, v in table.items())]
    return "\n".join(lines) + "\n"


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() and key.isascii() else json.dumps(key)


def _value(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(v) for v in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def parse_changes(words: Sequence[str]) -> dict[str, Any]:
    """`sft.epochs=1` and the like; values are TOML, or plain text where they are not.

    Raises:
        UsageError: a word without `=`.
    """
    changes: dict[str, Any] = {}
    for word in words:
        key, sign, text = word.partition("=")
        if not sign:
            raise UsageError(f"--set {word}: it takes KEY=VALUE, like sft.epochs=1", code="usage")
        try:
            changes[key.strip()] = tomllib.loads(f"x = {text}")["x"]
        except tomllib.TOMLDecodeError:
            changes[key.strip()] = text.strip()
    return changes
