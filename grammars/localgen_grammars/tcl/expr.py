"""Tcl expressions: the syntax of `expr` arguments, checked without evaluating them.

The lexemes and their precedence follow Tcl 8.6's compiler (tclCompExpr.c). Problem kinds: expr-empty, expr-operand,
expr-operator, expr-paren, expr-bareword, expr-character, expr-function, and the parser's own inside `"…"`, `$…`, `[…]`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from localgen_grammars.tcl.escapes import join_lines
from localgen_grammars.tcl.nodes import Part, SyntaxProblem, Text
from localgen_grammars.tcl.parser import Tree
from localgen_grammars.tcl.reader import MAX_DEPTH

NodeKind = Literal["literal", "parts", "unary", "binary", "ternary", "call"]

# Arguments of the math functions of Tcl 8.6: at least, at most (None: any number).
FUNCTIONS: dict[str, tuple[int, int | None]] = {
    **dict.fromkeys(("abs", "acos", "asin", "atan", "bool", "ceil", "cos", "cosh", "double", "entier", "exp"), (1, 1)),
    **dict.fromkeys(("floor", "int", "isqrt", "log", "log10", "round", "sin", "sinh", "sqrt", "srand"), (1, 1)),
    **dict.fromkeys(("tan", "tanh", "wide"), (1, 1)),
    **dict.fromkeys(("atan2", "fmod", "hypot", "pow"), (2, 2)),
    "rand": (0, 0),
    "max": (1, None),
    "min": (1, None),
}

_PRECEDENCE = {
    "?": 1, "||": 3, "&&": 4, "|": 5, "^": 6, "&": 7, "in": 8, "ni": 8, "eq": 9, "ne": 9, "==": 10, "!=": 10,
    "<": 11, ">": 11, "<=": 11, ">=": 11, "<<": 12, ">>": 12, "+": 13, "-": 13, "*": 14, "/": 14, "%": 14, "**": 15,
}  # fmt: skip

_SPACE = re.compile(r"(?:[ \t\v\f\r\n]|\\\n)+")
_NUMBER = re.compile(
    r"0[xX][0-9A-Fa-f]+|0[bB][01]+|0[oO][0-7]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII
)
_OPERATOR = re.compile(r"\*\*|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%<>&|^~!?:(),]|(?:in|ni|eq|ne)(?![A-Za-z])")
_BAREWORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]*")
_SPECIAL = re.compile(r"(?i:inf(?:inity)?|nan)(?![A-Za-z0-9_])")
_BOOLEANS = ("true", "false", "yes", "no", "on", "off")


@dataclass(slots=True)
class ExprNode:
    """An operand or operator: `op` names the operator or function, `value` or `parts` is a literal's text."""

    kind: NodeKind
    start: int
    end: int
    op: str = ""
    children: tuple[ExprNode, ...] = ()
    value: str = ""
    parts: tuple[Part, ...] = ()


class _Stop(Exception):
    def __init__(self, kind: str, message: str, start: int, end: int, hint: str = "") -> None:
        super().__init__(message)
        self.problem = SyntaxProblem(kind, message, start, end, hint)


def parse_expr(tree: Tree, start: int, end: int) -> tuple[ExprNode | None, SyntaxProblem | None]:
    """The expression in a range of the tree's text, or what is wrong with it; each range is parsed once."""
    key = ("expr", start, end)
    if key not in tree.cache:
        try:
            tree.cache[key] = (_ExprParser(tree, start, end).whole(), None)
        except _Stop as e:
            tree.cache[key] = (None, e.problem)
    found: tuple[ExprNode | None, SyntaxProblem | None] = tree.cache[key]
    return found


def is_boolean_word(word: str) -> bool:
    """Whether a bareword is a boolean, shortened as Tcl allows."""
    lowered = word.lower()
    return lowered not in ("", "o") and any(b.startswith(lowered) for b in _BOOLEANS)


