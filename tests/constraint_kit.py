"""What a request's constraint accepts, asked of llguidance itself with a tokenizer of bytes."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import llguidance

from localgen_grammars.constraint import Constraint, compile_constraint
from localgen_grammars.dsl import DslGrammar, load_grammar
from localgen_retrieval.catalog import Catalog
from localgen_retrieval.catalog_io import Domain, load_domain
from localgen_retrieval.pack import ContextPack, PackDsl

ROOT = Path(__file__).resolve().parents[1]
PNR = ROOT / "bundle" / "default" / "domains" / "pnr"
MINIMAL = ROOT / "tests" / "data" / "minimal"
_BYTES = llguidance.LLTokenizer("byte")


def pack_of(catalog: Catalog, first: Iterable[str] = (), more: int = 10) -> ContextPack:
    """A pack of live procs (those named first, then `more` others), and of all variables and DSLs."""
    live = {p.name: p for p in catalog.live_procs}
    wanted = [n for n in first if n in live]
    names = [*wanted, *[n for n in live if n not in wanted][:more]]
    procs = tuple(live[n] for n in names)
    dsls = tuple(PackDsl(d, d.productions) for d in catalog.dsls)
    return ContextPack(procs, (0.0,) * len(procs), catalog.variables, dsls, None, "", 0)


def grammars(domain: Domain) -> dict[str, DslGrammar]:
    """The domain's DSL grammars, loaded."""
    return {name: load_grammar(text, name, domain.grammar_paths.get(name)) for name, text in domain.grammars.items()}


def constraint(domain: Domain, instruction: str, *, script: str = "", **options: Any) -> Constraint:
    """The constraint for an instruction; procs that `script` calls come into the pack first."""
    called = [p.name for p in domain.catalog.procs if re.search(rf"(?<![\w:]){re.escape(p.name)}(?![\w:])", script)]
    return compile_constraint(domain, pack_of(domain.catalog, called), grammars(domain), instruction, **options)


def stuck_at(made: Constraint, text: str) -> int | None:
    """None where the constraint accepts the whole text, else how many bytes of it can be written."""
    matcher = llguidance.LLMatcher(_BYTES, made.grammar, log_level=0)
    assert not matcher.is_error(), matcher.get_error()
    tokens = _BYTES.tokenize_str(text)
    taken = int(matcher.try_consume_tokens(tokens))
    return None if taken == len(tokens) and matcher.is_accepting() else taken


def accepts(domain: Domain, instruction: str, text: str, **options: Any) -> bool:
    """Whether a script can be written for an instruction."""
    return stuck_at(constraint(domain, instruction, script=text, **options), text) is None


def regex_accepts(expression: str, text: str) -> bool:
    """Whether a terminal expression matches a text."""
    matcher = llguidance.LLMatcher(_BYTES, f"start: T\nT: {expression}\n", log_level=0)
    assert not matcher.is_error(), matcher.get_error()
    tokens = _BYTES.tokenize_str(text)
    return int(matcher.try_consume_tokens(tokens)) == len(tokens) and bool(matcher.is_accepting())


@cache
def shipped() -> Domain:
    """The domain that ships."""
    return load_domain(PNR)


@cache
def minimal() -> Domain:
    """The smallest kind of catalog."""
    return load_domain(MINIMAL)


def domain_of(catalog: Mapping[str, Any], **files: str) -> Domain:
    """A domain of a catalog given here; `files` are grammars by the file's stem."""
    return _domain(json.dumps(catalog), tuple(sorted(files.items())))


@cache
def _domain(catalog: str, files: tuple[tuple[str, str], ...]) -> Domain:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "catalog.json").write_text(catalog, "utf-8")
        for stem, text in files:
            (folder / f"{stem}.lark").write_text(text, "utf-8")
        return load_domain(folder)


def one_proc(*args: Mapping[str, Any], **more: Any) -> Domain:
    """A domain with one proc `do` of these args."""
    return domain_of({"procs": [{"name": "do", "args": list(args), **more}]})
