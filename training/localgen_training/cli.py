"""`localgen-train`: the stages of a training as commands.

localgen-train all --name default --minutes 90
localgen-train all --name pnr --base /models/Qwen2.5-Coder-1.5B-Instruct --quant q4_k_m
localgen-train sft --name pnr --set sft.epochs=2
localgen-train list
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from localgen_retrieval.errors import ExitCode, LocalgenError

from . import data_stage, pipeline, run_record
from .pipeline import Settings, done, plan
from .run_config import FILE, QUANTISATIONS, load_config, parse_changes
from .stages import NAMES, SIZES

_HELP = {
    "data": "make the examples (base runs)",
    "base": "make a small base model from the data (base runs without BASE)",
    "tokenizer": "learn the byte-pair merges from synthetic tasks (virtual runs)",
    "embeddings": "start the token embeddings from the sentence encoder (virtual runs)",
    "sft": "train, from the last checkpoint on",
    "merge": "merge the adapter into the base model (base runs)",
    "export": "trained model to GGUF, compared with the original",
    "quantize": "quantise the GGUF (base runs; those of our own model do it in export)",
    "eval": "suites through the generator, with and without the constraint",
    "report": "one page with plots and a go or no-go: report.html, report.md",
    "all": "every stage of the run in its order; those that are done are skipped",
    "list": "what each run has done so far",
}


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    ap = argparse.ArgumentParser(
        prog="localgen-train",
        description="Train, export and evaluate: our own small decoder, or a base model on a domain's examples.",
    )
    sub = ap.add_subparsers(dest="stage", required=True, metavar="STAGE")
    for name, text in _HELP.items():
        one = sub.add_parser(name, help=text, description=text[:1].upper() + text[1:] + ".")
        own = data_stage.command() if name == "data" else None
        if own is not None:
            own.add_arguments(one)
            one.set_defaults(own=own)
            continue
        one.add_argument("--name", default=None if name == "list" else "default", help="the run (default: default)")
        one.add_argument(
            "--runs", type=Path, default=pipeline.RUNS, help=f"folder of the runs (default: {pipeline.RUNS})"
        )
        if name != "list":
            _add_settings(one)
    return ap


def _add_settings(one: argparse.ArgumentParser) -> None:
    one.add_argument("--data", type=Path, help=f"folder of the examples (default: {pipeline.DATA}/NAME)")
    one.add_argument("--again", action="store_true", help="even if it is done already")
    kept = one.add_argument_group("settings", f"kept in the run's {FILE}")
    kept.add_argument("--base", help="folder of a base model in Hugging Face's form, or `small`")
    kept.add_argument("--num", type=int, help="examples that the data stage makes")
    kept.add_argument("--quant", "--quantise", dest="quant", choices=QUANTISATIONS, help="of the exported model")
    kept.add_argument("--suite", type=Path, action="append", default=[], help="a held-out folder to evaluate on")
    kept.add_argument("--limit", type=int, help="only the first N tasks of each suite")
    kept.add_argument("--processes", type=int, help="of the evaluation (default: one a core)")
    kept.add_argument("--seed", type=int, help="of data, training and evaluation (default: 0)")
    kept.add_argument("--size", choices=sorted(SIZES), help="of model and data (virtual runs)")
    kept.add_argument("--minutes", type=float, help="of training, over all sittings (virtual runs; default: 90)")
    kept.add_argument("--corpus", type=Path, help="folder of *.jsonl.xz (text, help examples; virtual runs)")
    kept.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="any setting, as in the file")
    this = one.add_argument_group("this time")
    this.add_argument("--out", type=Path, help="the exported model (virtual runs; default: model.gguf in the run)")
    this.add_argument("--threads", type=int, help="of training (virtual runs; default: all)")
    this.add_argument("--resume-from", type=Path, metavar="DIR", help="a checkpoint folder, of another machine too")
    this.add_argument("--fresh", action="store_true", help="train from the start, whatever checkpoints there are")


def settings_of(a: argparse.Namespace) -> Settings:
    """The run's settings: its config with what the command line changes.

    Raises:
        UsageError: a config, or a change, that is none.
    """
    given: dict[str, Any] = {
        "base.model": a.base, "data.num": a.num, "export.quantise": a.quant, "eval.limit": a.limit,
        "eval.processes": a.processes, "seed": a.seed, "virtual.size": a.size, "virtual.minutes": a.minutes,
        "virtual.corpus": str(a.corpus) if a.corpus else None, "eval.suites": [str(s) for s in a.suite] or None,
    }  # fmt: skip
    changes = {k: v for k, v in given.items() if v is not None} | parse_changes(a.set)
    if a.base:
        changes["kind"] = "base"
    elif a.size or a.minutes or a.corpus:
        changes["kind"] = "virtual"
    run = a.runs / a.name
    more = {"threads": a.threads} if a.threads else {}
    return Settings(
        run=run, config=load_config(run, changes), data_folder=a.data, out=a.out, resume_from=a.resume_from,
        fresh=a.fresh, again=a.again, **more,
    )  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Run one stage or all of them; exit status as of the other commands (docs/cli.md)."""
    a = parser().parse_args(argv)
    try:
        if a.stage == "list":
            for line in runs(a.runs, a.name):
                print(line)
            return int(ExitCode.OK)
        if getattr(a, "own", None) is not None:
            return int(a.own.run(a) or 0)
        settings = settings_of(a)
        stages = [s.name for s in plan(settings)] if a.stage == "all" else [a.stage]
        pipeline.run_pipeline(settings, stages, lambda line: print(line, file=sys.stderr, flush=True))
    except LocalgenError as e:
        print(e, file=sys.stderr)
        return int(e.exit_code)
    except KeyboardInterrupt:
        print("interrupted; run it again to go on", file=sys.stderr)
        return int(ExitCode.INTERRUPTED)
    return int(ExitCode.OK)


def runs(folder: Path, name: str | None) -> list[str]:
    """One line per run: its kind, the stages that are done, and what training has seen."""
    found = [folder / name] if name else sorted(p for p in folder.glob("*") if p.is_dir())
    lines = []
    for run in found:
        try:
            settings = Settings(run=run, config=_config_of(run))
            made = " ".join(s for s in NAMES if s in [x.name for x in plan(settings)] and done(settings, s))
        except LocalgenError as e:
            lines.append(f"{run.name}: {e.message}")
            continue
        lines.append(f"{run.name}: {settings.config.kind}; {made or 'nothing yet'}{_trained(run)}")
    return lines


def _config_of(run: Path) -> Any:
    """The config; runs of our own model from before there were configs have a tokenizer.json and none."""
    old = not (run / FILE).is_file() and (run / "tokenizer.json").is_file()
    return load_config(run, {"kind": "virtual"} if old else None)


def _trained(run: Path) -> str:
    tokens = run_record.load_record(run)["seen"].get("tokens", 0)
    minutes = run_record.trained_minutes(run)
    if minutes:
        return f"; {minutes:.0f} minutes, {tokens / 1e6:.1f} M tokens"
    steps = [m for m in run_record.metrics(run) if m.get("stage") == "sft" and "loss" in m]
    return f"; step {steps[-1]['step']} of {steps[-1]['of']}, loss {steps[-1]['loss']:.3f}" if steps else ""


if __name__ == "__main__":
    sys.exit(main())
