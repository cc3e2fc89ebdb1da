"""What the look and the neighbours of a value say about the argument it is for: evidence beside the reader's.

A value that looks like those in the catalog's examples (`STS4` like `STS9`); one behind or before the argument's name
("block D11", "two tugs", "by TT17"); a quoted phrase for an argument that takes text. All in nats.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from localgen.decoder.call_cursor import cursor_in
from localgen.decoder.names import vocabulary_of
from localgen.decoder.said import Said, SaidValues
from localgen_grammars.constraint.clocks import clocks_of
from localgen_grammars.constraint.grounding import takes_text
from localgen_grammars.constraint.places import name_places
from localgen_grammars.constraint.quantities import Quantity
from localgen_retrieval.catalog import Arg, Catalog, Proc
from localgen_retrieval.text import name_words
from localgen_retrieval.text import words as stems

ALIKE, SAME_KIND, OTHER_KIND, OTHER_LOOK = 2.5, 1.0, -1.5, -0.5
NAMED, NAMED_OTHER = 2.0, -1.0
WRONG_SIGN, PLAIN = -4.0, -1.5
FIRST_WORD = -9.0  # "Route it on M3": what is to be done, not a name
QUOTED_TEXT, QUOTED_NAME, TEXT_UNQUOTED, INSIDE = 4.0, -2.0, -3.0, -3.0
SHORTENED = 3  # letters that a label cut short has at least
_BEFORE = re.compile(r"([A-Za-z_]+)(?:\s+(?:the|a|an|named|called|is|to|of|on|no|number|id))?[\s:#=(\"'-]*$", re.I)
_LAST = re.compile(r"([A-Za-z_]+)[\s:#=(\"'-]*$")
_UNIT_LIKE = re.compile(r"-?\d+(?:\.\d+)?\D*$")
_AFTER = re.compile(r"[^\s,.;]*[\s\"')-]+([A-Za-z_]+)")


class ValueHints:
    """Hints for one catalog's arguments; what its examples show is read once."""

    def __init__(self, catalog: Catalog) -> None:
        self.vocabulary = vocabulary_of(catalog)
        self._shapes: dict[tuple[str, str], set[str]] = {}
        self._kinds: dict[str, set[str]] = {}
        for proc in catalog.procs:
            for example in proc.examples:
                for arg, value in _example_values(proc, example):
                    if arg.type != "string":
                        continue
                    self._shapes.setdefault((proc.name, arg.name), set()).add(value)
                    self._kinds.setdefault(arg.kind or arg.name, set()).add(value)

    def adjust(self, proc: Proc, arg: Arg, found: tuple[Said, ...], said: SaidValues) -> tuple[Said, ...]:
        """The values with the hints in their scores, likeliest first."""
        if arg.type in ("enum", "bool", "flag"):
            return found
        scored = [replace(s, score=s.score + self._hint(proc, arg, s, said)) for s in found]
        return tuple(sorted(scored, key=lambda s: -s.score))

    def _hint(self, proc: Proc, arg: Arg, s: Said, said: SaidValues) -> float:
        text = said.reading.instruction
        score = 0.0
        if arg.type == "string":
            known = s.text in self._kinds.get(arg.kind or arg.name, ())
            look = self._look(proc, arg, s.text)
            # A part of a name may look more like the examples than the whole does.
            score = min(look, 0.0) if s.text in said.words.pieces else look
            score += 0.0 if known else _plain(s, text, self.vocabulary)
        if s.at >= 0:
            score += _neighbours(proc, arg, text, s)
        if arg.numeric and _wrong_sign(s.text, said.words.quantities):
            score += WRONG_SIGN
        quoted = said.words.quoted
        if arg.type == "string" and takes_text(arg.name, arg.kind):
            score += QUOTED_TEXT if s.text in quoted else TEXT_UNQUOTED if quoted else 0.0
        elif s.text in quoted and " " in s.text:
            score += QUOTED_NAME
        score += INSIDE * _inside_other(s, said)
        return score

    def _look(self, proc: Proc, arg: Arg, text: str) -> float:
        mine = self._shapes.get((proc.name, arg.name), set()) | self._kinds.get(arg.kind or arg.name, set())
        if not mine:
            return 0.0
        if _alike(text, mine):
            return ALIKE
        for other in proc.args:
            if other is not arg and (other.kind or other.name) != (arg.kind or arg.name):
                theirs = self._shapes.get((proc.name, other.name), set()) | self._kinds.get(
                    other.kind or other.name, set()
                )
                if _alike(text, theirs):
                    return OTHER_KIND
        return SAME_KIND if _look(text) in {_look(v) for v in mine} else OTHER_LOOK


