"""Hard negatives: a valid script made invalid in one place, each in a way that people and models really err.

What is wrong is said by the validator: a script that it still accepts is no negative.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from localgen.repair import with_header
from localgen.validation.report import Finding, Report
from localgen.validation.validate import validate_script
from localgen_grammars.tcl import Command, Word, parse, walk
from localgen_retrieval.catalog import Proc
from localgen_retrieval.catalog_io import Domain

from ..virtual_api import opaque_word

_TRIES = 6
_Break = Callable[[str, Domain, random.Random], str | None]


def broken(body: str, domain: Domain, rng: random.Random) -> tuple[str, str, Report] | None:
    """(kind, broken body, the report on it) or None where nothing was found that the validator objects to."""
    for _ in range(_TRIES):
        kind = rng.choice(tuple(KINDS))
        text = KINDS[kind](body, domain, rng)
        if text is None or text == body:
            continue
        report = validate_script(with_header(text, domain), domain, strict=True)
        if not report.valid:
            return kind, text, report
    return None


def first_error(report: Report) -> Finding:
    """The error that comes first."""
    return next(f for f in report.details if f.severity == "error")


def _calls(body: str, domain: Domain) -> list[tuple[Command, Proc]]:
    procs = {p.name: p for p in domain.catalog.procs}
    if domain.catalog.host != "tcl":
        return []
    return [(v.command, procs[v.command.name]) for v in walk(parse(body)) if v.command.name in procs]


def _put(body: str, word: Word, text: str) -> str:
    return body[: word.start] + text + body[word.end :]


def _misspelt(text: str, rng: random.Random) -> str:
    """A word with a letter left out, doubled, or two swapped."""
    at = [i for i, c in enumerate(text) if c.isalpha()]
    if len(at) < 3:
        return text + "x"
    k = rng.choice(at[1:-1])
    r = rng.random()
    if r < 0.4:
        return text[:k] + text[k + 1 :]
    if r < 0.7:
        return text[:k] + text[k] + text[k:]
    return text[:k] + text[k + 1] + text[k] + text[k + 2 :]


def _option(body: str, domain: Domain, rng: random.Random) -> str | None:
    found = [
        (w, p)
        for c, p in _calls(body, domain)
        for w in c.words[1:]
        if (w.value or "") in {f"-{a.name}" for a in p.options}
    ]
    if not found:
        return None
    word, proc = rng.choice(found)
    name = word.value or ""
    others = [f"-{a.name}" for q in domain.catalog.procs if q is not proc for a in q.options]
    others = [o for o in others if o not in {f"-{a.name}" for a in proc.options}]
    wrong = rng.choice(others) if others and rng.random() < 0.4 else _misspelt(name, rng)
    return _put(body, word, wrong)


def _enum(body: str, domain: Domain, rng: random.Random) -> str | None:
    found = []
    for command, proc in _calls(body, domain):
        by_option = {f"-{a.name}": a for a in proc.options if a.values and not a.list_}
        for before, word in zip(command.words, command.words[1:], strict=False):
            arg = by_option.get(before.value or "")
            if arg is not None and word.value in arg.values:
                found.append((word, arg.values))
    catalog = domain.catalog
    for visit in walk(parse(body)) if catalog.host == "tcl" else ():
        words = visit.command.words
        variable = next(
            (v for v in catalog.variables if len(words) == 3 and words[1].value == v.name and v.values), None
        )
        if variable is not None:
            found.append((words[2], variable.values))
    if not found:
        return None
    word, values = rng.choice(found)
    wrong = _misspelt(word.value or "", rng) if rng.random() < 0.5 else opaque_word(rng)
    return _put(body, word, wrong) if wrong not in values else None


def _undeclared(body: str, domain: Domain, rng: random.Random) -> str | None:
    found = [c.words[0] for c, _ in _calls(body, domain)]
    if not found:
        return None
    word = rng.choice(found)
    name = word.value or ""
    wrong = _misspelt(name, rng) if rng.random() < 0.6 else f"{name.rpartition('::')[0] or 'api'}::{opaque_word(rng)}"
    return _put(body, word, wrong)


def _missing(body: str, domain: Domain, rng: random.Random) -> str | None:
    found = []
    for command, proc in _calls(body, domain):
        required = {f"-{a.name}" for a in proc.options if a.required and a.type != "flag"}
        for i, word in enumerate(command.words[1:-1], 1):
            if word.value in required:
                found.append((command.words[i - 1].end, command.words[i + 1].end))
    if not found:
        return None
    start, end = rng.choice(found)
    return body[:start] + body[end:]


def _number(body: str, domain: Domain, rng: random.Random) -> str | None:
    found = []
    for command, proc in _calls(body, domain):
        by_option = {f"-{a.name}": a for a in proc.options if a.numeric and not a.list_}
        for before, word in zip(command.words, command.words[1:], strict=False):
            arg = by_option.get(before.value or "")
            if arg is not None and word.kind == "bare" and word.value:
                found.append((word, arg))
    if not found:
        return None
    word, arg = rng.choice(found)
    wrong = [f"{word.value}{rng.choice(('um', 'x', 'V', 'ms'))}", opaque_word(rng), "1.2.3"]
    if arg.max is not None:
        wrong.append(f"{arg.max * 10 + 1:g}")
    return _put(body, word, rng.choice(wrong))


def _delimiter(body: str, domain: Domain, rng: random.Random) -> str | None:
    places = [i for i, c in enumerate(body) if c in '{}[]"']
    if not places:
        return None
    i = rng.choice(places)
    return body[:i] + body[i + 1 :]


def _block(body: str, domain: Domain, rng: random.Random) -> str | None:
    """One token of a line inside a block is left out, misspelt or doubled."""
    opens = {d.embedding.open.strip(): d.embedding.close.strip() for d in domain.catalog.dsls}
    lines, inside, close = body.split("\n"), [], ""
    if domain.catalog.host != "tcl":
        inside = [i for i, line in enumerate(lines) if line.strip()]
    for i, line in enumerate(lines):
        if close and line.strip() == close:
            close = ""
        elif close:
            inside.append(i)
        elif line.strip() in opens:
            close = opens[line.strip()]
    if not inside:
        return None
    i = rng.choice(inside)
    tokens = re.findall(r"\s+|[^\s]+", lines[i])
    words = [k for k, t in enumerate(tokens) if t.strip()]
    k = rng.choice(words)
    r = rng.random()
    if r < 0.4:
        tokens[k] = ""
    elif r < 0.8:
        tokens[k] = _misspelt(tokens[k], rng)
    else:
        tokens[k] += f" {tokens[k]}"
    lines[i] = "".join(tokens).rstrip()
    return "\n".join(lines)


KINDS: dict[str, _Break] = {
    "argument-name": _option,
    "enum-value": _enum,
    "undeclared-name": _undeclared,
    "missing-argument": _missing,
    "number": _number,
    "delimiter": _delimiter,
    "block": _block,
}
