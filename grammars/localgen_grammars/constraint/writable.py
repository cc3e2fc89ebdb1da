"""What of a context pack can be written, decided before any rule is made.

A grammar cannot look ahead: what may lead nowhere must not be begun. So this says which procs have a value for every
required argument, which of them may stand in `[…]`, and which variables a script may declare.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from localgen_retrieval.catalog import Arg, Proc, Variable

from .grounding import Words, takes_text
from .quantities import unit_of
from .values import Literals, ValueClass, class_key, literals, said_numbers, takes_result
from .variables import LoopVariable, ResultVariable, plan_variables

_WITHOUT_CLASS = frozenset({"flag", "script", "expr"})


@dataclass
class Writable:
    """What statements can be made of.

    Attributes:
        plain: only calls, catalog variables and blocks; no variables or comments, no body that is not required.
        excluded: procs that cannot be written, and why.
        live: the procs that can be written, in the order of the pack.
        queries: those that may stand in `[…]`: they have a result.
    """

    procs: tuple[Proc, ...]
    catalog_variables: tuple[Variable, ...]
    words: Words | None
    builtins: frozenset[str]
    instruction: str
    plain: bool = False
    excluded: dict[str, str] = field(default_factory=dict)
    live: list[Proc] = field(init=False)
    queries: list[Proc] = field(init=False)
    loops: list[LoopVariable] = field(init=False)
    results: list[ResultVariable] = field(init=False)

    def __post_init__(self) -> None:
        # What is asked per value is answered per class: a catalog of a thousand procs has a few dozen of them.
        self._literals: dict[tuple[str, bool], Literals] = {}
        self._said: dict[tuple[str, str], bool] = {}
        self._queries_for: dict[str, list[Proc]] = {}
        self._classes, self._class_of = _classes_of(
            [*(a for p in self.procs for a in p.args if a.type not in _WITHOUT_CLASS), *self.catalog_variables]
        )
        reserved = frozenset(v.name.removeprefix("::") for v in self.catalog_variables)
        loop_classes = [c for c in self._classes.values() if not c.value.list_]
        self.loops, self.results = plan_variables(loop_classes, self.instruction, reserved)
        self.live = self._writable_procs()
        # What stands in `[…]` must not need another command's result itself: nesting would have no end to fall back on.
        self.queries = [p for p in self.live if p.returns is not None and p.returns.type and self._self_contained(p)]

    # ---------------------------------------------------------------- values

    def class_of(self, value: Arg | Variable) -> ValueClass:
        """The class of an argument's or a catalog variable's value."""
        return self._class_of[id(value)]

    def literals(self, cls: ValueClass, *, positional: bool = False) -> Literals:
        """What may be written for one of the classes (`values.literals`)."""
        key = cls.key, positional
        found = self._literals.get(key)
        if found is None:
            found = self._literals[key] = literals(cls, self.words, positional=positional)
        return found

    def usable(self, a: Arg) -> bool:
        """Whether there is surely a value to write after the option's name.

        An optional number is written only where the instruction says one: nothing asks for an invented one.
        """
        if a.numeric and not a.required and self.words is not None and not self._is_said(a):
            return False
        return self._has_literal(a) or (a.required and bool(self.queries_for(self.class_of(a))))

    def settable(self, v: Variable) -> bool:
        """Whether there is a literal for a catalog variable, and `set` to write it with."""
        if "set" not in self.builtins:
            return False
        found = self.literals(self.class_of(v))
        return found.single is not None or (_takes_several(v) and found.element is not None)

    def fits(self, v: LoopVariable, cls: ValueClass) -> bool:
        """Whether a variable's value may stand where a class is wanted; one element without spaces is a list too."""
        if v.cls.key == cls.key:
            return True
        if not cls.value.list_ or (cls.value.min_items or 1) > 1:
            return False
        single = cls.value.model_copy(update={"list_": False, "min_items": None, "max_items": None})
        bare = self.words is None or not any(" " in w for w in self.words.content)
        return bare and class_key(single, cls.text) == v.cls.key

    # ---------------------------------------------------------------- results and numbers

    def queries_for(self, cls: ValueClass) -> list[Proc]:
        """Queries whose result fits a class."""
        found = self._queries_for.get(cls.key)
        if found is None:
            found = self._queries_for[cls.key] = [q for q in self.queries if takes_result(cls, q.returns)]
        return found

    def queries_of(self, *types: str) -> list[Proc]:
        """Queries whose result is one value of one of these types."""
        return [q for q in self.queries if q.returns and q.returns.type in types and not q.returns.list_]

    def queries_kept_as(self, kind: str) -> list[Proc]:
        """Queries whose result a variable of this kind holds."""
        return [q for q in self.queries if _result_kind(q) == kind]

    def number_variables(self) -> list[LoopVariable | ResultVariable]:
        """Variables of the script that hold a bare number once they are declared."""
        results = [r for r in self.results if r.kind != "string"]
        return [*results, *(v for v in self.loops if v.cls.numeric and not v.cls.value.unit_suffix)]

    def number_settings(self) -> list[Variable]:
        """Catalog variables that always hold a number."""
        return [v for v in self.catalog_variables if v.numeric and not v.list_ and v.default is not None]

    # ---------------------------------------------------------------- how it is decided

    def _is_said(self, a: Arg) -> bool:
        """Whether the instruction says a number that an arg can be."""
        key = self.class_of(a).key, unit_of(a)  # a unit may come from the name or the doc, which the class ignores
        if key not in self._said:
            self._said[key] = bool(said_numbers(a, self.words))
        return self._said[key]

    def _has_literal(self, arg: Arg) -> bool:
        if arg.type in _WITHOUT_CLASS:
            return True
        found = self.literals(self.class_of(arg), positional=arg.positional)
        single_ok = (arg.min_items or 1) <= 1
        return (found.single is not None and (not arg.list_ or single_ok)) or (
            _takes_several(arg) and found.element is not None
        )

    def _writable_procs(self) -> list[Proc]:
        """Procs whose required args can all be written, by a literal or another writable proc's result."""
        live: list[Proc] = []
        pending = list(self.procs)
        while True:
            queries = [q for q in live if q.returns is not None and self._self_contained(q)]
            more = [p for p in pending if self._writable(p, queries)]
            if not more:
                break
            live += more
            done = set(map(id, more))
            pending = [p for p in pending if id(p) not in done]
        for p in pending:
            self.excluded.setdefault(
                p.name, "no value for " + ", ".join(a.name for a in _needed(p) if not self._has_literal(a))
            )
        order = {p.name: i for i, p in enumerate(self.procs)}
        return sorted(live, key=lambda p: order[p.name])

    def _self_contained(self, proc: Proc) -> bool:
        """Whether a call can be written with literals alone: no body, no condition."""
        return all(a.type not in ("script", "expr") and self._has_literal(a) for a in _needed(proc))

    def _writable(self, proc: Proc, queries: list[Proc]) -> bool:
        if proc.exclusive:
            required = {a.name for a in proc.args if a.required}
            if any(len(required & set(group)) > 1 for group in proc.exclusive):
                self.excluded[proc.name] = "its required arguments exclude each other"
                return False
        return all(
            self._has_literal(a) or any(takes_result(self.class_of(a), q.returns) for q in queries)
            for a in _needed(proc)
        )