def _plain(s: Said, text: str, vocabulary: frozenset[str]) -> float:
    """A word that the catalog itself is written in is seldom a value, nor is one that only begins a sentence."""
    word = s.text.strip('"')
    if not word.isalpha() or s.at < 0:
        return 0.0
    if word.islower():
        return PLAIN if set(stems(word)) <= vocabulary else 0.0
    if not word.istitle() or not re.search(r"(?:^|[.!?]\s+)$", text[: s.at]):
        return 0.0
    return FIRST_WORD if set(stems(word)) <= vocabulary else PLAIN


def hinted(
    found: tuple[Said, ...], said: SaidValues, example: str, label: str, others: Iterable[str] = (),
    vocabulary: frozenset[str] = frozenset(),
) -> tuple[Said, ...]:  # fmt: skip
    """Values for a place of a DSL statement, by its example's value there and the words that stand before it.

    Args:
        others: what stands before the statement's other places.
    """
    text = said.reading.instruction
    foreign = [o for o in others if o and o != label]
    out = []
    for s in found:
        look = ALIKE if _alike(s.text, [example]) else SAME_KIND if _look(s.text) == _look(example) else OTHER_LOOK
        before = _BEFORE.search(text[: s.at]) if s.at >= 0 else None
        last = _LAST.search(text[: s.at]) if s.at >= 0 else None
        near = {m.group(1) for m in (before, last) if m}
        named = NAMED if _labelled(near, label) else NAMED_OTHER * any(_labelled(near, o) for o in foreign)
        look = min(look, 0.0) if s.text in said.words.pieces else look
        score = s.score + (look if example and not _UNIT_LIKE.match(s.text) else 0.0) + named
        score += 0.0 if s.text == example else _plain(s, text, vocabulary)
        if said.words.quoted and re.match(r"[\"'`]", s.text):  # a string of the DSL, and the instruction quotes some
            score += QUOTED_TEXT if s.text[1:-1] in said.words.quoted else TEXT_UNQUOTED
        out.append(replace(s, score=score + INSIDE * _inside_other(s, said)))
    return tuple(sorted(out, key=lambda s: -s.score))


def _labelled(near: Iterable[str], label: str) -> bool:
    """Whether one of the words before a value is a label's, which may be cut short (`lev` for "levels")."""
    said, own = " ".join(near).lower(), label.lower()
    if set(stems(said)) & set(stems(own)):
        return True
    return any(len(w) >= SHORTENED and n.startswith(w) for w in own.split() for n in said.split())


def _inside_other(s: Said, said: SaidValues) -> bool:
    """Whether a value is a part of a quoted phrase or of a time of day."""
    text, quoted = said.reading.instruction, said.words.quoted
    if s.at < 0 or s.text in quoted or s.text[1:-1] in quoted:
        return False
    clocks = clocks_of(text)
    places = [p for q in quoted for p in name_places(text, q)]
    if s.text not in clocks:
        places += [p for found in clocks.values() for p in found]
    return any(a <= s.at < b for a, b in places)


def _neighbours(proc: Proc, arg: Arg, text: str, s: Said) -> float:
    """Whether the words around a value are the argument's name or kind, or those of another one."""
    before = {m.group(1).lower() for m in (_BEFORE.search(text[: s.at]), _LAST.search(text[: s.at])) if m}
    after = {m.group(1).lower() for m in (_AFTER.match(text[s.at :]),) if m}
    near = set(stems(" ".join(before | after)))
    exact = before

    def names(a: Arg) -> bool:
        own = name_words(a.name).lower().split()
        return bool(set(own) & exact) or bool(set(stems(f"{name_words(a.name)} {name_words(a.kind)}")) & near)

    if names(arg):
        return NAMED
    return NAMED_OTHER if any(names(a) for a in proc.args if a is not arg) else 0.0


def _wrong_sign(text: str, quantities: Iterable[Quantity]) -> bool:
    """Whether a number is said with the other sign only: "20 minutes" is not -20, "below" and "minus" are said."""
    signs = {q.value < 0 for q in quantities if q.value}
    return bool(signs) and text.startswith("-") not in signs


def _look(value: str) -> str:
    """A value's coarse look: runs of capitals, small letters and digits."""
    return re.sub(r"[0-9]+", "9", re.sub(r"[a-z]+", "a", re.sub(r"[A-Z]+", "A", value)))


def _alike(value: str, known: Iterable[str]) -> bool:
    """Whether a value is one of those known but for its digits: its letters are the same, and there are digits."""
    bare = re.sub(r"[0-9]+", "9", value)
    return "9" in bare and any(bare == re.sub(r"[0-9]+", "9", k) for k in known)


def _example_values(proc: Proc, example: str) -> list[tuple[Arg, str]]:
    """The values that an example call gives, by argument."""
    name, _, rest = example.split(";")[0].strip().strip("[]").partition(" ")
    if name != proc.name:
        return []
    args = {a.name: a for a in proc.args}
    return [(args[n], v) for n, values in cursor_in(proc, f" {rest} ").values.items() for v in values]
