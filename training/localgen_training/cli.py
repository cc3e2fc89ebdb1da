"""`localgen-train`: the stages of a training as commands.

localgen-train data --name mine --domain my-domain/ --num 5000
localgen-train all --name default --minutes 90
localgen-train sft --name default --minutes 30
localgen-train list
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from localgen_retrieval.errors import ExitCode, LocalgenError

from . import pipeline, run_record
from .data import command as data_command

_HELP = {
    "tokenizer": "learn the byte-pair merges from synthetic tasks (and a corpus, where one is given)",
    "embeddings": "start the token embeddings from the sentence encoder",
    "sft": "train on synthetic tasks, from the last checkpoint on",
    "export": "checkpoint to GGUF, quantised and compared with the original",
    "eval": "held-out suites through the generator with the exported model",
    "all": "every stage in this order; those that are done are skipped",
    "list": "what each run has done so far",
}


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    ap = argparse.ArgumentParser(
        prog="localgen-train", description="Train, export and evaluate localgen's small decoder."
    )
    sub = ap.add_subparsers(dest="stage", required=True, metavar="STAGE")
    made = sub.add_parser("data", help=data_command.HELP, description=data_command.HELP.capitalize() + ".")
    data_command.add_arguments(made)
    for name, text in _HELP.items():
        one = sub.add_parser(name, help=text, description=text[:1].upper() + text[1:] + ".")
        one.add_argument("--name", default=None if name == "list" else "default", help="the run (default: default)")
        one.add_argument(
            "--runs", type=Path, default=pipeline.RUNS, help=f"folder of the runs (default: {pipeline.RUNS})"
        )
        if name == "list":
            continue
        one.add_argument("--size", choices=sorted(pipeline.SIZES), default="default", help="of model and data")
        one.add_argument("--minutes", type=float, default=90.0, help="of training, over all sittings (default: 90)")
        one.add_argument("--corpus", type=Path, help="folder of *.jsonl.xz (text, help examples)")
        one.add_argument("--quantise", default="q8_0", help="of the exported model (default: q8_0)")
        one.add_argument("--out", type=Path, help="the exported model (default: model.gguf in the run folder)")
        one.add_argument(
            "--suite", type=Path, action="append", default=[], help="a held-out folder (default: all of them)"
        )
        one.add_argument("--limit", type=int, help="only the first N tasks of each suite")
        one.add_argument("--threads", type=int, help="of training (default: all)")
    return ap


def main(argv: Sequence[str] | None = None) -> int:
    """Run one stage or all of them; exit status as of the other commands (docs/cli.md)."""
    a = parser().parse_args(argv)
    try:
        if a.stage == "data":
            return data_command.run(a)
        if a.stage == "list":
            for line in runs(a.runs, a.name):
                print(line)
            return int(ExitCode.OK)
        settings = pipeline.Settings(
            run=a.runs / a.name,
            size=a.size,
            minutes=a.minutes,
            corpus=a.corpus,
            quantise=a.quantise,
            out=a.out,
            suites=tuple(a.suite),
            limit=a.limit,
        )
        if a.threads:
            settings = replace(settings, threads=a.threads)
        stages = pipeline.STAGES if a.stage == "all" else (a.stage,)
        pipeline.run_pipeline(settings, stages, lambda line: print(line, file=sys.stderr, flush=True))
    except LocalgenError as e:
        print(e, file=sys.stderr)
        return int(e.exit_code)
    except KeyboardInterrupt:
        print("interrupted; run it again to go on", file=sys.stderr)
        return int(ExitCode.INTERRUPTED)
    return int(ExitCode.OK)


def runs(folder: Path, name: str | None) -> list[str]:
    """One line per run: the stages that have left something, and what training has seen."""
    found = [folder / name] if name else sorted(p for p in folder.glob("*") if p.is_dir())
    lines = []
    for run in found:
        outputs = {
            "tokenizer": run / "tokenizer.json",
            "embeddings": run / "embeddings.npy",
            "sft": run / "checkpoint.pt",
            "export": run / "export.json",
            "eval": run / "eval.json",
        }
        made = " ".join(stage for stage, path in outputs.items() if path.is_file()) or "nothing yet"
        tokens = run_record.load_record(run)["seen"].get("tokens", 0)
        minutes = run_record.trained_minutes(run)
        lines.append(f"{run.name}: {made}; {minutes:.0f} minutes, {tokens / 1e6:.1f} M tokens")
    return lines


if __name__ == "__main__":
    sys.exit(main())
