"""What validation says of one script, and its versioned JSON form."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from localgen.validation.codes import Severity

REPORT_VERSION = 1


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
    details: tuple[Finding, ...] = ()

    def lines(self) -> list[str]:
        """One line per finding: `file:line:column: message [code]`, its hint in parentheses."""
        out = []
        for f in self.details:
            prefix = "" if f.severity == "error" else f"{f.severity}: "
            hint = f" ({f.hint})" if f.hint else ""
            out.append(f"{self.file or '<script>'}:{f.line}:{f.column}: {prefix}{f.message}{hint} [{f.code}]")
        return out
