"""Quantises an exported f16 GGUF, and checks the result against the original model.

    python -m localgen_training.export.quantise --run training/runs/pnr

By llama.cpp's own quantiser. The file must load, know the tokens as before, and write; how near its logits still are is
measured and kept, not judged: that is what evaluation is for.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from localgen_retrieval.errors import ModelError
from localgen_retrieval.llama_quiet import first_error, silence

from ..run_config import load_config
from ..stage import need_space, run_stage

REPORT = "quantize.json"


def quantise(source: Path, out: Path, kind: str, threads: int = 1) -> None:
    """Quantise an f16 GGUF with llama.cpp's own quantiser; `kind` is one of QUANTISATIONS except f16.

    Raises:
        ModelError: llama.cpp refuses.
    """
    silence()
    import llama_cpp

    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{kind.upper()}")
    params.nthread = threads
    first_error()
    if llama_cpp.llama_model_quantize(str(source).encode(), str(out).encode(), params):
        raise ModelError(f"{source} cannot be quantised to {kind}: {first_error()}", code="quantise")


def quantised_path(run: Path, kind: str) -> Path:
    """Where the run's GGUF of this kind lies."""
    return run / f"{run.name}-{kind}.gguf"


def quantise_run(run: Path) -> dict[str, object]:
    """Make NAME-KIND.gguf of NAME-f16.gguf; nothing is left at its place where a check fails.

    Returns:
        The report: kind, megabytes (10^6 bytes), cosine and same_choice against the f16 file, and a sample.

    Raises:
        ModelError: no f16 file, llama.cpp refuses, or the result cannot be used.
    """
    from ..export_checks import compare_files

    kind = load_config(run).quantisation
    source, out = quantised_path(run, "f16"), quantised_path(run, kind)
    if not source.is_file():
        raise ModelError(f"{source}: no such file", hint=f"make it: localgen-train export --name {run.name}",
                         code="run-incomplete")  # fmt: skip
    prompts = json.loads((run / "export-prompts.json").read_text(encoding="utf-8"))
    if kind != "f16":
        need_space(run, source.stat().st_size / 1e6)
        partial = out.with_name(out.name + ".partial")
        try:
            quantise(source, partial, kind)
            cosine, same, sample = compare_files(source, partial, prompts)
            partial.replace(out)
        finally:
            partial.unlink(missing_ok=True)
    else:
        cosine, same, sample = compare_files(source, source, prompts)
    report: dict[str, object] = {
        "kind": kind, "file": out.name, "megabytes": round(out.stat().st_size / 1e6, 2),
        "cosine": round(cosine, 6), "same_choice": round(same, 4), "sample": sample,
    }  # fmt: skip
    (run / REPORT).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return report


def main(argv: Sequence[str] | None = None) -> int:
    """Quantise, and say how near it is."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--run", type=Path, required=True)
    a = ap.parse_args(argv)

    def work() -> None:
        r = quantise_run(a.run)
        print(f"{r['file']}: {r['megabytes']} MB, cosine {r['cosine']}, same best token {r['same_choice']:.1%}")

    return run_stage(work)


if __name__ == "__main__":
    sys.exit(main())
