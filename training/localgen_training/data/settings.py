"""What a data set is asked for, and what it is made from; equal keys give equal bytes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from localgen_retrieval.errors import UsageError

from ..run_record import PACKAGE, data_digest
from .scripts import RealScript, scripts_of
from .source import Source, open_source

CHUNK = 100
# Of all examples, in percent. What a domain has nothing for goes to the others.
CATEGORY_SHARES = {
    "script": 5, "sweep": 25, "production": 12, "flow": 16, "virtual": 14, "repair": 8, "clarification": 20,
}  # fmt: skip


@dataclass(frozen=True)
class DataSettings:
    """What one data set is asked for.

    Attributes:
        domains: names of bundled domains, or folders.
        num: examples of the three splits together; negatives come beside them.
        scripts: a folder of the team's own scripts, for the first domain.
        paraphrase: where a model is that words tasks anew: a GGUF file's path or a server's URL, "" for none.
        paraphrase_share: how many of the tasks it is given.
        spread: so many tasks are embedded to measure how far they lie apart; 0 for none.
    """

    domains: tuple[str, ...]
    num: int = 5000
    seed: int = 0
    scripts: Path | None = None
    paraphrase: str = ""
    paraphrase_share: float = 0.3
    spread: int = 256


@dataclass(frozen=True)
class Material:
    """The domains and scripts, read."""

    sources: tuple[Source, ...]
    scripts: tuple[tuple[RealScript, ...], ...]


def read_material(settings: DataSettings) -> Material:
    """Read everything that examples are made from.

    Raises:
        UsageError: no domain, two of one name, or one with nothing to make tasks of.
        CatalogError, GrammarError: a domain that cannot be used.
    """
    if not settings.domains:
        raise UsageError("no domain given", hint="--domain DIR, or the name of a bundled one", code="usage")
    sources = tuple(open_source(d) for d in settings.domains)
    names = [s.domain.name for s in sources]
    if len(set(names)) < len(names):
        hint = "give each domain once; a catalog's `name` tells it from others"
        raise UsageError(f"two domains are called {max(names, key=names.count)}", hint=hint, code="domain-twice")
    for given, source in zip(settings.domains, sources, strict=True):
        if source.empty:
            hint = "a catalog needs procs or variables, or a DSL with a grammar, that may be generated"
            raise UsageError(f"{given}: nothing to make tasks of", hint=hint, code="domain-empty")
    scripts = tuple(tuple(scripts_of(s, settings.scripts if i == 0 else None)) for i, s in enumerate(sources))
    return Material(sources, scripts)


def key_of(settings: DataSettings, material: Material) -> str:
    """sha256 (hex) over what decides the bytes: settings, domains, scripts, and the sources of the generator."""
    total = hashlib.sha256()
    facts = {
        "seed": settings.seed,
        "num": settings.num,
        "domains": [[s.domain.name, s.domain.digest] for s in material.sources],
        "scripts": [[[x.path, x.task, x.body] for x in group] for group in material.scripts],
        "paraphrase": [settings.paraphrase, settings.paraphrase_share if settings.paraphrase else 0],
        "spread": settings.spread,
        "families": data_digest(),
    }
    total.update(json.dumps(facts, sort_keys=True).encode("utf-8", "surrogatepass"))
    for path in sorted((PACKAGE / "data").glob("*.py")):
        total.update(f"{path.name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()
