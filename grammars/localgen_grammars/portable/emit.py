"""An exact grammar as text for other engines: llguidance, GBNF (llama.cpp), plain Lark.

Each text has the same language. llguidance looks one character ahead where it cuts a text; where a grammar needs more,
every character becomes a lexeme of its own there, which is slower and as exact.
"""

from __future__ import annotations

import json
import re
from typing import Literal

from .cfg import Cfg, Sequence, gathered, left_factored, tidy, without_empty, without_left_recursion
from .dfa import Dfa
from .regexes import Node, TooLarge, characters, expression, literal, written

Format = Literal["llguidance", "gbnf", "lark"]


def emit_grammar(cfg: Cfg, format: Format) -> str:
    """The text of a grammar, ended by a newline."""
    return {"gbnf": gbnf, "llguidance": llguidance, "lark": lark_text}[format](cfg)


# ---------------------------------------------------------------- GBNF


def gbnf(cfg: Cfg) -> str:
    """GBNF for llama.cpp; the start rule is `root`. Left recursion, which llama.cpp refuses, is taken out."""
    bare, empty = without_empty(gathered(cfg))
    bare = left_factored(tidy(without_left_recursion(bare)))
    return _Gbnf(bare).text([(), (bare.start,)] if empty else [(bare.start,)])


class _Gbnf:
    def __init__(self, cfg: Cfg) -> None:
        self._cfg = cfg
        self._names: dict[str, str] = {}
        self._count: dict[str, int] = {}
        self._taken = {"root"}
        self._pieces: dict[int, str] = {}
        self._lines: list[str] = []

    def text(self, start: list[Sequence]) -> str:
        lines = [
            f"{'root' if name is None else self._name(name)} ::= "
            + " | ".join(" ".join(self._symbol(s) for s in a) or '""' for a in alts)
            for name, alts in [(None, start), *self._cfg.rules.items()]
        ]
        return "\n".join([*lines, *self._lines]) + "\n"

    def _name(self, name: str) -> str:
        if name not in self._names:
            stem = re.sub(r"[^a-z0-9]+", "-", re.split(r"[.>]", name)[0].lower()).strip("-") or "r"
            fresh = stem if stem not in self._taken else ""
            while not fresh or fresh in self._taken:
                self._count[stem] = self._count.get(stem, 0) + 1
                fresh = f"{stem}-{self._count[stem]}"
            self._taken.add(fresh)
            self._names[name] = fresh
        return self._names[name]

    def _symbol(self, symbol: str | int) -> str:
        if isinstance(symbol, str):
            return self._name(symbol)
        if symbol not in self._pieces:
            self._pieces[symbol] = self._piece(symbol, self._cfg.pieces[symbol])
        return self._pieces[symbol]

    def _piece(self, number: int, dfa: Dfa) -> str:
        try:
            node = expression(dfa, self._cfg.classes)
        except TooLarge:
            return self._states(number, dfa)
        if (text := literal(node)) is not None:
            return _gbnf_quoted(text)
        if node.size > 2000:
            return self._states(number, dfa)
        name = f"t{number}"
        self._lines.append(f"{name} ::= {_gbnf_node(node)}")
        return name

    def _states(self, number: int, dfa: Dfa) -> str:
        for s, moves in enumerate(dfa.moves):
            by: dict[int, list[tuple[int, int]]] = {}
            for c, t in moves.items():
                by.setdefault(t, []).extend(self._cfg.classes[c])
            ways = [f"{_gbnf_node(characters(tuple(sorted(r))))} t{number}-{t}" for t, r in by.items()]
            ends = ['""'] if dfa.tags[s] is not None else []
            self._lines.append(f"t{number}-{s} ::= " + " | ".join([*ends, *ways]))
        return f"t{number}-0"


def _gbnf_node(node: Node) -> str:
    return written(node, _gbnf_character, _gbnf_character, ("(", ")"), " ", _gbnf_quoted)


def _gbnf_quoted(text: str) -> str:
    return '"' + "".join(_gbnf_character(ord(c)) if c in '"\\' or not 32 <= ord(c) < 127 else c for c in text) + '"'


def _gbnf_character(code: int) -> str:
    c = chr(code)
    if c.isascii() and (c.isalnum() or c in " _.,:;!?'#%&*+/<>=@`~(){}|$"):
        return c
    if code in (10, 13, 9):
        return {10: "\\n", 13: "\\r", 9: "\\t"}[code]
    return f"\\x{code:02X}" if code < 0x80 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


