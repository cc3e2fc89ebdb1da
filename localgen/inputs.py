"""Reads what a person gives: instructions and context, refused with a reason before anything expensive starts."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NoReturn

from localgen_retrieval.errors import UsageError

MAX_INSTRUCTION_BYTES = 64 * 1024

# Tab, newline, vertical tab, form feed, carriage return.
_CONTROLS = frozenset(map(chr, range(32))) - frozenset("\t\n\v\f\r") | {"\x7f"}


def read_instruction(source: str | None) -> str:
    """The instruction in a file, or of standard input for `-` (and for None, where something is piped in).

    Raises:
        UsageError: missing, empty, binary, or above 64 kB.
    """
    if source is None:
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError(
                "no instruction",
                hint="give a file with --instruction FILE, or pipe the text in",
                code="instruction-missing",
            )
        source = "-"
    data = _read(source, MAX_INSTRUCTION_BYTES + 1, "instruction")
    where = "standard input" if source == "-" else source
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # A character cut at the limit is no sign of binary data.
        if len(data) > MAX_INSTRUCTION_BYTES and b"\0" not in data:
            _too_long(where)
        _binary(where)
    return check_instruction(text, where)


def check_instruction(text: str, where: str = "the instruction") -> str:
    """The instruction itself, if it can be one; `where` starts the message otherwise.

    Raises:
        UsageError: empty, binary, or above 64 kB of UTF-8.
    """
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        _binary(where)
    if not _CONTROLS.isdisjoint(text):
        _binary(where)
    if size > MAX_INSTRUCTION_BYTES:
        _too_long(where)
    if not text.strip():
        raise UsageError(
            f"{where}: the instruction is empty", hint="say in English what to do", code="instruction-empty"
        )
    return text


def read_context(path: str | None) -> dict[str, Any]:
    """The JSON object of `--context FILE`: facts about the situation; {} without a file.

    Raises:
        UsageError: missing, or not a JSON object.
    """
    if path is None:
        return {}
    data = _read(path, -1, "context")
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except json.JSONDecodeError as err:
        raise UsageError(
            f"{path}:{err.lineno}:{err.colno}: not JSON: {err.msg}", hint=_CONTEXT_HINT, code="context-invalid"
        ) from None
    except (UnicodeDecodeError, RecursionError):
        raise UsageError(f"{path}: not JSON text", hint=_CONTEXT_HINT, code="context-invalid") from None
    if not isinstance(found, dict):
        raise UsageError(f"{path}: not a JSON object", hint=_CONTEXT_HINT, code="context-invalid")
    return found


_CONTEXT_HINT = 'a context is one object of facts, for example {"block": "cpu_top", "nets": ["CLK"]}'


def _read(source: str, limit: int, what: str) -> bytes:
    try:
        if source == "-":
            return sys.stdin.buffer.read(limit)
        with Path(source).open("rb") as file:
            return file.read(limit)
    except FileNotFoundError:
        raise UsageError(f"{source}: no such file", hint=f"--{what} takes a file", code=f"{what}-missing") from None
    except (OSError, ValueError) as err:
        reason = (err.strerror if isinstance(err, OSError) else str(err)) or "unknown reason"
        raise UsageError(
            f"{source}: cannot be read: {reason}", hint=f"--{what} takes a readable file", code=f"{what}-missing"
        ) from None


def _binary(where: str) -> NoReturn:
    raise UsageError(
        f"{where}: not plain text", hint="an instruction is English text in UTF-8", code="instruction-binary"
    )


def _too_long(where: str) -> NoReturn:
    raise UsageError(
        f"{where}: longer than {MAX_INSTRUCTION_BYTES // 1024} kB",
        hint="an instruction is a few sentences; split long work into several (see --batch)",
        code="instruction-too-long",
    )
