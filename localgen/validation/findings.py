"""Collects findings by offset while checks run, and makes the report of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from localgen.validation.codes import Level, Severity, level_of
from localgen.validation.report import Finding, Position, Report
from localgen_grammars.tcl.lines import Lines

MAX_FINDINGS = 500
# More are collected than reported: what is off or suppressed does not push out what is not.
_MAX_COLLECTED = 20 * MAX_FINDINGS


@dataclass(frozen=True)
class Found:
    """A finding by offsets, its level still open to `off`."""

    start: int
    end: int
    code: str
    message: str
    hint: str
    level: Level


@dataclass
class Places:
    """Where a text may be spoken to: its comments (None: any that looks like one), and its DSL blocks, as ranges."""

    comments: list[tuple[int, int]] | None = None
    blocks: list[tuple[int, int]] = field(default_factory=list)


def _place(found: Found) -> tuple[int, int]:
    return found.start, found.end


class Collector:
    """The findings on one text; the same finding met twice (a loop body, say) counts once.

    Args:
        text: what is checked.
        strict: which of the two severities of a code counts.
        levels: severities by code that count instead of either.
    """

    def __init__(self, text: str, *, strict: bool, levels: Mapping[str, Level] | None = None) -> None:
        self.strict = strict
        self.places = Places()
        self._levels = levels or {}
        self._lines = Lines(text)
        self._found: dict[tuple[int, str, str], Found] = {}

    def add(
        self, code: str, start: int, end: int, message: str, hint: str = "", *, severity: Severity | None = None
    ) -> None:
        """Note a finding on the characters `[start, end)`; the code's own severity counts if none is given."""
        key = (start, code, message)
        if key not in self._found and len(self._found) < _MAX_COLLECTED:
            level = self._levels.get(code) or severity or level_of(code, strict=self.strict)
            self._found[key] = Found(start, max(end, start), code, message, hint, level)

    def found(self) -> tuple[Found, ...]:
        """Everything noted so far, what is off included."""
        return tuple(self._found.values())

    def remove(self, findings: Iterable[Found]) -> None:
        """Forget findings."""
        for f in findings:
            self._found.pop((f.start, f.code, f.message), None)

    def report(self, *, file: str, domain: str, blocks: int) -> Report:
        """The report, findings in the order of their places."""
        shown = sorted((f for f in self._found.values() if f.level != "off"), key=_place)
        details = tuple(self._finding(f, f.level) for f in shown[:MAX_FINDINGS] if f.level != "off")
        wrong = {f.code[:3] for f in shown if f.level == "error"}
        counts = Counter(f.severity for f in details)
        return Report(
            file=file,
            domain=domain,
            strict=self.strict,
            valid=not wrong,
            valid_syntax="TCL" not in wrong,
            valid_DSL_blocks="DSL" not in wrong,
            blocks=blocks,
            errors=counts["error"],
            warnings=counts["warning"],
            hints=counts["hint"],
            details=details,
        )

    def _finding(self, found: Found, severity: Severity) -> Finding:
        line, column = self._lines.position(found.start)
        end_line, end_column = self._lines.position(found.end)
        return Finding(
            code=found.code,
            message=found.message,
            hint=found.hint,
            severity=severity,
            line=line,
            column=column,
            end=Position(line=end_line, column=end_column),
        )
