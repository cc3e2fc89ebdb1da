"""Validation of one script against a domain: the door through which the pipeline, the CLI and editors come."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from localgen.validation.codes import Level
from localgen.validation.findings import Collector
from localgen.validation.grammars import grammars_of
from localgen.validation.plain_dsl import check_plain
from localgen.validation.report import Report
from localgen.validation.suppressions import DIRECTIVE, suppress
from localgen.validation.tcl.check import check_tcl
from localgen_grammars.dsl import DslGrammar
from localgen_retrieval.catalog import Catalog
from localgen_retrieval.catalog_io import Domain

_Check = Callable[[str, Catalog, Mapping[str, DslGrammar], Collector], int]

HOSTS: dict[str, _Check] = {"tcl": check_tcl, "none": check_plain}


def validate_script(
    text: str,
    domain: Domain,
    *,
    strict: bool = False,
    filename: str = "",
    levels: Mapping[str, Level] | None = None,
    suppressions: bool = False,
) -> Report:
    """Check a script: Tcl syntax, catalog conformance, DSL blocks, policy, variables.

    Args:
        text: the script; any kind of line end.
        domain: the catalog and grammars it is written for.
        strict: report as errors what is a warning otherwise (see `codes`); generated scripts are checked so.
        filename: what the report calls the script.
        levels: severities by code that count instead of the codes' own, with `strict` too.
        suppressions: obey comments like `# localgen: disable=CAT012`; a generated script has no say in its own verdict.

    Raises:
        GrammarError: a DSL grammar of the domain cannot be compiled.
    """
    unified = unify(text)
    collector = Collector(unified, strict=strict, levels=levels)
    try:
        blocks = HOSTS[domain.catalog.host](unified, domain.catalog, grammars_of(domain), collector)
    except RecursionError:
        collector.add("TCL008", 0, 0, "nested too deeply to be checked")
        blocks = 0
    if suppressions and DIRECTIVE in unified:
        suppress(unified, collector)
    return collector.report(file=filename, domain=domain.name, blocks=blocks)


def unify(text: str) -> str:
    """A text with newlines for all line ends: what offsets, lines and columns of a report are about."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
