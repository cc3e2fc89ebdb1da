"""Tasks to evaluate on, in four suites: syntax (DSL blocks), unit, scenario, clarification.

They come from held-out folders (tasks.jsonl, see evaluate.py) and from the test split that the data stage kept apart.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from localgen.validation.validate import validate_script
from localgen_retrieval.catalog_io import Domain
from localgen_retrieval.errors import UsageError

from ..evaluate import HeldOutTask, load_suite
from ..examples import read_examples

Suite = Literal["syntax", "unit", "scenario", "clarification"]
SUITES: tuple[Suite, ...] = ("syntax", "unit", "scenario", "clarification")
_BY_NAME: dict[str, Suite] = {"dsl": "syntax", "syntax": "syntax", "unit": "unit", "scenario": "scenario",
                              "ask": "clarification", "clarification": "clarification"}  # fmt: skip
_SCRIPTS = frozenset({"script", "sweep", "production", "flow"})
_ASKED = frozenset({"clarification", "refusal"})


@dataclass(frozen=True)
class TaskSet:
    """Tasks of one domain; `name` is the folder's, or `test-DOMAIN` for the data's test split."""

    name: str
    domain_folder: Path
    tasks: tuple[HeldOutTask, ...]


def suite_of(task: HeldOutTask) -> Suite:
    """The suite that a task counts for; unknown names count as scenarios."""
    return "clarification" if task.expect == "clarification" else _BY_NAME.get(task.suite, "scenario")


def held_out(folder: Path, limit: int = 0) -> TaskSet:
    """The tasks of a held-out folder, the first `limit` of them (0: all).

    Raises:
        UsageError, CatalogError: as evaluate.load_suite.
    """
    domain, tasks = load_suite(folder)
    return TaskSet(folder.resolve().name, domain.folder, tuple(tasks[:limit] if limit else tasks))


def split_tasks(path: Path, domain: Domain, most: int, seed: int = 0) -> TaskSet:
    """At most so many tasks of a test split, drawn by the seed, that are about this domain.

    Repairs are left out (their instruction is a broken script), and tasks over virtual catalogs.

    Raises:
        UsageError: no such file.
    """
    if not path.is_file():
        raise UsageError(f"{path}: no test split", hint="make it: localgen-train data --name NAME", code="data-missing")
    found = []
    for e in read_examples(path):
        if e.domain != domain.name or e.category not in _SCRIPTS | _ASKED:
            continue
        asks = e.category in _ASKED
        if asks:
            found.append(HeldOutTask(e.id, "clarification", e.instruction, "clarification", (), True, None))
            continue
        script = _script(e.response, domain)
        found.append(HeldOutTask(e.id, _suite(script, e.phase, domain), e.instruction, "script", (script,), True, None))
    if len(found) > most:
        found = random.Random(f"test-{seed}").sample(found, most)
    return TaskSet(f"test-{domain.name}", domain.folder, tuple(found))


def _script(answer: str, domain: Domain) -> str:
    header = domain.catalog.policy.required_header
    return answer if not header or answer.startswith(header) else f"{header}\n{answer}"


def _suite(script: str, phase: str, domain: Domain) -> Suite:
    if validate_script(script, domain).blocks:
        return "syntax"
    return "unit" if phase == "micro" else "scenario"
