"""Words in the abstract run: what a command receives, and what it may do with it where nothing else is known."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable, Sequence

from localgen.validation.tcl.flow.calls import Arg, Context
from localgen.validation.tcl.flow.state import State
from localgen.validation.tcl.flow.store import Store
from localgen.validation.tcl.flow.values import EMPTY, UNKNOWN, Value, concatenate, known, texts
from localgen_grammars.blocks import FILLER
from localgen_grammars.tcl.lists import ListError, list_values
from localgen_grammars.tcl.nodes import Part, Script, Text, Variable, Word

# What may be the name of a variable, and what may be code, among the words of a command of which nothing is known.
_VARIABLE = re.compile(r"[@&*]*+((?:\w|::)+)")
_CODE = re.compile(r"[ \t\n\[]")


class Words(Store):
    """The words' part of the run."""

    @abstractmethod
    def run(self, script: Script, ctx: Context, state: State) -> tuple[State | None, Value]:
        """Run the commands between brackets."""

    def args(self, words: Sequence[Word], ctx: Context, state: State) -> list[Arg]:
        """The words as the command receives them, `{*}` expanded."""
        out: list[Arg] = []
        span = ctx.span
        for word in words:
            text = word.value
            value: Value
            if text is None:
                value = self.parts(word.parts, ctx, state)
            else:
                value = (text,) if FILLER not in text else UNKNOWN
            if word.expand:
                out += self._expanded(value, *(span or (word.start, word.end)))
            else:
                out.append(Arg(value, word.start, word.end, word) if span is None else Arg(value, *span))
        return out

    @staticmethod
    def _expanded(value: Value, start: int, end: int) -> list[Arg]:
        """The words that `{*}` makes of a value."""
        whole = known(value)
        try:
            elements = list_values(whole) if whole is not None else None
        except ListError:
            elements = None
        if elements is None:
            return [Arg(UNKNOWN, start, end, many=True)]
        return [Arg(texts([e]), start, end) for e in elements]

    def parts(self, parts: Sequence[Part], ctx: Context, state: State) -> Value:
        """The value of a word's parts; brackets run."""
        if len(parts) == 1:
            return self._part(parts[0], ctx, state)
        return concatenate([self._part(part, ctx, state) for part in parts]) if parts else EMPTY

    def _part(self, part: Part, ctx: Context, state: State) -> Value:
        if isinstance(part, Variable):
            index = self.parts(part.index, ctx, state) if part.index is not None else None
            start, end = ctx.span or (part.start, part.end)
            return self.read(part.name, index, ctx, state, start, end)
        if isinstance(part, Text):
            return (part.value,) if FILLER not in part.value else UNKNOWN
        after, value = self.run(part.script, ctx, state)
        if after is not None:
            state.become(after)
        return value

    def may_set(self, args: Sequence[Arg], ctx: Context, state: State) -> None:
        """A command of which nothing is known may take names of variables, and code that sets some."""
        self.touch(args, ctx, state)
        frame = ctx.frame.id
        if frame not in state.open and any(a.text is None or _CODE.search(a.text) for a in args):
            state.open |= {frame}

    def touch(self, args: Iterable[Arg], ctx: Context, state: State) -> None:
        """An unknown command may set any variable whose name it is given."""
        for arg in args:
            text = arg.text
            named = _VARIABLE.fullmatch(text) if text else None
            if named is not None:
                key = self.key(named[1], ctx, state)
                if state.slots.get(key) is None:
                    state.put(key, UNKNOWN, maybe=True)