def _needed(proc: Proc) -> list[Arg]:
    """The args that every call has: the required ones, and positionals that stand before a required one."""
    last = max((i for i, a in enumerate(proc.positionals) if a.required), default=-1)
    before = [a.name for a in proc.positionals[: last + 1]]
    return [a for a in proc.args if a.required or a.name in before]


def _takes_several(value: Arg | Variable) -> bool:
    """Whether a value is a list that may have several elements."""
    return value.list_ and (value.max_items is None or value.max_items > 1)


def _said_as(value: Arg | Variable) -> str:
    return value.name if isinstance(value, Arg) else value.name.rsplit("::", 1)[-1]


def _is_text(value: Arg | Variable) -> bool:
    free = value.type == "string" and not value.unit and not value.pattern
    return free and takes_text(_said_as(value), value.kind)


def _classes_of(values: list[Arg | Variable]) -> tuple[dict[str, ValueClass], dict[int, ValueClass]]:
    """The classes of values by their keys, and by the values' identities."""
    first: dict[str, tuple[Arg | Variable, bool, dict[str, None]]] = {}
    keys: dict[int, str] = {}
    for value in values:
        text = _is_text(value)
        key = keys[id(value)] = class_key(value, text)
        first.setdefault(key, (value, text, {}))[2][_said_as(value)] = None
    made = {key: ValueClass(key, value, text, tuple(names)) for key, (value, text, names) in first.items()}
    return made, {value: made[key] for value, key in keys.items()}


def _result_kind(proc: Proc) -> str:
    r = proc.returns
    if r is None or not r.type or r.list_:
        return ""
    return {"int": "int", "float": "float", "bool": "int"}.get(r.type, "string")
