"""Tcl: a parser of the twelve rules with exact offsets, expressions, lists, and what its own commands take as code."""

from localgen_grammars.tcl.bodies import Visit, walk
from localgen_grammars.tcl.expr import ExprNode, parse_expr
from localgen_grammars.tcl.lines import Lines
from localgen_grammars.tcl.lists import ListError, join_list, list_values, quote_element, split_list
from localgen_grammars.tcl.nodes import (
    Command,
    Comment,
    Part,
    Script,
    Substitution,
    SyntaxProblem,
    Text,
    Variable,
    Word,
)
from localgen_grammars.tcl.parser import Tree, parse
from localgen_grammars.tcl.roles import roles
from localgen_grammars.tcl.tokens import Token, tokens, unparse

__all__ = [
    "Command", "Comment", "ExprNode", "Lines", "ListError", "Part", "Script", "Substitution", "SyntaxProblem", "Text",
    "Token", "Tree", "Variable", "Visit", "Word", "join_list", "list_values", "parse", "parse_expr", "quote_element",
    "roles", "split_list", "tokens", "unparse", "walk",
]  # fmt: skip
