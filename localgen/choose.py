"""The last choice: which distinct text is the answer, once each is a finished script.

What `rank` knows (length-normalised log probability, what of the instruction is used, fit of the procs) and three
things that only a finished script shows: whether it validates as it is, how many candidates do the same when they are
run (their traces vote, so that two spellings of one script stand together), and how near its English rendering is to
the instruction.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from localgen.execution.events import BlockEvent, CallEvent, Trace
from localgen.execution.trace import Tracer
from localgen.rank import Ranked
from localgen.rendering import render_script
from localgen.repair import finish
from localgen_grammars.dsl import DslGrammar
from localgen_retrieval.catalog_io import Domain
from localgen_retrieval.errors import ToolError

Encode = Callable[[Sequence[str]], NDArray[np.float32]]

# In nats, beside `rank`'s score: agreement of traces (of its logarithm), similarity (of a cosine), validity.
# The first two were chosen on the tuning domains irrigation, harbour and ski_resort (bench/ranking.py).
VOTES, SIMILARITY, INVALID, DROPPED = 0.3, 0.5, 20.0, 10.0


@dataclass(frozen=True)
class Choice:
    """A distinct text as a finished script.

    Attributes:
        script: with the header and required calls, without the statements that are not valid (`dropped`).
        agreement: share of all candidates that do the same when they are run.
        similarity: cosine of the instruction and the script's English; 0 where there is none.
        score: what the choice goes by.
    """

    ranked: Ranked
    script: str
    valid: bool
    dropped: tuple[str, ...]
    agreement: float
    similarity: float
    score: float


class Chooser:
    """Chooses among the candidates for one domain.

    Args:
        encode: texts to unit vectors.
    """

    def __init__(self, domain: Domain, grammars: Mapping[str, DslGrammar], encode: Encode) -> None:
        self._domain, self._grammars, self._encode = domain, grammars, encode
        self._tracer: Tracer | None = None
        self._traces = True

    def choose(self, ranked: Sequence[Ranked], instruction: str) -> list[Choice]:
        """The distinct texts as finished scripts, best first."""
        finished = [finish(r.text, self._domain) for r in ranked]
        scripts = [script for script, _, _ in finished]
        agreement = self._agreement(ranked, scripts)
        similarity = self._similarity(scripts, instruction)
        out = []
        for r, (script, report, dropped), votes, alike in zip(ranked, finished, agreement, similarity, strict=True):
            score = r.score + VOTES * math.log(votes) + SIMILARITY * alike
            score -= INVALID * (not report.valid) + DROPPED * bool(dropped)
            out.append(Choice(r, script, report.valid, tuple(dropped), votes, alike, score))
        return sorted(out, key=lambda c: -c.score)

    def _agreement(self, ranked: Sequence[Ranked], scripts: Sequence[str]) -> list[float]:
        """The share of candidates that do what each script does; by their texts alone where there is no Tcl."""
        keys = [self._key(s) for s in scripts] if len(ranked) > 1 else [""] * len(ranked)
        total: dict[str, float] = {}
        for r, key in zip(ranked, keys, strict=True):
            total[key] = total.get(key, 0.0) + r.share
        return [min(1.0, total[key]) for key in keys]

    def _key(self, script: str) -> str:
        tracer = self._tracer
        if tracer is None and self._traces:
            try:
                self._tracer = tracer = Tracer(self._domain, seconds=2)
            except ToolError:
                self._traces = False
        return trace_key(tracer.trace(script)) if tracer is not None else script

    def _similarity(self, scripts: Sequence[str], instruction: str) -> list[float]:
        texts = [render_script(s, self._domain.catalog, self._grammars) for s in scripts]
        vectors = self._encode([instruction, *(t or "nothing" for t in texts)])
        return [float(vectors[0] @ v) if t else 0.0 for t, v in zip(texts, vectors[1:], strict=True)]


def trace_key(trace: Trace) -> str:
    """Equal for scripts that do the same."""
    rounds = [[[_plain(e) for e in r.events], dict(sorted(r.variables.items())), r.output] for r in trace.rounds]
    return json.dumps([trace.error, rounds], default=_plain)


def _plain(event: Any) -> list[Any]:
    if isinstance(event, CallEvent):
        return ["call", event.name, event.args, event.stray]
    if isinstance(event, BlockEvent):
        return ["block", event.dsl, event.statements]
    return [str(event)]
