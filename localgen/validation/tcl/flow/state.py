"""The variables of a script at one point of its run, and how two ways of getting there are put together."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

from localgen.validation.tcl.flow.slots import Slots
from localgen.validation.tcl.flow.values import UNKNOWN, Value, join

_EPOCHS = count(1)

LATER_ROUND = "loop"  # in `State.open`: a loop's body that runs once for all its rounds


@dataclass(slots=True)
class Slot:
    """A variable that is set (`maybe`: on some ways only); a state of a later epoch has forgotten the value."""

    value: Value
    maybe: bool = False
    epoch: int = 0


@dataclass(slots=True)
class State:
    """One point of a run.

    Attributes:
        slots: set variables by key: `::name` for globals and namespaces, `frame|name` for a proc's own.
        open: frames in which any variable may be set (after `eval $code`, say); "*" for all;
            `LATER_ROUND` for all while a loop lasts.
        called: commands called so far on some way.
        early: commands called before another that the policy wants first.
        epoch: values that were set in an earlier one are not known any more (`forget`).
    """

    slots: Slots[Slot] = field(default_factory=Slots)
    open: frozenset[str] = frozenset()
    called: frozenset[str] = frozenset()
    early: frozenset[tuple[str, str, int, int]] = frozenset()
    epoch: int = 0

    def copy(self) -> State:
        """An independent copy."""
        return State(self.slots.copy(), self.open, self.called, self.early, self.epoch)

    def become(self, other: State) -> None:
        """Take over what another state knows."""
        self.slots, self.open, self.called, self.early = other.slots, other.open, other.called, other.early
        self.epoch = other.epoch

    def any_may_be_set(self, frame: str) -> bool:
        """Whether a variable of the frame may be set without its name being known."""
        opened = self.open
        return bool(opened) and (frame in opened or "*" in opened or LATER_ROUND in opened)

    def put(self, key: str, value: Value, *, maybe: bool = False) -> None:
        """Set a variable."""
        self.slots[key] = Slot(value, maybe, self.epoch)

    def value(self, slot: Slot) -> Value:
        """The value of a slot, as far as it is still known."""
        return slot.value if slot.epoch >= self.epoch else UNKNOWN

    def forget(self) -> None:
        """Whatever is set stays set, to values that are not known."""
        self.epoch = next(_EPOCHS)


def merge(a: State | None, b: State | None) -> State | None:
    """The state after two ways; None is a way that does not get here."""
    if a is None or b is None:
        return a if b is None else b
    merged = _both(a, b)
    for key in a.slots.changed(b.slots):
        left, right = a.slots.get(key), b.slots.get(key)
        if left == right:
            continue
        if left is None or right is None:
            slot = left or right
            assert slot is not None
            value = (a if slot is left else b).value(slot)
            merged.put(key, value, maybe=True)
        else:
            merged.put(key, join(a.value(left), b.value(right)), maybe=left.maybe or right.maybe)
    return merged


def widen(before: State, after: State) -> State:
    """`before`, with all that changed on the way to `after` unknown: any number of rounds of a loop may lie between."""
    widened = _both(before, after)
    for key in before.slots.changed(after.slots):
        old, new = before.slots.get(key), after.slots.get(key)
        if old is None:
            if new is not None:
                widened.put(key, UNKNOWN, maybe=True)
        elif new is None:
            widened.put(key, before.value(old), maybe=True)
        elif before.value(old) != after.value(new):
            widened.put(key, UNKNOWN, maybe=old.maybe)
    return widened


def _both(a: State, b: State) -> State:
    """`a` with what is known of whole runs taken from both."""
    called = a.called if a.called is b.called else a.called | b.called
    early = a.early if a.early is b.early else a.early | b.early
    opened = a.open if a.open is b.open else a.open | b.open
    return State(a.slots.copy(), opened, called, early, max(a.epoch, b.epoch))
