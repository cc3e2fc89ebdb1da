"""A team's DSL grammar: loading it, and parsing the text of one block with it.

The grammar is a Lark file whose rule `start` is the text inside one block. It is parsed as LALR, or as Earley where it
is not LALR. What a block is and where it stands in a script is `blocks`' business.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import lark
from lark.exceptions import LarkError, UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken
from lark.lexer import PatternStr, TerminalDef, Token
from lark.tree import Tree

from localgen_grammars.productions import left_productions
from localgen_retrieval.errors import ExitCode, GrammarError, LocalgenError

_MAX_EXPECTED = 8
_MAX_PATTERN = 32


class DslSyntaxError(LocalgenError):
    """A text that its DSL's grammar does not accept.

    Attributes:
        line, column: where, counted from 1 in the text given to `parse`.
        offset, length: the same as a character offset, and how many characters are not accepted (0 at the end).
        expected: what could stand there: literals in quotes, other terminals by name, "end of block".
        productions: the rules of the grammar that the text leaves there, innermost first.

    `patterns` are those of terminals, by name, that the hint shows.
    """

    exit_code = ExitCode.INVALID

    def __init__(
        self,
        message: str,
        *,
        line: int,
        column: int,
        offset: int,
        length: int = 0,
        expected: tuple[str, ...] = (),
        productions: tuple[str, ...] = (),
        patterns: Mapping[str, str] | None = None,
    ) -> None:
        known = patterns or {}
        few = [f"{e} /{known[e]}/" if e in known else e for e in expected[:_MAX_EXPECTED]]
        shown = ", ".join(few) + (", …" if len(expected) > _MAX_EXPECTED else "")
        super().__init__(message, hint=f"expected {shown}" if shown else "", code="dsl-syntax")
        self.line = line
        self.column = column
        self.offset = offset
        self.length = length
        self.expected = expected
        self.productions = productions


@dataclass(frozen=True)
class DslGrammar:
    """One DSL's grammar, ready to parse.

    `lark` is the underlying parser (its `terminals`, `rules` and `options` are what a constraint is built from);
    `text` is the grammar as its team wrote it.
    """

    name: str
    path: Path | None
    text: str
    lark: lark.Lark
    algorithm: str
    _shown: dict[str, str] = field(repr=False, compare=False)

    def parse(self, text: str) -> Tree[Token]:
        """The tree of one block's text, all tokens kept.

        Raises:
            DslSyntaxError: where the text leaves the grammar.
        """
        try:
            return self.lark.parse(text)
        except UnexpectedInput as e:
            raise self._located(e, text) from None
        except LarkError as e:
            reason = " ".join(str(e).split())
            raise DslSyntaxError(f"{self.name}: {reason}", line=1, column=1, offset=0, expected=()) from None

    def accepts(self, text: str) -> bool:
        """Whether `parse` succeeds."""
        try:
            self.lark.parse(text)
        except LarkError:
            return False
        return True

    def _located(self, e: UnexpectedInput, text: str) -> DslSyntaxError:
        offset = e.pos_in_stream if isinstance(e.pos_in_stream, int) and e.pos_in_stream >= 0 else len(text)
        names: set[str] = set()
        at_end = isinstance(e, UnexpectedEOF)
        if isinstance(e, UnexpectedToken):
            at_end = e.token.type == "$END"
            names = set(e.accepts or e.expected or ())
        elif isinstance(e, UnexpectedCharacters):
            names = set(e.allowed or ())
        elif isinstance(e, UnexpectedEOF):
            names = set(e.expected or ())
        if at_end:
            offset = len(text.rstrip())
        expected = tuple(sorted({self._shown.get(n, n) for n in names}))
        if at_end:
            what = "the block ends too early" if text.strip() else "the block is empty"
        else:
            what = f"unexpected {_excerpt(text, offset)}"
        productions = left_productions(e, self.lark)
        place = f" in {' or '.join(productions)}" if productions else ""
        return DslSyntaxError(
            f"{self.name}: {what}{place}",
            productions=productions,
            line=text.count("\n", 0, offset) + 1,
            column=offset - (text.rfind("\n", 0, offset) + 1) + 1,
            offset=offset,
            length=0 if at_end else len(_word_at(text, offset)),
            expected=expected,
            patterns={
                t.name: t.pattern.value
                for t in self.lark.terminals
                if not isinstance(t.pattern, PatternStr) and len(t.pattern.value) <= _MAX_PATTERN
            },
        )


def load_grammar(text: str, name: str = "dsl", path: Path | str | None = None) -> DslGrammar:
    """Compile a Lark grammar.

    Args:
        text: the grammar's text.
        name: the DSL's name, used in messages.
        path: the grammar's file, for messages and for `%import` of files beside it.

    Raises:
        GrammarError: with the file and, where it is known, the line.
    """
    file = Path(path) if path is not None else None
    folder = [str(file.parent)] if file is not None else []
    first: Exception | None = None
    for algorithm in ("lalr", "earley"):
        try:
            parser = lark.Lark(text, parser=algorithm, start="start", keep_all_tokens=True, import_paths=folder)
        except Exception as e:
            first = first or e
            continue
        shown = {t.name: _display(t) for t in parser.terminals} | {
            "$END": "end of block",
            "<END-OF-FILE>": "end of block",
        }
        return DslGrammar(name=name, path=file, text=text, lark=parser, algorithm=algorithm, _shown=shown)
    assert first is not None
    raise _grammar_error(first, text, name, file)


def _display(terminal: TerminalDef) -> str:
    """A literal as the script writes it; any other terminal by its name."""
    if isinstance(terminal.pattern, PatternStr):
        return f'"{terminal.pattern.value}"'
    return str(terminal.name)


def _excerpt(text: str, offset: int) -> str:
    word = _word_at(text, offset)
    return f'"{word[:40]}"' if word else "end of line"


def _word_at(text: str, offset: int) -> str:
    m = re.compile(r"\w+|\S").match(text, offset)
    return m.group() if m else ""


def _grammar_error(e: Exception, text: str, name: str, path: Path | None) -> GrammarError:
    reason = str(e).strip()
    line = _line_of(reason, text)
    if isinstance(e, FileNotFoundError):
        reason = f"a file that it imports is missing: {e.filename}"
    # Lark puts the excerpt and the list of what it expected on the lines after the first.
    head = reason.splitlines()[0].strip().rstrip(":,") if reason else type(e).__name__
    head = re.sub(r"\s*(?:at|,)?\s*line \d+,? column \d+(?: in <string>)?\.?$", "", head)
    head = re.sub(r"Token\('\w+', (.*)\)", r"\1", head)
    where = str(path) if path is not None else f"grammar of {name}"
    if "'start'" in reason and ("undefined rule" in reason.lower() or "not defined" in reason.lower()):
        head, hint = "there is no rule named start", "name the rule for the text inside one block `start`"
    else:
        hint = "the grammar is a Lark file: https://lark-parser.readthedocs.io/en/stable/grammar.html"
    return GrammarError(f"{where}:{line or 1}: {head}", hint=hint, code="grammar")


def _line_of(reason: str, text: str) -> int | None:
    """The line that an error of Lark is about: as it says, or where the name in its message is used."""
    said = re.search(r"line (\d+)", reason)
    if said:
        return int(said.group(1))
    if "ollision" in reason:
        return None
    lines = text.splitlines()
    for name in re.findall(r"(?:['\"`(]|token )\s*([A-Za-z_]\w*)", reason):
        for pattern in (rf"[?!]?{re.escape(name)}\s*[.:{{]", rf".*(?<!\w){re.escape(name)}(?!\w)"):
            for number, line in enumerate(lines, 1):
                if re.match(pattern, line.split("//")[0]):
                    return number
    return None
