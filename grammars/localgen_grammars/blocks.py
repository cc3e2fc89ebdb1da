"""Blocks of a DSL inside a Tcl script: where they begin and end, and the script without those that are not Tcl.

A block whose embedding is braces (`dsl { … }`) is a Tcl command and is found in the parsed tree. Any other block
(`@dsl( … )`, heredocs) is cut out before Tcl sees the text: `cut_blocks` puts a filler of the same length in its
place, so that every offset stays what it was.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from localgen_grammars.tcl.escapes import join_lines_with_map, map_back
from localgen_grammars.tcl.nodes import Command, Word
from localgen_retrieval.catalog import Dsl

FILLER = "\ue000"  # a private-use character: to Tcl an ordinary letter, in real scripts absent

_CLOSERS = {"{": "}", "(": ")", "[": "]", "<": ">"}


@dataclass(frozen=True)
class Block:
    """One block.

    Attributes:
        dsl: its language, as an index into the catalog's `dsls`.
        start, end: the whole block with its opening and closing text.
        inner_start, inner_end: the DSL text.
        closed: False where the closing text is missing (the block then runs to the end).
        statement: whether it stands where a statement may stand.
    """

    dsl: int
    start: int
    end: int
    inner_start: int
    inner_end: int
    closed: bool = True
    statement: bool = True


@dataclass(frozen=True)
class Cut:
    """A script whose non-brace blocks are replaced by fillers of the same length."""

    text: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class DslText:
    """The text that a DSL's grammar reads, and the way back to the file."""

    text: str
    _pairs: tuple[tuple[int, int], ...]
    _base: int

    def offset(self, at: int) -> int:
        """The offset in the script of an offset in `text`."""
        return self._base + map_back(list(self._pairs), at)


def heredoc_lines(text: str, dsl: Dsl) -> str | None:
    """What stands between the lines that open and close a heredoc, None for another embedding.

    A team's grammar reads either this or the whole text with its line ends; both are right.
    """
    opening, closing = dsl.embedding.open.rstrip(), dsl.embedding.close.strip()
    first = re.match(r"\r?\n", text)
    if _CLOSERS.get(opening[-1:]) == closing or first is None:
        return None
    return re.sub(r"\r?\n\Z", "", text[first.end() :])


def is_braced(dsl: Dsl) -> bool:
    """Whether the blocks of a DSL are Tcl commands with a braced last word."""
    return dsl.embedding.braced and bool(dsl.embedding.words)


def cut_blocks(text: str, dsls: tuple[Dsl, ...]) -> Cut:
    """Cut out the blocks of every DSL whose embedding is not braces.

    A block is taken where a word of a command may begin outside comments and one-line strings; `Block.statement` says
    whether that is also where a statement may stand.
    """
    openers = [
        (index, _opener(dsl.embedding.open))
        for index, dsl in enumerate(dsls)
        if not is_braced(dsl) and dsl.embedding.open.strip()
    ]
    blocks: list[Block] = []
    at = 0
    while True:
        # The first opener in the text wins: what stands inside its block belongs to it.
        found = [
            (m.start(), -m.end(), index) for index, opener in openers if (m := opener.search(text, at)) is not None
        ]
        if not found:
            return Cut(text, tuple(blocks))
        start, minus_end, index = min(found)
        place = _place(text, start)
        if place is None:
            at = start + 1
            continue
        inner_start = -minus_end
        inner_end, end, closed = _close(text, inner_start, dsls[index])
        blocks.append(Block(index, start, end, inner_start, inner_end, closed, place == "statement"))
        text = text[:start] + FILLER * (end - start) + text[end:]
        at = end


def is_filler(word: str | None) -> bool:
    """Whether a word contains a cut-out block."""
    return word is not None and FILLER in word


def opener_of(command: Command, dsls: tuple[Dsl, ...]) -> int | None:
    """The braced DSL (index) that a command opens, judged by its first words; None where it opens none.

    Where only the first word fits, that DSL is returned all the same: `opens_block` tells.
    """
    name = (command.name or "").removeprefix("::")
    fallback = None
    for index, dsl in enumerate(dsls):
        if not name or not is_braced(dsl) or dsl.embedding.words[0].removeprefix("::") != name:
            continue
        if opens_block(command, dsl):
            return index
        fallback = index if fallback is None else fallback
    return fallback


