"""The tail of a catalog while decoding: a candidate that writes the name of a proc outside the pack gets it typed.

Where such a name ends, the candidate stops. The proc joins the pack, the constraint is compiled again, the text so far
is read by it, and the model is shown the pack with the proc: only then does the candidate go on, with the arguments.
A name whose call cannot be written is taken back, and another command is written. Knows nothing of catalogs: the
constraint with one more proc is handed in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .candidate import Candidate
from .model import Continuation
from .prompt_cache import common
from .search import Boundary, copy_sequence, forget

if TYPE_CHECKING:
    from .decode import GrammarEngine

# A name at the beginning of a statement, as far as what shows that it has ended.
_NAME = re.compile(rb"(?:^|\n) *([^ \n]+)(?=[ \n])")
# How much longer a prompt may be for what was typed: a few signatures.
MORE_PROMPT = 256


@dataclass(frozen=True)
class Typed:
    """A constraint with more of the tail in its pack.

    Attributes:
        tail: the names that are still names only. prompt: what shows the larger pack to the model.
    """

    grammar: str
    tail: frozenset[str]
    prompt: list[int]


@dataclass(frozen=True)
class Tail:
    """What a request has beyond its pack.

    Attributes:
        names: procs whose names alone can be written.
        typed: the constraint with these procs in the pack; None where the last of them cannot be called.
    """

    names: frozenset[str]
    typed: Callable[[tuple[str, ...]], Typed | None]


@dataclass(frozen=True)
class _Compiled:
    typed: Typed
    root: Any


class Retyping:
    """Types the tail for the candidates of one decoding; what one of them had typed is there for the others.

    Args:
        candidates: all of them, as the decoding has them at any time.
    """

    def __init__(self, engine: GrammarEngine, tail: Tail, candidates: list[Candidate], boundary: Boundary) -> None:
        self._engine, self._tail, self._candidates, self._boundary = engine, tail, candidates, boundary
        self._known: dict[tuple[str, ...], _Compiled | None] = {}
        self._room = self.reserve(tail, candidates[0].prompt)

    @staticmethod
    def reserve(tail: Tail | None, prompt: Sequence[int]) -> int:
        """How many tokens a context must hold beyond the candidates' own."""
        return len(prompt) + MORE_PROMPT if tail is not None else 0

    def ended(self, c: Candidate, piece: bytes) -> bool:
        """Called before a token is taken: whether it ends a name of the tail, which was typed or taken back then."""
        if not c.tail or not (b" " in piece or b"\n" in piece):
            return False
        begin = c.data.rfind(b"\n") + 1
        line = bytes(c.data[begin:])
        for m in _NAME.finditer(line + piece):
            name = m.group(1).decode("utf-8", "replace")
            if m.end() >= len(line) and name in c.tail:
                rest = (line + piece)[len(line) : m.end()]
                self._type(c, name, rest)
                return True
        return False

    def _type(self, c: Candidate, name: str, rest: bytes) -> None:
        """Put a proc into a candidate's pack; `rest`: what of its name is not written yet."""
        names = (*c.typed, name)
        found = self._compiled(names)
        more = self._engine.tokenizer.tokenize_str(rest.decode("utf-8", "replace")) if rest else []
        ids = [*c.ids, *more]
        now = self._read(found, ids)
        before = self._read(found, ids[: c.checkpoint.count])
        if found is None or now is None or before is None:
            self._boundary.back(self._engine.model, c, rest.decode("utf-8", "replace"))
            return
        for token in more:
            c.take(token, self._engine.model.piece(token))
        c.root, c.matcher, c.typed, c.tail = found.root, now, names, found.typed.tail
        self._show(c, found.typed.prompt)
        count = c.checkpoint.count
        c.checkpoint = replace(
            c.checkpoint, matcher=before, position=len(c.prompt) + max(0, count - 1), pending=tuple(c.ids[:count][-1:])
        )

    def _compiled(self, names: tuple[str, ...]) -> _Compiled | None:
        if names not in self._known:
            typed = self._tail.typed(names)
            self._known[names] = None if typed is None else _Compiled(typed, self._engine.matcher(typed.grammar))
        return self._known[names]

    @staticmethod
    def _read(found: _Compiled | None, ids: Sequence[int]) -> Any:
        """The state behind some tokens; None where they are not accepted."""
        if found is None:
            return None
        matcher = found.root.deep_copy()
        taken = matcher.try_consume_tokens(list(ids)) if ids else 0
        return matcher if taken == len(ids) and not matcher.is_error() else None

    def _show(self, c: Candidate, prompt: list[int]) -> None:
        """Let the model read a candidate's text behind this prompt, as far as there is room for it."""
        model = self._engine.model
        model.forget_prompt()
        other = next((o for o in self._candidates if o is not c and o.prompt == prompt), None)
        same = len(prompt) if other is not None else common(c.prompt, prompt)
        if len(prompt) - same > self._room:
            # It reads on behind its old prompt: the last token is read again, for the odds behind it.
            c.position = len(c.prompt) + len(c.ids) - max(1, len(c.pending))
            c.pending = c.ids[c.position - len(c.prompt) :]
            forget(model, c.sequence, c.position)
            return
        self._room -= len(prompt) - same
        if other is not None:
            copy_sequence(model, other.sequence, c.sequence, same)
        else:
            forget(model, c.sequence, same)
        c.prompt = prompt
        c.position, c.pending = len(prompt) + len(c.ids) - 1, c.ids[-1:]
        unread = [*prompt[same:], *c.ids[:-1]]
        if unread:
            model.step([Continuation(c.sequence, unread, same)])
