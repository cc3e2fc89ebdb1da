"""How far the confidence can be believed: a reliability table and the expected calibration error on held-out tasks.

    python bench/calibration.py [--attempts FILE] [--fresh] [--folders NAME…]
    python bench/calibration.py --fit      # writes localgen/calibration.json from the three tuning domains

Every task is answered without asking back; what the suite wants to be asked about counts as wrong. The weights are an
L2-penalised logistic regression (the penalty by leave-one-domain-out log loss); the table's figures for the domains
that the weights are fitted on are those of leave-one-domain-out fits, so that no figure is of a task that was fitted
on. ECE: mean of |confidence − share of right scripts| over ten bins of equal width, by their tasks (Naeini et al.,
2015).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from _attempts import ATTEMPTS, OTHERS, TUNING, TaskAttempt, kept
from numpy.typing import NDArray

from localgen.confidence import CALIBRATION, LEAST, NOTED, SURE, Calibration, load_calibration
from localgen.options import Options

Floats = NDArray[np.float64]
PENALTIES = (1.0, 3.0, 10.0, 20.0, 40.0, 80.0)
BINS = 10
AGAINST = frozenset({"doubted", "from_nowhere"})


def fit(rows: Sequence[TaskAttempt], penalty: float, names: Sequence[str] | None = None) -> Calibration:
    """Logistic regression by Newton's method; weights of standardised figures are penalised, the bias is not."""
    rows = [r for r in rows if _judgeable(r)]
    names = list(names or rows[0].figures)
    table = np.array([[r.figures[n] for n in names] for r in rows], np.float64)
    mean, scale = table.mean(axis=0), np.maximum(table.std(axis=0), 1e-3)
    x = np.hstack([np.ones((len(rows), 1)), (table - mean) / scale])
    y = np.array([r.right for r in rows], np.float64)
    pull = np.diag([0.0, *[penalty] * len(names)])
    w = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
        curvature = x.T @ (x * (p * (1 - p))[:, None]) + pull + 1e-9 * np.eye(len(w))
        step = np.linalg.solve(curvature, x.T @ (y - p) - pull @ w)
        w += step
        if np.abs(step).max() < 1e-8:
            break
    wrong = [n for i, n in enumerate(names) if n in AGAINST and w[i + 1] > 0]
    if wrong:  # what can only speak against a script says nothing here
        rest = fit(rows, penalty, [n for n in names if n not in wrong])
        return replace(rest, weights={**rest.weights, **dict.fromkeys(wrong, (0.0, 0.0, 1.0))})
    weights = {n: (float(w[i + 1]), float(mean[i]), float(scale[i])) for i, n in enumerate(names)}
    return Calibration(float(w[0]), weights)


def _judgeable(r: TaskAttempt) -> bool:
    """Whether the regression has a say: what is truncated or not valid has the least confidence anyway."""
    return bool(r.scripts) and r.scripts[0].valid and not r.scripts[0].truncated


def predicted(rows: Sequence[TaskAttempt], calibration: Calibration) -> Floats:
    """(rows,) the confidence of each."""
    return np.array([calibration.probability(r.figures) if _judgeable(r) else LEAST for r in rows])


def across(rows: Sequence[TaskAttempt], penalty: float) -> Floats:
    """(rows,) the confidence of each by a fit on the other domains."""
    out = np.zeros(len(rows))
    for folder in {r.folder for r in rows}:
        mine = [i for i, r in enumerate(rows) if r.folder == folder]
        out[mine] = predicted([rows[i] for i in mine], fit([r for r in rows if r.folder != folder], penalty))
    return out


def log_loss(p: Floats, right: Floats) -> float:
    """Mean negative log likelihood, in nats."""
    p = np.clip(p, 1e-3, 1 - 1e-3)
    return float(-(right * np.log(p) + (1 - right) * np.log(1 - p)).mean())


def expected_error(p: Floats, right: Floats) -> float:
    """The expected calibration error over `BINS` bins of equal width."""
    at = np.minimum((p * BINS).astype(int), BINS - 1)
    return float(sum(abs(p[at == b].sum() - right[at == b].sum()) for b in range(BINS)) / max(1, len(p)))


