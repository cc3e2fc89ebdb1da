"""What a model writes alone, greedy and without any constraint, for synthetic tasks of fields it never saw.

A look at a training in progress: the product retrieves, constrains and ranks, this does not.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

from localgen_retrieval.errors import UsageError
from localgen_retrieval.prompt import compact_prompt

from .gguf_model import GgufModel
from .measures import rate
from .synthesis import Task, example

MAX_PROMPT = 600


def procs_of(pack: str) -> frozenset[str]:
    """The proc names of a pack's text: the first words of its signature lines."""
    lines = [line for line in pack.splitlines() if line and not line.startswith(" ")]
    return frozenset(line.split()[0] for line in lines if line.split()[0] not in ("var", "block", "example"))


def calls_in(script: str, procs: frozenset[str]) -> list[str]:
    """The pack's procs where a script calls them, in order, found by text: at a line's or a bracket's beginning."""
    words = re.findall(r"(?:^|[\[{;])[ \t]*([^\s\[\]{};$\"]+)", script, re.MULTILINE)
    return [w for w in words if w in procs]


def tasks(n: int, seed: int) -> list[Task]:
    """n synthetic tasks of the validation fields, one virtual API each."""
    return [example(seed + i, "validation") for i in range(n)]


def raw_report(model: Path | None, n: int, seed: int) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """Figures by kind of task, and one record per task.

    Raises:
        UsageError: no model named.
        ModelError: it cannot be loaded.
    """
    if model is None:
        raise UsageError("--raw needs --model FILE.gguf", code="usage")
    gguf = GgufModel(model)
    rows: list[dict[str, Any]] = []
    for task in tasks(n, seed):
        prompt = compact_prompt(task.pack, task.instruction)
        if len(gguf.encode(prompt)) > MAX_PROMPT:
            continue
        begin = time.perf_counter()
        got = gguf.greedy(prompt).rstrip("\n")
        seconds = time.perf_counter() - begin
        procs = procs_of(task.pack)
        wanted = calls_in(task.script, procs)
        rows.append(
            {
                "kind": task.kind,
                "exact": got == task.script,
                "right_procs": calls_in(got, procs) == wanted if wanted else None,
                "seconds": round(seconds, 3),
                "instruction": task.instruction,
                "wanted": task.script,
                "got": got,
            }
        )
    lines = {kind: _line([r for r in rows if r["kind"] == kind]) for kind in dict.fromkeys(r["kind"] for r in rows)}
    return {**lines, "all": _line(rows)}, rows


def _line(rows: list[dict[str, Any]]) -> dict[str, Any]:
    with_procs = [r for r in rows if r["right_procs"] is not None]
    return {
        "tasks": len(rows),
        "exact": rate(sum(r["exact"] for r in rows), len(rows)),
        "right_procs": rate(sum(r["right_procs"] for r in with_procs), len(with_procs)),
        "seconds": round(sum(r["seconds"] for r in rows) / max(1, len(rows)), 3),
    }
