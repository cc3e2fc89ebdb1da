"""The symbols of a domain that retrieval ranks, each with the text that stands for it.

A symbol's text has its name as words, its summary, and the names, docs and enum values of its args: option docs and
values carry many of the words that engineers use. Knows nothing of encoders.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from localgen_retrieval.catalog import Arg, Dsl, Proc, Value, Variable
from localgen_retrieval.catalog_io import Domain
from localgen_retrieval.text import name_words

Kind = Literal["proc", "variable", "production", "example"]

MAX_VALUES = 24
MAX_EXAMPLES = 2
_KEYWORD = re.compile(r'"([A-Za-z][A-Za-z_ -]*):?"')


@dataclass(frozen=True)
class Symbol:
    """One thing that a context pack may show.

    Attributes:
        name: the proc's or variable's; `<dsl>.<production>` (or the DSL's, where it lists none); an example's file.
        text: what is embedded and searched.
        position: index into the catalog's procs or variables, the DSL's productions (-1: the DSL as a whole), or the
            domain's examples.
        dsl: index of the DSL of a production, else -1.
    """

    kind: Kind
    name: str
    text: str
    position: int
    dsl: int = -1


def symbols_of(domain: Domain) -> tuple[Symbol, ...]:
    """All symbols that may be generated: without procs that are deprecated or forbidden."""
    catalog = domain.catalog
    barred = {name.removeprefix("::") for name in catalog.policy.forbidden}
    out = [
        Symbol("proc", proc.name, proc_text(proc), i)
        for i, proc in enumerate(catalog.procs)
        if proc.deprecated is None and proc.name.removeprefix("::") not in barred
    ]
    out += [Symbol("variable", v.name, variable_text(v), i) for i, v in enumerate(catalog.variables)]
    for d, dsl in enumerate(catalog.dsls):
        if dsl.productions:
            for i, production in enumerate(dsl.productions):
                text = production_text(production.name, production.summary, production.example)
                out.append(Symbol("production", f"{dsl.name}.{production.name}", text, i, d))
        else:
            out.append(Symbol("production", dsl.name, dsl_text(dsl, domain.grammars.get(dsl.name, "")), -1, d))
    out += [Symbol("example", e.path, e.task, i) for i, e in enumerate(domain.examples)]
    return tuple(out)


def proc_text(proc: Proc) -> str:
    """A proc's text: name, summary, args, notes, and its first examples."""
    args = (_join(name_words(a.name), _value_text(a)) for a in proc.args)
    return _join(
        name_words(proc.name), proc.summary, *args, proc.notes, proc.side_effects, *proc.examples[:MAX_EXAMPLES]
    )


def option_text(arg: Arg) -> str:
    """What stands for an option alone: its name and doc."""
    return f"{name_words(arg.name)} : {arg.doc}" if arg.doc else name_words(arg.name)


def value_text(arg: Arg, value: str) -> str:
    """What stands for one value of an enum: the option's name and the value."""
    return f"{name_words(arg.name)} {value}"


def variable_text(variable: Variable) -> str:
    """A variable's text: name, doc, values."""
    return _join(name_words(variable.name), _value_text(variable))


def production_text(name: str, summary: str, example: str) -> str:
    """The text of one production of a DSL: name, summary, example statement."""
    return _join(name_words(name), summary, example)


def dsl_text(dsl: Dsl, grammar: str) -> str:
    """The text of a DSL that lists no productions: its name, summary and the keywords of its grammar."""
    keywords = dict.fromkeys(name_words(k) for k in _KEYWORD.findall(grammar))
    return _join(name_words(dsl.name), dsl.grammar_summary, " ".join(list(keywords)[:MAX_VALUES]))


def _value_text(value: Value) -> str:
    return _join(value.kind if value.kind else "", value.doc, " ".join(value.values[:MAX_VALUES]))


def _join(*parts: str) -> str:
    return ". ".join(p.strip().rstrip(".") for p in parts if p.strip())
