"""Validation of one script against a domain: the door through which the pipeline, the CLI and editors come."""

from __future__ import annotations

import re
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

_ALIEN = re.compile("[\\udc80-\\udcff]")

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
        text: the script; any kind of line end; bytes that are not UTF-8 as `surrogateescape` decodes them.
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
    if alien := _alien(text):
        start = len(unify(text[: alien.start()]))
        message = f"the byte 0x{ord(alien.group()) - 0xDC00:X} is not UTF-8"
        collector.add("TCL016", start, start + 1, message, "save the script as UTF-8")
    try:
        blocks = HOSTS[domain.catalog.host](unified, domain.catalog, grammars_of(domain), collector)
    except RecursionError:
        collector.add("TCL008", 0, 0, "nested too deeply to be checked")
        blocks = 0
    if suppressions and DIRECTIVE in unified:
        suppress(unified, collector)
    return collector.report(file=filename, domain=domain.name, blocks=blocks)


def unify(text: str) -> str:
    """The text that offsets, lines and columns of a report are about.

    Line ends are newlines, and bytes that are not UTF-8 are the characters of that number, as Tcl 8.6 reads them.
    """
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    return _ALIEN.sub(lambda m: chr(ord(m.group()) - 0xDC00), unified) if _alien(text) else unified


def _alien(text: str) -> re.Match[str] | None:
    return None if text.isascii() else _ALIEN.search(text)
