"""What validation says of one script, and its versioned JSON form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict

from localgen.validation.codes import Severity

REPORT_VERSION = 1

_PICTURES = {**{code: 0x2400 + code for code in range(32)}, 127: 0x2421}


class Position(BaseModel):
    """A place in a text; lines and columns count from 1, columns in characters."""

    model_config = ConfigDict(frozen=True)

    line: int
    column: int


class TextEdit(BaseModel):
    """The characters `[start, end)` of the file become `text`; the bytes of its UTF-8 form are given too."""

    model_config = ConfigDict(frozen=True)

    start: int
    end: int
    start_byte: int
    end_byte: int
    text: str


class Fix(BaseModel):
    """One way to repair a finding; `safe` where the meaning is clear, so that `--fix` applies it."""

    model_config = ConfigDict(frozen=True)

    message: str
    safe: bool
    edits: tuple[TextEdit, ...]


class Finding(BaseModel):
    """One thing wrong, from (line, column) up to, not including, `end`."""

    model_config = ConfigDict(frozen=True)

    code: str
    message: str
    hint: str = ""
    severity: Severity
    line: int
    column: int
    end: Position
    fixes: tuple[Fix, ...] = ()


class Run(BaseModel):
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

    model_config = ConfigDict(frozen=True)

    ok: bool
    error: str = ""
    line: int | None = None
    limit: str | None = None
    tcl: str = ""
    mocks: bool = False
    calls: tuple[dict[str, Any], ...] = ()
    variables: dict[str, Any] = {}
    output: str = ""
    problems: tuple[str, ...] = ()


class Report(BaseModel):
    """The verdict on one script.

    `valid` is the absence of errors; `valid_syntax` that of TCL errors, `valid_DSL_blocks` that of DSL errors.
    """

    model_config = ConfigDict(frozen=True)

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

    def lines(self) -> list[str]:
        """One line per finding: `file:line:column: message [code]`, its hint in parentheses."""
        return [headline(self.file or "<script>", f) for f in self.details]


def headline(file: str, finding: Finding, paint: Callable[[str, str], str] = lambda text, role: text) -> str:
    """A finding on one line; `paint(text, role)` may colour its parts (place, error, warning, hint, code)."""
    prefix = "" if finding.severity == "error" else paint(f"{finding.severity}:", finding.severity) + " "
    hint = f" ({finding.hint})" if finding.hint else ""
    place = paint(visible(f"{file}:{finding.line}:{finding.column}:"), "place")
    return f"{place} {prefix}{visible(finding.message + hint)} {paint(f'[{finding.code}]', 'code')}"


def visible(text: str) -> str:
    """A text without control characters, which a terminal might obey: their pictures stand for them."""
    return text.translate(_PICTURES)
