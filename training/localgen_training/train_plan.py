"""Fits the weights of a task's plan: `python -m localgen_training.train_plan --out localgen/decoder/plan_weights.json`.

A semi-Markov conditional random field (Sarawagi and Cohen, Semi-Markov Conditional Random Fields for Information
Extraction, 2004) over the clauses of an instruction: what the reference script's statements are, and which words ask
for each, is known; the weights make those plans likely among all. Trained on the written domains of the split
"planning", which neither encoder nor reader was trained on; the table's figures are of "validation".
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from localgen.advice import considered
from localgen.decoder.plan_features import FOLLOWS, REMARK, STATEMENT, PlanWeights, plan_weights
from localgen.decoder.plan_lattice import Lattice
from localgen.guide import DomainReader
from localgen_bundle.default import encoder_path, reader_paths
from localgen_grammars.constraint.grounding import words_of
from localgen_retrieval.encoder import Encoder, GgufEncoder
from localgen_retrieval.index import open_index
from localgen_retrieval.reader import GgufReader
from localgen_retrieval.retrieve import Retriever

from .written import WrittenDomain, WrittenTask, domain_folders

# Candidates of each run, more than are tried when planning; tasks of a step; the penalty on leaving the weights before.
TRIED, BATCH, PENALTY = 8, 32, 0.02
EPOCHS, RATE = 16, 0.03
# A task counts at most so many nats: what no plan can explain is not worth bending all others for. One statement is
# what is asked for most: such tasks count more.
MOST, SINGLE = 6.0, 1.6
_NEVER = -1e4


@dataclass(frozen=True)
class Asked:
    """A symbol that is asked for: its names as candidates have them, and the clause; None where there is one only."""

    symbols: frozenset[str]
    clause: int | None


@dataclass(frozen=True)
class Way:
    """The statements that are tried for one run of clauses.

    Attributes:
        which: (statements,) candidates; features: (statements, STATEMENT); right: (statements,) as asked for.
    """

    first: int
    last: int
    which: torch.Tensor
    features: torch.Tensor
    right: torch.Tensor


@dataclass(frozen=True)
class PlanTask:
    """A task with all its plans, and which are right.

    Attributes:
        remarks: (clauses, REMARK); silent: (clauses,) whether each asks for nothing.
        transitions: (candidates + 1, candidates, FOLLOWS).
        once: one statement is asked for, by words that are not marked.
    """

    suite: str
    ways: tuple[Way, ...]
    remarks: torch.Tensor
    silent: tuple[bool, ...]
    transitions: torch.Tensor
    once: bool
    asked: tuple[Asked, ...]
    lattice: Lattice
    names: tuple[str, ...]


def asked_of(task: WrittenTask, domain: WrittenDomain, spans: Sequence[tuple[int, int]]) -> tuple[Asked, ...]:
    """What a task's reference asks for, clause by clause; nothing where its clauses do not tell its parts apart."""
    used = [u.symbol for u in task.uses]
    if not task.clauses:
        return (Asked(frozenset(used), None),) if len(set(used)) == 1 else ()
    found: dict[tuple[int, frozenset[str]], Asked] = {}
    for words, symbol in task.clauses:
        names = frozenset(u for u in used if symbol in (u, domain.productions.get(u)))
        middle = task.instruction.find(words) + len(words) // 2
        clause = next(i for i, (start, end) in enumerate(spans) if start <= middle < end)
        found[clause, names] = Asked(names, clause)
    if not all(a.symbols for a in found.values()) or len({c for c, _ in found}) < len(found):
        return ()
    return tuple(sorted(found.values(), key=lambda a: a.clause or 0))


def tasks_of(split: str, encoder: Encoder, reader: GgufReader) -> Iterator[PlanTask]:
    """The tasks of a split of which some plan is right."""
    for folder in domain_folders(split):
        domain = WrittenDomain(folder)
        retriever = Retriever(open_index(domain.domain, encoder, None), encoder)
        reads = DomainReader(domain.domain, domain.grammars, reader)
        for task in domain.tasks:
            ranking = retriever.rank(task.instruction)
            guide = reads.read(task.instruction, ranking)
            *_, lattice = considered(guide, ranking, encoder.encode, words_of(task.instruction), TRIED)
            made = _plan_task(task, domain, lattice)
            if made is not None:
                yield made


def _plan_task(task: WrittenTask, domain: WrittenDomain, lattice: Lattice) -> PlanTask | None:
    asked = asked_of(task, domain, lattice.spans)
    dsls = list(domain.dsls.values())
    names = tuple(
        dsls[c.statement[0]].symbols[c.statement[1]].name if c.statement else c.branch.removeprefix("set ")
        for c in lattice.candidates
    )
    if not asked or any(not a.symbols & set(names) for a in asked):
        return None
    once = asked[0].clause is None
    ways = []
    for j, steps in enumerate(lattice.steps):
        for i in sorted({s.first for s in steps}):
            mine = [s for s in steps if s.first == i]
            here = [a for a in asked if once or i <= (a.clause or 0) < j]
            right = [len(here) == 1 and names[s.which] in here[0].symbols for s in mine]
            ways.append(Way(
                i, j, torch.tensor([s.which for s in mine]),
                torch.tensor(np.stack([s.features for s in mine]), dtype=torch.float32), torch.tensor(right),
            ))  # fmt: skip
    silent = tuple(once or all(a.clause != j for a in asked) for j in range(len(lattice.spans)))
    made = PlanTask(
        task.suite, tuple(ways), torch.tensor(lattice.remarks, dtype=torch.float32), silent,
        torch.tensor(lattice.transitions, dtype=torch.float32), once, asked, lattice, names,
    )  # fmt: skip
    zero = torch.zeros
    possible = log_sum(made, zero(len(STATEMENT)), zero(len(REMARK)), zero(len(FOLLOWS)), right=True) > _NEVER / 2
    return made if bool(possible) else None


