"""Functional match: two scripts do the same where their traces are equal (`localgen.execution.trace` makes them).

Loops and branches are executed, so an unrolled loop equals a loop.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from localgen.execution.events import BlockEvent, CallEvent, Event, Trace
from localgen.execution.trace import Tracer
from localgen_retrieval.catalog_io import Domain


def same_trace(
    domain: Domain | Tracer,
    script: str,
    reference: str,
    ordered: bool = True,
    *,
    blocks_ordered: bool | None = None,
    alternatives: Sequence[str] = (),
) -> bool:
    """Whether a script does what the reference, or one of the alternatives, does.

    Args:
        ordered: compare the calls in order; else as a multiset.
        blocks_ordered: the same for the statements inside one DSL block (None: as `ordered`).
    """
    tracer = domain if isinstance(domain, Tracer) else Tracer(domain)
    got = tracer.trace(script)
    return any(match(got, tracer.trace(r), ordered, blocks_ordered) for r in (reference, *alternatives))


def match(a: Trace, b: Trace, ordered: bool = True, blocks_ordered: bool | None = None) -> bool:
    """Whether two traces are equal; a script that did not run matches nothing."""
    if not (a.ran and b.ran):
        return False
    strict = ordered if blocks_ordered is None else blocks_ordered
    for i in range(max(len(a.rounds), len(b.rounds))):
        one, two = a.rounds[min(i, len(a.rounds) - 1)], b.rounds[min(i, len(b.rounds) - 1)]
        keys = [_key(e, strict) for e in one.events], [_key(e, strict) for e in two.events]
        same = keys[0] == keys[1] if ordered else Counter(keys[0]) == Counter(keys[1])
        if not same or one.variables != two.variables:
            return False
    return True


def _key(event: Event, strict: bool) -> str:
    if isinstance(event, BlockEvent):
        statements = event.statements
        body = [t for s in statements for t in s] if strict else sorted(json.dumps(s) for s in statements)
        return json.dumps(["block", event.dsl, body])
    return json.dumps(event, default=_plain)


def _plain(event: Any) -> list[Any]:
    """An event inside a script argument, in full."""
    if isinstance(event, CallEvent):
        return ["call", event.name, event.args, event.stray]
    return ["block", event.dsl, event.statements]
