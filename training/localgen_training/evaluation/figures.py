"""Figures from the rows of an evaluation: shares with their intervals, pass@k, errors by kind, times."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from ..measures import rate
from .estimates import curve, mean_estimate

Row = dict[str, Any]
MODES = ("constrained", "unconstrained")


def line(rows: Sequence[Row]) -> dict[str, Any]:
    """The figures of one suite, set or all: the product's answers.

    `tcl_parse`, `mixed`, `policy`, `valid` are shares of the scripts that were written, `dsl_parse` of those with DSL
    blocks, `pass@1` (the right thing done, by trace) of the tasks that want a script; `literals` is the mean share of
    the reference's argument values that the script has; `ask_precision` and `ask_recall` are about questions.
    """
    wanted = [r for r in rows if r["expect"] == "script"]
    scores = [r["score"] for r in rows if r["score"] is not None]
    asked = [r for r in rows if r["type"] == "clarification"]
    unclear = [r for r in rows if r["expect"] == "clarification"]
    hits = sum(r["expect"] == "clarification" for r in asked)
    seconds = sorted(r["seconds"] for r in rows)
    return {
        "tasks": len(rows),
        **shares(scores),
        "pass@1": rate(sum(bool(r["score"] and r["score"]["functional"]) for r in wanted), len(wanted)),
        "ask_precision": rate(hits, len(asked)),
        "ask_recall": rate(hits, len(unclear)),
        "truncated": sum(r["truncated"] for r in rows),
        "errors": sum(r["type"] == "error" for r in rows),
        "seconds": round(statistics.median(seconds), 3) if seconds else None,
        "seconds_p95": round(seconds[min(len(seconds) - 1, int(0.95 * len(seconds)))], 3) if seconds else None,
        "tokens": round(statistics.median([r["tokens"] for r in rows])) if rows else None,
    }


def shares(scores: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Rates over scripts: parsing, catalog, policy, literals."""
    with_blocks = [s for s in scores if s["blocks"]]
    return {
        "tcl_parse": rate(sum(s["tcl"] for s in scores), len(scores)),
        "dsl_parse": rate(sum(s["dsl"] for s in with_blocks), len(with_blocks)),
        "mixed": rate(sum(s["mixed"] for s in scores), len(scores)),
        "policy": rate(sum(s["policy"] for s in scores), len(scores)),
        "valid": rate(sum(s["valid"] for s in scores), len(scores)),
        "literals": mean_estimate([s["literal_hits"] / s["literals"] for s in scores if s["literals"]]),
    }


def lines(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """Figures by line of the table: the suites of each set, each set, and all."""
    out: dict[str, dict[str, Any]] = {}
    sets = list(dict.fromkeys(r["set"] for r in rows))
    for name in sets:
        of_set = [r for r in rows if r["set"] == name]
        for suite in sorted({r["suite"] for r in of_set}):
            out[f"{name}/{suite}"] = line([r for r in of_set if r["suite"] == suite])
        out[name] = line(of_set)
    if len(sets) != 1:
        out["all"] = line(rows)
    return out


def mode(rows: Sequence[Row], name: str) -> dict[str, Any] | None:
    """The samples of one mode: greedy shares, and pass@k by temperature; None where there are none."""
    found = [r for r in rows if r[name]]
    if not found:
        return None
    greedy = [r[name][0]["greedy"] for r in found]
    by_temperature: dict[str, Any] = {}
    for temperature in sorted({m["temperature"] for r in found for m in r[name]}):
        made = [m["samples"] for r in found for m in r[name] if m["temperature"] == temperature and m["samples"]]
        if made:
            counts = [(len(s), sum(x["functional"] for x in s)) for s in made]
            flat = [x for s in made for x in s]
            by_temperature[f"{temperature:g}"] = {
                "samples": len(flat), **shares(flat), "pass@k": {str(k): v for k, v in curve(counts).items()},
            }  # fmt: skip
    return {
        "tasks": len(found),
        "greedy": {**shares(greedy), "pass@1": rate(sum(s["functional"] for s in greedy), len(greedy))},
        "temperatures": by_temperature,
    }


def errors(rows: Iterable[Row]) -> dict[str, dict[str, int]]:
    """How often each kind of error was the first: of the product's answers, and of greedy texts without constraint."""
    product: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    for r in rows:
        if r["type"] == "error":
            product["no answer"] += 1
        elif r["expect"] == "clarification" and r["type"] == "script":
            product["did not ask"] += 1
        elif r["expect"] == "script" and r["type"] == "clarification":
            product["asked without need"] += 1
        elif r["score"] and r["score"]["failure"]:
            product[r["score"]["failure"]] += 1
        if r["unconstrained"] and (failure := r["unconstrained"][0]["greedy"]["failure"]):
            alone[failure] += 1
    return {"answers": dict(product.most_common()), "unconstrained": dict(alone.most_common())}
