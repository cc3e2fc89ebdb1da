"""Findings as text: one line each, as editors parse it, then the source line with what is meant underlined."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping

from localgen.validation.report import Finding, Report, headline, visible

MAX_WIDTH = 120  # of a source line; of longer ones the part around the finding is shown

_COLOURS = {
    "place": "1",
    "error": "31",
    "warning": "33",
    "hint": "36",
    "code": "2",
    "gutter": "2;34",
}


def text_lines(
    report: Report, source: Mapping[int, str], *, colour: bool = False, fixes: bool = False
) -> Iterator[str]:
    """The lines of a report: each finding's one line, and below it the source line where it is known.

    Args:
        report: what was found.
        source: lines of the script by number; {} for the one-line form.
        colour: write ANSI colours.
        fixes: say below each finding how it can be repaired.
    """
    paint = _ansi if colour else _plain
    for finding in report.details:
        yield headline(report.file or "<script>", finding, paint)
        if finding.line in source:
            yield from _marked(source[finding.line], finding, paint)
        for fix in finding.fixes if fixes else ():
            yield f"    fix: {visible(fix.message)}{'' if fix.safe else ' (not applied by --fix)'}"


def _marked(text: str, finding: Finding, paint: Callable[[str, str], str]) -> Iterator[str]:
    """The source line, and what is meant underlined."""
    line, start, width = _window(text, finding)
    number = str(finding.line)
    yield f"{paint(f' {number} |', 'gutter')} {line}".rstrip()
    empty = paint(f" {' ' * len(number)} |", "gutter")
    yield f"{empty} {' ' * start}{paint('^' * width, finding.severity)}"


def _plain(text: str, role: str) -> str:
    return text


def _ansi(text: str, role: str) -> str:
    return f"\x1b[{_COLOURS[role]}m{text}\x1b[0m"


def _window(line: str, finding: Finding) -> tuple[str, int, int]:
    """(the part of a line to show, the columns before the finding's mark, the columns of the mark)."""
    start = finding.column - 1
    end = finding.end.column - 1 if finding.end.line == finding.line else len(line)
    end = max(start, min(end, len(line)))
    first = 0 if len(line) <= MAX_WIDTH else max(0, min(start - MAX_WIDTH // 3, len(line) - MAX_WIDTH))
    last = min(len(line), first + MAX_WIDTH)
    before = ("…" if first else "") + _shown(line[first:start])
    meant = _shown(line[start : min(end, last)])
    after = _shown(line[max(start, min(end, last)) : last]) + ("…" if last < len(line) else "")
    return before + meant + after, _columns(before), max(1, _columns(meant))


def _shown(text: str) -> str:
    return visible(text.replace("\t", "    "))


def _columns(text: str) -> int:
    """The columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(_width(char) for char in text)


def _width(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
