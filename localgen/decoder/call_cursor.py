"""Reading a call as far as it is written: which options and positionals it has, and what comes next."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from localgen_grammars.tcl.lists import ListError, list_values
from localgen_retrieval.catalog import Arg, Proc

_CALL = re.compile(r"([^\s\[\]{}\"$;]+)((?: .*)?)$")


@dataclass(frozen=True)
class Cursor:
    """Where in a call a text ends.

    Attributes:
        waiting: the arg whose value comes next or is being written; None where an option may begin.
        last: what is written of the current word.
        used: names of the options and positionals that are there; values: what they are given.
        positional: the positional that a bare word would be.
    """

    waiting: Arg | None
    last: str
    used: frozenset[str]
    positional: Arg | None
    values: Mapping[str, tuple[str, ...]]


def call_at(line: str) -> tuple[str, str] | None:
    """(name, rest) of the innermost call that is open at the end of a line."""
    start = 0
    stack: list[int] = []
    for i, c in enumerate(line):
        if c == "[" and (i == 0 or line[i - 1] in ' {"(!['):
            stack.append(start)
            start = i + 1
        elif c == "]" and stack:
            start = stack.pop()
    m = _CALL.match(line[start:])
    return (m.group(1), m.group(2)) if m else None


def words_in(rest: str) -> list[str]:
    """The words of a call's rest, the unfinished one last ("" after a space)."""
    out, word, depth, quoted = [], "", 0, False
    for c in rest:
        if c == " " and depth == 0 and not quoted:
            out.append(word)
            word = ""
            continue
        word += c
        if c == '"':
            quoted = not quoted
        elif c in "{[":
            depth += 1
        elif c in "}]":
            depth = max(0, depth - 1)
    return [*out[1:], word] if rest.startswith(" ") else [word]


def cursor_in(proc: Proc, rest: str) -> Cursor:
    """Where a call ends whose proc's name is followed by `rest`."""
    words = words_in(rest) if rest else []
    options = {f"-{a.name}": a for a in proc.options}
    positionals = list(proc.positionals)
    values: dict[str, tuple[str, ...]] = {}
    used: set[str] = set()
    waiting: Arg | None = None
    n = 0
    for i, w in enumerate(words):
        whole = i < len(words) - 1
        if waiting is not None:
            if not whole:
                break
            values[waiting.name] = _given(waiting, w)
            waiting = None
        elif w in options:
            used.add(options[w].name)
            if options[w].type == "flag":
                values[options[w].name] = ()
                continue
            waiting = options[w]
            if not whole:
                return Cursor(waiting, "", frozenset(used), None, values)
        elif whole and n < len(positionals):
            used.add(positionals[n].name)
            values[positionals[n].name] = _given(positionals[n], w)
            n += 1
    last = words[-1] if words else ""
    # A bare word that is being written is the next positional; an empty one may become it.
    return Cursor(waiting, last, frozenset(used), positionals[n] if n < len(positionals) else None, values)


def _given(arg: Arg, word: str) -> tuple[str, ...]:
    """The value or values that a word gives."""
    try:
        found = list_values(word)
        return tuple(list_values(found[0])) if arg.list_ and found else tuple(found)
    except ListError:
        return (word,)


def open_list(last: str) -> bool:
    """Whether a word is a list in braces that is not closed yet."""
    return last.startswith("{") and last.count("{") > last.count("}")
