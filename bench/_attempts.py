"""What the generator's candidates are worth on held-out tasks: every distinct script judged, with what led to it.

Kept in a file, since it takes minutes: bench/ranking.py and bench/calibration.py read it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from localgen.choose import Choice
from localgen.dialogue import Task
from localgen.execution.trace import Tracer
from localgen.options import Options
from localgen.pipeline import Generator
from localgen_retrieval.errors import LocalgenError
from localgen_training.evaluate import HeldOutTask, load_suite
from localgen_training.trace_match import match
from localgen_training.written import VALIDATION, WRITTEN

ROOT = Path(__file__).resolve().parents[1]
HELD_OUT = ROOT / "tests" / "heldout"
ATTEMPTS = ROOT / "bench" / ".attempts.jsonl"
TUNING = ("irrigation", "harbour", "ski_resort", *sorted(VALIDATION))
OTHERS = ("pnr", "tomography", "smt_line", "observatory", "probe")


@dataclass(frozen=True)
class Judged:
    """One distinct script of a task, in the order of the choice: what spoke for it, and whether it is right."""

    score: float
    base: float
    log_prob: float
    share: float
    agreement: float
    similarity: float
    coverage: float
    fit: float
    valid: bool
    dropped: bool
    truncated: bool
    greedy: bool
    right: bool


@dataclass(frozen=True)
class TaskAttempt:
    """One task: its distinct scripts, best first, the figures of the first, and whether a question is asked.

    `expect` is what the suite wants: script or clarification.
    """

    folder: str
    id: str
    suite: str
    expect: str
    asked: bool
    confidence: float
    figures: dict[str, float]
    seconds: float
    scripts: tuple[Judged, ...]

    @property
    def right(self) -> bool:
        """Whether the answer is right."""
        return bool(self.scripts) and self.scripts[0].right


def attempts(folders: Sequence[str], options: Options, limit: int | None = None) -> Iterator[TaskAttempt]:
    """Answer the tasks of some suites without asking, and judge every candidate."""
    for folder in folders:
        domain, tasks = load_suite((WRITTEN if folder in VALIDATION else HELD_OUT) / folder)
        generator, tracer = Generator(domain), Tracer(domain)
        for task in tasks[:limit]:
            try:
                made = generator.attempt(Task(task.instruction), options, task.context)
            except LocalgenError as error:
                print(f"{folder} {task.id}: {error.code}", file=sys.stderr)
                continue
            scripts = tuple(_judged(c, task, tracer) for c in made.choices)
            yield TaskAttempt(
                folder, task.id, task.suite, task.expect, made.question is not None, made.outcome.confidence,
                dict(made.figures), made.outcome.seconds, scripts,
            )  # fmt: skip
        generator.close()


def _judged(c: Choice, task: HeldOutTask, tracer: Tracer) -> Judged:
    got = tracer.trace(c.script)
    wanted = (tracer.trace(r) for r in task.references)
    right = task.expect == "script" and any(match(got, w, task.ordered, task.blocks_ordered) for w in wanted)
    r = c.ranked
    return Judged(c.score, r.score, r.log_prob, r.share, c.agreement, c.similarity, r.coverage, r.fit, c.valid,
                  bool(c.dropped), r.truncated, r.greedy, right)  # fmt: skip


def kept(path: Path, folders: Sequence[str], options: Options, *, fresh: bool = False) -> list[TaskAttempt]:
    """The attempts in a file; made and written there first where it is not there, or is to be made afresh."""
    if fresh or not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as file:
            for done in attempts(folders, options):
                file.write(json.dumps(asdict(done)) + "\n")
                file.flush()
    rows = [_read(json.loads(line)) for line in path.read_text("utf-8").splitlines()]
    return [row for row in rows if row.folder in folders]


def _read(d: dict[str, Any]) -> TaskAttempt:
    scripts = tuple(Judged(**s) for s in d.pop("scripts"))
    return TaskAttempt(**d, scripts=scripts)
