"""Values in the places where the host wants them: literals, `$variables`, results of `[…]`, small calculations.

How a literal is written is `values`' business; here it is put beside what else holds a value of its class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from localgen_retrieval.catalog import Proc, Returns

from .host_rules import HostRules
from .layout import CLEAR_OPTIONS, NESTING, NESTING_FITS, NEVER, all_of, any_of
from .patterns import alternatives
from .quantities import number_texts
from .values import MAX_ITEMS, ValueClass, takes_result
from .variables import LoopVariable, ResultVariable
from .writable import Writable

_NUMBER = r"/-?(0|[1-9][0-9]{0,8})(\.[0-9]{1,6})?/"


class HostValues:
    """Writes the rules for values.

    Args:
        call: the rule of a call of one proc, for what stands in `[…]`.
    """

    def __init__(self, can: Writable, rules: HostRules, call: Callable[[Proc], str]) -> None:
        self._can = can
        self._rules = rules
        self._call = call

    def rule(self, cls: ValueClass, *, positional: bool, literal_only: bool = False) -> str | None:
        """The rule for a value of a class, with the space before it; None if nothing can be written there."""
        key = (cls.key, positional, literal_only)
        if key in self._rules.shared:
            return self._rules.shared[key] or None
        rule = f"v{len(self._rules.shared)}"
        self._rules.shared[key] = rule
        options = self._literals(cls, positional)
        if not literal_only:
            options += [reading(v, " ") for v in self._can.loops if self._can.fits(v, cls)]
            options += self._results(cls, rule)
        if not options:
            self._rules.shared[key] = ""
            return None
        self._rules.add(f"{rule}::_: " + " | ".join(options))
        return rule

    def substitution(self, procs: Iterable[Proc], name: str) -> str:
        """A reference to a rule for `[…]` that calls one of these procs."""
        rule = f"sub{name}"
        if not self._rules.begun(rule):
            calls = " | ".join(f'"[" {self._call(p)}::incr({NESTING}) "]"' for p in procs)
            self._rules.add(f"{rule}::_: {calls}{NEVER}")
        return f"{rule}::{CLEAR_OPTIONS}"

    def most_items(self) -> int:
        """How many elements a list has at most: no more than the instruction has words."""
        words = self._can.words
        said = len(words.content) + len(words.quantities) if words is not None else MAX_ITEMS
        return max(2, min(MAX_ITEMS, said))

    def numbers(self) -> str | None:
        """A rule for an operand that is a number known at run time."""
        if self._rules.begun("num"):
            return "num"
        queries = self._can.queries_of("int", "float")
        options = [reading(v) for v in self._can.number_variables()]
        options += [f'"${v.name}"' for v in self._can.number_settings()]
        if not queries and not options:
            self._rules.forget("num")
            return None
        place = self._rules.reserve()
        if queries:
            options.append(f'{self.substitution(queries, "qnum")}{all_of([NESTING_FITS])}')
        self._rules.lines[place] = "num::_: " + " | ".join(options)
        return "num"

    def numbers_when(self) -> list[str]:
        """When `numbers` surely has something to write; no condition for always."""
        if self._can.number_settings():
            return []
        when = [f"bit_set({v.bit})" for v in self._can.number_variables()]
        if self._can.queries_of("int", "float"):
            when.append(NESTING_FITS)
        return [any_of(when)] if when else ["false"]

    def bound(self) -> str:
        """The terminal for a number that something is compared or calculated with."""
        words = self._can.words
        said = number_texts(words.quantities, "", integer=False, low=None, high=None) if words else []
        # Where no number is said, something can still be asked for being there or not.
        return self._rules.terminal(_NUMBER if words is None else f"/{alternatives(said or ['0'])}/")

    # ---------------------------------------------------------------- parts

    def _literals(self, cls: ValueClass, positional: bool) -> list[str]:
        """A word alone, and elements in braces."""
        found = self._can.literals(cls, positional=positional)
        low = cls.value.min_items or 1
        high = min(cls.value.max_items or MAX_ITEMS, max(low, self.most_items()))
        out = []
        if found.single is not None and (not cls.value.list_ or low <= 1):
            word = self._rules.terminal(found.single)
            out.append(self._rules.terminal(f'" " {word}'))
        if cls.value.list_ and found.element is not None and high >= 2:
            element = self._rules.terminal(found.element)
            out.append(f'" {{" {element} (" " {element}){{{max(low, 2) - 1},{high - 1}}} "}}"')
        return out

    def _results(self, cls: ValueClass, rule: str) -> list[str]:
        """What a command gave, or gives here."""
        out = [reading(r, " ") for r in self._can.results if takes_result(cls, Returns(type=r.kind))]
        queries = self._can.queries_for(cls)
        if queries:
            out.append(f'" " {self.substitution(queries, rule)}{all_of([NESTING_FITS])}')
        calculable = cls.numeric and cls.value.type != "int" and takes_result(cls, Returns(type="int"))
        if calculable and "expr" in self._can.builtins:
            operands = self.numbers()
            if operands:
                number = self.bound()
                sign = self._rules.terminal("/ [-+*] /")
                # The bracket is a lexeme of its own: ` [expr {` as one would keep llguidance from reading ` [` as the
                # beginning of a call, which a result has too.
                out.append(f'" " "[" "expr {{" {operands}::_ {sign} {number} "}}]"{all_of(self.numbers_when())}')
        return out


def reading(v: LoopVariable | ResultVariable, before: str = "") -> str:
    """`$variable`, possible wherever the variable is declared."""
    return f'"{before}${v.name}"{all_of([f"bit_set({v.bit})"])}'
