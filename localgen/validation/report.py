"""What validation says of one script, and its versioned JSON form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from localgen.validation.codes import Severity

REPORT_VERSION = 1

_PICTURES = {**{code: 0x2400 + code for code in range(32)}, 127: 0x2421}


class Position(NamedTuple):
    """A place in a text; lines and columns count from 1, columns in characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TextEdit:
    """The characters `[start, end)` of the file become `text`; the bytes of its UTF-8 form are given too."""

    start: int
    end: int
    start_byte: int
    end_byte: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """One way to repair a finding; `safe` where the meaning is clear, so that `--fix` applies it."""

    message: str
    safe: bool
    edits: tuple[TextEdit, ...]


class Finding(NamedTuple):
    """One thing wrong, from (line, column) up to, not including, `end`."""

    code: str
    message: str
    hint: str
    severity: Severity
    line: int
    column: int
    end: Position
    fixes: tuple[Fix, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What the execution check saw (docs/validation.md).

    Attributes:
        ok: the script ran to its end.
        error, line: why it did not, and where; `limit` where a limit stopped it.
        tcl: the version that ran it; `mocks`: whether the domain's mocks answered.
        calls: what was called, in order.
        variables: the global variables at the end.
        output: what `puts` wrote.
        problems: bad arguments and blocks that were met.
    """

    ok: bool
    error: str = ""
    line: int | None = None
    limit: str | None = None
    tcl: str = ""
    mocks: bool = False
    calls: tuple[dict[str, Any], ...] = ()
    variables: dict[str, Any] = field(default_factory=dict)
    output: str = ""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The verdict on one script.

    `valid` is the absence of errors; `valid_syntax` that of TCL errors, `valid_DSL_blocks` that of DSL errors.
    """

    version: int = REPORT_VERSION
    file: str = ""
    domain: str = ""
    strict: bool = False
    valid: bool
    valid_syntax: bool
    valid_DSL_blocks: bool
    blocks: int = 0
    errors: int = 0
    warnings: int = 0
    hints: int = 0
    details: tuple[Finding, ...] = ()
    run: Run | None = None

    def to_document(self) -> dict[str, Any]:
        """The report as JSON has it (docs/validation.md)."""
        document: dict[str, Any] = _plain(asdict(self))
        return document

    @staticmethod
    def from_document(document: Mapping[str, Any]) -> Report:
        """The report that a document was made of. Raises KeyError or TypeError for another document."""
        details = tuple(
            Finding(**{
                **found,
                "end": Position(**found["end"]),
                "fixes": tuple(
                    Fix(**{**fix, "edits": tuple(TextEdit(**edit) for edit in fix["edits"])}) for fix in found["fixes"]
                ),
            })
            for found in document["details"]
        )
        run = document["run"]
        if run is not None:
            run = Run(**{**run, "calls": tuple(run["calls"]), "problems": tuple(run["problems"])})
        return Report(**{**document, "details": details, "run": run})

    def lines(self) -> list[str]:
        """One line per finding: `file:line:column: message [code]`, its hint in parentheses."""
        return [headline(self.file or "<script>", f) for f in self.details]


def _plain(value: Any) -> Any:
    """Tuples as lists, those with names as objects, all the way down."""
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def headline(file: str, finding: Finding, paint: Callable[[str, str], str] = lambda text, role: text) -> str:
    """A finding on one line; `paint(text, role)` may colour its parts (place, error, warning, hint, code)."""
    prefix = "" if finding.severity == "error" else paint(f"{finding.severity}:", finding.severity) + " "
    hint = f" ({finding.hint})" if finding.hint else ""
    place = paint(visible(f"{file}:{finding.line}:{finding.column}:"), "place")
    return f"{place} {prefix}{visible(finding.message + hint)} {paint(f'[{finding.code}]', 'code')}"


def visible(text: str) -> str:
    """A text without control characters, which a terminal might obey: their pictures stand for them."""
    return text.translate(_PICTURES)
