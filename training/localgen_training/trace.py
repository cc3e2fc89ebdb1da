"""What a script does: its trace, got by running it in a safe Tcl interpreter whose procs are recorders.

Two scripts match functionally where their traces are equal: calls with their arguments by name (numbers canonical,
defaults left out, lists as lists), DSL blocks as tokens, the final values of the catalog's variables. Loops and
branches are executed, so an unrolled loop equals a loop. A script that asks for results runs twice, once with 0 and
once with 1 as the answer of every numeric or boolean proc. Needs a tclsh on PATH; executes nothing of the domain's own
tools.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lark

from localgen_grammars.blocks import cut_blocks, is_braced
from localgen_grammars.dsl import DslGrammar, DslSyntaxError, load_grammar
from localgen_grammars.quoting import quote_word
from localgen_retrieval.catalog import Proc, Value
from localgen_retrieval.catalog_io import Domain
from localgen_retrieval.errors import UsageError

from .trace_values import canonical_word, default_value, token

RECORDER = Path(__file__).with_name("trace.tcl")
SECONDS = 5
MEMORY = 1 << 30


@dataclass(frozen=True)
class Round:
    """One run: events in order, and the variables that were assigned with their last values."""

    events: tuple[Any, ...]
    variables: dict[str, Any]


@dataclass(frozen=True)
class Trace:
    """What a script did; `error` says why it stopped early, or is empty. `problems` are bad arguments and blocks."""

    error: str
    rounds: tuple[Round, ...]
    problems: tuple[str, ...]

    @property
    def ran(self) -> bool:
        """Whether the script is complete Tcl and ran to its end."""
        return not self.error

    @property
    def procs(self) -> frozenset[str]:
        """The names of all catalog procs that were called, in any run."""
        return frozenset(name for r in self.rounds for name in _called(r.events))


class Tracer:
    """Traces scripts of one domain.

    Raises:
        UsageError: there is no tclsh on PATH.
        GrammarError: a DSL grammar of the domain is broken.
    """

    def __init__(self, domain: Domain, *, seconds: int = SECONDS) -> None:
        self._tclsh = shutil.which("tclsh") or shutil.which("tclsh8.6") or ""
        if not self._tclsh:
            raise UsageError("no tclsh on PATH", hint="install Tcl 8.6 (apt install tcl)", code="tcl-missing")
        self._seconds = seconds
        self._catalog = domain.catalog
        self._procs = {p.name: p for p in self._catalog.procs}
        self._grammars: list[DslGrammar | None] = [
            load_grammar(domain.grammars[d.name], d.name, domain.grammar_paths[d.name])
            if d.name in domain.grammars
            else None
            for d in self._catalog.dsls
        ]
        self._spec = self._static_spec()

    def trace(self, script: str) -> Trace:
        """Run one script (a pure DSL text is parsed instead)."""
        if self._catalog.host == "none":
            statements, problem = self._statements(0, script)
            event = ("block", self._catalog.dsls[0].name, statements)
            return Trace(problem, (Round((event,), {}),), (problem,) if problem else ())
        cuts: list[tuple[int, str]] = []
        text, at = "", 0
        for block in cut_blocks(script, self._catalog.dsls).blocks:
            call = f"__block {len(cuts)}"
            text += script[at : block.start] + (call if block.statement else f"[{call}]")
            cuts.append((block.dsl, script[block.inner_start : block.inner_end]))
            at = block.end
        text += script[at:]
        rounds, problems, error = [], dict[str, None](), ""
        for answer in (0, 1) if "[" in script else (0,):
            raw = self._run(text, answer)
            error = error or raw["error"] or ""
            events = tuple(self._events(raw["events"], cuts, problems))
            values = {n: canonical_word(self._variable(n), w) for n, w in raw["variables"].items()}
            rounds.append(Round(events, values))
        return Trace(error, tuple(rounds), tuple(problems))

    def _run(self, text: str, answer: int) -> dict[str, Any]:
        spec = f"{self._spec} script {_quote(text)} answer {answer} seconds {self._seconds}"
        try:
            done = subprocess.run(
                [self._tclsh, str(RECORDER)],
                input=spec.encode("utf-8", "replace"),
                capture_output=True,
                timeout=self._seconds + 5,
                preexec_fn=_limit_memory,
            )
            raw: dict[str, Any] = json.loads(done.stdout)
        except (subprocess.TimeoutExpired, ValueError) as e:
            return {"error": f"no trace: {type(e).__name__}", "events": [], "variables": {}}
        return raw

    def _static_spec(self) -> str:
        procs = []
        for p in self._catalog.procs:
            returns = "" if p.returns is None else "list" if p.returns.list_ else p.returns.type
            entry = {
                "options": _join(a.name for a in p.options if a.type != "flag"),
                "flags": _join(a.name for a in p.options if a.type == "flag"),
                "positionals": _join(a.name for a in p.positionals),
                "scripts": _join(a.name for a in p.args if a.type == "script"),
                "returns": returns,
            }
            procs += [p.name, _join(x for pair in entry.items() for x in pair)]
        openers = [_join([str(i), *d.embedding.words]) for i, d in enumerate(self._catalog.dsls) if is_braced(d)]
        variables = [_join([v.name, _first_value(v.name, v.default)]) for v in self._catalog.variables]
        return _join(["procs", _join(procs), "openers", _join(openers), "variables", _join(variables)])

    def _variable(self, name: str) -> Value:
        return next(v for v in self._catalog.variables if v.name == name)

    def _events(
        self, raw: list[dict[str, Any]], cuts: list[tuple[int, str]], problems: dict[str, None]
    ) -> Iterator[Any]:
        for event in raw:
            if "call" in event:
                yield self._call(event, cuts, problems)
                continue
            index, text = (event["block"], event["text"]) if "block" in event else cuts[event["cut"]]
            statements, problem = self._statements(index, text)
            if problem:
                problems[problem] = None
            yield "block", self._catalog.dsls[index].name, statements

    def _call(self, event: dict[str, Any], cuts: list[tuple[int, str]], problems: dict[str, None]) -> Any:
        proc = self._procs[event["call"]]
        by_name = {a.name: a for a in proc.args}
        args: dict[str, Any] = {}
        stray: list[str] = []
        for name, word, nested in event["args"]:
            if name == "":
                stray.append(word["text"])
            elif nested is not None:
                args[name] = list(self._events(nested, cuts, problems))
            else:
                args[name] = canonical_word(by_name[name], word)
        for problem in (*event["problems"], *_missing(proc, args)):
            problems[f"{proc.name}: {problem}"] = None
        for arg in proc.args:
            if arg.has_default and arg.name in args and args[arg.name] == default_value(arg):
                del args[arg.name]
        return "call", proc.name, dict(sorted(args.items())), stray

    def _statements(self, index: int, text: str) -> tuple[list[list[str]], str]:
        """The statements of a block as tokens, and what is wrong with it."""
        grammar = self._grammars[index]
        if grammar is None:
            return [[token(t)] for t in re.findall(r'"[^"]*"|[\w.*:/]+|[^\s\w]', text)], ""
        try:
            tree = grammar.parse(text)
        except DslSyntaxError as e:
            return [["<unparsed>", " ".join(text.split())]], e.message
        folded = {t.name for t in grammar.lark.terminals if "i" in t.pattern.flags}
        out = []
        for child in tree.children:
            tokens = [child] if isinstance(child, lark.Token) else list(child.scan_values(_is_token))
            words = [token(t.lower() if t.type in folded else str(t)) for t in tokens]
            out.append([w for w in words if w])
        return [s for s in out if s], ""


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


def _missing(proc: Proc, args: dict[str, Any]) -> list[str]:
    return [f"{a.name} is missing" for a in proc.args if a.required and a.name not in args]


def _first_value(name: str, default: Any) -> str:
    if default is None:
        return f"@var:{name}"
    return str(default).lower() if isinstance(default, bool) else str(default)


def _is_token(x: object) -> bool:
    return isinstance(x, lark.Token)


def _called(events: Sequence[Any]) -> Iterator[str]:
    for event in events:
        if event[0] == "call":
            yield event[1]
            for value in event[2].values():
                if isinstance(value, list) and value and isinstance(value[0], tuple):
                    yield from _called(value)


def _key(event: Any, strict: bool) -> str:
    if event[0] == "block":
        statements = event[2]
        body = [t for s in statements for t in s] if strict else sorted(json.dumps(s) for s in statements)
        return json.dumps(["block", event[1], body])
    return json.dumps(event)


def _quote(text: str) -> str:
    return quote_word(text.replace("\r\n", "\n"))


def _join(items: Any) -> str:
    """A Tcl list."""
    return " ".join(quote_word(i) for i in items)


def _limit_memory() -> None:
    """In the child, before tclsh: a script may ask for more memory than there is."""
    import resource

    with suppress(ValueError, OSError):  # some systems know no such limit
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
