"""Calls the data stage, which has a command of its own, for a run.

    python -m localgen_training.data_stage --run training/runs/pnr --data training/data/pnr

The run's config says which domains, how many examples and which seed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from localgen_retrieval.errors import ExitCode, UsageError

from .run_config import load_config
from .stage import run_stage

MODULE = "localgen_training.data.command"


def command() -> Any:
    """The module with `add_arguments(parser)` and `run(arguments)`; None where there is none."""
    try:
        return import_module(MODULE) if find_spec(MODULE) is not None else None
    except ModuleNotFoundError:
        return None


def make_data(run: Path, data: Path) -> int:
    """Make training/data/NAME for a run.

    Raises:
        UsageError: there is no data stage in this installation.
    """
    module = command()
    if module is None:
        raise UsageError(
            "there is no data stage here", hint=f"put train.jsonl, validation.jsonl and test.jsonl into {data}",
            code="data-missing",
        )  # fmt: skip
    config = load_config(run)
    parser = argparse.ArgumentParser(prog="localgen-train data")
    module.add_arguments(parser)
    words = ["--name", data.name, "--out", str(data.parent), "--num", str(config.data.num), "--seed", str(config.seed)]
    words += [w for domain in config.domains(run.resolve().name) for w in ("--domain", domain)]
    return int(module.run(parser.parse_args([*words, *config.data.options])) or 0)


def main(argv: Sequence[str] | None = None) -> int:
    """Make a run's data."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--run", type=Path, required=True)
    ap.add_argument("--data", type=Path, required=True)
    a = ap.parse_args(argv)
    status = int(ExitCode.OK)

    def work() -> None:
        nonlocal status
        status = make_data(a.run, a.data)

    return run_stage(work) or status


if __name__ == "__main__":
    sys.exit(main())
