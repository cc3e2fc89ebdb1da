"""The compiled DSL grammars of a domain, each compiled when a block needs it, once per process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from localgen_retrieval.catalog_io import Domain

if TYPE_CHECKING:
    from localgen_grammars.dsl import DslGrammar, DslSyntaxError
    from localgen_retrieval.catalog import Dsl


class Grammars(Mapping[str, "DslGrammar"]):
    """The grammars by DSL name; a DSL without a grammar has no entry. Looking one up raises GrammarError."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain

    def __getitem__(self, name: str) -> DslGrammar:
        return compiled(self._domain.grammars[name], name, self._domain.grammar_paths.get(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._domain.grammars)

    def __len__(self) -> int:
        return len(self._domain.grammars)


def grammars_of(domain: Domain) -> Grammars:
    """The grammars of a domain."""
    return Grammars(domain)


@lru_cache(maxsize=64)
def compiled(text: str, name: str, path: Path | None) -> DslGrammar:
    """A grammar, compiled once per process: the last 64 are kept."""
    # A script without a block does not pay for lark.
    from localgen_grammars.dsl import load_grammar

    return load_grammar(text, name, path)


def dsl_hint(error: DslSyntaxError, dsl: Dsl) -> str:
    """What could stand there, and the catalog's example of a production that is left."""
    example = next((p.example for p in dsl.productions if p.name in error.productions and p.example), "")
    return "; ".join(filter(None, (error.hint, f"like {' '.join(example.split())}" if example else "")))
