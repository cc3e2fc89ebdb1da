"""The report of a run as HTML and as Markdown, each one file with its plots in it.

python -m localgen_training.report.page --run training/runs/pnr
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from localgen_retrieval.errors import ModelError

from ..run_config import RunConfig, load_config
from ..run_record import load_record, metrics
from ..stage import run_stage
from .svg import bar_chart, line_chart
from .verdict import Check, checks, verdict

_STYLE = """body{font:15px/1.5 sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#222}
table{border-collapse:collapse;margin:1em 0}td,th{border:1px solid #ccc;padding:.2em .6em;text-align:right}
td:first-child,th:first-child{text-align:left}.go{color:#2b8a4b}.nogo{color:#b3261e}svg{max-width:100%;height:auto}"""


@dataclass(frozen=True)
class Section:
    """A heading, tables (rows of cells, the first one the head), plots (SVG) and a remark."""

    title: str
    tables: tuple[list[list[str]], ...] = ()
    plots: tuple[str, ...] = ()
    text: str = ""


def write_report(run: Path) -> str:
    """Write report.html and report.md; the verdict.

    Raises:
        ModelError: the run has not been evaluated.
    """
    path = run / "eval.json"
    if not path.is_file():
        raise ModelError(f"{run}: nothing was evaluated yet", hint=f"first: localgen-train eval --name {run.name}",
                         code="run-incomplete")  # fmt: skip
    evaluation = json.loads(path.read_text(encoding="utf-8"))
    config = load_config(run)
    found = checks(config.targets, evaluation)
    line = verdict(found)
    of_evaluation = (f(evaluation) for f in (_figures, _modes, _own_rows, _errors))
    made = (_targets(found), *of_evaluation, _training(metrics(run)), _facts(run, config, evaluation))
    sections = [s for s in made if s.tables or s.plots]
    for name, text in (("report.html", _html(run.name, line, sections)), ("report.md", _md(run.name, line, sections))):
        partial = run / f"{name}.partial"
        partial.write_text(text, encoding="utf-8")
        partial.replace(run / name)
    return line


def _targets(found: list[Check]) -> Section:
    rows = [["target", "wanted", "measured", "95%", ""]]
    for c in found:
        between = f"{c.low:.1%} to {c.high:.1%}" if c.low is not None and c.high is not None else ""
        value = "-" if c.value is None else f"{c.value:.1%}"
        rows.append([c.name, f"{c.target:.1%}", value, between, "met" if c.met else "missed"])
    return Section("Targets", (rows,) if found else ())


def _figures(evaluation: dict[str, Any]) -> Section:
    lines: dict[str, dict[str, Any]] = evaluation["lines"]
    columns = list(next(iter(lines.values()), {}))
    rows = [["suite", *columns], *([name, *(_cell(d.get(c)) for c in columns)] for name, d in lines.items())]
    bars = {name: {"pass@1": round(100 * d["pass@1"]["rate"], 1)} for name, d in lines.items() if d.get("pass@1")}
    text = "The product's own answers (retrieval, constraint, ranking); shares with 95% intervals; times in seconds."
    return Section("Answers", (rows,), (bar_chart("pass@1 by suite, %", bars, unit="%"),), text)


def _modes(evaluation: dict[str, Any]) -> Section:
    modes = {m: evaluation[m] for m in ("constrained", "unconstrained") if evaluation.get(m)}
    if not modes:
        return Section("With and without the constraint")
    columns = list(next(iter(modes.values()))["greedy"])
    greedy = [["greedy", *columns], *([m, *(_cell(d["greedy"].get(c)) for c in columns)] for m, d in modes.items())]
    series, ks = {}, [["samples", "temperature", "k", "pass@k"]]
    for m, d in modes.items():
        for temperature, t in d["temperatures"].items():
            series[f"{m}, T {temperature}"] = [(float(k), v["rate"]) for k, v in t["pass@k"].items()]
            ks += [[m, temperature, k, _cell(v)] for k, v in t["pass@k"].items()]
    plot = line_chart("pass@k", series, x="k (samples)", y="share of tasks", floor=0.0)
    text = "One text a task, the likeliest; and samples, from which pass@k is estimated without bias."
    return Section("With and without the constraint", (greedy, ks), (plot,), text)


def _own_rows(evaluation: dict[str, Any]) -> Section:
    found = evaluation.get("test_rows")
    if not found:
        return Section("Test split")
    rows = [["category", "exact"], *([c, _cell(v)] for c, v in found["by_category"].items())]
    rows.append([f"all {found['rows']} rows", _cell(found["exact"])])
    return Section("Test split", (rows,), (), "The model alone on the data's own test rows: answers word for word.")


def _errors(evaluation: dict[str, Any]) -> Section:
    failures: dict[str, dict[str, int]] = evaluation.get("failures") or {}
    names = list(dict.fromkeys(n for d in failures.values() for n in d))
    rows = [["first error", *failures], *([n, *(str(d.get(n, 0)) for d in failures.values())] for n in names)]
    bars = {n: {mode: float(d[n]) for mode, d in failures.items() if n in d} for n in names}
    plot = bar_chart("Errors by kind, tasks", bars)
    return Section("Errors", (rows,) if names else (), (plot,) if names else ())


def _training(logged: list[dict[str, Any]]) -> Section:
    """Loss and learning rate by step; a step that was trained twice, after a kill, counts as it was the second time."""
    train: dict[int, float] = {}
    held: dict[int, float] = {}
    right: dict[int, float] = {}
    for m in logged:
        if "step" not in m:
            continue
        for place, key in ((train, "loss"), (held, "held_loss"), (right, "held_right")):
            if m.get(key) is not None:
                place[int(m["step"])] = float(m[key])
    series = {"training": sorted(train.items()), "validation": sorted(held.items())}
    loss = line_chart("Loss", series, x="step", y="nats per answer token", floor=0.0)
    share = line_chart("Right tokens, validation", {"share": sorted(right.items())}, x="step", y="share", floor=0.0)
    return Section("Training", (), tuple(p for p in (loss, share) if p))


def _facts(run: Path, config: RunConfig, evaluation: dict[str, Any]) -> Section:
    record = load_record(run)
    facts: list[list[str]] = [["what", "value"], ["kind", config.kind], ["seed", str(config.seed)]]
    for name in ("sft/result.json", "export.json", "quantize.json"):
        path = run / name
        if path.is_file():
            found = json.loads(path.read_text(encoding="utf-8"))
            facts += [[f"{path.stem if path.stem != 'result' else 'sft'}: {k}", str(v)[:120]] for k, v in found.items()]
    for entry in record["data"][-1:]:
        facts.append(["data: digest", str(entry.get("digest", ""))])
    facts += [[f"seconds: {s}", str(d.get("seconds", ""))] for s, d in record["stages"].items()]
    facts += [[f"version: {p}", v] for p, v in record.get("versions", {}).items()]
    facts.append(["evaluated", f"{evaluation['model']}, {evaluation['tasks']} tasks, seed {evaluation['seed']}"])
    return Section("Run", (facts,))


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, dict):
        return f"{value['rate']:.0%} [{value['low']:.0%}-{value['high']:.0%}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _html(name: str, line: str, sections: Sequence[Section]) -> str:
    kind = "go" if line.startswith("GO") else "nogo"
    out = [
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">',
        f"<title>{escape(name)}</title><style>{_STYLE}</style></head><body>",
        f'<h1>{escape(name)}</h1><p class="{kind}"><strong>{escape(line)}</strong></p>',
    ]
    for s in sections:
        out.append(f"<h2>{escape(s.title)}</h2>" + (f"<p>{escape(s.text)}</p>" if s.text else ""))
        for head, *rows in s.tables:
            cells = "".join(f"<th>{escape(c)}</th>" for c in head)
            body = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in r) + "</tr>" for r in rows)
            out.append(f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>")
        out += [f"<figure>{p}</figure>" for p in s.plots if p]
    return "\n".join([*out, "</body></html>", ""])


def _md(name: str, line: str, sections: Sequence[Section]) -> str:
    out = [f"# {name}", "", f"**{line}**", ""]
    for s in sections:
        out += [f"## {s.title}", "", *([s.text, ""] if s.text else [])]
        for head, *rows in s.tables:
            out += [_md_row(head), _md_row(["---"] * len(head)), *(_md_row(r) for r in rows), ""]
        for p in s.plots:
            if p:
                data = base64.b64encode(p.encode()).decode()
                out += [f"![{s.title}](data:image/svg+xml;base64,{data})", ""]
    return "\n".join(out)


def _md_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(c.replace("|", "\\|").split()) for c in cells) + " |"


def main(argv: Sequence[str] | None = None) -> int:
    """Write the report of a run, and say whether it is a go."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--run", type=Path, required=True)
    a = ap.parse_args(argv)
    return run_stage(lambda: print(f"{a.run / 'report.html'}: {write_report(a.run)}"))


if __name__ == "__main__":
    sys.exit(main())
