"""A script in plain English, the same for the same script: what is compared with the instruction, and shown to people.

    Route one net on one metal layer: net CLK, layer M3, shield.
"""

from __future__ import annotations

from collections.abc import Mapping

from localgen.script_values import BlockText, Given, Loop, Said, ScriptCall, Setting, read_script
from localgen_grammars.dsl import DslGrammar
from localgen_retrieval.catalog import Catalog
from localgen_retrieval.text import name_words


def render_script(script: str, catalog: Catalog, grammars: Mapping[str, DslGrammar]) -> str:
    """The English of a script, one sentence a line; "" for one that says nothing."""
    return "\n".join(sentence(said, catalog) for said in read_script(script, catalog, grammars))


def sentence(said: Said, catalog: Catalog) -> str:
    """The English of one statement."""
    if isinstance(said, ScriptCall):
        what = said.proc.summary.rstrip(". ") or name_words(said.proc.name)
        given = ", ".join(_phrase(g) for g in said.given)
        return f"{what}: {given}." if given else f"{what}."
    if isinstance(said, Setting):
        doc = next((v.doc for v in catalog.variables if v.name == said.name), "")
        return f"Set the {doc.rstrip('. ').lower() or name_words(said.name)} to {_value(said.given)}."
    if isinstance(said, Loop):
        return f"For {name_words(said.name)} {', '.join(said.items)}."
    return _block(said)


def _phrase(g: Given) -> str:
    name = name_words(g.name)
    if g.spec.type == "flag":
        return name
    return f"{name} {_value(g)}"


def _value(g: Given) -> str:
    unit = f" {g.spec.unit}" if g.spec.unit and not g.spec.unit_suffix and g.items else ""
    if g.kind == "variable":
        return f"the {name_words(g.written.strip('${}'))}"
    if g.kind in ("result", "expression"):
        return f"the result of {name_words(g.written.strip('[]').split()[0])}"
    if g.kind == "script":
        return "as follows"
    return f"{' and '.join(g.items)}{unit}"


def _block(said: BlockText) -> str:
    if not said.statements:
        return " ".join(said.text.split())
    return " ".join(f"{' '.join(text for _, text in statement)}." for statement in said.statements)
