"""Applies the safe fixes of a report, and takes back what does not help.

Fixes that do not touch each other go in together; where that makes the script no better they go in one by one, each
checked by validating again. Works on texts; what is done with files is the command's business.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from localgen.validation.findings import MAX_FINDINGS
from localgen.validation.report import Finding, Fix, Report

# One round repairs what is seen; what that uncovers is the next round's.
_ROUNDS = 100
# What hides what: errors of an earlier group keep those of later ones from being seen.
_GROUPS: tuple[tuple[str, ...], ...] = (
    ("TCL",),
    ("DSL002", "DSL003"),
    ("CAT001",),
    ("CAT002", "CAT003", "CAT006", "CAT009", "CAT010", "CAT011"),
)


@dataclass(frozen=True)
class Fixed:
    """A script after its safe fixes: the text, the report on it, and what was done, in words."""

    text: str
    report: Report
    applied: tuple[str, ...]


def apply_safe_fixes(text: str, report: Report, validate: Callable[[str], Report]) -> Fixed:
    """Repair a text as far as safe fixes go.

    Args:
        text: the script as its file has it.
        report: what validation says of it.
        validate: validates a text in the same way.
    """
    applied: list[str] = []
    refused: set[tuple[str, str, str]] = set()
    for _ in range(_ROUNDS):
        lines = text.split("\n")
        chosen = _apart([c for c in _safe(report) if _key(lines, *c) not in refused])
        if not chosen:
            break
        helpful, changed, after = chosen, *_tried(text, chosen, validate)
        if not _better(after, report):
            # One of them is to blame.
            helpful, changed, after = [], text, report
            for one in chosen if len(chosen) > 1 else ():
                seen = _tried(text, [*helpful, one], validate)
                if _better(seen[1], after):
                    helpful, (changed, after) = [*helpful, one], seen
        refused |= {_key(lines, *one) for one in chosen if one not in helpful}
        applied += [_said(*one) for one in helpful]
        text, report = changed, after
    return Fixed(text, report, tuple(applied))


def _tried(
    text: str, chosen: Sequence[tuple[Finding, Fix]], validate: Callable[[str], Report]
) -> tuple[str, Report]:
    changed = apply_fixes(text, [fix for _, fix in chosen])
    return changed, validate(changed)


def apply_fixes(text: str, fixes: Sequence[Fix]) -> str:
    """The text with the edits of fixes that do not touch each other (offsets are the text's characters)."""
    out, at = [], 0
    for edit in sorted((e for f in fixes for e in f.edits), key=lambda e: (e.start, e.end)):
        if edit.start < at:
            raise ValueError("edits overlap")
        out += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join((*out, text[at:]))


def unified_diff(before: str, after: str, name: str) -> str:
    """The change as `patch` takes it; "" where there is none."""
    lines = difflib.unified_diff(_lines(before), _lines(after), name, name)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    """The lines with their ends; only a newline ends one."""
    return [f"{line}\n" for line in text.split("\n")[:-1]] + ([last] if (last := text.rpartition("\n")[2]) else [])


def _safe(report: Report) -> list[tuple[Finding, Fix]]:
    return [(f, fix) for f in report.details for fix in f.fixes if fix.safe]


def _apart(found: Sequence[tuple[Finding, Fix]]) -> list[tuple[Finding, Fix]]:
    """Those that do not touch an earlier one, and each of their edits only once."""
    taken: list[tuple[int, int]] = []
    out = []
    for finding, fix in found:
        spans = [(e.start, e.end) for e in fix.edits]
        if any(start <= t_end and t_start <= end for start, end in spans for t_start, t_end in taken):
            continue
        taken += spans
        out.append((finding, fix))
    return out


def _better(after: Report, before: Report) -> bool:
    if len(before.details) >= MAX_FINDINGS <= len(after.details):
        return _score(after) <= _score(before)  # others have come up in the place of those that went
    return _score(after) < _score(before)


def _score(report: Report) -> tuple[int, ...]:
    """How bad a script is, the gravest first: an error that hid others may go although these now show."""
    errors = [f.code for f in report.details if f.severity == "error"]
    counts = [sum(code.startswith(group) for code in errors) for group in _GROUPS]
    return (*counts, len(errors), report.warnings, report.hints)


def _key(lines: Sequence[str], finding: Finding, fix: Fix) -> tuple[str, str, str]:
    """What a fix is called in the next round too, whose offsets differ."""
    return finding.code, fix.message, lines[finding.line - 1] if finding.line <= len(lines) else ""


def _said(finding: Finding, fix: Fix) -> str:
    return f"{finding.line}:{finding.column}: {fix.message} [{finding.code}]"
