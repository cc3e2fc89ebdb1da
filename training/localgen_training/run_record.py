"""What is known of a run: run.json (seed, versions, data, what was seen, figures) and the metrics of its training."""

from __future__ import annotations

import hashlib
import json
import platform
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent
SEED = 0
_VERSIONS = (
    "torch", "transformers", "tokenizers", "numpy", "sentence-transformers", "gguf", "llama-cpp-python", "trl", "peft",
    "accelerate", "datasets",
)  # fmt: skip
# What decides which tasks a seed gives, and how they read.
_DATA_MODULES = ("families", "values", "virtual_api", "compose", "noise", "synthesis", "batches")
_SHARED_MODULES = ("localgen_retrieval/render.py", "localgen_retrieval/prompt.py", "localgen_grammars/quoting.py")


def metrics(run: Path) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl that are whole."""
    path = run / "metrics.jsonl"
    out = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            out.append(json.loads(line))
        except ValueError:  # cut off by a kill
            continue
    return out


def append_metrics(run: Path, line: dict[str, Any]) -> None:
    """Add a line to metrics.jsonl, which only grows; one that a kill cut off is closed first."""
    path = run / "metrics.jsonl"
    run.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as f:
        if f.tell():
            f.seek(-1, 2)
            if f.read(1) != b"\n":
                f.write(b"\n")
        f.write((json.dumps(line, ensure_ascii=False) + "\n").encode())


def trained_minutes(run: Path) -> float:
    """Minutes of training so far: by the finished sittings, or by the metrics where a sitting was killed."""
    recorded = float(load_record(run)["stages"].get("sft", {}).get("minutes", 0.0))
    return max(recorded, sum(100 * float(m.get("seconds_per_step", 0)) for m in metrics(run)) / 60)


def seen(run: Path) -> dict[str, int]:
    """Steps, tokens and tasks that the checkpoint has seen."""
    import torch

    saved = torch.load(run / "checkpoint.pt", weights_only=True, map_location="cpu", mmap=True)
    return {k: int(saved[k]) for k in ("step", "tokens", "tasks")}


def data_digest() -> str:
    """sha256 (hex) over the families and the sources of the generator: equal digests, equal data for equal seeds."""
    import localgen_grammars
    import localgen_retrieval

    roots = [Path(m.__file__ or "").parent.parent for m in (localgen_retrieval, localgen_grammars)]
    files = [PACKAGE / f"{name}.py" for name in _DATA_MODULES] + sorted((PACKAGE / "families").rglob("*.yaml"))
    files += [path for name in _SHARED_MODULES for root in roots if (path := root / name).is_file()]
    total = hashlib.sha256()
    for path in files:
        total.update(f"{path.name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def load_record(run: Path) -> dict[str, Any]:
    """run.json, or an empty record."""
    path = run / "run.json"
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return {"stages": {}, "data": [], "seen": {}, "figures": {}} | record


def note_data(record: dict[str, Any], run: Path) -> None:
    """Which data training reads from which step on (a change of families or generator between sittings shows)."""
    digest = data_digest()
    if not record["data"] or record["data"][-1]["digest"] != digest:
        step = seen(run)["step"] if (run / "checkpoint.pt").is_file() else 0
        record["data"].append({"digest": digest, "from_step": step})


def update_record(run: Path, facts: dict[str, Any], change: Callable[[dict[str, Any]], None]) -> None:
    """Change run.json, whole or not at all: `facts` are put in beside seed and versions, then `change` is applied."""
    record = load_record(run)
    record |= {
        "name": run.name,
        "seed": SEED,
        "versions": {"python": platform.python_version(), **{n: v for n in _VERSIONS if (v := _version(n))}},
        "updated": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        **facts,
    }
    change(record)
    partial = run / "run.json.partial"
    partial.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    partial.replace(run / "run.json")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
