"""The variables of a script at one point of its run, and how two ways of getting there are put together."""

from __future__ import annotations

from dataclasses import dataclass, field

from localgen.validation.tcl.flow.values import UNKNOWN, Value, join


@dataclass(frozen=True, slots=True)
class Slot:
    """A variable that is set (`maybe`: on some ways only)."""

    value: Value
    maybe: bool = False


@dataclass(slots=True)
class State:
    """One point of a run.

    Attributes:
        slots: set variables by key: `::name` for globals and namespaces, `frame|name` for a proc's own.
        open: frames in which any variable may be set (after `eval $code`, say); "*" for all.
        called: commands called so far on some way.
        early: commands called before another that the policy wants first.
    """

    slots: dict[str, Slot] = field(default_factory=dict)
    open: frozenset[str] = frozenset()
    called: frozenset[str] = frozenset()
    early: frozenset[tuple[str, str, int, int]] = frozenset()

    def copy(self) -> State:
        """An independent copy."""
        return State(dict(self.slots), self.open, self.called, self.early)

    def become(self, other: State) -> None:
        """Take over what another state knows."""
        self.slots, self.open, self.called, self.early = other.slots, other.open, other.called, other.early

    def any_may_be_set(self, frame: str) -> bool:
        """Whether a variable of the frame may be set without its name being known."""
        return frame in self.open or "*" in self.open


def merge(a: State | None, b: State | None) -> State | None:
    """The state after two ways; None is a way that does not get here."""
    if a is None or b is None:
        return a if b is None else b
    slots: dict[str, Slot] = {}
    for key in {**a.slots, **b.slots}:
        left, right = a.slots.get(key), b.slots.get(key)
        if left is None or right is None:
            slot = left or right
            assert slot is not None
            slots[key] = Slot(slot.value, maybe=True)
        elif left == right:
            slots[key] = left
        else:
            slots[key] = Slot(join(left.value, right.value), left.maybe or right.maybe)
    return State(slots, a.open | b.open, a.called | b.called, a.early | b.early)


def widen(before: State, after: State) -> State:
    """`before`, with all that changed on the way to `after` unknown: any number of rounds of a loop may lie between."""
    slots = dict(before.slots)
    for key, slot in after.slots.items():
        old = before.slots.get(key)
        if old is None:
            slots[key] = Slot(UNKNOWN, maybe=True)
        elif old.value != slot.value:
            slots[key] = Slot(UNKNOWN, old.maybe)
    for key, old in before.slots.items():
        if key not in after.slots:
            slots[key] = Slot(old.value, maybe=True)
    return State(slots, before.open | after.open, before.called | after.called, before.early | after.early)
