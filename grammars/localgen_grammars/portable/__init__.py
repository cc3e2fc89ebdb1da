"""A team's Lark grammar for other engines: the same language as llguidance, GBNF or Lark text."""

from .emit import Format, emit_grammar
from .exact import exact_grammar

__all__ = ["Format", "emit_grammar", "exact_grammar"]
