"""Tcl's own statements around the calls: `set`, `puts`, `foreach`, `if`, comments."""

from __future__ import annotations

from localgen_retrieval.catalog import Proc

from ..quoting import quote_word
from .calls import Calls
from .host_rules import HostRules
from .host_values import reading
from .layout import BODY_FITS, CLEAR_EFFECT, EFFECT, NEVER, all_of, any_of, effect_and
from .patterns import alternatives
from .values import takes_result
from .variables import LoopVariable, ResultVariable
from .writable import Writable

_COMMENT = r"/# [A-Za-z0-9][A-Za-z0-9 ,.:_-]{0,40}/"


class HostStatements:
    """Writes the rules for statements, each an alternative of a body."""

    def __init__(self, can: Writable, rules: HostRules, calls: Calls) -> None:
        self._can = can
        self._rules = rules
        self._calls = calls
        self._values = calls.values

    def effects(self, calls_only: bool) -> list[str]:
        """Statements that do something, without indentation and line end."""
        out = [self._calls.statement(p) for p in self._can.live]
        if calls_only and out:
            return out
        if "set" in self._can.builtins:
            for v in self._can.catalog_variables:
                rule = self._values.rule(self._can.class_of(v), positional=False)
                if rule and self._can.settable(v):
                    out.append(f'"set {v.name}" {rule}::_')
        if self._can.plain:
            return out
        queries = [q for q in self._can.queries if q.returns is not None and q.returns.type]
        if "puts" in self._can.builtins and queries:
            out.append(f'"puts" " " {self._values.substitution(queries, "qany")}')
        if "foreach" in self._can.builtins:
            for loop in self._can.loops:
                out += self._loop(loop)
        condition = self._calls.conditions.statement() if "if" in self._can.builtins else None
        return [*out, condition] if condition else out

    def others(self) -> list[str]:
        """Whole lines that declare or show something: they go on with the body themselves."""
        out: list[str] = []
        if "set" in self._can.builtins:
            out += [*self._kept_results(), *self._declared()]
        if "puts" in self._can.builtins:
            out += self._shown()
        comment = self._rules.terminal(_COMMENT)
        return [*out, f'ind::_ {comment} "\\n" s::_ %if bit_set({EFFECT})']

    def _loop(self, v: LoopVariable) -> list[str]:
        """`foreach` over said values, or over a command's list; none without either."""
        lists = []
        found = self._can.literals(v.cls)
        if found.element is not None:
            element = self._rules.terminal(found.element)
            lists.append(f'" {{" {element} (" " {element}){{0,{self._values.most_items() - 1}}} "}}"')
        sources = [q for q in self._can.queries if _lists(q, v)]
        if sources:
            lists.append(f'" " {self._values.substitution(sources, f"ql{v.bit}")}')
        if not lists:
            return []
        self._rules.add(
            f'fe{v.bit}::_: "foreach {v.name}" fl{v.bit}::_ fb{v.bit}::set_bit({v.bit}) cl::_',
            f'fb{v.bit}::_: " " blk::{CLEAR_EFFECT}{NEVER}',
            f"fl{v.bit}::_: " + " | ".join(lists),
        )
        return [f"fe{v.bit}::_{all_of([BODY_FITS, f'bit_clear({v.bit})'])}"]

    def _kept_results(self) -> list[str]:
        """`set result [query]`; a name holds one kind of result for good."""
        out = []
        for r in self._can.results:
            queries = self._can.queries_kept_as(r.kind)
            others = [f"bit_clear({o.bit})" for o in self._can.results if o.name == r.name and o is not r]
            if queries:
                calls = self._values.substitution(queries, f"q{r.kind}")
                out.append(f'ind::_ "set {r.name}" " " {calls} "\\n" s::{effect_and(r.bit)}{all_of(others)}')
        return out

    def _declared(self) -> list[str]:
        """`set variable value`, with a literal (once) or a command's result."""
        out = []
        for v in self._can.loops:
            rule = self._values.rule(v.cls, positional=False, literal_only=True)
            if rule:
                out.append(f'ind::_ "set {v.name}" {rule}::_ "\\n" s::set_bit({v.bit}) %if bit_clear({v.bit})')
            queries = self._can.queries_for(v.cls)
            if queries:
                calls = self._values.substitution(queries, f"qv{v.bit}")
                out.append(f'ind::_ "set {v.name}" " " {calls} "\\n" s::{effect_and(v.bit)}')
        return out

    def _shown(self) -> list[str]:
        """`puts` of a variable or of a phrase that the instruction quotes."""
        variables: list[LoopVariable | ResultVariable] = [*self._can.loops, *self._can.results]
        printed = [reading(v, " ") for v in variables]
        quoted = self._can.words.quoted if self._can.words is not None else ()
        if quoted:
            printed.append(f'" " {self._rules.terminal("/" + alternatives(quote_word(q) for q in quoted) + "/")}')
        if not printed:
            return []
        self._rules.add("pv::_: " + " | ".join(printed))
        known = f"bit_set({EFFECT})" if quoted else any_of([f"bit_set({v.bit})" for v in variables])
        return [f'ind::_ "puts" pv::_ "\\n" s::_{all_of([known])}']


def _lists(query: Proc, v: LoopVariable) -> bool:
    """Whether a query's result is a list of what a variable holds."""
    r = query.returns
    return r is not None and r.list_ and takes_result(v.cls, r.model_copy(update={"list_": False}))
