"""Compiles what a task may use into one llguidance grammar.

The grammar is the same text for any engine that speaks llguidance (vLLM, SGLang, llama.cpp's server). The policy's
header is not part of it: it is put in front of the finished script.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from localgen_retrieval.catalog import Proc, Variable
from localgen_retrieval.catalog_io import Domain
from localgen_retrieval.errors import GrammarError
from localgen_retrieval.pack import ContextPack

from ..dsl import DslGrammar
from .dsl_rules import DslRules, dsl_rules
from .grounding import Words, words_of
from .tail import tail_of
from .tcl_host import HostBlock, TclHost

_HOST_BRACKETS = {"{": "{}\\", "(": "()", "[": "[]", "<": "<>"}


@dataclass(frozen=True)
class Constraint:
    """A grammar and what it is about.

    Attributes:
        grammar: Lark text in llguidance's dialect.
        header: the line that the policy requires before everything else ("" for none).
        procs: names of the procs that can be written.
        excluded: procs of the pack that cannot be written, and why (ungrounded arguments, …).
        words: what values were grounded in; None with grounding off.
        relaxed: whether grounding had to be given up because nothing could be written under it.
        tail: procs outside the pack whose names alone can be written: what follows needs another constraint.
    """

    grammar: str
    header: str
    procs: tuple[str, ...]
    excluded: dict[str, str] = field(default_factory=dict)
    words: Words | None = None
    relaxed: bool = False
    tail: frozenset[str] = frozenset()


def compile_constraint(
    domain: Domain,
    pack: ContextPack,
    grammars: Mapping[str, DslGrammar],
    instruction: str,
    *,
    grounding: bool = True,
    more_sources: tuple[str, ...] = (),
    plain: bool = False,
    calls_only: bool = False,
    tail: bool = False,
) -> Constraint:
    """The constraint for one request.

    Args:
        grammars: the loaded DSL grammars by DSL name.
        more_sources: further texts that values may be taken from (facts about the situation, earlier answers).
        plain: only calls, catalog variables and blocks, no Tcl around them.
        calls_only: only calls, where any proc can be called; else as `plain`.
        tail: a statement may begin with the name of any other proc of the catalog. Such a name ends the constraint:
            whoever decodes compiles it again with that proc in the pack (`localgen.decoder.tail`).

    Raises:
        GrammarError: a DSL's grammar cannot become a constraint, or nothing can be written at all.
    """
    words = words_of(instruction, *more_sources) if grounding else None
    made = _compile(domain, pack, grammars, instruction, words, plain or calls_only, calls_only, tail)
    if made is not None:
        return made
    if words is not None:
        free = _compile(domain, pack, grammars, instruction, None, plain or calls_only, calls_only)
        if free is not None:
            return Constraint(free.grammar, free.header, free.procs, free.excluded, None, relaxed=True)
    raise GrammarError(
        "nothing in this catalog can be written for the task: no proc, variable or DSL block is usable",
        hint="give the domain procs that are not deprecated or forbidden, variables, or a DSL with a grammar",
        code="nothing-to-write",
    )


def _compile(
    domain: Domain,
    pack: ContextPack,
    grammars: Mapping[str, DslGrammar],
    instruction: str,
    words: Words | None,
    plain: bool,
    calls_only: bool,
    tail: bool = False,
) -> Constraint | None:
    catalog = domain.catalog
    if catalog.host == "none":
        return _pure_dsl(domain, grammars, words)
    blocks: list[HostBlock] = []
    for i, d in enumerate(pack.dsls):
        if d.dsl.name not in grammars:
            continue
        embedding = d.dsl.embedding
        forbidden = _HOST_BRACKETS.get(embedding.open.rstrip()[-1:], "")
        rules = dsl_rules(grammars[d.dsl.name], f"d{i}", words, forbidden, leading=bool(forbidden))
        if rules is not None:
            blocks.append(HostBlock(embedding.open, embedding.close, rules))
    names, terminal = tail_of(domain, pack) if tail else (frozenset[str](), "")
    host = TclHost(
        procs=_callable(domain, pack.procs),
        catalog_variables=_settable(pack.variables),
        blocks=blocks,
        words=words,
        builtins=frozenset(catalog.policy.allowed_builtins) - frozenset(catalog.policy.forbidden),
        instruction=instruction,
        max_blocks=catalog.policy.max_dsl_blocks,
        plain=plain,
        calls_only=calls_only,
        tail=terminal,
    )
    lines = host.build()
    if not lines:
        return None
    procs = tuple(p.name for p in host.procs if p.name not in host.excluded)
    return Constraint("\n".join(lines) + "\n", catalog.policy.required_header, procs, host.excluded, words, tail=names)


def _pure_dsl(domain: Domain, grammars: Mapping[str, DslGrammar], words: Words | None) -> Constraint | None:
    """Host `none`: the whole output is one text of the first DSL that has a grammar."""
    for dsl in domain.catalog.dsls:
        if dsl.name in grammars:
            rules: DslRules | None = dsl_rules(grammars[dsl.name], "d0", words, "", leading=False)
            if rules is None:
                return None
            return Constraint("\n".join([f'start: {rules.start} "\\n"', *rules.lines]) + "\n", "", (), {}, words)
    return None


def _callable(domain: Domain, procs: tuple[Proc, ...]) -> tuple[Proc, ...]:
    forbidden = {f.removeprefix("::") for f in domain.catalog.policy.forbidden}
    return tuple(p for p in procs if p.deprecated is None and p.name.removeprefix("::") not in forbidden)


def _settable(variables: tuple[Variable, ...]) -> tuple[Variable, ...]:
    return tuple(v for v in variables if v.type not in ("flag", "script", "expr"))
