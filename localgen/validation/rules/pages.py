"""The page of a rule, as `validate --explain`, the documentation and SARIF show it.

Texts are in `GROUP.toml` beside this file: `why`, `bad` and `good` for each code, and where the example needs it
`policy` (keys that replace those of the example domain's) and `encoding` (what the bad example is saved in). Where it
takes a run or a program to find out, `says` is what is said of the bad example.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localgen.validation.codes import CODES, GROUPS, Level, codes_of
from localgen_retrieval.errors import UsageError

if TYPE_CHECKING:
    from localgen.validation.report import Report
    from localgen.validation.validate import OtherCheck
    from localgen_retrieval.catalog_io import Domain

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Rule:
    """A code with all that there is to say of it."""

    code: str
    title: str
    severity: Level
    strict: Level
    why: str
    bad: str
    good: str
    policy: Mapping[str, Any] = field(default_factory=dict)
    encoding: str = "utf-8"
    says: str = ""


def rule(code: str) -> Rule:
    """All about a code.

    Raises:
        KeyError: there is no such code.
    """
    known = CODES[code]
    return Rule(code, known.title, known.severity, known.strict, **_texts(code[:3])[code])


def explain(name: str) -> str:
    """The page of a rule, or the pages of a group, in Markdown.

    Raises:
        UsageError: no such rule or group; the hint has the nearest.
    """
    wanted = name.upper()
    codes = list(codes_of(wanted))
    if not codes:
        from localgen.validation.nearest import did_you_mean

        groups = ", ".join(GROUPS)
        hint = did_you_mean(wanted, (*CODES, *GROUPS)) or f"give a code, or one of the groups {groups}"
        raise UsageError(f"{name}: no such rule", hint=hint, code="rule-unknown")
    pages = "\n".join(page(r, says=_said(r)) for r in map(rule, codes))
    return pages if wanted not in GROUPS else f"# {wanted}: {GROUPS[wanted]}\n\n{pages}"


def page(rule: Rule, *, says: Sequence[str] = ()) -> str:
    """A rule's page; `says` is what the validator says of the bad example."""
    levels = f"{rule.severity}, with `--strict` {rule.strict}" if rule.strict != rule.severity else rule.severity
    out = [f"## {rule.code}", "", f"{rule.title} ({levels}).", "", rule.why.strip(), ""]
    where = ""
    if rule.policy:
        where += " where the policy has " + ", ".join(f"`{_json(k)}: {_json(v)}`" for k, v in rule.policy.items())
    if rule.encoding != "utf-8":
        where += f" (saved as {rule.encoding})"
    out += [f"Bad{where}:", "", *_code(rule.bad), "", *(f"    {line}" for line in says), *([""] if says else [])]
    out += ["Good:", "", *_code(rule.good), ""]
    return "\n".join(out)


def findings(rule: Rule, script: str, encoding: str = "utf-8", others: Sequence[OtherCheck] = ()) -> Report:
    """What the validator says of a script of the example domain under the rule's policy."""
    from localgen.validation.validate import validate_script

    text = script.encode(encoding).decode("utf-8", "surrogateescape")
    return validate_script(text, _domain(_json(rule.policy)), filename="bad.tcl", suppressions=True, others=others)


def _said(rule: Rule) -> list[str]:
    """What the validator says of the bad example."""
    return [rule.says] if rule.says else findings(rule, rule.bad, rule.encoding).lines()


@lru_cache
def _texts(group: str) -> dict[str, dict[str, Any]]:
    return tomllib.loads((_HERE / f"{group}.toml").read_text("utf-8"))


@lru_cache
def _domain(policy: str) -> Domain:
    from localgen_retrieval.catalog_io import load_domain

    domain = load_domain(_HERE / "example")
    catalog = domain.catalog
    changed = type(catalog.policy).model_validate({**catalog.policy.model_dump(), **json.loads(policy)})
    return replace(domain, catalog=catalog.model_copy(update={"policy": changed}))


def _code(text: str) -> list[str]:
    return ["```tcl", *text.replace("\ufeff", "<U+FEFF>").rstrip("\n").split("\n"), "```"]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
