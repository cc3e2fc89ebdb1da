"""Which Tcl variables a script may declare, and what each is known to hold.

A variable belongs to one value class for good: it is named after the argument it feeds (`foreach net {A B}`), or holds
a query's result under a name the instruction gives (`store it in total`). So `$net` fits exactly where a net fits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from .layout import FIRST_VARIABLE, VARIABLES
from .values import ValueClass

_CUE = re.compile(r"\b(?:variable|var|into|in|as|to|called|named|it)\s+[\"'`]?([a-z_][A-Za-z0-9_]*)", re.I)
_NOT_NAMES = frozenset(["the", "a", "an", "it", "this", "that", "its", "if", "each", "all", "every", "same", "then"])
DEFAULT_RESULT = "result"


@dataclass(frozen=True)
class LoopVariable:
    """A variable that holds one value of a class."""

    name: str
    bit: int
    cls: ValueClass


@dataclass(frozen=True)
class ResultVariable:
    """A variable that holds a command's result."""

    name: str
    bit: int
    kind: Literal["int", "float", "string"]


def plan_variables(
    classes: list[ValueClass], instruction: str, reserved: frozenset[str]
) -> tuple[list[LoopVariable], list[ResultVariable]]:
    """Variables for these classes (those first in the pack first) and for results, one bit each."""
    taken: set[str] = set(reserved)
    names: list[str] = []
    for m in _CUE.finditer(instruction):
        name = m.group(1)
        if name.lower() not in _NOT_NAMES and name not in names and len(names) < 2:
            names.append(name)
    if DEFAULT_RESULT not in names:
        names.append(DEFAULT_RESULT)
    results_wanted = 3 * len(names)
    loops: list[LoopVariable] = []
    for cls in classes:
        if len(loops) == VARIABLES - results_wanted:
            break
        for raw in cls.names:
            name = variable_name(raw)
            if name not in taken and name not in names:
                taken.add(name)
                loops.append(LoopVariable(name, FIRST_VARIABLE + len(loops), cls))
                break
    first = FIRST_VARIABLE + len(loops)
    kinds: tuple[Literal["int", "float", "string"], ...] = ("int", "float", "string")
    results = [ResultVariable(n, first + 3 * i + j, k) for i, n in enumerate(names) for j, k in enumerate(kinds)]
    return loops, results


def variable_name(arg: str) -> str:
    """An argument's name as a variable name."""
    name = re.sub(r"\W", "_", arg)
    return name if name and not name[0].isdigit() else f"v{name}"
