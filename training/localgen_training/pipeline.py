"""The whole training, stage by stage: tokenizer, embeddings, sft, export, eval.

Each stage is a small command of its own (one module, one `main`), run as a process of its own. A stage whose output is
there is skipped, so an interrupted pipeline goes on where it stopped; training goes on from its last checkpoint until
the minutes asked for are used up. Everything lands in one run folder, and run.json says what was done with what.
Printing is the command line's business (cli.py): a pipeline reports through the function it is given.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from localgen_retrieval.errors import LocalgenError, UsageError

from .run_record import metrics, note_data, seen, trained_minutes, update_record

# Both seen from the checkout's root, where `make train` runs.
RUNS = Path("training/runs")
HELD_OUT = Path("tests/heldout")
STAGES = ("tokenizer", "embeddings", "sft", "export", "eval")


@dataclass(frozen=True)
class Size:
    """One size of model and data; `default` is what ships, `tiny` only shows that every stage works."""

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


@dataclass(frozen=True)
class Settings:
    """What one run is asked for.

    Attributes:
        corpus: folder of text for the tokenizer's merges, and of help examples for a share of the tasks.
        minutes: of training, over all sittings together.
        out: the GGUF that export writes (default: model.gguf in the run folder).
        suites: held-out folders for eval.
    """

    run: Path
    size: str = "default"
    minutes: float = 90.0
    corpus: Path | None = None
    quantise: str = "q8_0"
    out: Path | None = None
    suites: tuple[Path, ...] = ()
    limit: int | None = None
    threads: int = field(default_factory=lambda: os.cpu_count() or 2)

    @property
    def gguf(self) -> Path:
        """Where the exported model goes."""
        return self.out or self.run / "model.gguf"


class StageFailed(LocalgenError):
    """A stage's command ended with an error; what it wrote before is kept."""


Report = Callable[[str], None]


def run_pipeline(settings: Settings, stages: Sequence[str], report: Report) -> None:
    """Run these stages in their order, skipping those that are done.

    Raises:
        UsageError: an unknown stage or size, or another pipeline at work in the run folder.
        StageFailed: a stage's command failed.
    """
    from filelock import FileLock, Timeout

    unknown = [s for s in stages if s not in STAGES]
    if unknown or settings.size not in SIZES:
        raise UsageError(f"no such stage or size: {' '.join(unknown) or settings.size}", code="usage")
    settings.run.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(settings.run / ".lock", timeout=0):
            for stage in STAGES:
                if stage in stages:
                    _run_stage(settings, stage, report)
    except Timeout:
        raise UsageError(f"{settings.run} is being trained already", code="run-busy") from None


def _run_stage(settings: Settings, stage: str, report: Report) -> None:
    if done(settings, stage):
        report(f"{stage}: done before")
        return
    begin, before = time.monotonic(), trained_minutes(settings.run)
    if stage == "sft":
        _note(settings, lambda record: note_data(record, settings.run))
    command = [sys.executable, "-m", f"localgen_training.{_MODULES[stage]}", *_arguments(settings, stage)]
    report(f"{stage}: {' '.join(command[2:])}")
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL if stage == "sft" else None)
    try:
        shown = metrics(settings.run)[-1:]
        while process.poll() is None:
            time.sleep(0.2)
            if stage == "sft" and (lines := metrics(settings.run)[-1:]) and lines != shown:
                shown = lines
                report(f"sft: {json.dumps(lines[0])}")
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    if process.returncode:
        raise StageFailed(
            f"the stage {stage} failed (status {process.returncode})",
            hint="run it again: finished stages are skipped, training goes on from its checkpoint",
            code="stage-failed",
        )
    seconds = time.monotonic() - begin

    def finish(record: dict[str, Any]) -> None:
        entry = record["stages"].setdefault(stage, {})
        entry["seconds"] = round(seconds, 1)
        if stage == "sft":
            entry["minutes"] = round(max(before, entry.get("minutes", 0.0)) + seconds / 60, 2)
            record["seen"] = seen(settings.run)
        elif stage in ("export", "eval"):
            record["figures"][stage] = json.loads(_figures(settings, stage).read_text(encoding="utf-8"))

    _note(settings, finish)
    report(f"{stage}: {seconds:.0f} s")


