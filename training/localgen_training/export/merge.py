"""Merges the adapter that training left into its base model.

    python -m localgen_training.export.merge --run training/runs/pnr

Where all weights were trained there is no adapter and nothing to merge. Either way merge.json names the folder, in
Hugging Face's form, that is the trained model.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from localgen_retrieval.errors import ModelError

from ..base_model import open_base
from ..run_config import load_config
from ..sft.adaptation import load_tokenizer
from ..sft.train import base_folder
from ..stage import need_space, quiet_libraries, run_stage

REPORT = "merge.json"


def merge(run: Path) -> Path:
    """The folder of the trained model; makes `merged/` where there is an adapter.

    Raises:
        ModelError: nothing was trained yet, or the adapter does not fit the base model.
    """
    adapter, model = run / "sft" / "adapter", run / "sft" / "model"
    if not (run / "sft" / "result.json").is_file():
        raise ModelError(f"{run}: nothing was trained yet", hint=f"train first: localgen-train sft --name {run.name}",
                         code="run-incomplete")  # fmt: skip
    trained = run / json.loads((run / "sft" / "result.json").read_text(encoding="utf-8"))["folder"]
    if trained == model:
        folder = model
    else:
        folder = run / "merged"
        _merge_adapter(base_folder(run, load_config(run)), adapter, folder)
    (run / REPORT).write_text(json.dumps({"model": folder.relative_to(run).as_posix()}) + "\n", encoding="utf-8")
    return folder


def _merge_adapter(base_path: Path, adapter: Path, out: Path) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    quiet_libraries()
    base = open_base(base_path)
    need_space(out, base.size / 1e6 * 1.1)
    model: Any = AutoModelForCausalLM.from_pretrained(base.folder, dtype="auto", local_files_only=True)
    try:
        merged = PeftModel.from_pretrained(model, adapter).merge_and_unload(safe_merge=True)
    except (ValueError, RuntimeError, KeyError) as e:
        raise ModelError(
            f"{adapter} does not fit {base_path}: {str(e).splitlines()[0]}",
            hint="base.model must name the base that the adapter was trained on",
            code="adapter-foreign",
        ) from None
    # An output matrix that was trained apart from the embeddings is one of its own from here on.
    head, embeddings = merged.get_output_embeddings().weight, merged.get_input_embeddings().weight
    if merged.config.tie_word_embeddings and not torch.equal(head, embeddings):
        merged.config.tie_word_embeddings = False
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    merged.save_pretrained(partial)
    load_tokenizer(adapter).save_pretrained(partial)
    shutil.rmtree(out, ignore_errors=True)
    partial.rename(out)


def main(argv: Sequence[str] | None = None) -> int:
    """Merge, and say where the model is."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--run", type=Path, required=True)
    a = ap.parse_args(argv)
    return run_stage(lambda: print(f"merge: {merge(a.run)}"))


if __name__ == "__main__":
    sys.exit(main())
