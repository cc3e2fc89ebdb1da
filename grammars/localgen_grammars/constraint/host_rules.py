"""The host's rules while they are being written: lines, terminals, and the names of what is there already.

Rules refer to each other in circles (a call's value is another call's result), so a rule's name is noted before its
line is there.
"""

from __future__ import annotations

from collections.abc import Hashable


class HostRules:
    """Collects the lines of one constraint.

    Attributes:
        lines: rules in the order in which they were begun; "" for one without a body yet.
        shared: names of the rules for values and calls by what they are for; "" where nothing can be written.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.shared: dict[Hashable, str] = {}
        self._terminals: dict[str, str] = {}
        self._begun: set[str] = set()

    def add(self, *lines: str) -> None:
        """Adds rules at the end."""
        self.lines += lines

    def reserve(self) -> int:
        """The place of a line that is filled later, after the rules it refers to."""
        self.lines.append("")
        return len(self.lines) - 1

    def begun(self, rule: str) -> bool:
        """Whether a rule is there or being written; notes that it is from now on."""
        if rule in self._begun:
            return True
        self._begun.add(rule)
        return False

    def forget(self, rule: str) -> None:
        """Takes back that a rule was begun: there is nothing to write in it."""
        self._begun.discard(rule)

    def fresh(self, prefix: str) -> str:
        """A rule's name that nothing else has; it counts as begun."""
        name = f"{prefix}{len(self._begun)}"
        self._begun.add(name)
        return name

    def terminal(self, expression: str) -> str:
        """The name of a terminal with this expression; equal ones share it."""
        if expression not in self._terminals:
            self._terminals[expression] = f"K{len(self._terminals)}"
        return self._terminals[expression]

    def terminal_lines(self) -> list[str]:
        """The terminals' definitions."""
        return [f"{name}: {expression}" for expression, name in self._terminals.items()]
