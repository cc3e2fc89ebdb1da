"""Repair pairs: a broken script with what the validator says of it, and the script as it should be."""

from __future__ import annotations

import json
import random

from localgen.validation.fixing import apply_safe_fixes
from localgen.validation.report import Finding, Report, headline
from localgen.validation.validate import validate_script
from localgen_retrieval.catalog_io import Domain

from .splits import Split, pick

_ASKS = (
    "Repair this script.", "Fix what the validator reports.", "Correct the script below; change nothing else.",
    "This script is rejected. Write it correctly.", "Make this script valid.",
    "The validator complains; repair the script.",
    "Please fix the errors in this script.", "Give back the script without its errors.",
    "Something is wrong here, put it right.", "Correct this.", "Resolve the findings in this script.",
    "Mend the following script.", "Rewrite the script so that it validates.", "Fix it.", "Put this script in order.",
    "Remove the faults from this script.",
)  # fmt: skip
_MOST = 4


def repair_instruction(
    task: str, body: str, report: Report, split: Split, rng: random.Random, *, clear: bool
) -> tuple[str, str]:
    """(instruction, form): the broken script with the validator's findings, as its lines or as its JSON.

    The task is said too, unless it is clear without it what is to be written.
    """
    number, ask = pick(_ASKS, split, rng)
    errors = [f for f in report.details if f.severity == "error"][:_MOST]
    as_json = rng.random() < 0.4
    said = "\n".join(_document(f) if as_json else _line(f) for f in errors)
    goal = f"\nIt is to do this: {task}" if not clear or rng.random() < 0.4 else ""
    return f"{ask}{goal}\n\nScript:\n{body}\n\nValidator:\n{said}", f"repair{number}-{'json' if as_json else 'lines'}"


def _line(f: Finding) -> str:
    fixes = "".join(f"\n  fix: {fix.message}" for fix in f.fixes)
    return headline("script", f) + fixes


def _document(f: Finding) -> str:
    data: dict[str, object] = {k: getattr(f, k) for k in ("code", "message", "hint", "line", "column")}
    data["fixes"] = [{"message": fix.message, "safe": fix.safe} for fix in f.fixes]
    return json.dumps(data, ensure_ascii=False)


def fixed_by_rule(text: str, report: Report, domain: Domain) -> str:
    """What the product's own safe fixes make of a script."""
    return apply_safe_fixes(text, report, lambda t: validate_script(t, domain, strict=True)).text