class _ExprParser:
    def __init__(self, tree: Tree, start: int, end: int) -> None:
        self.tree, self.text, self.start, self.end = tree, tree.text, start, end
        self.pos = start
        self.depth = 0

    def whole(self) -> ExprNode:
        self._space()
        if self.pos >= self.end:
            raise _Stop("expr-empty", "empty expression", self.start, self.end)
        node = self.binary(0)
        self._space()
        if self.pos < self.end:
            self._unexpected()
        return node

    def binary(self, least: int) -> ExprNode:
        """An operand and all operators after it that bind at least as tightly as `least`."""
        left = self.unary()
        while True:
            op = self._peek()
            precedence = _PRECEDENCE.get(op, 0)
            if not precedence or precedence < least:
                return left
            self.pos += len(op)
            if op == "?":
                middle = self.binary(1)
                if self._peek() != ":":
                    raise _Stop("expr-operator", 'missing operator ":"', self.pos, self.pos + 1)
                self.pos += 1
                right = self.binary(1)
                left = ExprNode("ternary", left.start, right.end, "?", (left, middle, right))
                continue
            right = self.binary(precedence if op == "**" else precedence + 1)
            left = ExprNode("binary", left.start, right.end, op, (left, right))

    def unary(self) -> ExprNode:
        """Signs and their operand."""
        signs: list[tuple[str, int]] = []
        while (op := self._peek()) in ("-", "+", "~", "!"):
            signs.append((op, self.pos))
            self.pos += 1
        node = self.operand()
        for op, at in reversed(signs):
            node = ExprNode("unary", at, node.end, op, (node,))
        return node

    def operand(self) -> ExprNode:
        """A literal, a substitution, a call, or an expression in parentheses."""
        text, end, pos = self.text, self.end, self.pos
        if pos >= end:
            raise _Stop("expr-operand", "missing operand at end of expression", max(self.start, pos - 1), end)
        char = text[pos]
        if char == "(":
            return self._in_parentheses()
        if char == "$":
            variable, after, problem = self.tree.variable(pos, end)
            if problem is not None:
                raise _Stop(problem.kind, problem.message, problem.start, problem.end)
            if variable is None:
                raise _Stop("expr-character", 'invalid character "$"', pos, pos + 1)
            self.pos = after
            return ExprNode("parts", pos, after, parts=(variable,))
        if char == "[":
            bracket, after, problem = self.tree.bracket(pos, end)
            if bracket is None or problem is not None:
                assert problem is not None
                raise _Stop(problem.kind, problem.message, problem.start, problem.end)
            self.pos = after
            return ExprNode("parts", pos, after, parts=(bracket,))
        if char == '"':
            parts, after, problem = self.tree.quoted(pos, end)
            if problem is not None:
                raise _Stop(problem.kind, problem.message, problem.start, problem.end)
            self.pos = after
            if all(isinstance(p, Text) for p in parts):
                value = "".join(p.value for p in parts if isinstance(p, Text))
                return ExprNode("literal", pos, after, op='"', value=value)
            return ExprNode("parts", pos, after, op='"', parts=parts)
        if char == "{":
            close = self.tree.braces(pos, end)
            if close is None:
                raise _Stop("missing-brace", "missing close-brace", pos, pos + 1)
            self.pos = close
            return ExprNode("literal", pos, close, op="{", value=join_lines(text[pos + 1 : close - 1]))
        return self._word()

    def _word(self) -> ExprNode:
        text, end, pos = self.text, self.end, self.pos
        m = _NUMBER.match(text, pos, end) or _SPECIAL.match(text, pos, end)
        if m is not None:
            self.pos = m.end()
            # A leading zero means octal in Tcl 8.6: `08` is no number.
            if re.fullmatch(r"0[0-9]+", m.group()) and not re.fullmatch(r"0[0-7]+", m.group()):
                raise _Stop(
                    "expr-bareword", f'invalid octal number "{m.group()}"', pos, m.end(), "write it without the zero"
                )
            return ExprNode("literal", pos, m.end(), value=m.group())
        op = self._peek()
        if op:
            what = "unbalanced close paren" if op == ")" and not self.depth else f'missing operand before "{op}"'
            raise _Stop("expr-paren" if "paren" in what else "expr-operand", what, pos, pos + len(op))
        m = _BAREWORD.match(text, pos, end)
        if m is None:
            raise _Stop("expr-character", f'invalid character "{text[pos]}"', pos, pos + 1)
        self.pos = m.end()
        self._space()
        if self.text.startswith("(", self.pos) and self.pos < end:
            return self._call(m.group(), pos)
        if is_boolean_word(m.group()):
            return ExprNode("literal", pos, m.end(), value=m.group())
        hint = f'write "${m.group()}", "{{{m.group()}}}" in quotes or braces, or "{m.group()}(...)"'
        raise _Stop("expr-bareword", f'invalid bareword "{m.group()}"', pos, m.end(), hint)

    def _call(self, name: str, start: int) -> ExprNode:
        opened = self.pos
        self.pos += 1
        self._deeper(opened)
        arguments: list[ExprNode] = []
        if self._peek() == ")":
            self.pos += 1
        else:
            while True:
                arguments.append(self.binary(0))
                op = self._peek()
                if op not in (",", ")"):
                    self._unclosed(opened)
                self.pos += 1
                if op == ")":
                    break
        self.depth -= 1
        return ExprNode("call", start, self.pos, name, tuple(arguments))

    def _in_parentheses(self) -> ExprNode:
        opened = self.pos
        self.pos += 1
        self._deeper(opened)
        if self._peek() == ")":
            raise _Stop("expr-operand", "empty subexpression", opened, self.pos + 1)
        node = self.binary(0)
        if self._peek() != ")":
            self._unclosed(opened)
        self.pos += 1
        self.depth -= 1
        return node

    def _deeper(self, at: int) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _Stop("too-deep", "too many nested parentheses", at, at + 1)

    def _unclosed(self, opened: int) -> None:
        self._space()
        if self.pos < self.end:
            self._unexpected()
        raise _Stop("expr-paren", "unbalanced open paren", opened, opened + 1)

    def _unexpected(self) -> None:
        op = self._peek()
        pos = self.pos
        if op == ")":
            raise _Stop("expr-paren", "unbalanced close paren", pos, pos + 1)
        if op == ",":
            raise _Stop("expr-operator", 'unexpected "," outside function argument list', pos, pos + 1)
        if op == ":":
            raise _Stop("expr-operator", 'unexpected operator ":" without preceding "?"', pos, pos + 1)
        char = self.text[pos]
        if char in "=;#@\\'`" or char in "}]" or ord(char) > 127:
            hint = "write == to compare" if char == "=" else ""
            raise _Stop("expr-character", f'invalid character "{char}"', pos, pos + 1, hint)
        raise _Stop("expr-operator", "missing operator", pos, pos + 1)

    def _space(self) -> None:
        if (m := _SPACE.match(self.text, self.pos, self.end)) is not None:
            self.pos = m.end()

    def _peek(self) -> str:
        self._space()
        m = _OPERATOR.match(self.text, self.pos, self.end)
        return m.group() if m else ""