def discrimination(p: Floats, right: Floats) -> float:
    """Area under the curve: how often a right script has the higher confidence of a pair."""
    a, b = p[right == 1], p[right == 0]
    return float((a[:, None] > b).mean() + 0.5 * (a[:, None] == b).mean()) if len(a) and len(b) else float("nan")


def reliability(p: Floats, right: Floats) -> str:
    """The table: by bins of confidence, how many tasks, the mean confidence, the share of right scripts."""
    lines = ["confidence      tasks   mean  right"]
    for low, high in ((0, 0.1), (0.1, 0.3), (0.3, 0.5), (0.5, NOTED), (NOTED, SURE), (SURE, 1.01)):
        mine = (p >= low) & (p < high)
        if mine.any():
            figures = f"{mine.sum():9d} {p[mine].mean():6.2f} {right[mine].mean():6.2f}"
            lines.append(f"{low:4.1f} to {min(high, 1):4.1f} {figures}")
    return "\n".join(lines)


def withheld(rows: Sequence[TaskAttempt], p: Floats, below: float) -> tuple[int, int]:
    """(right scripts, wrong scripts) that a threshold withholds among those without another reason to ask."""
    mine = [r for r, c in zip(rows, p, strict=True) if c < below and not r.asked]
    return sum(r.right for r in mine), sum(not r.right for r in mine)


def _line(name: str, rows: Sequence[TaskAttempt], p: Floats) -> str:
    right = np.array([r.right for r in rows], np.float64)
    brier = float(((p - right) ** 2).mean())
    return (f"{name:<14}{len(rows):>6}{right.mean():>8.2f}{p.mean():>8.2f}{expected_error(p, right):>8.3f}"
            f"{brier:>8.3f}{discrimination(p, right):>8.2f}")  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables; with --fit, fit first."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--attempts", type=Path, default=ATTEMPTS, help="what was attempted is kept there")
    ap.add_argument("--fresh", action="store_true", help="attempt all tasks again")
    ap.add_argument("--folders", nargs="*", default=[*TUNING, *OTHERS])
    ap.add_argument("--fit", action="store_true", help="fit on the tuning domains and write the weights")
    a = ap.parse_args(argv)
    rows = kept(a.attempts, TUNING if a.fit else a.folders, Options(ask=False), fresh=a.fresh)
    tuning = [r for r in rows if r.folder in TUNING]
    others = [r for r in rows if r.folder not in TUNING]
    p = np.zeros(0)
    if tuning:
        right = np.array([r.right for r in tuning], np.float64)
        losses = {c: log_loss(across(tuning, c), right) for c in PENALTIES}
        penalty = min(losses, key=lambda c: losses[c])
        p = across(tuning, penalty)
        if a.fit:
            print("log loss by penalty: " + ", ".join(f"{c:g}: {v:.3f}" for c, v in losses.items()))
            found = fit(tuning, penalty)
            CALIBRATION.write_text(found.to_json(), "utf-8")
            for name, (w, _, _) in sorted(found.weights.items(), key=lambda x: -abs(x[1][0])):
                print(f"  {name:<16}{w:+.2f}")
    print("domain         tasks   right    mean     ECE   Brier     AUC")
    for folder in TUNING:
        mine = [i for i, r in enumerate(tuning) if r.folder == folder]
        if mine:
            print(_line(folder, [tuning[i] for i in mine], p[mine]))
    if tuning:
        print(_line("tuning", tuning, p))
    q = predicted(others, load_calibration())
    for folder in dict.fromkeys(r.folder for r in others):
        mine = [i for i, r in enumerate(others) if r.folder == folder]
        print(_line(folder, [others[i] for i in mine], q[mine]))
    if others:
        print(_line("others", others, q))
    for name, found_rows, c in (("tuning", tuning, p), ("others", others, q)):
        if not found_rows:
            continue
        print(f"\n{name}\n{reliability(c, np.array([r.right for r in found_rows], np.float64))}")
        print("withheld by --ask-below (right, wrong): " + ", ".join(
            f"{t:g}: {withheld(found_rows, c, t)}" for t in (0.02, 0.05, 0.08, 0.1, 0.15, 0.2, 0.3)))  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
