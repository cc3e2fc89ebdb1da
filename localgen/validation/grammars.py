"""The compiled DSL grammars of a domain, each compiled once per process."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from localgen_grammars.dsl import DslGrammar, load_grammar
from localgen_retrieval.catalog_io import Domain


def grammars_of(domain: Domain) -> dict[str, DslGrammar]:
    """The grammars by DSL name; a DSL without a grammar has no entry. Raises GrammarError."""
    return {name: _compiled(text, name, domain.grammar_paths.get(name)) for name, text in domain.grammars.items()}


@lru_cache(maxsize=64)
def _compiled(text: str, name: str, path: Path | None) -> DslGrammar:
    return load_grammar(text, name, path)
