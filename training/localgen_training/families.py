"""Task families: hand-written concepts, from which random APIs and instructions are made.

One YAML file per field of work (`families/*.yaml`). A concept is a thing somebody asks for: names a proc could have,
docs, ways to say it with its required arguments, remarks that people make beside it, and for each argument its names,
values and ways to say it. Knows the file format only; what becomes of a concept is `virtual_api`'s and `compose`'s
business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

FAMILIES = Path(__file__).parent / "families"
# Fields kept out of training: their tasks measure what the model does with language it has not seen.
VALIDATION_FIELDS = ("rail_signalling", "audio_mixing", "user_accounts")
PLAIN = re.compile(r"[a-z]{3,}(?:_[a-z]+)?")
SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class ArgSpec:
    """One argument of a concept: how it may be named, what values it takes, how people say it."""

    key: str
    type: str
    names: tuple[str, ...]
    docs: tuple[str, ...] = ()
    optional: bool = False
    pool: str = ""
    unit: str = ""
    low: float = 0.0
    high: float = 100.0
    step: float = 0.0
    list_: bool = False
    values: dict[str, tuple[str, ...]] = field(default_factory=dict)
    say: tuple[str, ...] = ()
    say_true: tuple[str, ...] = ()
    say_false: tuple[str, ...] = ()


@dataclass(frozen=True)
class Concept:
    """Something a person may ask a tool to do (or to tell, where `returns` is set)."""

    id: str
    field: str
    names: tuple[str, ...]
    docs: tuple[str, ...]
    object: str
    say: tuple[str, ...]
    ask: tuple[str, ...]
    args: tuple[ArgSpec, ...]
    returns: str
    remarks: tuple[str, ...] = ()

    @property
    def required(self) -> tuple[ArgSpec, ...]:
        return tuple(a for a in self.args if not a.optional)

    @property
    def optional(self) -> tuple[ArgSpec, ...]:
        return tuple(a for a in self.args if a.optional)


@dataclass(frozen=True)
class Field:
    """One field of work: its concepts and the values its strings take."""

    name: str
    namespaces: tuple[str, ...]
    pools: dict[str, tuple[str, ...]]
    concepts: tuple[Concept, ...]


def _texts(v: Any) -> tuple[str, ...]:
    if v is None:
        return ()
    return tuple(_text(x) for x in v) if isinstance(v, list) else (_text(v),)


def _text(v: Any) -> str:
    return ("true" if v else "false") if isinstance(v, bool) else str(v)


def _arg(key: str, d: dict[str, Any]) -> ArgSpec:
    low, high = d.get("range", (0, 100))
    return ArgSpec(
        key=key,
        type=d["type"],
        names=_texts(d.get("names")) or (key,),
        docs=_texts(d.get("docs") or d.get("doc")),
        optional=bool(d.get("opt")) or d["type"] == "flag",
        pool=d.get("pool", ""),
        unit=_text(d.get("unit") or ""),
        low=float(low),
        high=float(high),
        step=float(d.get("step", 0)),
        list_=bool(d.get("list")),
        values={_text(k): _texts(v) for k, v in (d.get("values") or {}).items()},
        say=_texts(d.get("say")),
        say_true=_texts(d.get("say_true")),
        say_false=_texts(d.get("say_false")),
    )


def load_field(path: Path) -> Field:
    """Read one family file.

    Raises:
        ValueError: a slot without an argument, or a required argument that a sentence does not mention.
    """
    # The loader in C where there is one: the families take seconds without it.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    data = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
    concepts = []
    for c in data["concepts"]:
        concept = Concept(
            id=c["id"],
            field=data["field"],
            names=_texts(c["names"]),
            docs=_texts(c["docs"]),
            object=_text(c.get("object", "")),
            say=_texts(c["say"]),
            ask=_texts(c.get("ask")),
            args=tuple(_arg(k, d) for k, d in c["args"].items()),
            returns=_text(c.get("returns") or ""),
            remarks=_texts(c.get("remarks")),
        )
        _check(concept, data["pools"], path)
        concepts.append(concept)
    pools = {k: _texts(v) for k, v in data["pools"].items()}
    return Field(data["field"], _texts(data["namespaces"]), pools, tuple(concepts))


def _check(c: Concept, pools: dict[str, Any], path: Path) -> None:
    required = {a.key for a in c.required}
    for sentence in (*c.say, *c.ask):
        if set(SLOT.findall(sentence)) != required:
            raise ValueError(f"{path.name}: {c.id}: {sentence!r} must mention exactly {sorted(required)}")
    for remark in c.remarks:
        if SLOT.search(remark):
            raise ValueError(f"{path.name}: {c.id}: the remark {remark!r} must not have a slot")
    for a in c.args:
        if a.type == "string" and a.pool not in pools:
            raise ValueError(f"{path.name}: {c.id}.{a.key}: no pool {a.pool!r}")
        if a.type == "enum" and not a.values:
            raise ValueError(f"{path.name}: {c.id}.{a.key}: an enum needs values")


@lru_cache(maxsize=1)
def all_fields() -> tuple[Field, ...]:
    """Every family file, in the order of its name."""
    return tuple(load_field(p) for p in sorted(FAMILIES.glob("*.yaml")))


@lru_cache(maxsize=1)
def plain_words() -> tuple[str, ...]:
    """Names that are plain words (`orchard`, `north_gate`), of all training fields: any of them may name a thing."""
    found = {v for f in split_fields("train") for pool in f.pools.values() for v in pool if PLAIN.fullmatch(v)}
    return tuple(sorted(found))


def split_fields(split: str) -> tuple[Field, ...]:
    """The fields of one split: `train`, or `validation` (never trained on)."""
    held = split == "validation"
    return tuple(f for f in all_fields() if (f.name in VALIDATION_FIELDS) == held)