# ---------------------------------------------------------------- llguidance and Lark


def llguidance(cfg: Cfg) -> str:
    """Lark text in llguidance's dialect; the start rule is `start`."""
    return _LarkText(cfg, "llguidance").text()


def lark_text(cfg: Cfg) -> str:
    """Lark text for lark itself, to be read with `parser="earley", lexer="dynamic_complete"`."""
    bare, empty = without_empty(cfg)
    return _LarkText(tidy(bare), "lark", empty).text()


class _LarkText:
    def __init__(self, cfg: Cfg, dialect: str, empty: bool = False) -> None:
        self._cfg = cfg
        self._dialect = dialect
        self._empty = empty
        self._names: dict[str, str] = {}
        self._pieces: dict[int, str] = {}
        self._lines: list[str] = []
        self._characters: dict[str, str] = {}

    def text(self) -> str:
        cfg = self._cfg
        start = self._name(cfg.start)
        lines = [f"start: {start}" + (" |" if self._empty else "")]
        for name, alts in cfg.rules.items():
            empty = "" if self._dialect == "lark" else '""'
            body = "\n  | ".join(" ".join(self._symbol(s) for s in a) or empty for a in alts)
            lines.append(f"{self._name(name)}: {body}")
        terminals = [f"{name}: {text}" for text, name in self._characters.items()]
        return "\n".join([*lines, *self._lines, *terminals]) + "\n"

    def _name(self, name: str) -> str:
        if name not in self._names:
            stem = re.sub(r"[^a-z0-9]+", "_", re.split(r"[.>]", name)[0].lower()).strip("_") or "r"
            self._names[name] = f"r_{stem}_{len(self._names)}"
        return self._names[name]

    def _symbol(self, symbol: str | int) -> str:
        if isinstance(symbol, str):
            return self._name(symbol)
        if symbol not in self._pieces:
            self._pieces[symbol] = self._piece(symbol, self._cfg.pieces[symbol])
        return self._pieces[symbol]

    def _piece(self, number: int, dfa: Dfa) -> str:
        if self._dialect == "llguidance" and self._cfg.look_ahead:
            return self._states(number, dfa)
        try:
            node = expression(dfa, self._cfg.classes)
        except TooLarge:
            return self._states(number, dfa)
        text = literal(node)
        if text is not None and text.isascii() and text.isprintable():
            return self._character(json.dumps(text))
        return self._character("/" + written(node, _regex_character, _regex_inside, ("(?:", ")"), "") + "/")

    def _character(self, text: str) -> str:
        if text not in self._characters:
            self._characters[text] = f"T{len(self._characters)}"
        return self._characters[text]

    def _states(self, number: int, dfa: Dfa) -> str:
        """A piece character by character."""
        for s, moves in enumerate(dfa.moves):
            by: dict[int, list[tuple[int, int]]] = {}
            for c, t in moves.items():
                by.setdefault(t, []).extend(self._cfg.classes[c])
            ways = []
            for t, ranges in by.items():
                one = written(characters(tuple(sorted(ranges))), _regex_character, _regex_inside, ("(?:", ")"), "")
                rest = "" if not dfa.moves[t] else f" p{number}_{t}"
                ways.append(f"{self._character(f'/{one}/')}{rest}")
            if dfa.moves[s]:
                ends = ['""'] if dfa.tags[s] is not None else []
                self._lines.append(f"p{number}_{s}: " + " | ".join([*ends, *ways]))
        return f"p{number}_0"


def _regex_character(code: int) -> str:
    c = chr(code)
    if c.isascii() and (c.isalnum() or c in " _,:;!'%=@`<>"):
        return c
    return _regex_escaped(code)


def _regex_inside(code: int) -> str:
    c = chr(code)
    if c.isascii() and (c.isalnum() or c in " _,:;!'%=@`<>.*+?(){}|$"):
        return c
    return _regex_escaped(code)


def _regex_escaped(code: int) -> str:
    if code in (10, 13, 9):
        return {10: "\\n", 13: "\\r", 9: "\\t"}[code]
    if 32 < code < 127 or code == 32:
        return "\\" + chr(code)
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
