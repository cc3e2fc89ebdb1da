"""What passes between the abstract run and those who watch it: calls, their arguments, and where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from localgen.validation.tcl.flow.state import State
from localgen.validation.tcl.flow.values import UNKNOWN, Value
from localgen_grammars.tcl.nodes import Command, SyntaxProblem, Word
from localgen_grammars.tcl.parser import Tree

if TYPE_CHECKING:
    from localgen.validation.tcl.flow.interpreter import Flow


@dataclass(slots=True)
class Frame:
    """A level of variables: the globals (id `::`), or one call of a proc; `links` are `global` and `upvar` names."""

    id: str
    caller: Frame | None = None
    links: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Context:
    """Where code runs: its tree, its frame and namespace, and its place in the file if it is not in the file itself."""

    tree: Tree
    frame: Frame
    namespace: str = ""
    span: tuple[int, int] | None = None

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Offsets in the file for offsets in the tree."""
        return self.span or (start, end)

    def changed(
        self,
        *,
        tree: Tree | None = None,
        frame: Frame | None = None,
        namespace: str | None = None,
        span: tuple[int, int] | None = None,
    ) -> Context:
        """The same context with what is given in place of its own."""
        return Context(
            tree or self.tree,
            frame or self.frame,
            self.namespace if namespace is None else namespace,
            span or self.span,
        )


class Arg:
    """One word as a command receives it; `many` stands for any number of unknown words (`{*}$list`).

    `text` is the text where exactly one is possible, else None.
    """

    __slots__ = ("end", "many", "start", "text", "value", "word")

    def __init__(self, value: Value, start: int, end: int, word: Word | None = None, *, many: bool = False) -> None:
        self.value = value
        self.start = start
        self.end = end
        self.word = word
        self.many = many
        self.text = value[0] if type(value) is tuple and len(value) == 1 and not many else None


class Call:
    """One call: `args` is without the name, offsets are the file's; `partial` where words may follow (a callback).

    `exact` says whether the number of arguments is certain.
    """

    __slots__ = ("args", "command", "ctx", "end", "exact", "name", "name_end", "name_start", "partial", "start")

    def __init__(
        self,
        name: str,
        args: Sequence[Arg],
        start: int,
        end: int,
        name_start: int,
        name_end: int,
        ctx: Context,
        command: Command | None = None,
        partial: bool = False,
    ) -> None:
        self.name = name
        self.args = args
        self.start = start
        self.end = end
        self.name_start = name_start
        self.name_end = name_end
        self.ctx = ctx
        self.command = command
        self.partial = partial
        self.exact = not partial
        for arg in args:
            if arg.many:
                self.exact = False

    def text(self, index: int) -> str | None:
        """The text of an argument, None where it is missing or not known."""
        return self.args[index].text if index < len(self.args) else None

    def value(self, index: int) -> Value:
        """An argument's value."""
        return self.args[index].value if index < len(self.args) else UNKNOWN

    def named(self, name: str) -> Call:
        """The same call by another name of the command."""
        if name == self.name:
            return self
        return Call(
            name, self.args, self.start, self.end, self.name_start, self.name_end, self.ctx, self.command, self.partial
        )


class Watcher(Protocol):
    """Who knows the team's commands and judges what happens."""

    def defines(self, name: str) -> bool:
        """Whether a name (without leading `::`) is a command of the team."""

    def own_call(self, flow: Flow, call: Call, state: State) -> tuple[State | None, Value]:
        """A command of the team is called."""

    def any_call(self, call: Call, state: State) -> None:
        """A command of the team or of the script is called, or an alias (before `own_call` and the like)."""

    def core_call(self, call: Call, state: State, *, certain: bool) -> bool:
        """A command of Tcl's own is called; whether it can work as far as words and subcommands go."""

    def unknown_command(self, call: Call) -> None:
        """Nothing defines the command."""

    def unknown_again(self, name: str, start: int, end: int, *, broken: bool) -> bool:
        """A command that nothing defines once more, by the same name; False where the whole call must be looked at."""

    def computed_command(self, start: int, end: int, what: str) -> None:
        """Which command is called cannot be told; `what` is the word or code."""

    def defined(self, name: str, start: int, end: int) -> None:
        """The script defines a command (`proc`, `rename`, `interp alias`)."""

    def unset_variable(self, name: str, key: str, state: State, start: int, end: int) -> None:
        """A variable is read that nothing can have set; `key` is the slot that it would be in."""

    def written(self, key: str, value: Value, start: int, end: int) -> None:
        """A global variable (`::name`) is set."""

    def syntax(self, problem: SyntaxProblem, start: int, end: int) -> None:
        """Code put together from constants is not Tcl."""

    def misuse(self, code: str, start: int, end: int, message: str, hint: str = "", *, certain: bool = True) -> None:
        """A command of Tcl's own or of the script is called in a way that fails; `certain` where it surely runs."""
