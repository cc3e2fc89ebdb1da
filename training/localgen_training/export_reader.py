"""Exports a trained reader: its body as GGUF, its heads beside it, checked against the original.

    python -m localgen_training.export_reader --model training/runs/reader/model --out bundle/default/reader.gguf
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from localgen_retrieval.reader import PAGE_TOKENS, GgufReader

from .export_encoder import export
from .reader_data import draw_tasks
from .reader_model import HEADS_FILE, PageStates, Reader, wordpieces

MIN_AGREEMENT = 0.98


def agreement(gguf: Path, heads: Path, folder: Path, tasks: int) -> float:
    """Share of symbols and slots of held-out tasks about which both say the same (asked for or not, filled or not)."""
    from localgen_retrieval.reading import Pages

    model = Reader(folder)
    model.load_heads(folder / HEADS_FILE)
    model.eval()
    ours = GgufReader(gguf, heads)
    pages = Pages(wordpieces(folder), PAGE_TOKENS)
    same = total = 0
    for seed in range(tasks):
        task = draw_tasks(seed, 1, "validation")[0]
        answers = iter(ours.read(task.instruction, task.symbols).symbols)
        for page in pages.of(task.instruction, task.symbols):
            with torch.no_grad():
                states = model([page])
                for marks in page.marks:
                    read = PageStates(model, states, [page])
                    theirs = read.odds("symbol", [0], [marks.symbol]).tolist()
                    theirs += read.odds("slot", [0] * len(marks.slots), marks.slots).tolist() if marks.slots else []
                    found = next(answers)
                    mine = [found.asked, *(s.filled for s in found.slots)]
                    same += int(np.sum((np.array(mine) > 0) == (np.array(theirs) > 0)))
                    total += len(mine)
    return same / max(1, total)


def main(argv: Sequence[str] | None = None) -> int:
    """Export, check, and say how well it went; exit status 1 where the two disagree too often."""
    ap = argparse.ArgumentParser(prog="export_reader", description="Export a trained reader to GGUF (q8_0).")
    ap.add_argument("--model", type=Path, required=True, help="folder that train_reader wrote")
    ap.add_argument("--out", type=Path, required=True, help="the GGUF file to write; the heads go beside it")
    ap.add_argument("--tasks", type=int, default=60, help="how many tasks to check on; 0 for no check")
    a = ap.parse_args(argv)
    partial, heads = a.out.with_name(a.out.name + ".partial"), a.out.with_suffix(".heads.npz")
    export(a.model, partial)
    shutil.copyfile(a.model / HEADS_FILE, heads)
    if a.tasks:
        share = agreement(partial, heads, a.model, a.tasks)
        print(f"{a.tasks} tasks: the same said of {share:.2%} of symbols and slots")
        if share < MIN_AGREEMENT:
            print(f"too far from the original (at least {MIN_AGREEMENT:.0%}); left at {partial}", file=sys.stderr)
            return 1
    partial.replace(a.out)
    print(f"{a.out}: {a.out.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
