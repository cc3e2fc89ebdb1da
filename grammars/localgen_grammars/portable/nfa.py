"""Regular expressions as machines with ordered choices (Thompson; the order is what `re`'s backtracking tries first).

Python's own parser reads the pattern, so there is one meaning. What no finite machine can do (back-references,
conditions, looking at text outside the match) is refused by name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from re import _constants as sre
from re import _parser
from typing import Any

from ..constraint.patterns import Unsupported
from .charsets import Ranges, of_item

MAX_SIZE = 20_000


@dataclass
class Machine:
    """Instructions of an ordered machine.

    Attributes:
        code: ("char", ranges, next), ("split", (first, …)), ("behind", ranges, wanted, next),
            ("ahead", ranges, wanted, next) or ("match", tag); the numbers are places in `code`.
    """

    code: list[tuple[Any, ...]] = field(default_factory=list)

    def put(self, *instruction: Any) -> int:
        if len(self.code) >= MAX_SIZE:
            raise Unsupported("repetitions that are too large to be unrolled")
        self.code.append(instruction)
        return len(self.code) - 1

    def sets(self) -> set[Ranges]:
        """The sets of characters that it tells apart."""
        return {i[1] for i in self.code if i[0] in ("char", "behind", "ahead")}

    def add(self, pattern: str, flags: int, tag: str) -> int:
        """Add a pattern that matches with a tag; where it starts.

        Raises:
            Unsupported: names the construct.
            re.error: not a regular expression.
        """
        tree = _parser.parse(pattern, flags)
        flags |= tree.state.flags
        return self._sequence(list(tree), flags, self.put("match", tag))

    def add_text(self, text: str, tag: str) -> int:
        """Add a literal text."""
        after = self.put("match", tag)
        for c in reversed(text):
            after = self.put("char", ((ord(c), ord(c)),), after)
        return after

    def either(self, starts: list[int]) -> int:
        """Where a choice between several starts, best first."""
        return self.put("split", tuple(starts))

    # ---------------------------------------------------------------- built from the end to the beginning

    def _sequence(self, items: list[Any], flags: int, after: int) -> int:
        for item in reversed(items):
            after = self._item(item, flags, after)
        return after

    def _item(self, item: Any, flags: int, after: int) -> int:
        op, av = item
        if op in (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN):
            return self.put("char", of_item(item, flags), after)
        if op is sre.BRANCH:
            return self.put("split", tuple(self._sequence(list(b), flags, after) for b in av[1]))
        if op is sre.SUBPATTERN:
            return self._sequence(list(av[3]), (flags | av[1]) & ~av[2], after)
        if op in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            return self._repeat(av, flags, after, greedy=op is sre.MAX_REPEAT)
        if op in (sre.ASSERT, sre.ASSERT_NOT):
            direction, body = av
            inner = list(body)
            while len(inner) == 1 and inner[0][0] is sre.SUBPATTERN:
                inner = list(inner[0][1][3])
            if len(inner) == 1 and inner[0][0] in (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN):
                kind = "behind" if direction < 0 else "ahead"
                return self.put(kind, of_item(inner[0], flags), op is sre.ASSERT, after)
            raise Unsupported("a look-ahead or look-behind of more than one character")
        raise Unsupported(_NAMES.get(op, str(op).lower().replace("_", " ")))

    def _repeat(self, av: tuple[Any, Any, Any], flags: int, after: int, greedy: bool) -> int:
        low, high, body = int(av[0]), av[1], list(av[2])
        if high is sre.MAXREPEAT:
            loop = self.put("split", ())
            inside = self._sequence(body, flags, loop)
            self.code[loop] = ("split", (inside, after) if greedy else (after, inside))
            after = loop
        else:
            end = after
            for _ in range(int(high) - low):
                inside = self._sequence(body, flags, after)
                after = self.put("split", (inside, end) if greedy else (end, inside))
        for _ in range(low):
            after = self._sequence(body, flags, after)
        return after


_NAMES = {
    sre.GROUPREF: "a back-reference",
    sre.GROUPREF_EXISTS: "a conditional group",
    sre.AT: "an anchor or a word boundary",
    sre.ATOMIC_GROUP: "an atomic group",
    sre.POSSESSIVE_REPEAT: "a possessive repetition",
}


def flags_of(names: Any) -> int:
    """Python's flags for the letters of a Lark terminal."""
    letters = {"i": re.I, "m": re.M, "s": re.S, "x": re.X, "u": re.U, "l": re.L}
    return sum(letters[f] for f in names)