_MODULES = {
    "tokenizer": "tokenizer",
    "embeddings": "embeddings",
    "sft": "train_decoder",
    "export": "export_decoder",
    "eval": "evaluate",
}


def done(settings: Settings, stage: str) -> bool:
    """Whether a stage's output is there and not older than what it is made from."""
    run = settings.run
    if stage == "sft":
        return (run / "checkpoint.pt").is_file() and remaining_minutes(settings) < min(0.5, settings.minutes / 10)
    made, sources = {
        "tokenizer": (run / "tokenizer.json", []),
        "embeddings": (run / "embeddings.npy", [run / "tokenizer.json"]),
        "export": (settings.gguf, [run / "checkpoint.pt"]),
        "eval": (run / "eval.json", [settings.gguf]),
    }[stage]
    return made.is_file() and all(s.is_file() and s.stat().st_mtime <= made.stat().st_mtime for s in sources)


def _arguments(settings: Settings, stage: str) -> list[str]:
    run, size = settings.run, SIZES[settings.size]
    if stage == "tokenizer":
        corpus = ["--corpus", str(settings.corpus)] if settings.corpus else []
        return [
            "--out",
            f"{run}/tokenizer.json",
            "--vocab",
            str(size.vocab),
            "--synthetic",
            str(size.synthetic),
            *corpus,
        ]
    if stage == "embeddings":
        from .export_encoder import default_model_folder

        files = ["--tokenizer", f"{run}/tokenizer.json", "--out", f"{run}/embeddings.npy"]
        return [*files, "--encoder", str(default_model_folder()), "--width", str(size.width)]
    if stage == "sft":
        shape = {
            "rows": size.rows,
            "length": size.length,
            "width": size.width,
            "layers": size.layers,
            "heads": size.heads,
        }
        words = [x for k, v in shape.items() for x in (f"--{k}", str(v))]
        words += [
            "--run",
            str(run),
            "--minutes",
            f"{remaining_minutes(settings):.2f}",
            "--threads",
            str(settings.threads),
        ]
        words += ["--corpus", str(settings.corpus)] if settings.corpus else []
        words += ["--embeddings", f"{run}/embeddings.npy"] if (run / "embeddings.npy").is_file() else []
        return words + (["--eager"] if size.eager else [])
    if stage == "export":
        words = ["--run", str(run), "--out", str(settings.gguf), "--quantise", settings.quantise]
        return [*words, "--report", str(_figures(settings, stage)), "--name", f"localgen-{run.name}"]
    limit = ["--limit", str(settings.limit)] if settings.limit else []
    words = [
        "--model",
        str(settings.gguf),
        "--json",
        str(_figures(settings, stage)),
        "--details",
        f"{run}/eval-rows.jsonl",
    ]
    return [*map(str, settings.suites or default_suites()), *words, *limit]


def default_suites() -> list[Path]:
    """The held-out suites of the checkout."""
    return sorted(p.parent for p in HELD_OUT.glob("*/tasks.jsonl"))


def _figures(settings: Settings, stage: str) -> Path:
    return settings.run / f"{stage}.json"


def remaining_minutes(settings: Settings) -> float:
    """Minutes of training left of those asked for."""
    return max(0.0, settings.minutes - trained_minutes(settings.run))


def _note(settings: Settings, change: Callable[[dict[str, Any]], None]) -> None:
    facts = {"size": settings.size, "shape": asdict(SIZES[settings.size])}
    update_record(settings.run, facts | {"corpus": settings.corpus.name if settings.corpus else None}, change)
