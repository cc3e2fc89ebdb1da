"""Collects findings by offset while checks run, and makes the report of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from localgen.validation.codes import LEVELS, Level, Severity, level_of
from localgen.validation.original import Original
from localgen.validation.repairs import Repair
from localgen.validation.report import Finding, Fix, Position, Report, Run, TextEdit
from localgen_grammars.tcl.lines import Lines

MAX_FINDINGS = 500
# More are collected than reported: what is off or suppressed does not push out what is not.
_MAX_COLLECTED = 20 * MAX_FINDINGS


@dataclass(slots=True, eq=False)
class Found:
    """A finding by offsets, its level still open to `off`."""

    start: int
    end: int
    code: str
    message: str
    hint: str
    level: Level
    repairs: tuple[Repair, ...] = ()


@dataclass
class Places:
    """Where a text may be spoken to: its comments (None: any that looks like one), and its DSL blocks, as ranges."""

    comments: list[tuple[int, int]] | None = None
    blocks: list[tuple[int, int]] = field(default_factory=list)


def _gravity(found: Found) -> int:
    return -LEVELS.index(found.level)


def _place(found: Found) -> tuple[int, int]:
    return found.start, found.end


class Collector:
    """The findings on one text; the same finding met twice (a loop body, say) counts once.

    Args:
        text: what is checked.
        strict: which of the two severities of a code counts.
        levels: severities by code that count instead of either.
        original: the file as it is, where its line ends are others: what repairs change is said in its offsets.
    """

    def __init__(
        self,
        text: str,
        *,
        strict: bool,
        levels: Mapping[str, Level] | None = None,
        original: str | None = None,
    ) -> None:
        self.text = text
        self.strict = strict
        self.original = Original(text if original is None else original)
        self.places = Places()
        self._levels = levels or {}
        self._lines = Lines(text)
        self._found: dict[tuple[int, str, str], Found] = {}

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
        if key not in self._found and len(self._found) < _MAX_COLLECTED:
            level = self._levels.get(code) or severity or level_of(code, strict=self.strict)
            # No place is outside the text.
            size = len(self.text)
            start, end = min(start, size), min(max(end, start), size)
            self._found[key] = Found(start, end, code, message, hint, level, repairs)

    @property
    def full(self) -> bool:
        """Whether no more findings are taken, so that nobody need think about their repair."""
        return len(self._found) >= _MAX_COLLECTED

    def line(self, number: int) -> tuple[int, int]:
        """Where a line begins and ends; the last one for a number beyond it."""
        return self._lines.span(number)

    def found(self) -> tuple[Found, ...]:
        """Everything noted so far, what is off included."""
        return tuple(self._found.values())

    def remove(self, findings: Iterable[Found]) -> None:
        """Forget findings."""
        for f in findings:
            self._found.pop((f.start, f.code, f.message), None)

    def report(self, *, file: str, domain: str, blocks: int, run: Run | None = None) -> Report:
        """The report, findings in the order of their places; where they are too many, errors before all others."""
        shown = sorted((f for f in self._found.values() if f.level != "off"), key=_place)
        kept = shown
        if len(shown) > MAX_FINDINGS:
            kept = sorted(sorted(shown, key=_gravity)[:MAX_FINDINGS], key=_place)
        details = tuple([self._finding(f, f.level) for f in kept if f.level != "off"])
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
            run=run,
        )

    def _finding(self, found: Found, severity: Severity) -> Finding:
        line, column, end_line, end_column = self._lines.places(found.start, found.end)
        return Finding(
            code=found.code,
            message=found.message,
            hint=found.hint,
            severity=severity,
            line=line,
            column=column,
            end=Position(line=end_line, column=end_column),
            fixes=tuple([self._fix(r) for r in found.repairs]) if found.repairs else (),
        )

    def _fix(self, repair: Repair) -> Fix:
        edits = []
        for edit in sorted(repair.edits, key=lambda e: (e.start, e.end)):
            start, end = self.original.offset(edit.start), self.original.offset(edit.end)
            bytes_ = self.original.byte(start), self.original.byte(end)
            text = self.original.text(edit.text)
            edits.append(TextEdit(start=start, end=end, start_byte=bytes_[0], end_byte=bytes_[1], text=text))
        return Fix(message=repair.message, safe=repair.safe, edits=tuple(edits))
