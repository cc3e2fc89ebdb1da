"""The one family of errors, used by every layer: what happened, what to do next, and a stable code."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit statuses of the commands (documented in docs/cli.md)."""

    OK = 0
    INVALID = 1
    USAGE = 2
    CLARIFICATION = 3
    CATALOG = 4
    MODEL = 5
    TOOL = 6
    INTERRUPTED = 130


class LocalgenError(Exception):
    """An error a person can act on.

    Attributes:
        message: what happened and where.
        hint: what to do next ("" if there is nothing useful to say).
        code: stable, e.g. ``catalog-syntax``; scripts may test for it.
        exit_code: the status a command ends with.
    """

    exit_code: ExitCode = ExitCode.USAGE

    def __init__(self, message: str, *, hint: str = "", code: str = "error") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message


class UsageError(LocalgenError):
    """Arguments or input files that cannot be used."""

    exit_code = ExitCode.USAGE


class CatalogError(LocalgenError):
    """A catalog that cannot be read or is not a catalog."""

    exit_code = ExitCode.CATALOG


class GrammarError(LocalgenError):
    """A DSL grammar with an error, or with a construct that cannot become a constraint."""

    exit_code = ExitCode.CATALOG


class ModelError(LocalgenError):
    """A model, encoder or bundle that is missing, damaged or does not fit."""

    exit_code = ExitCode.MODEL


class ToolError(LocalgenError):
    """A program that was asked for is not there or cannot be started."""

    exit_code = ExitCode.TOOL
