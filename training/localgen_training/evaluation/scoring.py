"""What one script is worth: does it parse, do its blocks, does it keep the policy, does it do the right thing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from localgen.execution.events import BlockEvent, CallEvent, Trace
from localgen.execution.trace import Tracer
from localgen.repair import with_header
from localgen.validation.validate import validate_script
from localgen_retrieval.catalog_io import Domain
from localgen_retrieval.errors import UsageError

from ..evaluate import HeldOutTask
from ..trace_match import match


@dataclass(frozen=True)
class Score:
    """One script, judged.

    Attributes:
        tcl: it parses as Tcl. blocks: DSL blocks in it. dsl: all of them parse.
        mixed: no error of host, catalog or blocks.
        policy: no policy rule broken. valid: no error at all. functional: it does what the reference does.
        literals, literal_hits: argument values of the reference, and how many of them the script's calls have.
        failure: the first thing wrong, "" where it is right (the taxonomy of errors).
    """

    tcl: bool
    blocks: int
    dsl: bool
    mixed: bool
    policy: bool
    valid: bool
    functional: bool
    literals: int
    literal_hits: int
    failure: str


class Judge:
    """Judges scripts of one domain.

    Raises:
        ToolError: there is no Tcl.
    """

    def __init__(self, domain: Domain) -> None:
        self.domain = domain
        self._tracer = Tracer(domain)
        self._wanted: dict[tuple[str, ...], list[Trace]] = {}

    def wanted(self, task: HeldOutTask) -> list[Trace]:
        """What the task's references do.

        Raises:
            UsageError: one of them does not run.
        """
        if task.references not in self._wanted:
            traces = [self._tracer.trace(r) for r in task.references]
            for trace in traces:
                if not trace.ran or trace.problems:
                    reason = trace.error or "; ".join(trace.problems)
                    raise UsageError(
                        f"{task.id}: its reference is not a right script: {reason}", code="suite-reference"
                    )
            self._wanted[task.references] = traces
        return self._wanted[task.references]

    def score(self, script: str, task: HeldOutTask) -> dict[str, Any]:
        """A script's Score as a dictionary."""
        report = validate_script(script, self.domain, strict=True)
        codes = [f.code for f in report.details if f.severity == "error"]
        groups = {c[:3] for c in codes}
        got, wanted = self._tracer.trace(script), self.wanted(task)
        functional = any(match(got, w, task.ordered, task.blocks_ordered) for w in wanted)
        asked = literals(wanted[0]) if wanted else Counter()
        return asdict(
            Score(
                tcl=report.valid_syntax,
                blocks=report.blocks,
                dsl=report.valid_DSL_blocks,
                mixed=not groups & {"TCL", "DSL", "CAT"},
                policy="POL" not in groups,
                valid=report.valid,
                functional=functional,
                literals=sum(asked.values()),
                literal_hits=sum((asked & literals(got)).values()),
                failure="" if functional else _failure(codes, got, wanted),
            )
        )

    def headed(self, text: str) -> str:
        """A text of the model alone as a script: with the required header, which the product adds to its own."""
        header = self.domain.catalog.policy.required_header
        body = text.strip("\n") + "\n"
        return body if not header or body.startswith(header) else with_header(body, self.domain)


def literals(trace: Trace) -> Counter[str]:
    """The values that a script's calls have, by call and argument, and the words of its DSL blocks."""
    first = trace.rounds[0].events if trace.rounds else ()
    return Counter(_values(first))


def _values(events: Any) -> Iterator[str]:
    for event in events:
        if isinstance(event, CallEvent):
            for name, value in event.args.items():
                if isinstance(value, list) and any(isinstance(v, (CallEvent, BlockEvent)) for v in value):
                    yield from _values(value)
                    continue
                for v in value if isinstance(value, list) else [value]:
                    yield json.dumps([event.name, name, str(v)])
        elif isinstance(event, BlockEvent):
            for statement in event.statements:
                for word in statement:
                    yield json.dumps([event.dsl, str(word)])


def _failure(codes: list[str], got: Trace, wanted: list[Trace]) -> str:
    for group, name in (("TCL", "Tcl syntax"), ("DSL", "DSL block"), ("POL", "policy")):
        if any(c.startswith(group) for c in codes):
            return name
    if "CAT001" in codes:
        return "unknown command"
    if any(c.startswith("CAT") for c in codes):
        return "arguments"
    if not got.ran:
        return "fails when run"
    if all(got.procs != w.procs for w in wanted):
        return "wrong procs"
    return "wrong values or order"
