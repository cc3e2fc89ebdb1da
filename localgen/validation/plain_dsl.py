"""The checks of a domain without a host language: the whole text is one DSL text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from localgen.validation.findings import Collector
from localgen.validation.grammars import dsl_hint
from localgen.validation.repairs import headed, misspelt_token
from localgen_retrieval.catalog import Catalog

if TYPE_CHECKING:
    from localgen_grammars.dsl import DslGrammar


def check_plain(text: str, catalog: Catalog, grammars: Mapping[str, DslGrammar], collector: Collector) -> int:
    """Check a text against the first DSL with a grammar; returns the number of blocks, 1."""
    from localgen_grammars.dsl import DslSyntaxError

    header = catalog.policy.required_header
    if header and not text.lstrip("\ufeff\n").startswith(header):
        message = f"the text does not begin with {header}"
        collector.add("POL003", 0, 0, message, repairs=(headed(text, header),))
    dsl = next((d for d in catalog.dsls if d.name in grammars), None)
    if dsl is None:
        return 1
    try:
        grammars[dsl.name].parse(text)
    except DslSyntaxError as e:
        at, end = e.offset, e.offset + e.length
        collector.add("DSL001", at, end, e.message, dsl_hint(e, dsl), repairs=misspelt_token(text, at, e.expected))
    return 1
