"""What speaks for options and values beside the reader: the sentence encoder's view of a few words, and units.

Optional flags and enums: how well the sentence encoder finds an option's name and doc, or a value of an enum, in some
few words of the instruction. Numbers: whether the instruction says one in the option's unit. All are log odds. The
slopes for flags and enums follow a fit on 114 flags and 111 enums of the task families with the encoder before its
tuning (flags used against not used: area under the curve 0.88); the rest are guesses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from localgen.decoder.enum_hints import shared_evidence
from localgen_grammars.constraint.quantities import (
    Quantity,
    convert,
    number_text,
    number_texts,
    unit_of,
)
from localgen_grammars.constraint.units import canonical_unit
from localgen_retrieval.catalog import Arg, Proc
from localgen_retrieval.glosses import glosses
from localgen_retrieval.symbols import option_text, value_text
from localgen_retrieval.text import name_words
from localgen_retrieval.text import words as stems

Encode = Callable[[Sequence[str]], NDArray[np.float32]]

# Odds per unit of cosine (less half of what the proc's own summary explains), from which cosine on; per shared stem.
FLAG_SLOPE, FLAG_EVEN, SHARED_STEMS = 6.0, 0.30, 2.0
ENUM_SLOPE, ENUM_EVEN, VALUE_SLOPE = 4.5, 0.42, 12.0
# Of what is shared with a value, how much speaks for giving one at all.
SEEN = 0.5
# A numeric option: a number in its unit is said and not written yet; a number without one; none, or none left.
UNIT_SAID, NUMBER_SAID, NO_NUMBER = 1.5, 0.7, -2.0
# An optional name: some name of the instruction is left for it, or none is.
NAME_LEFT, NO_NAME = 0.7, -1.5
VALUE_UNIT_SAID, USED_BEFORE = 1.0, -1.0
WINDOWS = (2, 4)
LOWER = frozenset({"min", "minimum", "low", "lower", "lo", "least", "earliest", "floor", "start", "from"})
UPPER = frozenset({"max", "maximum", "high", "upper", "hi", "most", "latest", "ceiling", "end", "to", "until"})
MAX_WORDS = 60
MAX_PROCS = 5
_WORD = re.compile(r"[A-Za-z0-9_./\[\]%'-]+")


class OptionScores:
    """Log odds of the options and values of the procs that a pack begins with.

    Args:
        procs: in the pack's order; the first few are scored.
        encode: texts to unit vectors.
        quantities, names: the instruction's numbers, and the words of it that look like names.
    """

    def __init__(
        self,
        instruction: str,
        procs: Sequence[Proc],
        encode: Encode,
        quantities: tuple[Quantity, ...],
        names: Sequence[str] = (),
    ) -> None:
        self._procs = {p.name: p for p in procs[:MAX_PROCS]}
        self._quantities = quantities
        self._names = names
        self._options: dict[tuple[str, str], float] = {}
        self._values: dict[tuple[str, str], dict[str, float]] = {}
        self._score(instruction, encode)

    def _score(self, instruction: str, encode: Encode) -> None:
        windows = windows_of(instruction)
        texts: dict[str, int] = {w: i for i, w in enumerate(windows)}

        def at(text: str) -> int:
            return texts.setdefault(text, len(texts))

        asked: list[tuple[Proc, Arg, int, list[int], int]] = []
        for p in self._procs.values():
            base = at(p.summary or name_words(p.name))
            for a in p.args:
                if a.type == "enum" and a.values and not a.positional:
                    told = glosses(a.doc, a.values)
                    values = [at(value_text(a, v)) for v in a.values]
                    values += [at(told.get(v, value_text(a, v))) for v in a.values]
                    asked.append((p, a, -1, values, base))
                elif a.type == "flag":
                    asked.append((p, a, at(option_text(a)), [], base))
        said = set(stems(instruction))
        vectors = encode(list(texts)) if asked else np.zeros((0, 1), np.float32)
        own = vectors[: len(windows)]
        for p, a, text, values, base in asked:
            if a.type == "flag":
                fit = float((own @ vectors[text] - 0.5 * (own @ vectors[base])).max())
                known = set(stems(f"{name_words(a.name)} {a.doc}"))
                shared = len(known & said) / max(1, len(known))
                self._options[p.name, a.name] = FLAG_SLOPE * (fit - FLAG_EVEN) + SHARED_STEMS * shared
                continue
            # By its name or by its gloss, whichever fits better.
            fits = (vectors[values] @ own.T).max(axis=1).reshape(2, -1).max(axis=0)
            evidence = shared_evidence(a, said, self._quantities, set(stems(p.summary)))
            self._values[p.name, a.name] = {
                v: VALUE_SLOPE * float(f) + evidence.get(v, 0.0) for v, f in zip(a.values, fits, strict=True)
            }
            if not a.required:
                seen = SEEN * max(evidence.values(), default=0.0)
                self._options[p.name, a.name] = ENUM_SLOPE * (float(fits.max()) - ENUM_EVEN) + seen

    def option(self, proc: Proc, arg: Arg, before: str) -> float:
        """Log odds that an optional option is asked for, beside what the model thinks, after `before` in its call."""
        if arg.required or proc.name not in self._procs:
            return 0.0
        written = set(before.split(" "))
        if arg.numeric:
            left = [q for q in self._quantities if any(t not in written for t in _texts(q, arg))]
            if not left:
                return NO_NUMBER
            return UNIT_SAID if _unit(arg) and any(q.unit for q in left) else NUMBER_SAID
        if arg.type == "string" and self._names:
            return NAME_LEFT if any(n not in written for n in self._names) else NO_NAME
        return self._options.get((proc.name, arg.name), 0.0)

    def values(self, proc: Proc, arg: Arg, before: str) -> dict[str, float]:
        """How fit each value of an enum or number is, beside what the reader points at, after `before` in its call."""
        if proc.name not in self._procs:
            return {}
        if arg.numeric:
            return self._numbers(proc, arg, before)
        return self._values.get((proc.name, arg.name), {})

    def _numbers(self, proc: Proc, arg: Arg, before: str) -> dict[str, float]:
        """The numbers that the instruction says, in the arg's unit, and how fit each is for it.

        Better: said in the unit; not written in this call yet.
        """
        unit = _unit(arg)
        fits: dict[str, float] = {}
        for q in self._quantities:
            for v in convert(q, unit):
                fit = VALUE_UNIT_SAID if q.unit and unit else -VALUE_UNIT_SAID if q.unit or unit else 0.0
                text = number_text(v)
                fits[text] = max(fits.get(text, -np.inf), fit + USED_BEFORE * (f" {text}" in before))
        return fits


def _texts(quantity: Quantity, arg: Arg) -> list[str]:
    """What an arg can take of a quantity: in its unit and range, with the sign that is said."""
    found = number_texts((quantity,), _unit(arg), integer=arg.type == "int", low=arg.min, high=arg.max)
    return [t for t in found if t.startswith("-") == (quantity.value < 0)]


def bounds_of(proc: Proc) -> list[tuple[str, str]]:
    """Pairs of numeric args that are the lower and the upper bound of something, by their names."""

    def side(a: Arg) -> int:
        words = {w.lower() for w in name_words(a.name).split()}
        return -1 if words & LOWER else 1 if words & UPPER else 0

    numeric = [a for a in proc.args if a.numeric]
    return [(a.name, b.name) for a in numeric for b in numeric if side(a) < 0 < side(b)]


def windows_of(instruction: str) -> list[str]:
    """Runs of a few words of the instruction, each once, and the whole of it."""
    words = _WORD.findall(instruction)[:MAX_WORDS]
    found: dict[str, None] = {}
    for n in WINDOWS:
        for i in range(max(1, len(words) - n + 1)):
            found[" ".join(words[i : i + n])] = None
    found[" ".join(words)] = None
    return list(found)


def _unit(arg: Arg) -> str:
    return canonical_unit(unit_of(arg))

