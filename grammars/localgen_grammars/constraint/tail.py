"""The tail of a catalog: the procs that are not in a task's pack, as names only.

A catalog of 10,000 procs cannot be typed for each request. Its pack is; of the others a statement may begin with the
name, and there the constraint ends: what decodes puts the proc into the pack and compiles again before an argument is
written.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from localgen_retrieval.catalog import Catalog
from localgen_retrieval.catalog_io import Domain
from localgen_retrieval.once import once_per_catalog
from localgen_retrieval.pack import ContextPack

# What shows that a name has ended: the line's end, or a space with at most what a value or an option begins with, so
# that a token like ` -` counts and the mask has a dozen tokens there instead of half a vocabulary.
BEHIND_A_NAME = r'/ [\-{$"\[]?|\n/'
_NAME = re.compile(r"[^\s\\{}\[\]$\";#]+")
# A name that Tcl's own statements begin with could be either.
_STATEMENTS = frozenset({"set", "puts", "foreach", "if", "else"})


def tail_of(domain: Domain, pack: ContextPack) -> tuple[frozenset[str], str]:
    """The names that a statement may begin with beside the pack's, and the terminal expression for them ("": none).

    Written as literals: llguidance makes a trie of them, faster than it reads one as a regular expression.
    """
    if domain.catalog.host == "none":
        return frozenset(), ""
    every = _names(domain.catalog)
    packed = {p.name for p in pack.procs}
    literals = list(every.literals)
    for at in sorted((every.place[name] for name in packed if name in every.place), reverse=True):
        del literals[at]
    return every.names - packed, " | ".join(literals)


@dataclass(frozen=True)
class _Names:
    """The names of procs that may be called, the literals that stand for them, and where each stands."""

    names: frozenset[str]
    literals: tuple[str, ...]
    place: dict[str, int]


@once_per_catalog
def _names(catalog: Catalog) -> _Names:
    barred = {name.removeprefix("::") for name in catalog.policy.forbidden} | _STATEMENTS
    names = {p.name for p in catalog.live_procs if p.name.removeprefix("::") not in barred and _NAME.fullmatch(p.name)}
    ordered = sorted(names)
    return _Names(frozenset(names), tuple(map(json.dumps, ordered)), {name: i for i, name in enumerate(ordered)})
