"""The last gate: what validation rejects is taken out, so that what is left is valid.

The constraint makes nearly everything valid by construction. What a grammar cannot express (order between calls, a
limit over nested blocks, two terminals of a DSL that lark's lexer tells apart differently) is judged here: the
statement is dropped, and that is said.
"""

from __future__ import annotations

from localgen.scripts import statements
from localgen.validation.report import Report
from localgen.validation.validate import validate_script
from localgen_retrieval.catalog_io import Domain

# So many statements are dropped one at a time, since one may be wrong only because of another; then all at once.
_ROUNDS = 24
# What no statement is to blame for.
_OF_THE_SCRIPT = frozenset({"POL003", "POL004"})


def with_header(body: str, domain: Domain) -> str:
    """The script with the header that the policy requires."""
    header = domain.catalog.policy.required_header
    return f"{header}\n{body}" if header else body


def finish(body: str, domain: Domain) -> tuple[str, Report, list[str]]:
    """(script, report, dropped statements): header and required calls added, statements that are not valid dropped."""
    if domain.catalog.host == "none":
        text = body.strip() + "\n"
        return text, validate_script(text, domain, strict=True), []
    parts = [p if p.endswith("\n") else p + "\n" for p in statements(body, domain.catalog)]
    dropped: list[str] = []
    added: list[str] = []
    while True:
        script = with_header("".join(parts), domain)
        report = validate_script(script, domain, strict=True)
        # A dropped statement may have held the only call; one that was added and dropped itself stays away.
        late = [call for call in _never_called(report) if call not in added]
        if late:
            parts += late
            added += late
            continue
        bad = _bad(script, parts, report)
        if report.valid or not bad:
            return script, report, dropped
        for i in reversed(bad[:1] if len(dropped) < _ROUNDS else bad):
            dropped.append(" ".join(parts.pop(i).split())[:120])


def faults(body: str, domain: Domain) -> list[str]:
    """Messages of the errors in a script that is being written; what it still may get (a required call) is none."""
    report = validate_script(with_header(body, domain), domain, strict=True)
    return [f.message for f in report.details if f.severity == "error" and f.code not in _OF_THE_SCRIPT]


def _bad(script: str, parts: list[str], report: Report) -> list[int]:
    """Indices of the statements with errors, in order; the last one where an error cannot be placed."""
    first = script.count("\n") - sum(p.count("\n") for p in parts)
    ends: list[int] = []
    line = first
    for p in parts:
        line += p.count("\n")
        ends.append(line)
    found: set[int] = set()
    for f in report.details:
        if f.severity == "error" and f.code not in _OF_THE_SCRIPT and parts and f.line > first:
            found.add(next((i for i, end in enumerate(ends) if f.line <= end), len(parts) - 1))
    return sorted(found)


def _never_called(report: Report) -> list[str]:
    """Required calls that the validator misses (one may be there and never reached), where they need no arguments."""
    return [edit.text for f in report.details if f.code == "POL004" for fix in f.fixes for edit in fix.edits]
