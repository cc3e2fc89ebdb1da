"""Writes the trained model as NAME-f16.gguf, and checks that it is the same model.

    python -m localgen_training.export.to_gguf --run training/runs/pnr --data training/data/pnr

The same: logits of real prompts (cosine at least export.min_cosine, 0.999), the tokens of a corpus (the prompts and
answers of the test split, and odd characters), and the prompt that training saw is the one that `generate` will make.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from localgen_retrieval.errors import ModelError

from ..base_model import open_base
from ..examples import Example, read_examples
from ..export_checks import ODD_TEXTS, compare_logits, tokenizer_differences
from ..run_config import RunConfig, load_config
from ..sft.adaptation import load_tokenizer
from ..sft.conversation import ConversationEncoder, render_chat
from ..stage import need_space, quiet_libraries, run_stage
from .gguf_writer import write_decoder
from .quantise import quantised_path
from .tensors import of_files
from .vocabulary import read_vocabulary

REPORT = "export.json"
PROMPTS = "export-prompts.json"
# Longer prompts say no more about the weights, and cost a large model minutes.
MAX_TOKENS = 500


@dataclass(frozen=True)
class Exported:
    """What the checks of one export found; sizes in MB (10^6 bytes)."""

    file: str
    architecture: str
    parameters: int
    megabytes: float
    cosine: float
    same_choice: float
    texts: int
    end_token: str
    prompt_tokens_equal: bool


def export_run(run: Path, data: Path) -> Exported:
    """Export a run's trained model; nothing is left at its place where a check fails.

    Raises:
        ModelError: nothing to export, an unsupported model, or an export that differs from the original.
    """
    config = load_config(run)
    place = run / "merge.json"
    if not place.is_file():
        raise ModelError(f"{run}: nothing to export yet", hint=f"first: localgen-train merge --name {run.name}",
                         code="run-incomplete")  # fmt: skip
    folder = run / json.loads(place.read_text(encoding="utf-8"))["model"]
    examples = _examples(data, config)
    out = quantised_path(run, "f16")
    partial = out.with_name(out.name + ".partial")
    try:
        report, prompts = export_folder(folder, partial, examples, config, name=f"localgen-{run.name}")
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
    (run / PROMPTS).write_text(json.dumps(prompts) + "\n", encoding="utf-8")
    (run / REPORT).write_text(json.dumps(asdict(report) | {"file": out.name}, indent=1) + "\n", encoding="utf-8")
    return report


def export_folder(
    folder: Path, out: Path, examples: Sequence[Example], config: RunConfig, *, name: str
) -> tuple[Exported, list[list[int]]]:
    """Write a Hugging Face folder as f16 GGUF to `out` and check it; also the prompts (token ids) it was checked with.

    Raises:
        ModelError: as `export_run`.
    """
    quiet_libraries()
    base = open_base(folder)
    need_space(out.parent, base.size / 1e6 * 1.1)
    tokenizer = load_tokenizer(folder)
    encoder = ConversationEncoder(tokenizer)
    vocabulary = read_vocabulary(folder, int(base.config["vocab_size"]), end=encoder.end)
    tensors = of_files(base.weights)
    write_decoder(base.architecture, base.config, tensors, vocabulary, out, name=name,
                  description="fine-tuned by localgen: pack and instruction to Tcl with DSL blocks")  # fmt: skip
    ids = [encoder.encode(e).input_ids for e in examples[: config.export.prompts]]
    prompts = [p[-MAX_TOKENS:] for p in ids]
    cosine, same = compare_logits(_original(folder, base.size), out, prompts)
    if cosine < config.export.min_cosine:
        raise ModelError(
            f"the f16 GGUF differs from the model: cosine {cosine:.5f}, {config.export.min_cosine} is wanted",
            hint="please report the base model; the merged folder is kept", code="export-differs",
        )  # fmt: skip
    texts = [*ODD_TEXTS, *(m.content for e in examples for m in e.messages)]
    different = tokenizer_differences(tokenizer.backend_tokenizer, out, texts)
    if different:
        raise ModelError(
            f"{len(different)} of {len(texts)} texts are tokenised otherwise: {different[0][:80]!r}",
            hint="please report the base model's tokenizer", code="export-differs",
        )  # fmt: skip
    report = Exported(
        file=out.name, architecture=base.architecture, parameters=_count(tensors, base.config),
        megabytes=round(out.stat().st_size / 1e6, 2), cosine=round(cosine, 6), same_choice=round(same, 4),
        texts=len(texts), end_token=tokenizer.convert_ids_to_tokens(encoder.end),
        prompt_tokens_equal=_same_prompts(out, encoder, examples),
    )  # fmt: skip
    return report, prompts


def _same_prompts(gguf: Path, encoder: ConversationEncoder, examples: Sequence[Example]) -> bool:
    """Whether `generate` will ask with the very tokens that training saw."""
    from localgen.decoder.model import LlamaModel

    model = LlamaModel(gguf)
    try:
        for example in examples[:8]:
            asked = [m.model_dump() for m in example.messages[:-1]]
            text = model.apply_chat_template(asked)
            text = render_chat(None, asked) if text is None else text
            if model.tokenize(text, special=True) != encoder.prompt(asked):
                return False
    finally:
        model.close()
    return True


def _examples(data: Path, config: RunConfig) -> list[Example]:
    for split in ("test", "validation", "train"):
        path = data / f"{split}.jsonl"
        found = list(islice(read_examples(path), config.export.texts)) if path.is_file() else []
        if found:
            return found
    raise ModelError(f"{data}: no examples to check the export with", hint="make them: localgen-train data --name NAME",
                     code="data-missing")  # fmt: skip


def _original(folder: Path, size: int) -> Any:
    """The model to compare with: in fp32 where that fits anywhere, since bf16 alone costs a cosine of 0.999."""
    import torch
    from transformers import AutoModelForCausalLM

    dtype = torch.float32 if size < 4_000_000_000 else "auto"
    return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, local_files_only=True).eval()


def _count(tensors: dict[str, Any], config: dict[str, Any]) -> int:
    import math

    tied = config.get("tie_word_embeddings")
    return sum(math.prod(t.shape) for n, t in tensors.items() if not (tied and n == "lm_head.weight"))


def main(argv: Sequence[str] | None = None) -> int:
    """Export, check, and say how well it went; exit status 5 where it does not agree."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--run", type=Path, required=True)
    ap.add_argument("--data", type=Path, required=True, help="the folder of the splits, for prompts to compare with")
    a = ap.parse_args(argv)

    def work() -> None:
        r = export_run(a.run, a.data)
        print(
            f"{a.run}: {r.architecture}, {r.parameters / 1e6:.2f} M parameters, {r.megabytes} MB; cosine {r.cosine}, "
            f"same best token {r.same_choice:.1%}; tokenizer equal on {r.texts} texts; ends with {r.end_token}"
        )

    return run_stage(work)


if __name__ == "__main__":
    sys.exit(main())
