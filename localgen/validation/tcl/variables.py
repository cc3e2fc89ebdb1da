"""What is wrong with variables: read before they are set, written under a name or in a namespace that nobody reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import NamedTuple

from localgen.validation.findings import Collector
from localgen.validation.nearest import did_you_mean, nearest
from localgen.validation.repairs import Repair, Swap, renamed_variable, swaps
from localgen.validation.tcl.arguments import value_problems
from localgen.validation.tcl.flow.calls import Arg
from localgen.validation.tcl.flow.state import State
from localgen.validation.tcl.flow.values import UNKNOWN, Value
from localgen_retrieval.catalog import Variable

# Unset variables for which the variables of the script are looked through.
_MAX_SEARCHES = 1000
# A name that is set in more namespaces than these says little.
_MOST_NAMESPACES = 3


class _Problem(NamedTuple):
    code: str
    start: int
    end: int
    message: str
    hint: str
    repairs: tuple[Repair, ...]


class VariableChecks:
    """The checks of one script's variables; `damaged` where parts of the script could not be parsed.

    Args:
        variables: the catalog's, by full name (`::tech::corner`).
    """

    def __init__(self, variables: Mapping[str, Variable], collector: Collector, *, damaged: bool) -> None:
        self.variables = variables
        self.collector = collector
        self.damaged = damaged
        self._by_tail: dict[str, list[str]] = {}
        for key in variables:
            self._by_tail.setdefault(_tail(key), []).append(key)
        self._searches = 0
        # What counts only if nobody else has a hand in the script's globals.
        self._if_alone: list[_Problem] = []
        self._strays: dict[str, tuple[int, int, str]] = {}

    def unset(self, name: str, key: str, state: State, start: int, end: int) -> None:
        """A variable is read that nothing can have set; silent where syntax errors may hide what sets it."""
        if self.damaged or self.collector.full:
            return
        found = self._misplaced(name, key, state, start, end) or self._unset(name, key, state, start, end)
        if key.startswith("::"):
            self._if_alone.append(found)
        else:
            self._add(found)

    def _misplaced(self, name: str, key: str, state: State, start: int, end: int) -> _Problem | None:
        """The finding where the name is set in other namespaces."""
        same = [other for other in self._set(state) if other.startswith("::") and _tail(other) == _tail(name)]
        if not 0 < len(same) <= _MOST_NAMESPACES or key in same:
            return None
        names = [self.variables[other].name if other in self.variables else other for other in sorted(same)]
        meant = names[0]
        hint = "write " + " or ".join(f"${n}" for n in names)
        if not key.startswith("::") and len(names) == 1:
            declare = f"global {name}" if meant == f"::{name}" else f"variable {meant}"
            hint += f", or declare it in the proc: {declare}"
        repairs: tuple[Repair, ...] = ()
        for one in names:
            repairs += renamed_variable(self.collector.text, start, end, name, one, safe=len(names) == 1)
        meant = " and ".join(names)
        message = f'"{name}" is not set in this namespace, {meant} {"is" if len(names) == 1 else "are"}'
        return _Problem("VAR003", start, end, message, hint, repairs)

    def _unset(self, name: str, key: str, state: State, start: int, end: int) -> _Problem:
        frame, bar, _ = key.rpartition("|")
        prefix = frame + bar or "::"
        visible = [k.removeprefix(prefix) for k in self._set(state) if k.startswith(prefix)]
        known = [v.name for v in self.variables.values()] + [f"::{v}" if "::" in v else v for v in visible]
        near = nearest(name, known, most=1)
        repairs = renamed_variable(self.collector.text, start, end, name, near[0]) if near else ()
        hint = did_you_mean(name, known)
        return _Problem("VAR001", start, end, f'"{name}" is read before anything sets it', hint, repairs)

    def _set(self, state: State) -> Iterator[str]:
        """The variables, array elements left out, that are set for sure, or by the catalog's word."""
        self._searches += 1
        if self._searches > _MAX_SEARCHES:
            return
        for key in state.slots:
            slot = state.slots[key]
            if "(" not in key and (key in self.variables or not (slot.maybe and slot.value == UNKNOWN)):
                yield key

    def written(self, key: str, value: Value, start: int, end: int) -> None:
        """A global is set: a catalog variable's value is checked, a name close to one is reported."""
        variable = self.variables.get(key)
        if variable is not None:
            for problem in value_problems(variable, Arg(value, start, end)):
                message = f"{variable.name}: {problem.message}"
                repairs = swaps(self.collector.text, start, end, problem.swaps)
                self.collector.add(problem.code, start, end, message, problem.hint, repairs=repairs)
            return
        if "(" in key or not self.variables:
            return
        same = self._by_tail.get(_tail(key), [])
        if len(same) == 1:
            self._strays.setdefault(key, (start, end, same[0]))
        elif "::" in key[2:]:
            close = get_close_matches(key, list(self.variables), n=1, cutoff=0.85)
            if close:
                name = self.variables[close[0]].name
                message = f"{key} is not a variable of the catalog"
                repairs = swaps(self.collector.text, start, end, [Swap(key, name)])
                self.collector.add("CAT021", start, end, message, f"did you mean {name}?", repairs=repairs)

    def finish(self, *, alone: bool) -> None:
        """Report what could only be judged at the end.

        Args:
            alone: nothing but the script sets or reads its globals: it calls no command that is not known.
        """
        text = self.collector.text
        for key, (start, end, other) in self._strays.items():
            namespace, _, tail = key[2:].rpartition("::")
            used = re.findall(rf"(?<![\w:]){re.escape(key[2:])}(?!\w)|::{re.escape(key[2:])}(?!\w)", text)
            # A namespace of the script's own has variables of its own.
            own = namespace and re.search(rf"\bnamespace\s+eval\s+(?:::)?{re.escape(namespace)}\b", text)
            if len(used) != 1 or own or (not namespace and not alone):
                continue
            name = self.variables[other].name
            message = f"nothing reads {key if namespace else tail}; {name} is the catalog's"
            repairs = swaps(text, start, end, [Swap(key, name), Swap(key[2:], name)])[:1]
            self.collector.add(
                "VAR003", start, end, message, f"did you mean {name}?", severity="warning", repairs=repairs
            )
        for found in self._if_alone if alone else ():
            self._add(found)

    def _add(self, found: _Problem) -> None:
        self.collector.add(
            found.code, found.start, found.end, found.message, found.hint, repairs=found.repairs
        )


def _tail(name: str) -> str:
    return name.rpartition("::")[2]
