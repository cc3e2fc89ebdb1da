"""What in an instruction looks like a name, what it enumerates, and which words are the catalog's own."""

from __future__ import annotations

import re

from localgen_grammars.constraint.grounding import Words
from localgen_retrieval.catalog import Catalog
from localgen_retrieval.once import once_per_catalog
from localgen_retrieval.text import name_words
from localgen_retrieval.text import words as stems

NAME_LIKE = re.compile(r"[\d_/*\[\].:-]|[A-Z]{2}|[a-z][A-Z]|^[A-Z]$")
_ITEM = r"(?<![\w.])[A-Za-z0-9](?:[\w./\[\]*-]*[\w\]*])?"
_ENUMERATION = re.compile(rf"{_ITEM}(?:\s*,\s*{_ITEM})*\s*,?\s+(?:and|&|or)\s+{_ITEM}|{_ITEM}(?:\s*,\s*{_ITEM}){{2,}}")


def enumerated(instruction: str, words: Words | None) -> tuple[str, ...]:
    """The names of the longest enumeration of an instruction: "STS1, STS2 and STS5"."""
    return max(enumerations(instruction, words), key=len, default=())


def enumerations(instruction: str, words: Words | None) -> tuple[tuple[str, ...], ...]:
    """The names of each enumeration of an instruction, in order."""
    if words is None:
        return ()
    known = {w for w in words.content if " " not in w}
    out = []
    for m in _ENUMERATION.finditer(instruction):
        found = [w for w in re.split(r"\s*,\s*(?:and\s+)?|\s+(?:and|&|or)\s+", m.group(0)) if w]
        plain = [w for w in found if not NAME_LIKE.search(w)]
        if all(w in known for w in found) and (not plain or len(found) > 2):
            out.append(tuple(dict.fromkeys(found)))
    return tuple(out)


def looks_like_a_name(word: str) -> bool:
    """Whether a word is written as things are named: with a digit, a separator, or capitals inside."""
    return bool(NAME_LIKE.search(word)) and not re.fullmatch(r"[-+]?\d[\d.,:x]*[A-Za-z%/]{0,5}", word)


@once_per_catalog
def choices_of(catalog: Catalog) -> frozenset[str]:
    """The values of all arguments' enums."""
    return frozenset(v for p in catalog.procs for a in p.args for v in a.values)


@once_per_catalog
def vocabulary_of(catalog: Catalog) -> frozenset[str]:
    """Stems of the words that a catalog is written in, and of those that name its DSLs."""
    texts = [f"{name_words(p.name)} {p.summary} {' '.join(a.name for a in p.args)}" for p in catalog.procs]
    texts += [name_words(f"{d.name} {d.embedding.open}") for d in catalog.dsls]
    return frozenset(stems(" ".join(texts)))
