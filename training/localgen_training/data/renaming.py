"""Alpha-renaming: procs, options, namespaces, variables and DSL keywords under other names, the same ones everywhere.

A name is given when it is asked for, so that renaming ten symbols costs the same in a catalog of ten thousand.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from lark.lexer import PatternStr, Token

from localgen.validation.grammars import compiled
from localgen_grammars.dsl import DslGrammar
from localgen_grammars.statements import match_example, statements_of
from localgen_retrieval.catalog import Arg, Dsl, Proc, Production, Variable
from localgen_retrieval.errors import LocalgenError

from ..families import all_fields
from ..virtual_api import join_words, opaque_word
from .source import Source, SourceDsl

_IDENTIFIER = re.compile(r"(?:::)?[A-Za-z_]\w*(?:::\w+)*")
_WORD = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
_GRAMMAR_PIECES = re.compile(r'//[^\n]*|"(?:\\.|[^"\\\n])*"i?|/(?![/*])(?:\\.|[^/\\\n])+/[imslux]*')


@lru_cache(maxsize=1)
def _words() -> tuple[str, ...]:
    """Words that name things and deeds in the families: new names look like names."""
    found = {
        w.lower()
        for f in all_fields()
        for c in f.concepts
        for name in c.names
        for w in re.findall(r"[A-Za-z]{3,12}", name)
    }
    return tuple(sorted(found))


class Renaming:
    """New names for one example, drawn from a seed."""

    def __init__(self, source: Source, seed: str) -> None:
        self._source = source
        self._rng = random.Random(f"renaming {seed}")
        self._procs: dict[int, Proc] = {}
        self._variables: dict[int, Variable] = {}
        self._spaces: dict[str, str] = {}
        self._tails: dict[str, str] = {}
        self._options: dict[str, str] = {}
        self._taken: set[str] = {*source.builtins, *source.domain.catalog.policy.forbidden}
        self._case = self._rng.choices(["snake", "camel", "flat"], [70, 20, 10])[0]
        self._opaque = self._rng.choice([0.1, 0.5, 0.9])

    def proc(self, index: int) -> Proc:
        """The proc at this index of the catalog under its new name, with new option names."""
        if index not in self._procs:
            old = self._source.domain.catalog.procs[index]
            name = self.name(old.name)
            options = self._arguments(old.args)
            args = tuple(
                a.model_copy(update={"name": options[a.name], "doc": self.text(a.doc)})
                if a.doc
                else a.model_copy(update={"name": options[a.name]})
                for a in old.args
            )
            update = {
                "name": name,
                "args": args,
                "exclusive": tuple(tuple(options.get(n, n) for n in group) for group in old.exclusive),
                "requires": {options.get(k, k): tuple(options.get(n, n) for n in v) for k, v in old.requires.items()},
                "summary": self.text(old.summary),
                "notes": self.text(old.notes),
                "examples": (),
                "deprecated": None,
            }
            self._procs[index] = old.model_copy(update=update)
        return self._procs[index]

    def variable(self, index: int) -> Variable:
        """The variable at this index of the catalog under its new name."""
        if index not in self._variables:
            old = self._source.domain.catalog.variables[index]
            update = {"name": self.name(old.name), "doc": self.text(old.doc)}
            self._variables[index] = old.model_copy(update=update)
        return self._variables[index]

    def name(self, old: str) -> str:
        """The new name of a proc or variable: each namespace and each last part has one."""
        if old not in self._tails:
            *spaces, tail = old.split("::")
            head = "".join(f"{self._space(s)}::" if s else "::" for s in spaces)
            count = len(re.findall(r"[A-Za-z]+", tail)) or 1
            for _ in range(20):
                new = head + self._draw(min(3, count))
                if new not in self._taken:
                    break
                count += 1
            self._taken.add(new)
            self._tails[old] = new
        return self._tails[old]

    def text(self, text: str) -> str:
        """A doc in which the catalog's names are the new ones."""
        if not text:
            return text
        catalog = self._source.by_name
        return _IDENTIFIER.sub(lambda m: self.name(m.group()) if m.group() in catalog else m.group(), text)

    def _space(self, old: str) -> str:
        if old not in self._spaces:
            new = self._draw(1)
            while new in self._spaces.values():
                new = self._draw(2)
            self._spaces[old] = new
        return self._spaces[old]

    def _arguments(self, args: Sequence[Arg]) -> dict[str, str]:
        """New names of a proc's args; the same option has the same new name in all procs."""
        out: dict[str, str] = {}
        for a in args:
            new = self._options.get(a.name) or self._draw(1 + ("_" in a.name))
            while new in out.values():
                new = self._draw(2)
            self._options.setdefault(a.name, new)
            out[a.name] = new
        return out

    def _draw(self, count: int) -> str:
        if self._rng.random() < self._opaque:
            return opaque_word(self._rng) + (
                "_" + opaque_word(self._rng) if count > 1 and self._rng.random() < 0.5 else ""
            )
        return join_words(" ".join(self._rng.choice(_words()) for _ in range(count)), self._case)


