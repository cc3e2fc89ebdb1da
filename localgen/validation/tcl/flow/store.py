"""Variables in the abstract run: which slot a name means, reading and setting it."""

from __future__ import annotations

from localgen.validation.tcl.flow.calls import Context, Watcher
from localgen.validation.tcl.flow.state import State
from localgen.validation.tcl.flow.values import UNKNOWN, Unknown, Value, known, texts


class Store:
    """The variables' part of the run; tells the watcher of unset variables and of globals that are set."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher

    def key(self, name: str, ctx: Context, state: State) -> str:
        """The key of a scalar or array name as seen from a context."""
        if name.startswith("::"):
            return "::" + name.lstrip(":")
        frame = ctx.frame
        if "::" not in name:
            if name in frame.links:
                return frame.links[name]
            if frame.id != "::":
                return f"{frame.id}|{name}"
        if ctx.namespace:
            inner = f"::{ctx.namespace}::{name}"
            return f"::{name}" if inner not in state.slots and f"::{name}" in state.slots else inner
        return f"::{name}"

    def read(self, name: str, index: Value | None, ctx: Context, state: State, start: int, end: int) -> Value:
        """A variable's value; the watcher hears of one that nothing can have set."""
        if index is None and name.endswith(")") and "(" in name:
            name, _, inner = name[:-1].partition("(")
            index = texts([inner])
        key = self.key(name, ctx, state)
        slot = state.slots.get(key)
        if index is not None and slot is not None:
            element = known(index)
            found = state.slots.get(f"{key}({element})") if element is not None else None
            return state.value(found) if found is not None else UNKNOWN
        if slot is not None:
            return state.value(slot)
        frame = key.partition("|")[0] if not key.startswith("::") else "::"
        if not state.any_may_be_set(frame) and not state.any_may_be_set(ctx.frame.id):
            self.watcher.unset_variable(name, key, state, start, end)
            # One finding per variable is enough.
            state.put(key, UNKNOWN, maybe=True)
        return UNKNOWN

    def write(self, name: Value, value: Value, ctx: Context, state: State, start: int, end: int) -> Value:
        """Set a variable; the value."""
        if isinstance(name, Unknown):
            state.open |= {ctx.frame.id}
            return value
        for one in name:
            base, element = one, None
            if one.endswith(")") and "(" in one:
                base, _, inner = one[:-1].partition("(")
                element = inner
            key = self.key(base, ctx, state)
            maybe = len(name) > 1
            if element is not None:
                if key not in state.slots:
                    state.put(key, UNKNOWN)
                key = f"{key}({element})"
            state.put(key, UNKNOWN if maybe else value, maybe=maybe)
            if key.startswith("::"):
                self.watcher.written(key, value, start, end)
        return value
