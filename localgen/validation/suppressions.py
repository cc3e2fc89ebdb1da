"""Comments by which a script's author silences findings: `# localgen: disable=CAT012,POL002`.

Behind a command the comment is about its line; alone on a line, and as `disable-next`, about the next line;
`disable-file` is about the whole file. A line is what Tcl takes for one (continuation lines belong to it), and a DSL
block that begins or ends on it belongs to it as a whole, since no Tcl comment can stand inside. A comment that names an
unknown rule or silences nothing is reported itself, so that none outlives its reason.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from localgen.validation.codes import CODES, GROUPS, codes_of
from localgen.validation.findings import Collector, Found, Places
from localgen.validation.nearest import did_you_mean

DIRECTIVE = "localgen:"
_FORMS = ("disable", "disable-next", "disable-file")
_ALL = "all"
_OWN = "SUP"
# What another way through the script, or no run at all, does not report may be needed all the same.
_NOT_ALWAYS = ("RUN", "CHK")

_COMMENT = re.compile(r"#[ \t]*localgen:[ \t]*(?P<form>[A-Za-z_-]+)(?P<is>[ \t]*=[ \t]*)?(?P<names>[^\n]*)")
_NAMES = re.compile(r"\w+(?:[ \t]*,[ \t]*\w+)*")
_BLANK_OR_COMMENT = re.compile(r"[ \t]*(?:#.*)?")


@dataclass(frozen=True)
class Suppression:
    """One name of one comment (at `[start, end)`), and the offsets `[first, last)` that it is about."""

    name: str
    start: int
    end: int
    first: int
    last: int

    def names(self, found: Found) -> bool:
        """Whether it names a finding's code."""
        return self.name == _ALL or found.code in codes_of(self.name)


def suppress(text: str, collector: Collector) -> None:
    """Remove the findings that the text's comments silence, and report comments that do nothing.

    Args:
        text: the script, line ends unified.
        collector: all other findings, and where the text has comments and blocks.
    """
    wanted = list(_read(text, collector))
    # What is reported of suppressions can be suppressed too.
    own = [s for s in wanted if s.name.startswith(_OWN)]
    _apply([s for s in wanted if s not in own], collector)
    _apply(own, collector)


def _apply(suppressions: list[Suppression], collector: Collector) -> None:
    found = sorted(collector.found(), key=_start)
    # Behind a syntax error much is not looked into, and may yet need its comment.
    damaged = any(f.code.startswith("TCL") and f.level == "error" for f in found)
    silenced = set[Found]()
    for suppression in suppressions:
        at = (bisect_left(found, offset, key=_start) for offset in (suppression.first, suppression.last))
        covered = {f for f in found[slice(*at)] if suppression.names(f)}
        if not covered and not damaged and not suppression.name.startswith(_NOT_ALWAYS):
            message = f"{suppression.name} is suppressed here, but nothing reports it"
            collector.add("SUP002", suppression.start, suppression.end, message, "take it out")
        silenced |= covered
    collector.remove(silenced)


def _start(found: Found) -> int:
    return found.start


def _read(text: str, collector: Collector) -> Iterator[Suppression]:
    """The suppressions of a text; what is wrong with its comments goes to the collector."""
    known = (*CODES, *GROUPS, _ALL)
    places = collector.places
    comments = None if places.comments is None else {start for start, _ in places.comments}
    for m in _COMMENT.finditer(text):
        if not _is_comment(m.start(), text, comments, places):
            continue
        form, names = m["form"], _NAMES.match(m["names"])
        if not (m["is"] or form.startswith("disable")):
            continue
        place = m.start("form"), m.end("form")
        if form not in _FORMS:
            hint = did_you_mean(form, _FORMS) or f"write {', '.join(_FORMS[:-1])} or {_FORMS[-1]}"
            collector.add("SUP001", *place, f"a suppression comment has no form {form}", hint)
            continue
        if names is None or not m["is"]:
            collector.add("SUP001", *place, "a suppression comment without rules", f"write {form}=CODE")
            continue
        first, last = _range(text, m.start(), form, places.blocks)
        for name in re.finditer(r"\w+", names.group()):
            start = m.start("names") + name.start()
            if name.group() in known:
                yield Suppression(name.group(), start, start + len(name.group()), first, last)
            else:
                hint = did_you_mean(name.group(), known)
                collector.add("SUP001", start, start + len(name.group()), f"there is no rule {name.group()}", hint)


def _is_comment(at: int, text: str, comments: set[int] | None, places: Places) -> bool:
    """Whether the `#` is where a comment stands: one of Tcl's, or one in a block, where the team's grammar rules."""
    if any(start <= at < end for start, end in places.blocks):
        return True
    if comments is not None:
        return at in comments
    before = text[text.rfind("\n", 0, at) + 1 : at].rstrip()
    return not before or before.endswith(";")


def _range(text: str, at: int, form: str, blocks: list[tuple[int, int]]) -> tuple[int, int]:
    """The offsets that a comment is about."""
    if form == "disable-file":
        return 0, len(text) + 1
    start = text.rfind("\n", 0, at) + 1
    if form == "disable-next" or not text[start:at].strip():
        start = _next_line(text, at)
    while start > 0 and _continues(text, start - 1):
        start = text.rfind("\n", 0, start - 1) + 1
    end = text.find("\n", start)
    while end >= 0 and (_continues(text, end) or end < at):
        end = text.find("\n", end + 1)
    last = len(text) + 1 if end < 0 else end + 1
    touching = [b for b in blocks if start <= b[0] < last or start < b[1] <= last]
    return min([start, *(b[0] for b in touching)]), max([last, *(b[1] for b in touching)])


def _next_line(text: str, at: int) -> int:
    """Where the next line begins that is neither blank nor a comment; the end of the text where there is none."""
    while (at := text.find("\n", at) + 1) > 0:
        end = text.find("\n", at)
        if not _BLANK_OR_COMMENT.fullmatch(text, at, end if end >= 0 else len(text)):
            return at
    return len(text)


def _continues(text: str, newline: int) -> bool:
    """Whether an odd number of backslashes stands before a line end."""
    line = text[text.rfind("\n", 0, newline) + 1 : newline]
    return (len(line) - len(line.rstrip("\\"))) % 2 == 1
