"""Findings as SARIF 2.1.0, which code hosts and editors read (OASIS, sarif-v2.1.0).

One run; `ruleIndex` points into the rules of its driver, which are those that have results. Columns count characters
from 1, and `endColumn` is the one after the last character, as in our reports.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from localgen import __version__
from localgen.checking import Checked
from localgen.validation.report import Finding, Fix
from localgen.validation.rules.pages import Rule, page, rule
from localgen_retrieval.errors import LocalgenError

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"error": "error", "warning": "warning", "hint": "note", "off": "none"}
_ROOT = "%SRCROOT%"


def sarif(scripts: Sequence[Checked], root: Path) -> dict[str, Any]:
    """A SARIF log of one run.

    Args:
        scripts: what was checked.
        root: the folder that names are relative to; paths below it are written so that they hold on any machine.
    """
    codes = sorted({f.code for s in scripts if s.report for f in s.report.details})
    index = {code: i for i, code in enumerate(codes)}
    failures = [s for s in scripts if s.error is not None]
    driver = {
        "name": "localgen",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [_rule(rule(code)) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"uri": root.resolve().as_uri().rstrip("/") + "/"}},
        "invocations": [
            {
                "executionSuccessful": not failures,
                "toolExecutionNotifications": [_notification(s.name, s.error, root) for s in failures if s.error],
            }
        ],
        "artifacts": [{"location": _location(s.name, root)} for s in scripts],
        "results": [
            _result(f, index[f.code], i, s, root)
            for i, s in enumerate(scripts)
            for f in (s.report.details if s.report else ())
        ],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: Rule) -> dict[str, Any]:
    text = page(rule)
    return {
        "id": rule.code,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": " ".join(rule.why.split())},
        "help": {"text": text, "markdown": text},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(finding: Finding, rule_index: int, index: int, script: Checked, root: Path) -> dict[str, Any]:
    hint = f" ({finding.hint})" if finding.hint else ""
    region: dict[str, Any] = {
        "startLine": finding.line,
        "startColumn": finding.column,
        "endLine": finding.end.line,
        "endColumn": finding.end.column,
    }
    line = script.source.get(finding.line)
    if line is not None and finding.line == finding.end.line:
        region["snippet"] = {"text": line[finding.column - 1 : finding.end.column - 1]}
    return {
        "ruleId": finding.code,
        "ruleIndex": rule_index,
        "level": _LEVELS[finding.severity],
        "message": {"text": finding.message + hint},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {**_location(script.name, root), "index": index},
                    "region": region,
                }
            }
        ],
        **({"fixes": [_fix(fix, script.name, root) for fix in finding.fixes]} if finding.fixes else {}),
    }


def _fix(fix: Fix, name: str, root: Path) -> dict[str, Any]:
    replacements = [
        {
            "deletedRegion": {"charOffset": edit.start, "charLength": edit.end - edit.start},
            "insertedContent": {"text": edit.text},
        }
        for edit in fix.edits
    ]
    change = {"artifactLocation": _location(name, root), "replacements": replacements}
    return {"description": {"text": fix.message}, "artifactChanges": [change]}


def _notification(name: str, error: LocalgenError, root: Path) -> dict[str, Any]:
    return {
        "level": "error",
        "descriptor": {"id": error.code},
        "message": {"text": f"{error.message} ({error.hint})" if error.hint else error.message},
        "locations": [{"physicalLocation": {"artifactLocation": _location(name, root)}}],
    }


def _location(name: str, root: Path) -> dict[str, Any]:
    """Where a script is, as a URI: relative to the root if it is below it."""
    if name.startswith("<"):
        return {"uri": quote(name)}
    path = Path(os.path.abspath(root / name))
    if path.is_relative_to(root.absolute()):
        return {"uri": quote(path.relative_to(root.absolute()).as_posix()), "uriBaseId": _ROOT}
    return {"uri": path.as_uri()}
