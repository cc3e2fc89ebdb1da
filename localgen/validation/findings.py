"""Collects findings by offset while checks run, and makes the report of them."""

from __future__ import annotations

from dataclasses import dataclass

from localgen.validation.codes import Severity, severity_of
from localgen.validation.places import Places
from localgen.validation.repairs import Repair
from localgen.validation.report import Finding, Fix, Position, Report, TextEdit
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
    repairs: tuple[Repair, ...] = ()


def _place(found: _Found) -> tuple[int, int]:
    return found.start, found.end


class Collector:
    """The findings on one text; the same finding met twice (a loop body, say) counts once.

    `original` is the file as it is, where `text` has other line ends: what repairs change is said in its offsets.
    """

    def __init__(self, text: str, *, strict: bool, original: str | None = None) -> None:
        self.strict = strict
        self.text = text
        self._places = Places(text if original is None else original)
        self._lines = Lines(text)
        self._found: dict[tuple[int, str, str], _Found] = {}

    def add(
        self,
        code: str,
        start: int,
        end: int,
        message: str,
        hint: str = "",
        *,
        severity: Severity | None = None,
        repairs: tuple[Repair, ...] = (),
    ) -> None:
        """Note a finding on the characters `[start, end)`; the code's own severity counts if none is given."""
        key = (start, code, message)
        if key not in self._found and not self.full:
            grave = severity or severity_of(code, strict=self.strict)
            self._found[key] = _Found(start, max(end, start), code, message, hint, grave, repairs)

    @property
    def full(self) -> bool:
        """Whether no more findings are taken, so that nobody need think about their repair."""
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
            warnings=len(details) - errors,
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
            fixes=tuple(self._fix(r) for r in found.repairs),
        )

    def _fix(self, repair: Repair) -> Fix:
        places, edits = self._places, []
        for edit in sorted(repair.edits, key=lambda e: (e.start, e.end)):
            start, end = places.offset(edit.start), places.offset(edit.end)
            text = places.text(edit.text)
            edits.append(
                TextEdit(
                    start=start, end=end, start_byte=places.byte(start), end_byte=places.byte(end), text=text
                )
            )
        return Fix(message=repair.message, safe=repair.safe, edits=tuple(edits))
