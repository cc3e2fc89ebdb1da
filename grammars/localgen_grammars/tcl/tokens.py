"""A text as a flat row of tokens that give it back character by character: for printing and for highlighting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from localgen_grammars.tcl.nodes import Part, Script, Substitution, Text, Variable, Word
from localgen_grammars.tcl.parser import Tree

TokenKind = Literal["space", "comment", "text", "escape", "variable", "punctuation", "braced", "unparsed"]


@dataclass(frozen=True, slots=True)
class Token:
    """`text` is exactly the characters `[start, end)`; `space` includes what separates commands."""

    kind: TokenKind
    start: int
    end: int
    text: str


def tokens(tree: Tree) -> list[Token]:
    """All tokens of a tree's text, in order and without gaps; a braced word's content is one token."""
    text = tree.text
    out: list[Token] = []
    pos = 0
    for kind, start, end in sorted(_script(tree.script), key=lambda span: span[1:]):
        if start > pos:
            gap = text[pos:start]
            blank = not gap.replace("\\\n", "").strip(" \t\v\f\r\n;")
            out.append(Token("space" if blank else "unparsed", pos, start, gap))
        if end > start >= pos:
            out.append(Token(kind, start, end, text[start:end]))
        pos = max(pos, end)
    if pos < len(text):
        rest = text[pos:]
        blank = not rest.replace("\\\n", "").strip(" \t\v\f\r\n;")
        out.append(Token("space" if blank else "unparsed", pos, len(text), rest))
    return out


def unparse(tree: Tree) -> str:
    """The text of a tree, put together from its tokens."""
    return "".join(token.text for token in tokens(tree))


_Span = tuple[TokenKind, int, int]


def _script(script: Script) -> Iterator[_Span]:
    for comment in script.comments:
        yield "comment", comment.start, comment.end
    for command in script.commands:
        for word in command.words:
            yield from _word(word)


def _word(word: Word) -> Iterator[_Span]:
    if word.kind == "bare":
        if word.expand:
            yield "punctuation", word.start, word.inner_start
        yield from _parts(word.parts)
        return
    yield "punctuation", word.start, word.inner_start
    if word.kind == "braced":
        yield "braced", word.inner_start, word.inner_end
    else:
        yield from _parts(word.parts)
    yield "punctuation", word.inner_end, word.end


def _parts(parts: tuple[Part, ...]) -> Iterator[_Span]:
    for part in parts:
        if isinstance(part, Text):
            yield ("escape" if part.escape else "text"), part.start, part.end
        elif isinstance(part, Variable):
            if not part.index:
                yield "variable", part.start, part.end
                continue
            yield "variable", part.start, part.index[0].start
            yield from _parts(part.index)
            yield "variable", part.end - 1, part.end
        elif isinstance(part, Substitution):
            yield "punctuation", part.start, part.start + 1
            yield from _script(part.script)
            yield "punctuation", part.end - 1, part.end
