"""Ten thousand scripts from a model with random weights, every one judged by the validator, by real Tcl and by lark.

    python bench/soak.py [--scripts 10000] [--seed 0]

Prints a table by domain and token budget. The exit status is 1 if one script is invalid, or if at the longest budget
fewer than 95% of the answers call a proc of the catalog.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import count, cycle
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from random_scripts import BUDGETS, MINIMAL, PNR, Tally, attack, budgets, random_domain  # noqa: E402
from tiny_model import write_tiny_model  # noqa: E402

from localgen_retrieval.catalog_io import Domain, load_domain  # noqa: E402

ENOUGH = 0.95


def domains(folder: Path, seed: int) -> Iterator[tuple[str, Domain, int]]:
    """(what it is, domain, generations to make), without end; the made-up domains are all different."""
    seeds = count(1000 * seed)
    for kind in cycle(("pnr", "minimal", *["random"] * 8)):
        if kind == "random":
            yield kind, random_domain(folder, next(seeds)), 16
        else:
            yield kind, load_domain(PNR if kind == "pnr" else MINIMAL), 60


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Validity of scripts that a model with random weights writes.")
    parser.add_argument("--scripts", type=int, default=10_000, help="how many to judge (default 10000)")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    tallies: dict[tuple[str, int], Tally] = {}
    done = shown = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = write_tiny_model(folder / "random.gguf", args.seed)
        for i, (kind, domain, runs) in enumerate(domains(folder, args.seed)):
            if done >= args.scripts:
                break
            made = attack(domain, model, runs=budgets(runs), seed=args.seed * 10_000 + i, cache_dir=folder / "cache")
            for budget, tally in made.items():
                tallies.setdefault((kind, budget), Tally()).add(tally)
                done += tally.scripts
                for failure in tally.failures[: max(0, 10 - shown)]:
                    shown += 1
                    print(f"INVALID {failure}\n")
            if sys.stderr.isatty():
                print(f"\r{done} scripts", end="", file=sys.stderr, flush=True)
    whole = Tally()
    for (kind, budget), tally in sorted(tallies.items()):
        print(f"{kind:<8}{budget:>4} tokens {tally}")
        whole.add(tally)
    print(f"{'all':<8}{'':>4}        {whole}")
    for example in whole.dropped_examples[:10]:
        print(f"  dropped, {example}")
    long = [tally for (_, budget), tally in tallies.items() if budget == max(BUDGETS)]
    answers, calling = sum(t.answers for t in long), sum(t.calling for t in long)
    print(f"{calling} of {answers} answers call a proc where there is room for one ({calling / max(1, answers):.1%})")
    return 1 if whole.failures or calling < ENOUGH * answers else 0


if __name__ == "__main__":
    sys.exit(main())
