"""Micro-exercises from a DSL's grammar: statements drawn from it, one production at a time, and words for them."""

from __future__ import annotations

import re

from localgen_retrieval.text import name_words

from ..values import say_number
from .calls import Step
from .grammar_sample import Piece, joined, sample_statement, sample_whole
from .marks import keep
from .splits import pick
from .wording import STATEMENTS
from .world import Shown, World, WorldDsl

_SIGNS = {"->": "to", "=>": "to", "..": "to", ">": "above", "<": "below", ">=": "at least", "<=": "at most", ",": "and"}
_QUANTITY = re.compile(r"(-?\d+(?:\.\d+)?)([A-Za-z%][A-Za-z%/0-9]*)?")


def block_step(world: World, dsl: int, count: int) -> Step | None:
    """A block with so many statements of one DSL, or the bare text where the host is a DSL itself."""
    w = world.dsls[dsl]
    made = [m for m in (statement(world, w) for _ in range(count)) if m is not None]
    if not made:
        return None
    texts = [m[1] for m in made]
    lines = [line for _, line, _, _ in made]
    if world.source.domain.catalog.host == "tcl":
        entry = w.entry.embedding
        lines = [entry.open.strip(), *(f"  {line}" for line in lines), entry.close.strip()]
    positions = list(dict.fromkeys(p for _, _, p, _ in made))
    text = " and ".join(m[0] for m in made)
    step = Step(text, lines, Shown(dsls={dsl: positions}), "+".join(m[3] for m in made))
    step.tags = texts
    return step


def statement(world: World, w: WorldDsl) -> tuple[str, str, int, str] | None:
    """(sentence, statement, index of its production or -1, form) of one production, drawn from the grammar."""
    rng, source = world.rng, w.source
    if source.statements:
        s = rng.randrange(len(source.statements))
        got = sample_statement(source.grammar, source.statements[s], rng)
        if got is None:
            return None
        pieces, production = got[0], source.productions[s]
    else:
        whole = sample_whole(source.grammar, rng)
        if not whole:
            return None
        s, pieces, production = -1, whole, -1
    text = joined(pieces, source.grammar)
    if text is None or len(text) > 300:
        return None
    sentence, form = _sentence(world, w, pieces, production)
    return sentence, text, production, f"{w.entry.name}.{s}.{form}"


def _sentence(world: World, w: WorldDsl, pieces: list[Piece], production: int) -> tuple[str, str]:
    rng = world.rng
    head = 0
    while head < len(pieces) and not pieces[head].value and head < 1:
        head += 1
    keyword = name_words(pieces[0].text).lower() if pieces and not pieces[0].value else w.entry.name
    fields = _fields(pieces[head:], world)
    entry = w.entry.productions[production] if production >= 0 else None
    r = rng.random()
    if r < 0.18 or not keyword:
        number, _ = pick(STATEMENTS, world.split, rng)
        return f"{keyword} {' '.join(fields)}".strip(), f"read{number}"
    what = keyword + rng.choice((" statement", " rule", " entry", ""))
    if entry is not None and "_" in entry.name and not entry.name[-1].isdigit() and rng.random() < 0.6:
        what = name_words(entry.name).lower()
    if entry is not None and entry.summary and r < 0.45:
        what += (
            f" ({entry.summary.split('.')[0].split(';')[0][:1].lower()}{entry.summary.split('.')[0].split(';')[0][1:]})"
        )
    number, form = pick(STATEMENTS, world.split, rng)
    return form.format(what=what.strip(), fields=", ".join(fields)), f"statement{number}"


def _fields(pieces: list[Piece], world: World) -> list[str]:
    """Label and value of each place; a value behind a comma goes with the one before it."""
    out: list[str] = []
    label: list[str] = []
    glue = False
    for p in pieces:
        if not p.value:
            if p.text in (";", "(", ")", "{", "}", ":", "="):
                continue
            glue = p.text == "," and bool(out) and not label
            label.append(_SIGNS.get(p.text) or name_words(p.text).lower() or p.text)
            continue
        said = keep(_spoken(p.text, world))
        if glue:
            out[-1] += f" and {said}"
        else:
            # Renamed words are no words of English: a slip of the pen would make others of them.
            words = " ".join(label)
            out.append(f"{keep(words) if words and world.renaming else words} {said}".strip())
        label, glue = [], False
    if label:
        out.append(" ".join(label))
    return [f for f in out if f]


def _spoken(value: str, world: World) -> str:
    if len(value) > 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1] if world.rng.random() < 0.8 else value
    m = _QUANTITY.fullmatch(value)
    return say_number(m.group(1), m.group(2) or "", world.rng) if m is not None else value