def opens_block(command: Command, dsl: Dsl) -> bool:
    """Whether a command is the opening words of `dsl` and one word more."""
    rest = list(dsl.embedding.words[1:])
    values = [w.value for w in command.words]
    return values[1:-1] == rest and len(values) == len(rest) + 2


def braced_block(command: Command, index: int, dsl: Dsl) -> Block | None:
    """The block of a command that opens `dsl`; None where it is not written `opener { … }`."""
    if not opens_block(command, dsl):
        return None
    body = command.words[-1]
    if body.kind != "braced" or body.expand:
        return None
    return Block(index, command.start, body.end, body.inner_start, body.inner_end, closed=not body.unclosed)


def dsl_text(text: str, block: Block, *, braced: bool) -> DslText:
    """What the grammar reads: a braced word as Tcl passes it on (continued lines joined), any other text as it is."""
    inner = text[block.inner_start : block.inner_end]
    if not braced:
        return DslText(inner, ((0, 0),), block.inner_start)
    joined, pairs = join_lines_with_map(inner)
    return DslText(joined, tuple(pairs), block.inner_start)


def word_of_block(command: Command) -> Word:
    """The word that holds the text of a braced block."""
    return command.words[-1]


@lru_cache(maxsize=64)
def _opener(opening: str) -> re.Pattern[str]:
    """The opening text, with any white space between its words; a name does not begin in the middle of one."""
    pattern = r"\s*".join(re.escape(w) for w in opening.split())
    return re.compile((r"(?<![\w:$])" if re.match(r"\w", opening.lstrip()) else "") + pattern)


def _place(text: str, at: int) -> str | None:
    """Where an opener stands: "statement", "word", or None for a comment, a string or the middle of a word."""
    line_start = text.rfind("\n", 0, at) + 1
    before = text[line_start:at]
    if before.lstrip().startswith("#"):
        return None
    stripped = before.rstrip(" \t")
    if not stripped or stripped[-1] in ";{[":
        return "statement"
    if before[-1] not in " \t" or re.search(r"[;{]\s*#", before):
        return None
    quotes = len(re.findall(r'(?<!\\)"', before))
    return "word" if quotes % 2 == 0 else None


def _close(text: str, at: int, dsl: Dsl) -> tuple[int, int, bool]:
    """(end of the DSL text, end of the block, whether it is closed) of a block whose text begins at `at`."""
    opening, closing = dsl.embedding.open.rstrip(), dsl.embedding.close.strip()
    if _CLOSERS.get(opening[-1]) == closing:
        end = _bracket_close(text, at, opening[-1], closing)
        return (end - 1, end, True) if end is not None else (len(text), len(text), False)
    line_end = text.find("\n", at)
    same_line = text.find(closing, at, line_end if line_end >= 0 else len(text))
    if same_line >= 0 and not re.fullmatch(r"\w+", closing):
        return same_line, same_line + len(closing), True
    line = re.compile(rf"^[ \t]*{re.escape(closing)}[ \t]*\r?$", re.MULTILINE).search(text, at)
    if line is not None:
        return line.start(), line.start() + len(line.group().rstrip("\r \t")), True
    anywhere = text.find(closing, at) if closing and not re.fullmatch(r"\w+", closing) else -1
    if anywhere >= 0:
        return anywhere, anywhere + len(closing), True
    return len(text), len(text), False


def _bracket_close(text: str, at: int, opening: str, closing: str) -> int | None:
    """After the first closing bracket at depth 0 outside double-quoted strings (inside braces, quotes do not count)."""
    depth, quoted = 1, False
    for m in re.compile(rf'\\.|["{re.escape(opening)}{re.escape(closing)}]', re.DOTALL).finditer(text, at):
        char = m.group()
        if char == '"':
            quoted = not quoted and opening != "{"
        elif not quoted and len(char) == 1:
            depth += 1 if char == opening else -1
            if not depth:
                return m.end()
    return None
