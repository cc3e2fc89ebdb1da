"""Does the tasks, in several processes: each loads the model once, and what is done survives a kill."""

from __future__ import annotations

import hashlib
import json
import multiprocessing as mp
import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localgen_retrieval.catalog_io import load_domain
from localgen_retrieval.errors import ToolError
from localgen_retrieval.processors import usable_processors

from ..evaluate import HeldOutTask
from ..run_config import Evaluation
from .sampling import Asker, Samples
from .scoring import Judge
from .tasks import TaskSet, suite_of

# Larger models use all cores by themselves.
_SMALL_FILE = 200_000_000


@dataclass(frozen=True)
class Order:
    """What one process needs to know."""

    model: Path
    settings: Evaluation
    seed: int


def processes(settings: Evaluation, model: Path, tasks: int) -> int:
    """How many processes: as asked for, or one a core for a small model."""
    wanted = settings.processes or (usable_processors() if model.stat().st_size < _SMALL_FILE else 1)
    return max(1, min(wanted, tasks))


def do_all(sets: Sequence[TaskSet], order: Order, kept: Path) -> Iterator[dict[str, Any]]:
    """The rows of all tasks, as they come; those that an earlier sitting left in `kept` come first.

    Args:
        kept: a file of rows that grows; one of another model, seed or settings is begun anew.
    """
    key = _key(sets, order)
    done = _read(kept, key)
    yield from done.values()
    left = [(s, t) for s in sets for t in s.tasks if f"{s.name}/{t.id}" not in done]
    if not left:
        return
    partial = kept.with_name(kept.name + ".partial")
    partial.write_text("".join(json.dumps(d) + "\n" for d in ({"key": key}, *done.values())), encoding="utf-8")
    partial.replace(kept)
    with kept.open("a", encoding="utf-8") as f:
        for row in _rows(left, order):
            f.write(json.dumps(row) + "\n")
            f.flush()
            yield row


def _rows(left: list[tuple[TaskSet, HeldOutTask]], order: Order) -> Iterator[dict[str, Any]]:
    count = processes(order.settings, order.model, len(left))
    jobs = [(s.name, str(s.domain_folder), t) for s, t in left]
    if count == 1:
        _begin(order)
        try:
            yield from map(_do, jobs)
        finally:
            _end()
        return
    context = mp.get_context("spawn")
    threads = max(1, usable_processors() // count)
    with ProcessPoolExecutor(count, context, _begin_worker, (order, threads)) as pool:
        futures = [pool.submit(_do, job) for job in jobs]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool:
            raise ToolError(
                "a process of the evaluation was killed", hint="too little memory? lower eval.processes, run it again",
                code="worker-killed",
            ) from None  # fmt: skip
        finally:
            for future in futures:
                future.cancel()


_order: Order | None = None
_open: tuple[str, Asker, Judge] | None = None


def _begin(order: Order) -> None:
    global _order
    _order = order


def _begin_worker(order: Order, threads: int) -> None:
    """As `_begin`, with its share of the processors; ends with the parent, which cannot end it when killed."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    parent = mp.parent_process()

    def watch() -> None:
        while parent is not None and parent.is_alive():
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    _begin(order)


def _end() -> None:
    global _open
    if _open is not None:
        _open[1].close()
    _open = None


def _do(job: tuple[str, str, HeldOutTask]) -> dict[str, Any]:
    global _open
    name, folder, task = job
    assert _order is not None
    s = _order.settings
    if _open is None or _open[0] != folder:
        _end()
        domain = load_domain(Path(folder))
        asker = Asker(domain, _order.model, k=s.k, seed=_order.seed, max_tokens=s.max_tokens)
        _open = folder, asker, Judge(domain)
    _, asker, judge = _open
    return one_row(name, task, asker, judge, s)


def one_row(name: str, task: HeldOutTask, asker: Asker, judge: Judge, settings: Evaluation) -> dict[str, Any]:
    """Everything that is asked and judged for one task."""
    answer, tokens = asker.answer(task)
    row: dict[str, Any] = {
        "set": name, "id": task.id, "suite": suite_of(task), "expect": task.expect, "type": answer.type,
        "script": answer.script, "message": answer.message, "truncated": answer.truncated,
        "confidence": answer.confidence, "seconds": round(answer.seconds, 4), "tokens": tokens,
        "score": judge.score(answer.script, task) if answer.type == "script" and task.references else None,
        "constrained": [], "unconstrained": [],
    }  # fmt: skip
    if task.expect != "script" or not (settings.samples or settings.unconstrained):
        return row
    for temperature in settings.temperatures or (0.0,):
        made = asker.constrained(task, temperature, settings.samples)
        if made is not None:
            row["constrained"].append(_judged(made, task, judge, free=False))
        free = asker.unconstrained(task, temperature, settings.samples) if settings.unconstrained else None
        if free is not None:
            row["unconstrained"].append(_judged(free, task, judge, free=True))
    return row


def _judged(samples: Samples, task: HeldOutTask, judge: Judge, *, free: bool) -> dict[str, Any]:
    cache: dict[str, dict[str, Any]] = {}

    def score(text: str) -> dict[str, Any]:
        script = judge.headed(text) if free else text
        if script not in cache:
            cache[script] = judge.score(script, task)
        return cache[script]

    return {
        "temperature": samples.temperature, "text": samples.greedy, "greedy": score(samples.greedy),
        "samples": [score(t) for t in samples.texts],
    }  # fmt: skip


def _key(sets: Sequence[TaskSet], order: Order) -> str:
    total = hashlib.sha256(order.model.read_bytes())
    told = order.settings.model_dump(mode="json", exclude={"processes"})
    total.update(json.dumps([told, order.seed], sort_keys=True).encode())
    for s in sets:
        total.update(json.dumps([s.name, [[t.id, t.instruction, t.references] for t in s.tasks]]).encode())
    return total.hexdigest()


def _read(kept: Path, key: str) -> dict[str, dict[str, Any]]:
    if not kept.is_file():
        return {}
    rows: dict[str, dict[str, Any]] = {}
    for i, line in enumerate(kept.read_text(encoding="utf-8").splitlines()):
        try:
            row = json.loads(line)
        except ValueError:  # cut off by a kill
            continue
        if i == 0:
            if row.get("key") != key:
                return {}
        else:
            rows[f"{row['set']}/{row['id']}"] = row
    return rows
