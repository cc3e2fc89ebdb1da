"""Collects findings by offset while checks run, and makes the report of them."""

from __future__ import annotations

from dataclasses import dataclass

from localgen.validation.codes import Severity, severity_of
from localgen.validation.report import Finding, Position, Report
from localgen_grammars.tcl.lines import Lines

MAX_FINDINGS = 500


@dataclass(frozen=True)
class _Found:
    start: int
    end: int
    code: str
    message: str
    hint: str
    severity: Severity


def _place(found: _Found) -> tuple[int, int]:
    return found.start, found.end


class Collector:
    """The findings on one text; the same finding met twice (a loop body, say) counts once."""

    def __init__(self, text: str, *, strict: bool) -> None:
        self.strict = strict
        self._lines = Lines(text)
        self._found: dict[tuple[int, str, str], _Found] = {}

    def add(
        self, code: str, start: int, end: int, message: str, hint: str = "", *, severity: Severity | None = None
    ) -> None:
        """Note a finding on the characters `[start, end)`; the code's own severity counts if none is given."""
        key = (start, code, message)
        if key not in self._found and len(self._found) < MAX_FINDINGS:
            grave = severity or severity_of(code, strict=self.strict)
            self._found[key] = _Found(start, max(end, start), code, message, hint, grave)

    @property
    def full(self) -> bool:
        """Whether there are so many findings that further ones are dropped."""
        return len(self._found) >= MAX_FINDINGS

    def has(self, prefix: str) -> bool:
        """Whether there is an error whose code begins so."""
        return any(f.severity == "error" and f.code.startswith(prefix) for f in self._found.values())

    def report(self, *, file: str, domain: str, blocks: int) -> Report:
        """The report, findings in the order of their places."""
        details = tuple(self._finding(f) for f in sorted(self._found.values(), key=_place))
        errors = sum(f.severity == "error" for f in details)
        return Report(
            file=file,
            domain=domain,
            strict=self.strict,
            valid=errors == 0,
            valid_syntax=not self.has("TCL"),
            valid_DSL_blocks=not self.has("DSL"),
            blocks=blocks,
            errors=errors,
            warnings=sum(f.severity == "warning" for f in details),
            details=details,
        )

    def _finding(self, found: _Found) -> Finding:
        line, column = self._lines.position(found.start)
        end_line, end_column = self._lines.position(found.end)
        return Finding(
            code=found.code,
            message=found.message,
            hint=found.hint,
            severity=found.severity,
            line=line,
            column=column,
            end=Position(line=end_line, column=end_column),
        )
