"""How a finding can be repaired: edits of the text, put together by the checks that know what is wrong.

Offsets are those of the text that is checked (newlines only). A repair is *safe* where what was meant is clear: the one
name that is near, a spelling written out, a place that the indentation shows. Anything else is a proposal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from localgen.validation.nearest import clear_nearest
from localgen_grammars.tcl.recovery import guess_close

_PLAIN = re.compile(r"[\w:.+/*%-]+")
# The first line of what is opened at the end of a line.
_FIRST_INSIDE = re.compile(r".[ \t]*\n(?:[ \t]*\n)*([ \t]*)\S")
_BRACES = re.compile(r"\\.|[{}]", re.DOTALL)
_MAX_NESTING = 60
_BLANKS = re.compile(r"[ \t]*")
# Words that go on with a command after the brace that closes a body.
_CONTINUES = re.compile(r"(?:else|elseif|on|trap|finally)\b")


@dataclass(frozen=True)
class Edit:
    """The characters `[start, end)` become `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Repair:
    """Edits that belong together, and what they do in words."""

    message: str
    edits: tuple[Edit, ...]
    safe: bool = False


@dataclass(frozen=True)
class Swap:
    """What to write in place of (a part of) a word, wherever in the script it stands."""

    old: str
    new: str
    safe: bool = False


def swaps(text: str, start: int, end: int, wanted: Iterable[Swap]) -> tuple[Repair, ...]:
    """The repairs that write `new` for `old` between two offsets; none where `old` does not stand there exactly once.

    So nothing is changed where a value comes from a variable or is put together.
    """
    out = []
    for swap in wanted:
        pattern = rf"(?:(?<![\w$:])|(?<=(?<![\w$:])::)){re.escape(swap.old)}(?!\w)"
        found = [m.span() for m in re.finditer(pattern, text[start:end])] if swap.old else []
        if len(found) == 1 and _PLAIN.fullmatch(swap.new):
            edit = Edit(start + found[0][0], start + found[0][1], swap.new)
            out.append(Repair(f"write {swap.new} instead of {swap.old}", (edit,), swap.safe))
    return tuple(out)


def renamed_variable(
    text: str, start: int, end: int, old: str, new: str, *, safe: bool = False
) -> tuple[Repair, ...]:
    """Write another variable's name where `$old`, `${old}` or `old` stands; none where none of them does."""
    m = re.compile(r"\$?\{?").match(text, start, end)
    at = m.end() if m is not None else start
    if not text.startswith(old, at) or at + len(old) > end:
        return ()
    sign = "$" if text.startswith("$", start) else ""
    return (Repair(f"write {sign}{new} instead of {sign}{old}", (Edit(at, at + len(old), new),), safe),)


def spelling(name: str, known: Iterable[str], *, prefix: str = "") -> tuple[Swap, ...]:
    """The name that was meant, where one is clearly the nearest."""
    meant = clear_nearest(name, known)
    if meant is not None and name.startswith("::"):
        meant = f"::{meant.removeprefix('::')}"
    return (Swap(prefix + name, prefix + meant, safe=True),) if meant is not None else ()


def removal(text: str, start: int, end: int, *, safe: bool = False) -> Repair:
    """Take out `[start, end)`."""
    return Repair(f"remove {shortened(text[start:end])}", (Edit(start, end, ""),), safe)


def moved(text: str, start: int, end: int, to: int) -> Repair:
    """Move the words in `[start, end)` before the one at `to`; `start` is where the word before them ends."""
    words = text[start:end].lstrip(" \t\\\n")
    edits = (Edit(to, to, f"{words} "), Edit(start, end, ""))
    return Repair(f"move {shortened(words)} before the positional arguments", edits, safe=True)


def insertion(at: int, text: str, message: str, *, safe: bool = False) -> Repair:
    """Put text in."""
    return Repair(message, (Edit(at, at, text),), safe)


def closing(text: str, at: int, close: str = "}") -> tuple[Repair, ...]:
    """Close what is opened at `at` where the indentation says that it ends; safe if its lines are clearly inside it.

    Where that place has a brace of its own, it is one inside that is not closed.
    """
    limit = len(text)
    for _ in range(_MAX_NESTING):
        inner_end, after = guess_close(text, at, limit)
        indent = _indent(text, at)
        if after == inner_end or len(_indent(text, inner_end).expandtabs()) != len(indent.expandtabs()):
            break
        inside = _unclosed(text, at + 1, inner_end)
        if inside is None:
            return ()
        at, limit, close = inside, inner_end, "}"
    else:
        return ()
    follows = re.compile(r"\S").search(text, inner_end)
    following = follows.start() if follows is not None else inner_end
    message = f"close the block with {close}"
    inside_line = _FIRST_INSIDE.match(text, at)
    clear = inside_line is not None and len(inside_line[1].expandtabs()) > len(indent.expandtabs())
    if _CONTINUES.match(text, following) and close == "}":
        return (insertion(following, "} ", message, safe=clear),)
    end = at + len(text[at:inner_end].rstrip())
    if end <= at:
        return ()
    return (insertion(end, f"\n{indent}{close}", message, safe=clear),)


def headed(text: str, header: str) -> Repair:
    """Put the required header first, in place of another `#!` line."""
    at = len(text) - len(text.lstrip("\ufeff"))
    old = re.compile(r"#![^\n]*\n").match(text, at) if header.startswith("#!") else None
    edit = Edit(at, old.end() if old is not None else at, f"{header}\n")
    return Repair(f"begin with {header}", (edit,), safe=True)


def misspelt_token(text: str, at: int, expected: Sequence[str]) -> tuple[Repair, ...]:
    """The literal of a DSL (in double quotes in `expected`) that the word at an offset surely means."""
    literals = [e[1:-1] for e in expected if len(e) > 2 and e.startswith('"')]
    for pattern in (r"\S+", r"\w+"):
        m = re.compile(pattern).match(text, at)
        meant = clear_nearest(m.group(), literals) if m is not None else None
        if m is not None and meant is not None:
            edit = Edit(at, m.end(), meant)
            return (Repair(f"write {meant} instead of {m.group()}", (edit,), safe=True),)
    return ()


def _unclosed(text: str, start: int, end: int) -> int | None:
    """The first brace in a range that Tcl's counting leaves open there."""
    opened = []
    for m in _BRACES.finditer(text, start, end):
        if m.group() == "{":
            opened.append(m.start())
        elif m.group() == "}" and opened:
            opened.pop()
    return opened[0] if opened else None


def _indent(text: str, at: int) -> str:
    """The blanks that the line of an offset begins with."""
    m = _BLANKS.match(text, text.rfind("\n", 0, at) + 1)
    return m.group() if m is not None else ""


def shortened(text: str) -> str:
    """Text as messages show it: one line, not too long."""
    flat = " ".join(text.replace("\\\n", " ").split())
    return flat if len(flat) <= 40 else flat[:37] + "..."
