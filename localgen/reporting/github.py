"""Findings as workflow commands of GitHub Actions, which become annotations of the changed lines.

Format: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from collections.abc import Iterator

from localgen.validation.report import Finding, Report
from localgen_retrieval.errors import LocalgenError

_LEVELS = {"error": "error", "warning": "warning", "hint": "notice"}


def github_lines(report: Report) -> Iterator[str]:
    """One workflow command per finding."""
    for f in report.details:
        hint = f" ({f.hint})" if f.hint else ""
        place = {"file": report.file, "line": str(f.line), "endLine": str(f.end.line), **_columns(f)}
        yield _command(_LEVELS[f.severity], {**place, "title": f"localgen {f.code}"}, f"{f.message}{hint}")


def github_error(name: str, error: LocalgenError) -> str:
    """The workflow command for a script that cannot be read."""
    return _command("error", {"file": name, "title": f"localgen {error.code}"}, error.message)


def _columns(finding: Finding) -> dict[str, str]:
    # Columns of an annotation over several lines are refused.
    if finding.line != finding.end.line:
        return {}
    return {"col": str(finding.column), "endColumn": str(finding.end.column)}


def _command(level: str, properties: dict[str, str], message: str) -> str:
    shown = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{level} {shown}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
