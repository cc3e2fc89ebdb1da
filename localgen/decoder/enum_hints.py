"""Words and numbers that an instruction shares with what a doc says about one value of an enum and not the others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Set

from localgen_grammars.constraint.quantities import Quantity, convert, quantities_of
from localgen_retrieval.catalog import Arg
from localgen_retrieval.glosses import glosses
from localgen_retrieval.text import name_words
from localgen_retrieval.text import words as stems

# In nats: a word that only this value's name or gloss has (at most so many count), an amount that only it has.
SHARED_WORD, WORDS, SHARED_AMOUNT = 2.0, 2, 4.0
_DIGITS = re.compile(r"\d+(?:\.\d+)?")


def shared_evidence(
    arg: Arg, said: Set[str], quantities: tuple[Quantity, ...], known: Set[str] = frozenset()
) -> dict[str, float]:
    """What speaks for each value; values for which nothing does are left out.

    Args:
        said: stems of the instruction. known: stems that say nothing here (those of the proc's own summary).
    """
    glossed = glosses(arg.doc, arg.values)
    words = {v: set(stems(f"{name_words(v)} {glossed.get(v, '')}")) - known for v in arg.values}
    amounts = {v: _amounts(v, glossed.get(v, ""), quantities) for v in arg.values}
    often = Counter(w for found in words.values() for w in found)
    shared = Counter(a for found in amounts.values() for a in found)
    out = {}
    for v in arg.values:
        own = sum(often[w] == 1 for w in words[v] & said)
        score = SHARED_WORD * min(WORDS, own) + SHARED_AMOUNT * any(shared[a] == 1 for a in amounts[v])
        if score:
            out[v] = score
    return out


def _amounts(value: str, gloss: str, quantities: tuple[Quantity, ...]) -> set[int]:
    """Indices of the instruction's quantities that the value's name or gloss says too."""
    in_name = {float(n) for n in _DIGITS.findall(value)}
    explained = quantities_of(gloss)
    found = set()
    for i, q in enumerate(quantities):
        same = any(
            ((not e.unit or not q.unit or e.unit == q.unit) and e.value == q.value)
            or bool(e.unit and q.unit and e.value in convert(q, e.unit))
            for e in explained
        )  # fmt: skip
        if same or (float(q.value) in in_name and not explained):
            found.add(i)
    return found
