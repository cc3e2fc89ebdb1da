"""Validation of one script against a domain: the door through which the pipeline, the CLI and editors come."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from localgen.validation.codes import Level
from localgen.validation.findings import Collector
from localgen.validation.grammars import grammars_of
from localgen.validation.original import first_alien, unified
from localgen.validation.plain_dsl import check_plain
from localgen.validation.report import Report, Run
from localgen.validation.suppressions import DIRECTIVE, suppress
from localgen.validation.tcl.check import check_tcl
from localgen_retrieval.catalog import Catalog
from localgen_retrieval.catalog_io import Domain

if TYPE_CHECKING:
    from localgen_grammars.dsl import DslGrammar

_Check = Callable[[str, Catalog, Mapping[str, "DslGrammar"], Collector], int]
# A check beside ours: findings go to the collector; what a run saw is the answer.
OtherCheck = Callable[[Collector], Run | None]

HOSTS: dict[str, _Check] = {"tcl": check_tcl, "none": check_plain}


def validate_script(
    text: str,
    domain: Domain,
    *,
    strict: bool = False,
    filename: str = "",
    levels: Mapping[str, Level] | None = None,
    suppressions: bool = False,
    others: Sequence[OtherCheck] = (),
) -> Report:
    """Check a script: Tcl syntax, catalog conformance, DSL blocks, policy, variables.

    Args:
        text: the script; any kind of line end; bytes that are not UTF-8 as `surrogateescape` decodes them.
        domain: the catalog and grammars it is written for.
        strict: report as errors what is a warning otherwise (see `codes`); generated scripts are checked so.
        filename: what the report calls the script.
        levels: severities by code that count instead of the codes' own, with `strict` too.
        suppressions: obey comments like `# localgen: disable=CAT012`; a generated script has no say in its own verdict.
        others: what is to be checked beside this: by a run, by the domain's own checker.

    Raises:
        GrammarError: a DSL grammar of the domain cannot be compiled.
    """
    read = unified(text)
    collector = Collector(read, strict=strict, levels=levels, original=text)
    if alien := first_alien(text):
        start, byte = alien
        message = f"the byte 0x{byte:X} is not UTF-8"
        collector.add("TCL016", start, start + 1, message, "save the script as UTF-8")
    try:
        with _no_collections():
            blocks = HOSTS[domain.catalog.host](read, domain.catalog, grammars_of(domain), collector)
    except RecursionError:
        collector.add("TCL008", 0, 0, "nested too deeply to be checked")
        blocks = 0
    runs = [check(collector) for check in others]
    if suppressions and DIRECTIVE in read:
        suppress(read, collector)
    run = next((r for r in runs if r is not None), None)
    return collector.report(file=filename, domain=domain.name, blocks=blocks, run=run)


@contextmanager
def _no_collections() -> Iterator[None]:
    """No search for reference cycles meanwhile: it would go through a growing tree, which has none, again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
