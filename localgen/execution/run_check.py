"""The execution check of `validate --run`: a script is run against the domain's mocks, and what it did is reported."""

from __future__ import annotations

from typing import Any

from localgen.execution.events import CallEvent, Event, Trace
from localgen.execution.trace import Tracer
from localgen.validation.codes import Severity
from localgen.validation.findings import Collector
from localgen.validation.report import Run
from localgen_retrieval.catalog_io import Domain


class RunCheck:
    """Runs scripts of one domain; `mocks.tcl` answers where there is one, else results are made up.

    Raises:
        ToolError: there is no Tcl.
        GrammarError: a DSL grammar of the domain is broken.
    """

    def __init__(self, domain: Domain, *, seconds: int) -> None:
        self._domain = domain
        self._seconds = seconds
        self._tracer = Tracer(domain, seconds=seconds, mocks=True)

    def check(self, collector: Collector) -> Run | None:
        """Run the collector's script; a failure is a finding. None where nothing can be run.

        A script with syntax errors is not run: they are reported already. A pure DSL text has nothing to run.
        """
        broken = any(f.code.startswith("TCL") and f.level == "error" for f in collector.found())
        if self._domain.catalog.host == "none" or broken:
            return None
        trace = self._tracer.trace(collector.text)
        if not trace.ran:
            self._report(trace, collector)
        return _run(trace, mocked=self._tracer.mocked)

    def _report(self, trace: Trace, collector: Collector) -> None:
        code = "RUN002" if trace.limit not in (None, "redefined") else "RUN001"
        severity: Severity | None = None
        hint = ""
        if trace.limit == "time":
            hint = f"the limit is {self._seconds} s (--run-seconds); is there a loop without an end?"
        elif trace.limit == "redefined":
            hint = "procs of the catalog and what they are watched with stay as they are in this check"
        elif trace.line is not None and not self._tracer.mocked and self._made_up(trace):
            # A made-up result may be what fails.
            severity = None if collector.strict else "warning"
            hint = "results of the catalog's procs are made up where the domain has no mocks.tcl"
        start, end = collector.line(trace.line or 1)
        source = collector.text[start:end]
        start += len(source) - len(source.lstrip())
        end = max(start, end - (len(source) - len(source.rstrip())))
        collector.add(code, start, end, f"when run: {trace.error}", hint, severity=severity)

    def _made_up(self, trace: Trace) -> bool:
        """Whether a result was asked for that no mock gave."""
        returning = {p.name for p in self._domain.catalog.procs if p.returns is not None}
        return not returning.isdisjoint(trace.procs)


def _run(trace: Trace, *, mocked: bool) -> Run:
    first = trace.rounds[0]
    return Run(
        ok=trace.ran,
        error=trace.error,
        line=trace.line,
        limit=trace.limit,
        tcl=trace.tcl,
        mocks=mocked,
        calls=tuple(_document(e) for e in first.events),
        variables={**first.globals, **first.variables},
        output=first.output,
        problems=trace.problems,
    )


def _document(event: Event) -> dict[str, Any]:
    """An event as the report shows it; a body's events stand where its text would."""
    if isinstance(event, CallEvent):
        args = {
            name: [_document(e) if not isinstance(e, str) else e for e in value] if isinstance(value, list) else value
            for name, value in event.args.items()
        }
        return {"proc": event.name, "args": args, "stray": list(event.stray), "line": event.line}
    return {"dsl": event.dsl, "statements": event.statements, "text": event.text, "line": event.line}