def rename_dsl(source: Source, dsl: SourceDsl, seed: str) -> tuple[Dsl, str, SourceDsl, dict[str, str]] | None:
    """A DSL whose keywords are other words: (catalog entry, grammar's text, statements, new words by old ones).

    None where it has no words to change.

    Only literals of the grammar that are words are changed (a word within `apply_to:` too), and the opening word of the
    embedding. The examples of its productions are translated token by token.
    """
    rng = random.Random(f"renaming dsl {seed}")
    entry = source.domain.catalog.dsls[dsl.index]
    literals = sorted({str(t.pattern.value) for t in dsl.grammar.lark.terminals if isinstance(t.pattern, PatternStr)})
    opaque = rng.choice([0.2, 0.6])
    new: dict[str, str] = {}
    for literal in literals:
        m = _WORD.search(literal)
        if m is None or len(m.group()) < 2:
            continue
        for _ in range(20):
            word = opaque_word(rng) if rng.random() < opaque else rng.choice(_words())
            word = word.upper() if m.group().isupper() else word
            changed = literal[: m.start()] + word + literal[m.end() :]
            if changed not in new.values() and changed not in literals:
                new[literal] = changed
                break
    if not new:
        return None

    def piece(m: re.Match[str]) -> str:
        text = m.group()
        if not text.startswith('"'):
            return text
        end = text.rindex('"')
        changed = new.get(text[1:end])
        return text if changed is None else f'"{changed}"{text[end + 1 :]}'

    text = _GRAMMAR_PIECES.sub(piece, source.domain.grammars[entry.name])
    try:
        grammar = compiled(text, entry.name, source.domain.grammar_paths.get(entry.name))
    except LocalgenError:
        return None  # the new words collide with something the grammar makes of the old ones
    productions = tuple(_translated(p, i, dsl.grammar, new, rng) for i, p in enumerate(entry.productions))
    embedding = entry.embedding
    m = _WORD.search(embedding.open)
    if m is not None and embedding.braced:
        word = opaque_word(rng)
        embedding = embedding.model_copy(
            update={"open": embedding.open[: m.start()] + word + embedding.open[m.end() :]}
        )
    summary = "" if productions else _summary(entry.grammar_summary, new)
    update = {"productions": productions, "embedding": embedding, "grammar_summary": summary}
    renamed = entry.model_copy(update=update)
    statements = statements_of(grammar)
    which = [-1] * len(statements)
    for i, p in enumerate(productions):
        found = match_example(grammar, statements, p.example) if p.example else None
        if found is not None and which[found[0]] < 0:
            which[found[0]] = i
    return renamed, text, replace(dsl, grammar=grammar, statements=statements, productions=tuple(which)), new


def _translated(p: Production, index: int, grammar: DslGrammar, new: dict[str, str], rng: random.Random) -> Production:
    example = translated(p.example, grammar, new) if p.example else None
    return p.model_copy(update={"name": f"{opaque_word(rng)}_{index}", "example": example or ""})


def translated(text: str, grammar: DslGrammar, new: dict[str, str]) -> str | None:
    """A DSL text with the new keywords for the old ones, None where the grammar does not accept it."""
    try:
        tokens = list(grammar.parse(text).scan_values(lambda t: isinstance(t, Token)))
    except LocalgenError:
        return None
    out, at = "", 0
    for token in sorted(tokens, key=lambda t: t.start_pos or 0):
        start, end = token.start_pos or 0, token.end_pos or 0
        out += text[at:start] + new.get(str(token), str(token))
        at = end
    return out + text[at:]


def _summary(text: str, new: dict[str, str]) -> str:
    """The grammar's summary with the new literals, the longest first."""
    for literal in sorted(new, key=len, reverse=True):
        text = re.sub(rf"(?<![\w\"<]){re.escape(literal)}(?!\w)", new[literal].replace("\\", r"\\"), text)
    return text
