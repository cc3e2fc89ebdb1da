"""Votes inside a call: which options the instruction fills, and with which of its words, as the reader has it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from localgen.decoder.option_scores import OptionScores
from localgen.decoder.said import Said, SaidValues, Spellings
from localgen_retrieval.catalog import Arg, Proc
from localgen_retrieval.reader import SlotReading, SymbolReading

from .votes import Floats, Piece, arbitrate, log_sum

# Shares of the reader's log odds and probabilities; the most that either may add or take.
OPTION_SHARE, VALUE_SHARE, MOST = 1.0, 1.0, 7.0
# A value that this call has already, and one that an earlier call of the same proc has for the same arg.
USED_HERE, USED_BEFORE = -2.0, -1.5
LIST_OPEN, LIST_CLOSE = 2.5, 2.5
_CALL = re.compile(r"([^\s\[\]{}\"$;]+)((?: .*)?)$")


@dataclass(frozen=True)
class _Cursor:
    """Where in a call a text ends.

    Attributes:
        waiting: the arg whose value comes next or is being written; None where an option may begin.
        last: what is written of the current word.
        used: names of the options and positionals that are there.
        positional: the positional that a bare word would be.
    """

    waiting: Arg | None
    last: str
    used: frozenset[str]
    positional: Arg | None


class CallVotes:
    """Advice inside calls of the procs that were read.

    Args:
        procs, readings: by name; a catalog's variable as `set NAME`, with its value as the positional.
        scores: what else speaks for options and values.
        weight: share of the vote; 0 switches it off.
    """

    def __init__(
        self,
        procs: Mapping[str, Proc],
        readings: Mapping[str, SymbolReading],
        said: SaidValues,
        scores: OptionScores | None = None,
        weight: float = 1.0,
    ) -> None:
        self.weight = weight
        self._other = scores
        self._procs = {name: procs[name] for name in readings if name in procs}
        self._slots: dict[tuple[str, str], SlotReading] = {
            (name, slot.slot.name): slot for name, r in readings.items() for slot in r.slots
        }
        self._said = said
        self._values: dict[tuple[str, str], tuple[Said, ...]] = {}

    def biases(self, text: str, tokens: NDArray[np.int64], log_probs: Floats, piece: Piece) -> Floats | None:
        """New log probabilities (n,), or None outside the calls that were read."""
        line = text[text.rfind("\n") + 1 :].lstrip(" ")
        found = _call_at(line) if self.weight else None
        if found is None:
            return None
        name, rest = found
        if name == "set":  # a catalog's variable is read like a call with its value
            variable, space, value = rest[1:].partition(" ")
            name, rest = f"set {variable}", space + value
        proc = self._procs.get(name)
        if proc is None:
            return None
        at = _cursor(proc, rest)
        out = log_probs
        if at.waiting is not None:
            valued = self._value_biases(proc, at.waiting, at.last, text, rest, tokens, out, piece)
            if not at.last or _open_list(at.last):
                return valued
            out = out if valued is None else valued
        elif at.positional is not None and not at.last.startswith("-"):
            valued = self._value_biases(proc, at.positional, at.last, text, rest, tokens, out, piece)
            out = out if valued is None else valued
            if _open_list(at.last):
                return valued
        start = f" {at.last}" if at.last.startswith("-") and at.waiting is None else ""
        chosen = self._option_biases(proc, at, rest, start, tokens, out, piece)
        return chosen if chosen is not None else (out if out is not log_probs else None)

    def _odds(self, proc: Proc, arg: Arg, before: str) -> float:
        slot = self._slots.get((proc.name, arg.name))
        if slot is None or arg.required:
            return 0.0
        odds = OPTION_SHARE * float(np.clip(slot.filled, -MOST, MOST))
        if arg.type != "flag" and not slot.slot.values and not self._of(proc, arg):
            odds = -MOST
        return self.weight * (odds + (self._other.option(proc, arg, before) if self._other else 0.0))

    def _of(self, proc: Proc, arg: Arg) -> tuple[Said, ...]:
        key = (proc.name, arg.name)
        if key not in self._values:
            self._values[key] = self._said.of_arg(self._slots[key], arg) if key in self._slots else ()
        return self._values[key]

    def _option_biases(
        self, proc: Proc, at: _Cursor, before: str, start: str, tokens: NDArray[np.int64], log_probs: Floats,
        piece: Piece,
    ) -> Floats | None:
        votes = [(f" -{a.name}", self._odds(proc, a, before)) for a in proc.options if a.name not in at.used]
        bare = at.positional if at.positional is not None and not at.positional.required else None
        bare_odds = self._odds(proc, bare, before) if bare is not None else 0.0
        if not any(v for _, v in votes) and not bare_odds:
            return None
        out = log_probs.copy()
        for k, token in enumerate(tokens):
            more = start + piece(int(token)).decode("utf-8", "replace")
            if not more.startswith(" ") or more == " ":
                continue
            fits = [v for name, v in votes if name.startswith(more) or re.match(rf"{re.escape(name)}[\s\]]", more)]
            if fits:
                out[k] += max(fits)
            elif bare_odds and not more.startswith(" -"):
                out[k] += bare_odds
        return out - log_sum(out)

    def _value_biases(
        self, proc: Proc, arg: Arg, last: str, text: str, rest: str, tokens: NDArray[np.int64], log_probs: Floats,
        piece: Piece,
    ) -> Floats | None:
        scores = self._scores(proc, arg, last, text[: len(text) - len(rest)], rest)
        if not scores:
            return None
        items = [s.text for s in self._said.several(self._of(proc, arg))] if arg.list_ else []
        left = [t for t in items if t not in _parts(rest)]
        inside, spelt = _open_list(last), Spellings(scores, quoted=True)
        begun = last.rpartition(" ")[2].lstrip('{"') if inside or last.startswith(("{", '"')) else last

        def vote(written: str) -> float:
            fresh = written[:1] in (" ", "{", '"')
            more = written.lstrip(" ") if fresh else begun + written
            if inside and written.startswith("}"):
                return -LIST_CLOSE if left else LIST_CLOSE
            opens = 0.0
            if arg.list_ and not inside and more.startswith("{"):
                opens = LIST_OPEN if len(items) > 1 else -LIST_OPEN
                more = more[1:]
                if not more:
                    return opens
            return opens + spelt.best(more) if more else -np.inf

        votes = [self.weight * vote(piece(int(token)).decode("utf-8", "replace")) for token in tokens]
        return arbitrate(log_probs, np.array(votes, np.float64))

    def _scores(self, proc: Proc, arg: Arg, last: str, before: str, rest: str) -> dict[str, float]:
        """How likely each value is for an arg, less where it is written already."""
        here = _parts(rest)
        earlier = {w for m in re.finditer(rf"(?:^|[\n\[ ]){re.escape(proc.name)} ([^\n]*)", before)
                   for w in _parts(m.group(1))}  # fmt: skip
        others = self._other.values(proc, arg, rest) if self._other else {}
        scores: dict[str, float] = {}
        for s in self._of(proc, arg):
            score = VALUE_SHARE * max(s.score, -MOST) + others.get(s.text, 0.0)
            if s.at >= 0 and s.text in here and not last.startswith(s.text):
                score += USED_HERE
            if s.at >= 0 and s.text in earlier:
                score += USED_BEFORE
            scores[s.text] = score
        return scores


def _parts(rest: str) -> set[str]:
    """The words of a call, those of lists and strings apart."""
    return set(re.split(r"[\s{}\"\[\]]+", rest))


def _call_at(line: str) -> tuple[str, str] | None:
    """(name, rest) of the innermost call that is open at the end of a line."""
    start = 0
    stack: list[int] = []
    for i, c in enumerate(line):
        if c == "[" and (i == 0 or line[i - 1] in ' {"(!['):
            stack.append(start)
            start = i + 1
        elif c == "]" and stack:
            start = stack.pop()
    m = _CALL.match(line[start:])
    return (m.group(1), m.group(2)) if m else None


def _words(rest: str) -> list[str]:
    """The words of a call's rest, the unfinished one last ("" after a space)."""
    out, word, depth, quoted = [], "", 0, False
    for c in rest:
        if c == " " and depth == 0 and not quoted:
            out.append(word)
            word = ""
            continue
        word += c
        if c == '"':
            quoted = not quoted
        elif c in "{[":
            depth += 1
        elif c in "}]":
            depth = max(0, depth - 1)
    return [*out[1:], word] if rest.startswith(" ") else [word]


def _cursor(proc: Proc, rest: str) -> _Cursor:
    words = _words(rest) if rest else []
    options = {f"-{a.name}": a for a in proc.options}
    positionals = list(proc.positionals)
    used: set[str] = set()
    waiting: Arg | None = None
    n = 0
    for i, w in enumerate(words):
        whole = i < len(words) - 1
        if waiting is not None:
            if whole:
                waiting = None
                continue
            break
        if w in options:
            used.add(options[w].name)
            if options[w].type != "flag":
                waiting = options[w]
                if not whole:
                    return _Cursor(waiting, "", frozenset(used), None)
            continue
        if whole and n < len(positionals):
            used.add(positionals[n].name)
            n += 1
    last = words[-1] if words else ""
    # A bare word that is being written is the next positional; an empty one may become it.
    return _Cursor(waiting, last, frozenset(used), positionals[n] if n < len(positionals) else None)


def _open_list(last: str) -> bool:
    return last.startswith("{") and last.count("{") > last.count("}")
