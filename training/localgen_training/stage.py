"""What every stage's own command shares: its errors become one message with a hint and an exit status."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from localgen_retrieval.errors import ExitCode, LocalgenError, ToolError, UsageError

# Set by the pipeline for the stages it starts; a stage that trains ends with it.
PARENT = "LOCALGEN_TRAIN_PARENT"


def run_stage(work: Callable[[], None]) -> int:
    """Do a stage's work; print what went wrong and return the exit status of the other commands (docs/cli.md)."""
    try:
        work()
    except LocalgenError as e:
        print(e, file=sys.stderr)
        return int(e.exit_code)
    except KeyboardInterrupt:
        print("interrupted; run it again to go on", file=sys.stderr)
        return int(ExitCode.INTERRUPTED)
    except (OSError, MemoryError, RuntimeError) as e:
        known = _known(e)
        if known is None:
            raise
        print(known, file=sys.stderr)
        return int(known.exit_code)
    return int(ExitCode.OK)


def _known(error: BaseException) -> LocalgenError | None:
    """Shortages as errors of the family; safetensors and torch wrap the system's message in their own."""
    text = str(error)
    if getattr(error, "errno", None) == errno.ENOSPC or "No space left" in text or "os error 28" in text:
        return ToolError(
            f"out of disk: {text}", hint="free some space and run it again: finished stages are kept", code="disk-full"
        )
    if isinstance(error, MemoryError) or "out of memory" in text.lower() or "can't allocate memory" in text.lower():
        return ToolError(
            f"out of memory: {text.splitlines()[0] if text else 'no more'}",
            hint="lower sft.length or sft.rows, use sft.method=lora, or a smaller base model",
            code="memory",
        )
    if isinstance(error, PermissionError):
        return UsageError(f"not allowed: {text}", code="permission")
    return None


def need_space(folder: Path, megabytes: float) -> None:
    """Refuse to begin what will not fit.

    Raises:
        ToolError: fewer than so many MB (10^6 bytes) are free where `folder` is.
    """
    here = folder
    while not here.exists():
        here = here.parent
    free = shutil.disk_usage(here).free / 1e6
    if free < megabytes:
        raise ToolError(
            f"{folder}: about {megabytes:,.0f} MB are needed, {free:,.0f} MB are free",
            hint="free some space, or put the runs elsewhere with --runs",
            code="disk-full",
        )


def quiet_libraries() -> None:
    """No bars, deprecations and advice of transformers, datasets and trl: a stage says itself how far it is."""
    import logging
    import warnings

    import datasets
    import transformers

    warnings.simplefilter("ignore", FutureWarning)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    datasets.disable_progress_bars()
    for name in ("trl", "gguf", "accelerate"):
        logging.getLogger(name).setLevel(logging.ERROR)


def parent_is_gone() -> bool:
    """Whether the pipeline that started this process has been killed."""
    parent = os.environ.get(PARENT)
    return parent is not None and str(os.getppid()) != parent
