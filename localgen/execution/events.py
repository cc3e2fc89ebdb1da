"""What a run of a script is told as: calls of the catalog's procs, DSL blocks, variables and output. Pure values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Limit = Literal["time", "commands", "memory", "output", "redefined"]


@dataclass(frozen=True)
class CallEvent:
    """A catalog proc was called: arguments by name, words without a place, and the line of the script."""

    name: str
    args: dict[str, Any]
    stray: tuple[str, ...] = ()
    line: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class BlockEvent:
    """A DSL block was met: its statements as tokens."""

    dsl: str
    statements: list[list[str]]
    text: str = field(default="", compare=False)
    line: int | None = field(default=None, compare=False)


Event: TypeAlias = CallEvent | BlockEvent


@dataclass(frozen=True)
class Round:
    """One run.

    Attributes:
        events: what was called, in order.
        variables: the catalog's variables that were assigned, with their last values.
        globals: the other global variables at the end, as text.
        output: what `puts` wrote.
    """

    events: tuple[Event, ...]
    variables: dict[str, Any]
    globals: dict[str, str] = field(default_factory=dict, compare=False)
    output: str = field(default="", compare=False)


@dataclass(frozen=True)
class Trace:
    """What a script did; `error` says why it stopped early, or is empty. `problems` are bad arguments and blocks.

    `line` is where the error is, `limit` the limit that stopped the script, `tcl` the version that ran it.
    """

    error: str
    rounds: tuple[Round, ...]
    problems: tuple[str, ...]
    line: int | None = None
    limit: Limit | None = None
    tcl: str = ""

    @property
    def ran(self) -> bool:
        """Whether the script is complete Tcl and ran to its end."""
        return not self.error

    @property
    def procs(self) -> frozenset[str]:
        """The names of all catalog procs that were called, in any run."""
        return frozenset(name for r in self.rounds for name in _called(r.events))


def _called(events: Sequence[Any]) -> Iterator[str]:
    for event in events:
        if isinstance(event, CallEvent):
            yield event.name
            for value in event.args.values():
                if isinstance(value, list):
                    yield from _called(value)
