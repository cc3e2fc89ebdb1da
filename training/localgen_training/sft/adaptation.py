"""Which device, which precision, which weights are trained: chosen here, and said."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from localgen_retrieval.errors import ModelError, ToolError, UsageError

from ..base_model import BaseModel
from ..run_config import SMALL, Lora, RunConfig

# Bytes of weights up to which `auto` trains all of them.
SMALL_BYTES = 400_000_000


@dataclass(frozen=True)
class Means:
    """What training runs with."""

    device: Literal["cuda", "mps", "cpu"]
    dtype: Literal["bf16", "fp16", "fp32"]
    method: Literal["full", "lora", "qlora"]
    learning_rate: float

    def __str__(self) -> str:
        return f"{self.method} training on {self.device} in {self.dtype}, learning rate {self.learning_rate:g}"


def choose(config: RunConfig, base: BaseModel) -> Means:
    """Device, precision, method and rate by the config and this machine.

    Raises:
        ToolError: what the config asks for is not there.
        UsageError: a combination that does not exist.
    """
    import torch

    sft = config.sft
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    device: Any = sft.device if sft.device != "auto" else next(d for d in ("cuda", "mps", "cpu") if there[d])
    if not there[device]:
        raise ToolError(f"there is no {device} here", hint='sft.device = "auto" takes what is there', code="no-device")
    dtype: Any = sft.dtype
    if dtype == "auto":
        dtype = ("bf16" if torch.cuda.is_bf16_supported() else "fp16") if device == "cuda" else "fp32"
    if dtype == "fp16" and device != "cuda":
        raise UsageError(f"fp16 training needs CUDA, this is {device}", hint="use bf16 or fp32", code="sft-dtype")
    method: Any = sft.method
    if method == "auto":
        method = "full" if base.size <= SMALL_BYTES else "lora"
    if method == "qlora" and (device == "mps" or find_spec("bitsandbytes") is None):
        raise ToolError(
            "qlora needs CUDA (or, slowly, a CPU) and the package bitsandbytes",
            hint='pip install "localgen-training[qlora]"; sft.method = "lora" works everywhere',
            code="no-qlora",
        )
    default = {"full": 1e-3 if config.base.model == SMALL else 2e-5, "lora": 2e-4, "qlora": 2e-4}[method]
    return Means(device, dtype, method, sft.learning_rate or default)


def load_base(base: BaseModel, means: Means) -> Any:
    """The base model, ready to be trained or to get an adapter: full training keeps its weights in fp32.

    Raises:
        ModelError: transformers cannot load it.
    """
    import torch
    from transformers import AutoModelForCausalLM

    dtypes = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}
    options: dict[str, Any] = {"dtype": torch.float32 if means.method == "full" else dtypes[means.dtype]}
    if means.method == "qlora":
        from transformers import BitsAndBytesConfig

        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=dtypes[means.dtype],
        )  # fmt: skip
        options["device_map"] = {"": 0 if means.device == "cuda" else "cpu"}
    try:
        return AutoModelForCausalLM.from_pretrained(base.folder, local_files_only=True, **options)
    except (OSError, ValueError, RuntimeError, KeyError) as e:
        raise ModelError(
            f"{base.folder}: transformers cannot load it: {str(e).splitlines()[0]}", code="base-damaged"
        ) from None


def load_tokenizer(folder: Path) -> Any:
    """The folder's tokenizer.

    Raises:
        ModelError: transformers cannot load it.
    """
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError) as e:
        raise ModelError(f"{folder}: no usable tokenizer: {str(e).splitlines()[0]}", code="base-damaged") from None


def adapter_config(lora: Lora, model: Any) -> Any:
    """peft's LoRA configuration, on the last `top_layers` layers where that is set.

    Raises:
        UsageError: a module that the model does not have.
    """
    from peft import LoraConfig

    names = {name.rpartition(".")[2] for name, _ in model.named_modules()}
    unknown = [m for m in (*lora.target_modules, *lora.modules_to_save) if m != "all-linear" and m not in names]
    if unknown:
        raise UsageError(
            f"the model has no modules called {', '.join(unknown)}",
            hint=f"lora.target_modules and lora.modules_to_save name some of: {', '.join(sorted(n for n in names if n and not n.isdigit()))}",  # noqa: E501
            code="lora-modules",
        )
    layers = model.config.num_hidden_layers
    if lora.top_layers > layers:
        raise UsageError(f"lora.top_layers is {lora.top_layers}, the model has {layers} layers", code="lora-layers")
    targets = "all-linear" if "all-linear" in lora.target_modules else list(lora.target_modules)
    top = list(range(layers - lora.top_layers, layers)) if lora.top_layers else None
    tied = model.config.tie_word_embeddings and bool({"embed_tokens", "lm_head"} & set(lora.modules_to_save))
    return LoraConfig(
        task_type="CAUSAL_LM", r=lora.rank, lora_alpha=lora.alpha, lora_dropout=lora.dropout, target_modules=targets,
        layers_to_transform=top, layers_pattern="layers" if top else None,
        modules_to_save=list(lora.modules_to_save) or None, ensure_weight_tying=tied,
    )  # fmt: skip
