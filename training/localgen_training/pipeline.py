"""Runs the stages of a training (stages.py), each as a process of its own.

A stage whose output is there is skipped, so an interrupted pipeline goes on where it stopped; training goes on from its
last checkpoint. Everything lands in one run folder: config.toml says what is wanted, run.json what was done with what,
metrics.jsonl grows with every figure. Printing is the command line's business (cli.py): a pipeline reports through the
function it is given.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from localgen_retrieval.errors import ExitCode, LocalgenError, UsageError

from .run_config import RunConfig, save_config
from .run_record import append_metrics, load_record, metrics, note_data, seen, trained_minutes, update_record
from .stage import PARENT
from .stages import NAMES, SIZES, Stage, plan, remaining_minutes

__all__ = ["DATA", "RUNS", "Settings", "StageFailed", "done", "plan", "remaining_minutes", "run_pipeline"]

# Both seen from the checkout's root, where `make train` runs.
RUNS = Path("training/runs")
DATA = Path("training/data")


@dataclass(frozen=True)
class Settings:
    """One run, and how it is done this time.

    Attributes:
        data: folder of the examples (default: training/data/NAME).
        out: where the GGUF of a virtual run goes (default: model.gguf in the run folder).
        resume_from: a checkpoint of another machine. fresh: forget the checkpoints. again: do what is done already.
    """

    run: Path
    config: RunConfig = field(default_factory=RunConfig)
    data_folder: Path | None = None
    out: Path | None = None
    threads: int = field(default_factory=lambda: os.cpu_count() or 2)
    resume_from: Path | None = None
    fresh: bool = False
    again: bool = False

    @property
    def data(self) -> Path:
        """Where the examples lie."""
        return self.data_folder or DATA / self.run.resolve().name

    @property
    def gguf(self) -> Path:
        """Where the exported model of a virtual run goes."""
        return self.out or self.run / "model.gguf"


class StageFailed(LocalgenError):
    """A stage's command ended with an error, which it has told; what it wrote before is kept."""

    def __init__(self, stage: str, status: int) -> None:
        super().__init__(
            f"the stage {stage} failed (status {status})",
            hint="run it again: finished stages are skipped, training goes on from its checkpoint",
            code="stage-failed",
        )
        if status in set(ExitCode) and status:
            self.exit_code = ExitCode(status)


Report = Callable[[str], None]


def run_pipeline(settings: Settings, stages: Sequence[str], report: Report) -> None:
    """Run these stages in their order, skipping those that are done.

    Raises:
        UsageError: a stage that the run does not have, or another pipeline at work in the run folder.
        StageFailed: a stage's command failed.
    """
    from filelock import FileLock, Timeout

    there = [s.name for s in plan(settings)]
    for name in stages:
        if name not in there:
            hint = f"runs of the kind {settings.config.kind} have: {', '.join(there)}"
            known = "there is no stage" if name not in NAMES else f"{settings.run.name} has no stage"
            raise UsageError(f"{known} {name}", hint=hint, code="usage")
    settings.run.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(settings.run / ".lock", timeout=0):
            save_config(settings.run, settings.config)
            for name in there:
                if name in stages:
                    # Planned anew each time: what a stage gets depends on what those before it left.
                    _run_stage(settings, next(s for s in plan(settings) if s.name == name), report)
    except Timeout:
        raise UsageError(f"{settings.run} is being trained already", code="run-busy") from None


def done(settings: Settings, name: str) -> bool:
    """Whether a stage's output is there, not older than what it is made from, and of the settings of now."""
    stage = next(s for s in plan(settings) if s.name == name)
    told = load_record(settings.run)["stages"].get(name, {}).get("settings")
    return stage.up_to_date() and (told is None or told == _plain(stage.settings))


def _run_stage(settings: Settings, stage: Stage, report: Report) -> None:
    again = settings.again or (stage.name == "sft" and (settings.fresh or settings.resume_from is not None))
    if done(settings, stage.name) and not again:
        report(f"{stage.name}: done before")
        return
    begin, before = time.monotonic(), trained_minutes(settings.run)
    if stage.name == "sft":
        _note(settings, lambda record: _note_data(settings, record))
    command = [sys.executable, "-m", f"localgen_training.{stage.module}", *stage.words]
    report(f"{stage.name}: {' '.join(command[2:])}")
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL if stage.quiet else None, env={**os.environ, PARENT: str(os.getpid())}
    )
    _wait(settings, stage, process, report)
    if process.returncode:
        raise StageFailed(stage.name, process.returncode)
    seconds = time.monotonic() - begin

    def finish(record: dict[str, Any]) -> None:
        entry = record["stages"].setdefault(stage.name, {})
        entry |= {"seconds": round(seconds, 1), "settings": _plain(stage.settings)}
        if stage.name == "sft" and settings.config.kind == "virtual":
            entry["minutes"] = round(max(before, entry.get("minutes", 0.0)) + seconds / 60, 2)
            record["seen"] = seen(settings.run)
        if stage.figures is not None:
            record["figures"][stage.name] = json.loads(stage.figures.read_text(encoding="utf-8"))

    _note(settings, finish)
    if stage.figures is not None and stage.name != "sft":
        figures = json.loads(stage.figures.read_text(encoding="utf-8"))
        append_metrics(settings.run, {"stage": stage.name, "at": _now(), "figures": figures})
    report(f"{stage.name}: {seconds:.0f} s")


def _wait(settings: Settings, stage: Stage, process: subprocess.Popen[bytes], report: Report) -> None:
    """Wait for a stage; tell the metrics of one that does not tell them itself."""
    try:
        shown = metrics(settings.run)[-1:] if stage.quiet else []
        while process.poll() is None:
            time.sleep(0.2)
            if stage.quiet and (lines := metrics(settings.run)[-1:]) and lines != shown:
                shown = lines
                report(f"{stage.name}: {json.dumps(lines[0])}")
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()


def _note_data(settings: Settings, record: dict[str, Any]) -> None:
    """Which data training reads: the generator's digest (virtual), or that of the examples."""
    if settings.config.kind == "virtual":
        note_data(record, settings.run)
        return
    train = settings.data / "train.jsonl"
    if train.is_file():
        digest = hashlib.sha256(train.read_bytes()).hexdigest()
        if not record["data"] or record["data"][-1]["digest"] != digest:
            record["data"].append({"digest": digest, "file": train.name, "at": _now()})


def _note(settings: Settings, change: Callable[[dict[str, Any]], None]) -> None:
    c = settings.config
    facts: dict[str, Any] = {"kind": c.kind, "seed": c.seed}
    if c.kind == "virtual":
        facts |= {"size": c.virtual.size, "shape": asdict(SIZES[c.virtual.size])}
        facts["corpus"] = Path(c.virtual.corpus).name if c.virtual.corpus else None
    else:
        facts["base"] = Path(c.base.model).name
    update_record(settings.run, facts, change)


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
