"""A dictionary whose copies share what they have in common, for states of a run that are copied at every branch.

Entries lie in layers that are never changed again once a copy is made; a copy and its original each write into a layer
of their own. Layers are put together when the younger one has grown to half the size of the older (as in a
log-structured merge tree), so there are few of them, and what two copies differ in is found without looking at the
rest. It does not know what its values mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

V = TypeVar("V")


class Slots(Generic[V]):
    """Values by key; `copy` takes time for what was written since the last copy only."""

    __slots__ = ("_layers", "_own")

    def __init__(self, values: Mapping[str, V] | None = None) -> None:
        self._layers: tuple[dict[str, V | None], ...] = ()
        self._own: dict[str, V | None] = dict(values or {})

    def get(self, key: str) -> V | None:
        """The value, None where there is none."""
        own = self._own
        if key in own:
            return own[key]
        for layer in self._layers:
            if key in layer:
                return layer[key]
        return None

    def __contains__(self, key: str) -> bool:
        return self.get(key) is not None

    def __getitem__(self, key: str) -> V:
        value = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: str, value: V) -> None:
        self._own[key] = value

    def __delitem__(self, key: str) -> None:
        if any(key in layer for layer in self._layers):
            self._own[key] = None  # hides the entry of an older layer
        else:
            del self._own[key]

    def __iter__(self) -> Iterator[str]:
        for key in dict.fromkeys(k for layer in (self._own, *self._layers) for k in layer):
            if key in self:
                yield key

    def copy(self) -> Slots[V]:
        """An independent copy."""
        if self._own:
            layers = [self._own, *self._layers]
            while len(layers) > 1 and 2 * len(layers[0]) >= len(layers[1]):
                layers[:2] = [{**layers[1], **layers[0]}]
            self._layers, self._own = tuple(layers), {}
        other: Slots[V] = Slots.__new__(Slots)
        other._layers, other._own = self._layers, {}
        return other

    def changed(self, other: Slots[V]) -> set[str]:
        """The keys whose values may differ between two copies of one dictionary."""
        mine, theirs = self._layers, other._layers
        shared = 0
        while shared < min(len(mine), len(theirs)) and mine[-1 - shared] is theirs[-1 - shared]:
            shared += 1
        found = set(self._own) | set(other._own)
        for layers in (mine, theirs):
            for layer in layers[: len(layers) - shared]:
                found.update(layer)
        return found
