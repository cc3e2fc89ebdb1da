"""Which production of a grammar a text leaves: the rules that are begun, and not yet ended, where it goes wrong.

An LALR parser knows the rules of each state only while its table is made. They are found again from the states on its
stack: a rule is under way where a beginning of it leads from a state in which the rule may begin to the last one.
Earley parsers say themselves which rules they are in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import lark
from lark.exceptions import UnexpectedInput
from lark.grammar import Rule

MOST = 3
# Lark makes rules of its own for repetitions, and names them after the rule they are in.
_HELPER = re.compile(r"__(.+)_(?:star|plus|repeat)_.*")


def left_productions(error: UnexpectedInput, parser: lark.Lark) -> tuple[str, ...]:
    """The names of the rules that a text leaves, innermost first, at most three; none where they cannot be told."""
    states = list(getattr(getattr(error, "state", None), "state_stack", ()))
    if states:
        return _named(_under_way(states, parser))
    considered = getattr(error, "considered_rules", None) or ()
    items = [item for item in getattr(error, "considered_tokens", None) or () if hasattr(item, "ptr")]
    begun = [item.rule for item in items if item.ptr > 0]
    return _named(sorted(begun or considered or (item.rule for item in items), key=lambda rule: str(rule.origin.name)))


def _under_way(states: Sequence[Any], parser: lark.Lark) -> list[Rule]:
    table: Mapping[Any, Mapping[str, tuple[Any, Any]]] = parser.parser.parser.parser.parse_table.states
    begun: list[tuple[int, Rule]] = []
    ended: list[tuple[int, Rule]] = []
    for rule in parser.rules:
        symbols = [symbol.name for symbol in rule.expansion]
        for length in range(1, min(len(symbols), len(states) - 1) + 1):
            path = states[-length - 1 :]
            follows = all(
                table[state].get(symbol, (None, None))[1] == after
                for state, symbol, after in zip(path, symbols, path[1:], strict=False)
            )
            # The rule may begin where its own name leads somewhere; `start` begins at the beginning.
            possible = rule.origin.name in table[path[0]] or (len(path) == len(states) and rule.origin.name == "start")
            if follows and possible:
                (begun if length < len(symbols) else ended).append((length, rule))
    found = begun or ended
    if not found:
        return [rule for rule in parser.rules if rule.origin.name == "start"]
    return [rule for _, rule in sorted(found, key=lambda pair: pair[0])]


def _named(rules: Iterable[Rule]) -> tuple[str, ...]:
    names = []
    for rule in rules:
        name = str(rule.origin.name)
        helper = _HELPER.fullmatch(name)
        names.append(helper[1] if helper else name)
    return tuple(dict.fromkeys(names))[:MOST]
