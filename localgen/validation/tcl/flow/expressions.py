"""Expressions, evaluated as far as their operands are known.

Both sides of an undecided `&&`, `||` or `?:` are followed, so that the commands in them are seen.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING

from localgen.validation.tcl.flow.numbers import integer, number, truth, written
from localgen.validation.tcl.flow.state import State, merge
from localgen.validation.tcl.flow.values import Value, apply, join
from localgen_grammars.tcl.expr import FUNCTIONS, ExprNode
from localgen_grammars.tcl.lists import list_values

if TYPE_CHECKING:
    from localgen.validation.tcl.flow.calls import Context
    from localgen.validation.tcl.flow.interpreter import Flow


def evaluate(flow: Flow, node: ExprNode, ctx: Context, state: State) -> Value:
    """The value of an expression; the commands in it run, on `state`."""
    # Thousands of terms make a tree as deep: its left side is walked without recursion.
    operators: list[ExprNode] = []
    while node.kind == "binary":
        operators.append(node)
        node = node.children[0]
    value = _operand(flow, node, ctx, state)
    for above in reversed(operators):
        if above.op in ("&&", "||"):
            value = _lazy(flow, above, value, ctx, state)
        else:
            right = evaluate(flow, above.children[1], ctx, state)
            value = apply(lambda a, b, op=above.op: _binary(op, a, b), value, right)
    return value


def _operand(flow: Flow, node: ExprNode, ctx: Context, state: State) -> Value:
    if node.kind == "literal":
        found = number(node.value) if node.op == "" else None
        return (written(found),) if found is not None else (node.value,)
    if node.kind == "parts":
        return flow.parts(node.parts, ctx, state)
    if node.kind == "unary":
        return apply(lambda a: _unary(node.op, a), evaluate(flow, node.children[0], ctx, state))
    if node.kind == "ternary":
        return _ternary(flow, node, ctx, state)
    values = [evaluate(flow, child, ctx, state) for child in node.children]
    flow.check_function(node, ctx)
    return apply(lambda *a: _function(node.op, *a), *values)


def _lazy(flow: Flow, node: ExprNode, first: Value, ctx: Context, state: State) -> Value:
    """`&&` or `||`, whose first operand has this value."""
    left = truth(first)
    decides = node.op == "||"
    if left is decides:
        return ("1",) if decides else ("0",)
    if left is None:
        other = state.copy()
        right = truth(evaluate(flow, node.children[1], ctx, other))
        merged = merge(state, other)
        assert merged is not None
        state.become(merged)
        return (("1",) if decides else ("0",)) if right is decides else ("0", "1")
    right = truth(evaluate(flow, node.children[1], ctx, state))
    return ("0", "1") if right is None else ("1",) if right else ("0",)


def _ternary(flow: Flow, node: ExprNode, ctx: Context, state: State) -> Value:
    condition = truth(evaluate(flow, node.children[0], ctx, state))
    if condition is not None:
        return evaluate(flow, node.children[1 if condition else 2], ctx, state)
    other = state.copy()
    first = evaluate(flow, node.children[1], ctx, state)
    second = evaluate(flow, node.children[2], ctx, other)
    merged = merge(state, other)
    assert merged is not None
    state.become(merged)
    return join(first, second)


def _unary(op: str, text: str) -> str | None:
    if op == "!":
        outcome = truth((text,))
        return None if outcome is None else written(not outcome)
    found = number(text)
    if found is None:
        return None
    if op == "~":
        return written(~found) if isinstance(found, int) else None
    return written(-found if op == "-" else +found)


_COMPARE: dict[str, Callable[..., bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_BITS: dict[str, Callable[[int, int], int]] = {"&": operator.and_, "|": operator.or_, "^": operator.xor}


def _binary(op: str, left: str, right: str) -> str | None:
    if op in ("eq", "ne"):
        return written((left == right) is (op == "eq"))
    if op in ("in", "ni"):
        return written((left in list_values(right)) is (op == "in"))
    a, b = number(left), number(right)
    if op in _COMPARE:
        compare = _COMPARE[op]
        return written(compare(left, right) if a is None or b is None else compare(a, b))
    if a is None or b is None:
        return None
    if op in _BITS:
        return written(_BITS[op](integer(left), integer(right)))
    if op in ("<<", ">>"):
        shift = integer(right)
        if not 0 <= shift < 256:
            return None
        return written(integer(left) << shift if op == "<<" else integer(left) >> shift)
    return _arithmetic(op, a, b)


def _arithmetic(op: str, a: float, b: float) -> str | None:
    whole = isinstance(a, int) and isinstance(b, int)
    if op == "+":
        return written(a + b)
    if op == "-":
        return written(a - b)
    if op == "*":
        return written(a * b)
    if op == "/":
        return written(a // b if whole else a / b)
    if op == "%":
        return written(a % b) if whole else None
    if op == "**":
        if whole and (b < 0 or abs(b) > 1000 or abs(a) > 10**6):
            return None
        result = a**b
        return None if isinstance(result, complex) else written(result)
    return None


_MATH: dict[str, Callable[..., float]] = {
    "acos": math.acos, "asin": math.asin, "atan": math.atan, "atan2": math.atan2, "cos": math.cos, "cosh": math.cosh,
    "exp": math.exp, "fmod": math.fmod, "hypot": math.hypot, "log": math.log, "log10": math.log10, "sin": math.sin,
    "sinh": math.sinh, "sqrt": math.sqrt, "tan": math.tan, "tanh": math.tanh,
}  # fmt: skip


def _function(name: str, *arguments: str) -> str | None:
    least, most = FUNCTIONS.get(name, (-1, -1))
    if len(arguments) < least or (most is not None and len(arguments) > most) or name in ("rand", "srand"):
        return None
    found = [number(a) for a in arguments]
    if any(n is None for n in found):
        return None
    values = [n for n in found if n is not None]
    first = values[0]
    if name in _MATH:
        return written(_MATH[name](*(float(v) for v in values)))
    if name in ("int", "wide", "entier"):
        return written(int(first))
    if name == "round":
        return written(first if isinstance(first, int) else math.floor(abs(first) + 0.5) * (1 if first >= 0 else -1))
    if name in ("floor", "ceil"):
        return written(float(math.floor(first) if name == "floor" else math.ceil(first)))
    if name == "double":
        return written(float(first))
    if name == "bool":
        return written(first != 0)
    if name == "abs":
        return written(abs(first))
    if name in ("max", "min"):
        return written(max(values) if name == "max" else min(values))
    if name == "pow":
        result = float(first) ** float(values[1])
        return None if isinstance(result, complex) else written(result)
    if name == "isqrt":
        return written(math.isqrt(integer(arguments[0])))
    return None
