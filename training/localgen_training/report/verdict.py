"""Go or no go: the figures of an evaluation against the targets of the config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Check:
    """One target; `value` is None where the evaluation has no such figure, which is a miss."""

    name: str
    target: float
    value: float | None
    low: float | None = None
    high: float | None = None

    @property
    def met(self) -> bool:
        """Whether the figure reaches the target."""
        return self.value is not None and self.value >= self.target


def checks(targets: Mapping[str, float], evaluation: Mapping[str, Any]) -> list[Check]:
    """The targets against the evaluation's figures.

    A name is one of the table's last line (`pass@1`), of a mode's greedy texts (`unconstrained.tcl_parse`), or
    `test_rows.exact`.
    """
    out = []
    for name, target in targets.items():
        mode, dot, figure = name.partition(".")
        if dot:
            of_mode = evaluation.get(mode) or {}
            found = of_mode.get("greedy", of_mode).get(figure)
        else:
            found = total(evaluation).get(name)
        if isinstance(found, Mapping):
            out.append(Check(name, target, found["rate"], found["low"], found["high"]))
        else:
            out.append(Check(name, target, float(found) if isinstance(found, (int, float)) else None))
    return out


def total(evaluation: Mapping[str, Any]) -> Mapping[str, Any]:
    """The line of all tasks together."""
    lines: Mapping[str, Any] = evaluation.get("lines") or {}
    if "all" in lines:
        found: Mapping[str, Any] = lines["all"]
        return found
    return next((d for name, d in lines.items() if "/" not in name), {})


def verdict(found: list[Check]) -> str:
    """One line: GO, or NO-GO with what is missed."""
    missed = [c for c in found if not c.met]
    if not found:
        return "NO VERDICT: the config has no targets"
    if not missed:
        return f"GO: all {len(found)} targets are met"
    told = ", ".join(f"{c.name} {'-' if c.value is None else f'{c.value:.1%}'} < {c.target:.1%}" for c in missed)
    return f"NO-GO: {len(missed)} of {len(found)} targets are missed: {told}"
