"""What validation says of one script, and its versioned JSON form."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel, ConfigDict

from localgen.validation.codes import Severity

REPORT_VERSION = 1

_PICTURES = {**{code: 0x2400 + code for code in range(32)}, 127: 0x2421}


class Position(BaseModel):
    """A place in a text; lines and columns count from 1, columns in characters."""

    model_config = ConfigDict(frozen=True)

    line: int
    column: int


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
