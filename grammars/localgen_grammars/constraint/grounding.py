"""Grounding sources: the words of an instruction that a value may be made of.

A string value in a generated script has to come from somewhere: a quoted phrase, a word or part of a word of the
instruction. Which of them an argument may take is decided where its type and pattern are known (`values`).
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from functools import cached_property

from .clocks import clocks_of
from .quantities import Quantity, quantities_of

STOP_WORDS = frozenset([
    "a", "an", "the", "this", "that", "these", "those", "it", "its", "them", "they", "he", "she", "we", "i", "you",
    "me", "us", "my", "your", "our", "their", "his", "her", "of", "to", "in", "on", "at", "by", "for", "from", "with",
    "without", "into", "onto", "over", "under", "up", "down", "out", "off", "as", "is", "are", "was", "were", "be",
    "been", "being", "do", "does", "did", "done", "has", "have", "had", "and", "or", "but", "nor", "so", "if", "then",
    "else", "when", "while", "until", "unless", "because", "than", "not", "no", "yes", "all", "any", "each", "every",
    "both", "some", "such", "same", "other", "another", "only", "just", "also", "too", "very", "more", "most", "much",
    "many", "few", "there", "here", "where", "which", "who", "what", "whose", "how", "why", "can", "could", "will",
    "would", "shall", "should", "may", "might", "must", "let", "lets", "please", "pls", "thanks", "need", "needs",
    "want", "wants", "like", "make", "sure", "after", "before", "next", "finally", "first", "now", "again",
    "should're", "don't", "isn't", "i'd", "i'll", "it's", "let's", "about", "between", "through", "using", "use",
    "via", "per",
])  # fmt: skip
_QUOTED = re.compile(r'"([^"\n]+)"|“([^”\n]+)”|`([^`\n]+)`|(?<![\w])\'([^\'\n]+)\'(?![\w])')
_OPENERS, _CLOSERS = "([{<\"'“‘`", ")]}>\"'”’`.,;:!?"
_PAIRS = {")": "(", "]": "[", "}": "{", ">": "<"}
_TEXT_ARG = re.compile(
    r"text|message|msg|title|comment|note|descr|label|reason|subject|caption|remark|annot|phrase|body", re.I
)
MAX_SPAN = 6


@dataclass(frozen=True)
class Words:
    """What strings may be made of.

    Attributes:
        names: whole words (punctuation at the edges stripped) and quoted phrases, in order, each once; then times of
            day that are said in words, as `HH:MM`.
        pieces: parts of words between separators, and words glued to a number that follows them (`SR 7` → `SR7`).
        spans: runs of two to six words, for arguments that take free text.
        quoted: the quoted phrases alone.
        quantities: the numbers, with their units.
    """

    names: tuple[str, ...] = ()
    pieces: tuple[str, ...] = ()
    spans: tuple[str, ...] = ()
    quoted: tuple[str, ...] = ()
    quantities: tuple[Quantity, ...] = ()

    @property
    def content(self) -> tuple[str, ...]:
        """Names that are not function words; all names where nothing else is left."""
        kept = tuple(n for n in self.names if not is_stop_word(n))
        return kept or self.names

    @cached_property
    def lower(self) -> frozenset[str]:
        """All names in small letters."""
        return frozenset(n.lower() for n in self.names)

    def all(self) -> tuple[str, ...]:
        """Names and pieces, each once."""
        return tuple(dict.fromkeys((*self.names, *self.pieces)))


def words_of(*texts: str) -> Words:
    """The words of an instruction (and of other texts that values may come from, such as answers)."""
    names: dict[str, None] = {}
    pieces: dict[str, None] = {}
    spans: dict[str, None] = {}
    quoted: dict[str, None] = {}
    for text in texts:
        for m in _QUOTED.finditer(text):
            phrase = next(g for g in m.groups() if g)
            quoted[phrase] = None
            names[phrase] = None
        tokens = [_strip(t) for t in text.split()]
        for token in tokens:
            for name in _readings(token):
                names[name] = None
                for piece in re.split(r"[^A-Za-z0-9]+", name):
                    if piece and piece != name:
                        pieces[piece] = None
        for a, b in itertools.pairwise(tokens):
            if a.isalpha() and a.isupper() and re.fullmatch(r"[0-9]+", b):
                pieces[a + b] = None
        for i in range(len(tokens)):
            for j in range(i + 2, min(len(tokens), i + MAX_SPAN) + 1):
                run = tokens[i:j]
                if all(run) and not is_stop_word(run[0]) and not is_stop_word(run[-1]):
                    spans[" ".join(run)] = None
    names.update(dict.fromkeys(clocks_of("\n".join(texts))))
    parts = tuple(p for p in pieces if p not in names)
    return Words(tuple(names), parts, tuple(spans), tuple(quoted), quantities_of("\n".join(texts)))


def digits_of(words: Words) -> tuple[str, ...]:
    """The runs of digits in an instruction's names (`12` of `A12`), each once: numbers that it does not say as such."""
    found = (m.lstrip("0") or "0" for n in words.names for m in re.findall(r"\d{1,12}", n))
    return tuple(dict.fromkeys(found))


def is_stop_word(word: str) -> bool:
    """Whether a word carries no meaning of its own; `A`, `IT` and `ON` in capitals may be names."""
    return word.lower() in STOP_WORDS and (word.islower() or word == "I" or (len(word) > 1 and not word.isupper()))


def takes_text(name: str, kind: str) -> bool:
    """Whether an argument of this name or kind takes free text, so that several words in a row may be its value."""
    return bool(_TEXT_ARG.search(name) or _TEXT_ARG.search(kind))


def _strip(token: str) -> str:
    """A token without the punctuation of the sentence around it; brackets that belong to a name stay (`mux[3]`)."""
    while token:
        last = token[-1]
        if last in _CLOSERS and not (last in _PAIRS and token.count(_PAIRS[last]) >= token.count(last)):
            token = token[:-1]
        elif token[0] in _OPENERS and not _pairs_inside(token):
            token = token[1:]
        else:
            return token
    return token


def _pairs_inside(token: str) -> bool:
    closing = {"(": ")", "[": "]", "{": "}", "<": ">"}.get(token[0])
    return closing is not None and closing in token and not token.endswith(closing)


def _readings(token: str) -> list[str]:
    """A token, and what it is made of where it lists (`A,B`), assigns (`x=3`) or is a possessive (`CLK's`)."""
    if not token:
        return []
    out = [token]
    if token.endswith(("'s", "’s")):
        out.append(token[:-2])
    for separator in (",", ";", "="):
        if separator in token:
            out += [p for p in (_strip(x) for x in token.split(separator)) if p]
    return out
