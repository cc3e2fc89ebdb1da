"""The stages of a run: which command makes what from what. One plan for each kind of run (run_config.Kind).

A stage is done when what it makes is there, is not older than what it is made from, and was made with the settings that
the config has now.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .run_config import SMALL
from .run_record import trained_minutes

if TYPE_CHECKING:
    from .pipeline import Settings

# In this order; a run has those of its kind.
NAMES = ("data", "base", "tokenizer", "embeddings", "sft", "merge", "export", "quantize", "eval", "report")


@dataclass(frozen=True)
class Stage:
    """One stage of one run.

    Attributes:
        module: its command, `python -m localgen_training.MODULE`, with these words.
        made, sources: files. settings: what in the config decides about it.
        figures: a JSON file whose content goes into run.json.
        finished: an answer that counts instead of the files'.
    """

    name: str
    module: str
    words: tuple[str, ...]
    made: Path
    sources: tuple[Path, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    figures: Path | None = None
    finished: Callable[[], bool] | None = None
    # Its stdout is for people who call it directly.
    quiet: bool = False

    def up_to_date(self) -> bool:
        """Whether the files say that nothing is to be done; a source that is gone makes nothing old."""
        if self.finished is not None:
            return self.finished()
        if not self.made.is_file():
            return False
        made = self.made.stat().st_mtime
        return all(s.stat().st_mtime <= made for s in self.sources if s.is_file())


@dataclass(frozen=True)
class Size:
    """One size of our own model and its data; `default` is what ships, `tiny` only shows that every stage works."""

    vocab: int
    synthetic: int
    width: int
    layers: int
    heads: int
    rows: int
    length: int
    eager: bool = False


SIZES = {
    "default": Size(vocab=8192, synthetic=15000, width=256, layers=5, heads=4, rows=16, length=512),
    "tiny": Size(vocab=1024, synthetic=300, width=64, layers=2, heads=2, rows=4, length=384, eager=True),
}


def plan(settings: Settings) -> tuple[Stage, ...]:
    """The run's stages in their order."""
    return _virtual(settings) if settings.config.kind == "virtual" else _base(settings)


def _base(settings: Settings) -> tuple[Stage, ...]:
    run, data, c = settings.run, settings.data, settings.config
    there = ("--run", str(run))
    both = (*there, "--data", str(data))
    train = data / "train.jsonl"
    splits = [data / f"{name}.jsonl" for name in ("train", "validation", "test")]
    told = c.model_dump(mode="json")
    resume = ("--resume-from", str(settings.resume_from)) if settings.resume_from else ()
    fresh = ("--fresh",) if settings.fresh else ()
    small = c.base.model == SMALL
    base = Stage("base", "small_base", both, run / "base" / "config.json", (train,), {"base": told["base"]})
    f16, quantised = run / f"{run.name}-f16.gguf", run / f"{run.name}-{c.quantisation}.gguf"
    export = {k: v for k, v in told["export"].items() if k != "quantise"}
    return (
        Stage("data", "data_stage", both, train, (), {"data": told["data"]},
              finished=lambda: all(p.is_file() for p in splits)),
        *((base,) if small else ()),
        Stage(
            "sft", "sft.train", (*both, *resume, *fresh), run / "sft" / "result.json",
            (train, *((base.made,) if small else ())), {k: told[k] for k in ("base", "sft", "lora", "seed")},
            figures=run / "sft" / "result.json",
        ),
        Stage("merge", "export.merge", there, run / "merge.json", (run / "sft" / "result.json",)),
        Stage("export", "export.to_gguf", both, f16, (run / "merge.json",), export, figures=run / "export.json"),
        Stage("quantize", "export.quantise", there, run / "quantize.json", (f16,), {"kind": c.quantisation},
              figures=run / "quantize.json"),
        Stage("eval", "evaluation.command", both, run / "eval.json", (quantised,),
              {"eval": told["eval"], "seed": c.seed}, figures=run / "eval.json"),
        Stage("report", "report.page", there, run / "report.html", (run / "eval.json",), {"targets": c.targets}),
    )  # fmt: skip


def _virtual(settings: Settings) -> tuple[Stage, ...]:
    run, c = settings.run, settings.config
    size, v = SIZES[c.virtual.size], c.virtual
    corpus = ("--corpus", v.corpus) if v.corpus else ()
    tokenizer, embeddings, checkpoint = run / "tokenizer.json", run / "embeddings.npy", run / "checkpoint.pt"
    shape = {"rows": size.rows, "length": size.length, "width": size.width, "layers": size.layers, "heads": size.heads}

    def trained() -> bool:
        return checkpoint.is_file() and remaining_minutes(settings) < min(0.5, v.minutes / 10)

    start = ("--embeddings", str(embeddings)) if embeddings.is_file() else ()
    return (
        Stage("tokenizer", "tokenizer",
              ("--out", str(tokenizer), "--vocab", str(size.vocab), "--synthetic", str(size.synthetic), *corpus),
              tokenizer),
        Stage("embeddings", "embeddings",
              ("--tokenizer", str(tokenizer), "--out", str(embeddings), "--width", str(size.width)),
              embeddings, (tokenizer,)),
        Stage("sft", "train_decoder",
              (*(w for k, n in shape.items() for w in (f"--{k}", str(n))), "--run", str(run),
               "--minutes", f"{remaining_minutes(settings):.2f}", "--threads", str(settings.threads), *corpus, *start,
               *(("--eager",) if size.eager else ())), checkpoint, finished=trained, quiet=True),
        Stage("export", "export_decoder",
              ("--run", str(run), "--out", str(settings.gguf), "--quantise", c.quantisation,
               "--report", str(run / "export.json"), "--name", f"localgen-{run.name}"),
              settings.gguf, (checkpoint,), figures=run / "export.json"),
        Stage("eval", "evaluation.command",
              ("--run", str(run), "--data", str(settings.data), "--model", str(settings.gguf)),
              run / "eval.json", (settings.gguf,), {"eval": c.eval.model_dump(mode="json"), "seed": c.seed},
              figures=run / "eval.json"),
        Stage("report", "report.page", ("--run", str(run)), run / "report.html", (run / "eval.json",),
              {"targets": c.targets}),
    )  # fmt: skip


def remaining_minutes(settings: Settings) -> float:
    """Minutes of training left of those asked for (virtual runs)."""
    return max(0.0, settings.config.virtual.minutes - trained_minutes(settings.run))
