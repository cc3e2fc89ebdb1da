"""Validation of one script against a domain: the door through which the pipeline, the CLI and editors come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from localgen.validation.findings import Collector
from localgen.validation.grammars import grammars_of
from localgen.validation.plain_dsl import check_plain
from localgen.validation.report import Report
from localgen.validation.tcl.check import check_tcl
from localgen_retrieval.catalog import Catalog
from localgen_retrieval.catalog_io import Domain

if TYPE_CHECKING:
    from localgen_grammars.dsl import DslGrammar

_Check = Callable[[str, Catalog, Mapping[str, "DslGrammar"], Collector], int]

HOSTS: dict[str, _Check] = {"tcl": check_tcl, "none": check_plain}


def validate_script(text: str, domain: Domain, *, strict: bool = False, filename: str = "") -> Report:
    """Check a script: Tcl syntax, catalog conformance, DSL blocks, policy, variables.

    Args:
        text: the script; any kind of line end.
        domain: the catalog and grammars it is written for.
        strict: report as errors what is a warning otherwise (see `codes`); generated scripts are checked so.
        filename: what the report calls the script.

    Raises:
        GrammarError: a DSL grammar of the domain cannot be compiled.
    """
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    collector = Collector(unified, strict=strict)
    try:
        blocks = HOSTS[domain.catalog.host](unified, domain.catalog, grammars_of(domain), collector)
    except RecursionError:
        collector.add("TCL008", 0, 0, "nested too deeply to be checked")
        blocks = 0
    return collector.report(file=filename, domain=domain.name, blocks=blocks)
