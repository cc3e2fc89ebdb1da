"""Votes inside a call: which options the instruction fills, and with which of its words, as the reader has it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from localgen.decoder.assignment import Assignment, Filling
from localgen.decoder.call_cursor import Cursor, call_at, cursor_in, open_list
from localgen.decoder.said import Spellings
from localgen_retrieval.catalog import Arg, Proc

from .votes import Floats, Step, Steps, Written, among, applied

# Shares of the plan's log odds and values beside the model's own view.
OPTION_SHARE, VALUE_SHARE = 2.5, 2.5
# A value that an earlier call of the same proc has.
USED_BEFORE = -1.5
# An item that its list has already, or that comes later in it; a value that is not planned, below the worst of those.
USED_HERE, LATER, UNKNOWN = -15.0, -4.0, 12.0
LIST_OPEN, LIST_CLOSE = 6.0, 6.0


class CallVotes:
    """Advice inside the calls that are planned.

    Args:
        procs: by name; a catalog's variable as `set NAME`, with its value as the positional.
        plans: how the instruction fills their calls. planned: those of a task's plan, in order, each from its clauses.
        weight: share of the vote; 0 switches it off.
    """

    def __init__(
        self, procs: Mapping[str, Proc], plans: Mapping[str, Assignment],
        planned: Mapping[str, Sequence[Assignment]] = MappingProxyType({}), weight: float = 1.0,
    ) -> None:  # fmt: skip
        self.weight = weight
        self._procs = {name: proc for name, proc in procs.items() if name in plans}
        self._plans, self._planned = plans, planned

    def inside(self, text: str) -> bool:
        """Whether a text ends in a call that is planned."""
        return self._call(text) is not None

    def biases(self, text: str, tokens: NDArray[np.int64], log_probs: Floats, written: Written) -> Floats | None:
        """New log probabilities (n,), or None outside the planned calls."""
        return applied(self.steps(text, written), log_probs)

    def steps(self, text: str, written: Written) -> Steps:
        """The votes for what the allowed tokens write (n,); none outside the planned calls."""
        found = self._call(text)
        if found is None:
            return ()
        proc, rest = found
        before = text[: len(text) - len(rest)]
        plan = self._plan(proc, before)
        at = cursor_in(proc, rest)
        out: Steps = ()
        arg = at.waiting or (at.positional if not at.last.startswith("-") else None)
        if arg is not None:
            out = self._value_votes(proc, plan, arg, at, before, plan.consistent(at.values), written)
            if open_list(at.last) or (at.waiting is not None and not at.last):
                return out
        flag = at.last in {f"-{a.name}" for a in proc.options if a.type == "flag"}
        if at.last and (flag or not at.last.startswith("-")):  # the next word may begin here
            here, at = at, cursor_in(proc, f"{rest} ")
            fresh = [w if w.startswith(" ") and w != " " else "" for w in written]
            if at.positional is not None:
                ways = plan.consistent(at.values)
                out += self._value_votes(proc, plan, at.positional, at, before, ways, fresh)
            at = here if flag else at
        start = f" {at.last}" if at.last.startswith("-") and at.waiting is None else ""
        return out + self._option_votes(proc, plan, at, start, plan.consistent(at.values), written)

    def _call(self, text: str) -> tuple[Proc, str] | None:
        """The proc of the call that a text ends in, and what is written of it behind its name."""
        found = call_at(text[text.rfind("\n") + 1 :].lstrip(" ")) if self.weight else None
        if found is None:
            return None
        name, rest = found
        if name == "set":  # a catalog's variable is planned like a call with its value
            variable, space, value = rest[1:].partition(" ")
            name, rest = f"set {variable}", space + value
        return (self._procs[name], rest) if name in self._procs else None

    def _plan(self, proc: Proc, before: str) -> Assignment:
        """The plan of this call: that of its turn, after `before`."""
        mine = self._planned.get(proc.name)
        if not mine:
            return self._plans[proc.name]
        if len(mine) == 1:
            return mine[0]
        turn = len(re.findall(rf"(?:^|[\n\[])[ ]*{re.escape(proc.name)}(?=[ \n\]])", before))
        return mine[min(turn, len(mine) - 1)]

    def _odds(self, plan: Assignment, arg: Arg, ways: Sequence[Filling]) -> float:
        return 0.0 if arg.required else self.weight * OPTION_SHARE * plan.odds(arg.name, ways)

    def _option_votes(
        self, proc: Proc, plan: Assignment, at: Cursor, start: str, ways: Sequence[Filling], written: Written
    ) -> Steps:
        votes = [(f" -{a.name}", self._odds(plan, a, ways)) for a in proc.options if a.name not in at.used]
        bare = at.positional if at.positional is not None and not at.positional.required else None
        bare_odds = self._odds(plan, bare, ways) if bare is not None else 0.0
        if not any(v for _, v in votes) and not bare_odds:
            return ()
        out = np.zeros(len(written))
        for k, token in enumerate(written):
            more = start + token
            if not more.startswith(" ") or more == " ":
                continue
            fits = [v for name, v in votes if name.startswith(more) or _ended(name, more)]
            if fits:
                out[k] = max(fits)
            elif bare_odds and not more.startswith(" -"):
                out[k] = bare_odds
        return (Step(out),)

    def _value_votes(
        self, proc: Proc, plan: Assignment, arg: Arg, at: Cursor, before: str, ways: Sequence[Filling],
        written: Written,
    ) -> Steps:  # fmt: skip
        """Votes among the tokens that go on with a value or begin it; "" among them has none."""
        scores, last = self._scores(proc, plan, arg, before, ways), at.last
        if not scores:
            return ()
        items = plan.items(arg.name, ways) if arg.list_ else ()
        inside = open_list(last)
        done = _parts(last.rpartition(" ")[0]) if inside else set()
        left = [t for t in items if t not in done]
        if inside and left:  # in the order in which they are said
            scores = {t: v + LATER * (t != left[0]) for t, v in scores.items()}
        scores = {t: v + USED_HERE * (t in done) for t, v in scores.items()}
        opened = inside or last.startswith(("{", '"'))
        spelt = Spellings(scores, quoted=not opened)
        begun = (last.rpartition(" ")[2] if inside and arg.list_ else last).lstrip('{"') if opened else last
        unknown = min(scores.values()) - UNKNOWN
        other = "$[" if at.waiting else "$[-"  # what is no value of the instruction: there the model decides

        def vote(token: str) -> float:
            if not token:
                return -np.inf
            if inside and arg.list_ and token.startswith("}"):
                last_one = not (left[1:] if begun in left[:1] else left)
                return (LIST_CLOSE if last_one else -LIST_CLOSE) + (_floor(spelt.whole(begun), unknown) if begun else 0)
            if begun and token[:1] in " \n];" and (arg.list_ or not opened):  # the value or item ends here
                return _floor(spelt.whole(begun), unknown)
            more = begun + (token.lstrip(" ") if not begun else token)
            opens = 0.0
            if arg.list_ and not inside and more.startswith("{"):
                opens = LIST_OPEN if len(items) > 1 else -LIST_OPEN
                more = more[1:]
            if not more:
                return opens
            return opens + (-np.inf if more[0] in other and not begun else _floor(spelt.best(more), unknown))

        votes = [self.weight * vote(token) for token in written]
        return among(np.array(votes, np.float64))

    def _scores(
        self, proc: Proc, plan: Assignment, arg: Arg, before: str, ways: Sequence[Filling]
    ) -> dict[str, float]:
        """How fit each value is for an arg, less where an earlier call of the same proc has it."""
        earlier: set[str] = set()
        if proc.name not in self._planned and f"{proc.name} " in before:  # planned calls have their own clauses
            earlier = {w for m in re.finditer(rf"(?:^|[\n\[ ]){re.escape(proc.name)} ([^\n]*)", before)
                       for w in _parts(m.group(1))}  # fmt: skip
        found = plan.values(arg.name, ways)
        return {v: VALUE_SHARE * s + USED_BEFORE * (v in earlier) for v, s in found.items()}


def _ended(name: str, text: str) -> bool:
    """Whether a text is a name with something behind it that ends it."""
    return text.startswith(name) and (text[len(name) : len(name) + 1].isspace() or text[len(name) :][:1] == "]")


def _floor(score: float, least: float) -> float:
    return score if math.isfinite(score) else least


def _parts(rest: str) -> set[str]:
    """The words of a call, those of lists and strings apart."""
    return set(re.split(r"[\s{}\"\[\]]+", rest))
