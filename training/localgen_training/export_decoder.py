"""Exports a trained decoder to GGUF for llama.cpp, quantises it, and checks it against the original.

    python -m localgen_training.export_decoder --run training/runs/default --out model.gguf

Reads a run folder (checkpoint.pt, config.json, tokenizer.json). The architecture is llama.cpp's `qwen3`, the tokenizer
its byte-level BPE with the pre-tokenizer `qwen2`. There is no chat template: `localgen.prompt_form` = `compact` in the
metadata says which prompt the model was trained on (localgen_retrieval.prompt). The output matrix is the embedding
matrix (tied).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from localgen_retrieval.errors import ModelError, UsageError
from localgen_retrieval.prompt import END, MARKERS

from .export.gguf_writer import write_decoder
from .export.quantise import quantise
from .export.tensors import of_state
from .export.vocabulary import own_vocabulary
from .export_checks import check_texts, compare_logits, tokenizer_differences
from .run_config import QUANTISATIONS
from .tokenizer import PAD

MIN_COSINE = 0.999
PROMPT_FORM = "compact"


@dataclass(frozen=True)
class ExportReport:
    """What the checks of one export found; sizes in MB (10^6 bytes)."""

    parameters: int
    f16_megabytes: float
    megabytes: float
    quantisation: str
    cosine_f16: float
    cosine: float
    same_choice: float
    texts: int


def load_checkpoint(run: Path) -> tuple[Any, dict[str, int]]:
    """The trained model (float32, in evaluation mode) and its counters (step, tokens, tasks).

    Raises:
        ModelError: no checkpoint there, or one that does not fit config.json.
    """
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    for name in ("checkpoint.pt", "config.json", "tokenizer.json"):
        if not (run / name).is_file():
            raise ModelError(f"{run}: no {name} there", hint="train first: localgen-train sft", code="run-incomplete")
    model: Any = Qwen3ForCausalLM(Qwen3Config.from_pretrained(run))
    saved = torch.load(run / "checkpoint.pt", weights_only=True, map_location="cpu", mmap=True)
    try:
        model.load_state_dict(saved["model"])
    except (KeyError, RuntimeError) as e:
        raise ModelError(f"{run / 'checkpoint.pt'} does not fit config.json: {e}", code="run-damaged") from None
    return model.eval(), {k: int(saved.get(k, 0)) for k in ("step", "tokens", "tasks")}


def write_gguf(model: Any, tokenizer_json: Path, out: Path, *, name: str, description: str = "") -> None:
    """Write a Qwen3 model with its tokenizer to `out` as f16 (norms stay f32, as llama.cpp expects).

    Raises:
        UsageError: a tensor without a place in llama.cpp's architecture, or a vocabulary of another size.
    """
    config = model.config.to_dict()
    vocabulary = own_vocabulary(tokenizer_json, config["vocab_size"], frozenset({PAD, *MARKERS}), END, PAD)
    write_decoder(
        "qwen3", config, of_state(model.state_dict()), vocabulary, out, name=name,
        description=description or "Small decoder of localgen: context pack and instruction to Tcl with DSL blocks",
        more={"localgen.prompt_form": PROMPT_FORM},
    )  # fmt: skip


def export(
    run: Path, out: Path, kind: str = "q8_0", *, texts: int = 200, name: str = "localgen-default"
) -> ExportReport:
    """Export a run to `out`, quantised to `kind`; nothing is left at `out` where a check fails.

    Raises:
        ModelError: the run is incomplete, or the export differs from the original.
    """
    model, state = load_checkpoint(run)
    tokenizer = Tokenizer.from_file(str(run / "tokenizer.json"))
    out.parent.mkdir(parents=True, exist_ok=True)
    f16, partial = out.with_name(out.name + ".f16.partial"), out.with_name(out.name + ".partial")
    try:
        write_gguf(model, run / "tokenizer.json", f16, name=name, description=_description(model, state))
        prompts = [tokenizer.encode(t, add_special_tokens=False).ids[:600] for t in check_texts(4, seed=1)[-4:]]
        cosine_f16, _ = compare_logits(model, f16, prompts)
        if cosine_f16 < MIN_COSINE:
            raise ModelError(f"the f16 GGUF differs from the model: cosine {cosine_f16:.5f}", code="export-differs")
        checked = check_texts(texts)
        different = tokenizer_differences(tokenizer, f16, checked)
        if different:
            raise ModelError(
                f"{len(different)} texts are tokenised otherwise: {different[0][:80]!r}", code="export-differs"
            )
        f16_size = f16.stat().st_size / 1e6
        if kind == "f16":
            f16.replace(partial)
        else:
            quantise(f16, partial, kind)
        cosine, same = compare_logits(model, partial, prompts)
        size = partial.stat().st_size / 1e6
        partial.replace(out)
    finally:
        f16.unlink(missing_ok=True)
        partial.unlink(missing_ok=True)
    return ExportReport(
        sum(p.numel() for p in model.parameters()),
        round(f16_size, 2),
        round(size, 2),
        kind,
        round(cosine_f16, 6),
        round(cosine, 6),
        round(same, 4),
        len(checked),
    )


def _description(model: Any, state: dict[str, int]) -> str:
    c = model.config
    return (
        f"Qwen3 architecture, {c.num_hidden_layers} layers, {c.hidden_size} wide, {c.vocab_size} tokens; "
        f"from scratch on {state['tokens'] / 1e6:.1f} M tokens of synthetic tasks "
        f"({state['tasks']} tasks, step {state['step']})"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Export, check, and say how well it went; exit status 5 where it does not agree."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--run", type=Path, required=True, help="folder with checkpoint.pt, config.json and tokenizer.json")
    ap.add_argument("--out", type=Path, required=True, help="the GGUF file to write")
    ap.add_argument("--quantise", choices=QUANTISATIONS, default="q8_0")
    ap.add_argument("--texts", type=int, default=200, help="how many tasks the tokenizer is compared on")
    ap.add_argument("--name", default="localgen-default", help="general.name of the model")
    ap.add_argument("--report", type=Path, help="write the figures there as JSON")
    a = ap.parse_args(argv)
    try:
        report = export(a.run, a.out, a.quantise, texts=a.texts, name=a.name)
    except (ModelError, UsageError) as e:
        print(e, file=sys.stderr)
        return int(e.exit_code)
    if a.report:
        a.report.write_text(json.dumps(asdict(report), indent=1) + "\n", encoding="utf-8")
    print(
        f"{a.out}: {report.megabytes} MB {report.quantisation} (f16 {report.f16_megabytes} MB), "
        f"{report.parameters / 1e6:.2f} M parameters; "
        f"cosine f16 {report.cosine_f16}, {report.quantisation} {report.cosine}, "
        f"same best token {report.same_choice:.1%}; tokenizer equal on {report.texts} texts"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
