"""Conditions: what a script may ask in `if {…}` and in arguments that are expressions."""

from __future__ import annotations

from localgen_retrieval.catalog import Variable

from .host_rules import HostRules
from .host_values import HostValues
from .layout import BODY_FITS, CLEAR_EFFECT, all_of
from .patterns import alternatives
from .writable import Writable

_COMPARE = "/ (==|!=|<=|>=|<|>) /"
_EQUAL = "/ (eq|ne) /"
_AND_OR = r"/ (&&|\|\|) /"
_SPECIAL = set('\\$[]{}"')


class Conditions:
    """Writes the rules for conditions."""

    def __init__(self, can: Writable, rules: HostRules, values: HostValues) -> None:
        self._can = can
        self._rules = rules
        self._values = values

    def statement(self) -> str | None:
        """The alternative for `if`, with or without `else`; None if there is nothing to ask."""
        condition = self.rule()
        if condition is None:
            return None
        self._rules.add(
            f'ifs::_: "if {{" {condition}::_ "}} " blk::{CLEAR_EFFECT} cl::_ els::_',
            f'els::_: "" | " else " blk::{CLEAR_EFFECT} cl::_',
        )
        return f"ifs::_{all_of([BODY_FITS, *self._when()])}"

    def argument(self) -> str:
        """An argument that is an expression, in braces with the space before it: a condition, or else a number."""
        condition = None if self._when() else self.rule()
        return f'" {{" {condition}::_ "}}"' if condition else f'" {{" {self._values.bound()} "}}"'

    def rule(self) -> str | None:
        """The rule for what stands in the braces; None if there is nothing to ask."""
        if self._rules.begun("cond"):
            return "cond"
        place = self._rules.reserve()
        options = self._options()
        if not options:
            self._rules.forget("cond")
            return None
        self._rules.lines[place] = "cond::_: cone::_ | cone::_ " + self._rules.terminal(_AND_OR) + " cone::_"
        self._rules.add("cone::_: " + " | ".join(options))
        return "cond"

    def _options(self) -> list[str]:
        """One comparison or test each."""
        out: list[str] = []
        numbers = self._values.numbers()
        if numbers:
            out.append(f"{numbers}::_ {self._rules.terminal(_COMPARE)} {self._values.bound()}")
        tests = self._can.queries_of("bool")
        if tests:
            test = self._values.substitution(tests, "qbool")
            out += [test, f'"!" {test}']
        texts = self._can.queries_kept_as("string")
        words = self._words()
        if texts and words:
            quoted = self._quoted(words)
            text = self._values.substitution(texts, "qtext")
            out.append(f"{text} {self._rules.terminal(_EQUAL)} {quoted}")
        for v, values in self._enums():
            quoted = self._quoted(values)
            out.append(f'"${v.name}" {self._rules.terminal(_EQUAL)} {quoted}')
        return out

    def _when(self) -> list[str]:
        """When `rule` surely has something to write; no condition for always."""
        texts = self._can.queries_kept_as("string") and self._words()
        return [] if self._can.queries_of("bool") or self._enums() or texts else self._values.numbers_when()

    def _words(self) -> list[str]:
        """Words of the instruction that something may be compared with, in double quotes."""
        return _plain(self._can.words.content if self._can.words else ())

    def _enums(self) -> list[tuple[Variable, list[str]]]:
        """Catalog variables with the values they may be compared with, in double quotes."""
        enums = [(v, _plain(v.values)) for v in self._can.catalog_variables if v.type == "enum" and not v.list_]
        return [(v, values) for v, values in enums if values]

    def _quoted(self, texts: list[str]) -> str:
        return self._rules.terminal('/"' + alternatives(texts) + '"/')


def _plain(texts: tuple[str, ...]) -> list[str]:
    return [x for x in texts if not set(x) & _SPECIAL]
