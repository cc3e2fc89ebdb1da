"""Finishing the call that the token budget cut off, where the catalog or the instruction determines what is missing.

What is written stays; a word that is half written is taken back. A required argument is given its default, the only
value that its enum has, or what the plan takes from the instruction, where nothing else comes near. With anything
else missing, the call is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localgen.decoder.assignment import Assignment
from localgen.decoder.call_cursor import Cursor, cursor_in, words_in
from localgen.decoder.candidate import Candidate
from localgen.decoder.closing import closing_lines
from localgen_grammars.quoting import quote_list, quote_word
from localgen_retrieval.catalog import Arg, Proc

# A value that the plan gives is determined where the next best is so far behind, in nats.
CLEAR = 3.0


@dataclass(frozen=True)
class Completer:
    """Finishes calls of some procs.

    Attributes:
        procs: by name. plans: how the instruction fills their calls. planned: those of the task's plan, in order.
        blocks: as in `closing_lines`.
    """

    procs: Mapping[str, Proc]
    plans: Mapping[str, Assignment]
    planned: Mapping[str, Sequence[Assignment]]
    blocks: tuple[tuple[str, str], ...] = ()

    def finish(self, c: Candidate, start: Any, tokenizer: Any) -> None:
        """Finish the call that a truncated candidate ends in, if it is determined and the grammar takes it.

        Args:
            start: llguidance state before the text. tokenizer: llguidance's.
        """
        made = self.completed(c.whole)
        if made is None or not c.cut.strip():
            return
        text, added = made
        text += closing_lines(text, self.blocks)
        trial = start.deep_copy()
        tokens = tokenizer.tokenize_str(text)
        if trial.try_consume_tokens(tokens) == len(tokens) and not trial.is_error() and trial.is_accepting():
            c.data, c.completed, c.cut = bytearray(text.encode()), added, ""

    def completed(self, text: str) -> tuple[str, str] | None:
        """(text with its last call finished, what was added); None where that is not determined, or no call."""
        head, _, line = text.rpartition("\n")
        indent = line[: len(line) - len(line.lstrip(" "))]
        name, space, rest = line.lstrip(" ").partition(" ")
        proc = self.procs.get(name)
        if proc is None or (not space and any(p != name and p.startswith(name) for p in self.procs)):
            return None
        words = words_in(space + rest) if space else [""]
        if words[-1] and not self._whole(proc, words):
            words[-1] = ""
        if words[-1]:
            words.append("")
        at = cursor_in(proc, " " + " ".join(words))
        if at.waiting is not None:  # an option without its value: it is given again where it must be
            words = [*words[:-2], ""]
            at = cursor_in(proc, " " + " ".join(words))
        added = self._missing(proc, at, text[: len(text) - len(line)])
        if added is None:
            return None
        given = [w for w in words if w]
        options = [w for a, w in added if not a.positional]
        n = len(at.used & {a.name for a in proc.positionals})
        before, after = given[: len(given) - n], given[len(given) - n :]
        positionals = [w for a, w in added if a.positional]
        full = " ".join([indent + name, *before, *options, *after, *positionals])
        return f"{head}\n{full}\n" if head or text.startswith("\n") else f"{full}\n", " ".join([*options, *positionals])

    @staticmethod
    def _whole(proc: Proc, words: Sequence[str]) -> bool:
        """Whether the last word, which no space ends, is surely whole: a flag, or a value that was closed."""
        last = words[-1]
        flags = {f"-{a.name}" for a in proc.options if a.type == "flag"}
        return last in flags or (last[:1] in '{["' and len(last) > 1 and last[-1] in '}]"' and _closed(last))

    def _missing(self, proc: Proc, at: Cursor, before: str) -> list[tuple[Arg, str]] | None:
        """The required arguments that are not given, with their words; None where one is not determined."""
        last = max((i for i, a in enumerate(proc.positionals) if a.required), default=-1)
        needed = [a for a in proc.options if a.required] + list(proc.positionals[: last + 1])
        out: list[tuple[Arg, str]] = []
        for a in needed:
            if a.name in at.values:
                continue
            word = self._value(proc, a, at, before)
            if word is None:
                return None
            out.append((a, f"-{a.name} {word}" if not a.positional else word))
        return out

    def _value(self, proc: Proc, arg: Arg, at: Cursor, before: str) -> str | None:
        if arg.type in ("script", "expr", "flag"):
            return None
        if arg.type == "enum" and len(arg.values) == 1:
            return quote_word(arg.values[0])
        plan = self._plan(proc, before)
        if plan is not None:
            ways = plan.consistent(at.values)
            items = plan.items(arg.name, ways)
            scores = plan.values(arg.name, ways)
            best = max((scores.get(i, -CLEAR) for i in items), default=0.0)
            rivals = [s for value, s in scores.items() if not any(value in i for i in items)]
            if items and arg.name in ways[0].values and all(s <= best - CLEAR for s in rivals):
                return quote_list(items) if arg.list_ else quote_word(items[0])
        return quote_word(arg.default_text) if arg.default_text is not None and not arg.list_ else None

    def _plan(self, proc: Proc, before: str) -> Assignment | None:
        mine = self.planned.get(proc.name, ())
        turn = sum(line.split(" ")[0] == proc.name for line in before.splitlines())
        return mine[min(turn, len(mine) - 1)] if mine else self.plans.get(proc.name)


def _closed(word: str) -> bool:
    return word.count("{") == word.count("}") and word.count("[") == word.count("]") and word.count('"') % 2 == 0
