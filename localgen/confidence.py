"""How likely a script is the one that is meant: a probability from what is known when it is written.

A logistic regression on a few figures of the plan, the candidates and the reading, fitted to what came out right on the
tuning domains (`bench/calibration.py --fit` writes its weights, `calibration.json`, and prints how well they are
calibrated on others). What makes a script doubtful is named from the plan: the places where a second way is nearly as
good.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from localgen.advice import Advice
from localgen.choose import Choice
from localgen.decoder.assignment import Assignment
from localgen.provenance import Origin
from localgen.scripts import called_procs

CALIBRATION = Path(__file__).with_name("calibration.json")
# What is written with confidence, and what with a note; below, what is asked is a matter of reasons and `--ask-below`.
SURE, NOTED = 0.9, 0.7
# A script without a whole statement, or one that is not valid, is hardly what is meant.
LEAST = 0.02
_MARGIN = 7.0
# A second way so near to the best (in nats) is named.
NEAR = 2.0


@dataclass(frozen=True)
class Calibration:
    """The weights of a logistic regression: log odds = bias + Σ weight × (figure − mean) / scale."""

    bias: float
    weights: Mapping[str, tuple[float, float, float]]

    def probability(self, figures: Mapping[str, float]) -> float:
        """How likely a script with these figures is right, 0 to 1."""
        odds = self.bias + sum(w * (figures[n] - mean) / scale for n, (w, mean, scale) in self.weights.items())
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))

    def to_json(self) -> str:
        """The text of a calibration file."""
        weights = {n: [round(x, 4) for x in w] for n, w in self.weights.items()}
        return json.dumps({"bias": round(self.bias, 4), "weights": weights}, indent=1) + "\n"


@cache
def load_calibration(path: Path = CALIBRATION) -> Calibration:
    """The calibration that ships."""
    data = json.loads(path.read_text("utf-8"))
    return Calibration(data["bias"], {n: (w[0], w[1], w[2]) for n, w in data["weights"].items()})


def figures(choices: Sequence[Choice], advice: Advice, values: Sequence[Origin], asked: bool) -> dict[str, float]:
    """What a script's confidence is judged by.

    Args:
        choices: best first. values: the best script's, with their sources. asked: whether there is a reason to ask.
    """
    best, plan = choices[0], advice.plan
    planned = [v for p in plan.task for items in p.assignment.best.values.values() for v in items]
    return {
        "log_prob": max(-3.0, best.ranked.log_prob),
        "agreement": best.agreement,
        "similarity": best.similarity,
        "coverage": best.ranked.coverage,
        "plan_margin": min((margin(p.assignment) for p in plan.task), default=0.0),
        "values_planned": sum(v in best.script for v in planned) / len(planned) if planned else 0.0,
        "statements": math.log1p(len([line for line in best.script.splitlines() if line.strip(" }")])),
        "from_nowhere": float(sum(v.source in ("", "limit") for v in values)),
        "doubted": float(asked),
    }


def margin(assignment: Assignment) -> float:
    """By how much the best way to fill a statement is better than the next one that gives other values, in nats."""
    best = assignment.best
    other = next((f.score for f in assignment.fillings if f.values != best.values), best.score - _MARGIN)
    return float(min(_MARGIN, max(0.0, best.score - other)))


def doubts(advice: Advice, best: Choice) -> list[str]:
    """What is unsure about a script, one line each: second ways nearly as good, and what of the instruction is left."""
    out = []
    tops = advice.ranking.top("proc", 2)
    calls = called_procs(best.script, {p.name for p in advice.guide.catalog.procs})
    if len(tops) > 1 and len(calls) == 1 and tops[0][1] - tops[1][1] < 0.5:
        other = next((s.name for s, _ in tops if s.name != calls[0]), "")
        out.append(f"unsure of the proc: {calls[0]}, or {other}")
    for p in advice.plan.task:
        first = p.assignment.best
        second = next((f for f in p.assignment.fillings if f.values != first.values), None)
        if second is None or first.score - second.score > NEAR:
            continue
        for name in dict.fromkeys((*first.values, *second.values)):
            a, b = first.values.get(name), second.values.get(name)
            if a != b:
                out.append(f"unsure of {p.branch} {name}: {_shown(a)}, or {_shown(b)}")
    if best.ranked.unused:
        out.append(f"not used in the script: {', '.join(best.ranked.unused[:6])}")
    return list(dict.fromkeys(out))


def _shown(values: tuple[str, ...] | None) -> str:
    return "not given" if values is None else "given" if not values else " ".join(values)