def log_sum(
    task: PlanTask, statement: torch.Tensor, remark: torch.Tensor, follows: torch.Tensor, *, right: bool
) -> torch.Tensor:
    """Log of the summed exponential scores of all plans that ask for something, or of the right ones."""
    n, k = len(task.silent), task.transitions.shape[1]
    begin = torch.full((k + 1,), _NEVER)
    begin[k] = 0.0
    forward = [begin]
    remarks, moves = task.remarks @ remark, task.transitions @ follows
    for j in range(1, n + 1):
        parts = [forward[j - 1] + remarks[j - 1]] if task.silent[j - 1] or not right else []
        for way in (w for w in task.ways if w.last == j):
            if right and not bool(way.right.any()):
                continue
            score = way.features @ statement
            score = torch.where(way.right, score, torch.tensor(_NEVER)) if right else score
            before = forward[way.first]
            if right and task.once:
                value = before[k] + moves[k][way.which] + score
            else:
                value = torch.logsumexp(before[:, None] + moves[:, way.which], 0) + score
            parts.append(torch.full((k + 1,), _NEVER).index_put((way.which,), value))
        forward.append(torch.logsumexp(torch.stack(parts), 0) if parts else torch.full((k + 1,), _NEVER))
    return torch.logsumexp(forward[n][:k], 0)


def train(tasks: Sequence[PlanTask], start: PlanWeights, seed: int = 0) -> PlanWeights:
    """The weights that make the right plans likeliest, by Adam with a falling rate."""
    order, shuffle = list(tasks), random.Random(seed)
    before = [torch.tensor(w, dtype=torch.float32) for w in (start.statement, start.remark, start.follows)]
    groups = [w.clone().requires_grad_() for w in before]
    optimizer = torch.optim.Adam(groups, lr=RATE)
    for epoch in range(EPOCHS):
        shuffle.shuffle(order)
        for g in optimizer.param_groups:
            g["lr"] = RATE * (1 - epoch / EPOCHS)
        for at in range(0, len(order), BATCH):
            batch = order[at : at + BATCH]
            losses = [
                (log_sum(t, *groups, right=False) - log_sum(t, *groups, right=True)).clamp(max=MOST)
                * (SINGLE if t.suite == "unit" else 1.0) for t in batch
            ]  # fmt: skip
            far = torch.stack([((g - b) ** 2).sum() for g, b in zip(groups, before, strict=True)]).sum()
            loss = torch.stack(losses).mean() + PENALTY * far
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return PlanWeights(*(g.detach().numpy().astype(np.float64) for g in groups))


def right_plans(tasks: Sequence[PlanTask], weights: PlanWeights) -> Counter[tuple[str, bool]]:
    """How many tasks of each suite have the right statements in their best plan (True), and how many do not."""
    out: Counter[tuple[str, bool]] = Counter()
    for t in tasks:
        t.lattice.weights = weights
        steps, _ = t.lattice.best()
        made = [t.names[s.which] for s in steps]
        out[t.suite, len(made) == len(t.asked) and all(m in a.symbols for m, a in zip(made, t.asked, strict=True))] += 1
    return out


def main(argv: Sequence[str] | None = None) -> None:
    """Fit, print the table, write the weights."""
    ap = argparse.ArgumentParser(description="Weights of a task's plan.")
    ap.add_argument("--out", type=Path, required=True, help="the JSON file to write")
    ap.add_argument("--encoder", type=Path, default=encoder_path())
    ap.add_argument("--reader", type=Path, default=reader_paths()[0], help="with its .heads.npz beside it")
    ap.add_argument("--seed", type=int, default=0)
    a = ap.parse_args(argv)
    encoder, reader = GgufEncoder(a.encoder), GgufReader(a.reader, a.reader.with_suffix(".heads.npz"))
    tasks = {split: list(tasks_of(split, encoder, reader)) for split in ("planning", "validation")}
    reader.close()
    before = plan_weights()
    weights = train(tasks["planning"], before, a.seed)
    print(f"{'right plans':<12}{'suite':<10}{'before':>8}{'after':>8}{'of':>6}")
    for split, mine in tasks.items():
        old, new = right_plans(mine, before), right_plans(mine, weights)
        for suite in sorted({t.suite for t in mine}):
            count = new[suite, True] + new[suite, False]
            print(f"{split:<12}{suite:<10}{old[suite, True]:>8}{new[suite, True]:>8}{count:>6}")
    partial = a.out.with_suffix(".partial")
    partial.write_text(weights.to_json(), encoding="utf-8")
    partial.replace(a.out)


if __name__ == "__main__":
    main()
