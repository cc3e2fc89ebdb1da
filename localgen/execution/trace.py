"""What a script does: its trace, got by running it in a safe Tcl interpreter whose procs are recorders.

A trace has the calls with their arguments by name (numbers canonical, defaults left out, lists as lists), DSL blocks as
tokens, the final values of variables, and what was printed. Loops and branches are executed. The domain's mocks may
stand behind the recorders; nothing of its own tools is executed. Knows nothing of what a trace is compared with.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lark

from localgen.execution.canonical import canonical_word, default_value, token
from localgen.execution.events import BlockEvent, CallEvent, Event, Round, Trace
from localgen.execution.process import Limits, run_limited
from localgen.execution.tcl_program import tcl_command
from localgen_grammars.blocks import cut_blocks, is_braced
from localgen_grammars.dsl import DslGrammar, DslSyntaxError, load_grammar
from localgen_grammars.quoting import quote_word
from localgen_retrieval.catalog import Proc
from localgen_retrieval.catalog_io import Domain

RECORDER = Path(__file__).with_name("recorder.tcl")
SECONDS = 5
COMMANDS = 10_000_000
MEMORY = 1 << 30
CHARACTERS = 4_000_000
# Beyond the limit inside, for the start and for what Tcl does not interrupt.
_GRACE = 2


class Tracer:
    """Traces scripts of one domain.

    Args:
        seconds: how long one run may take.
        commands: how many commands it may call.
        mocks: let the domain's mocks answer; else results are made up, and a script that asks for some runs twice,
            once with 0 and once with 1 as the answer of every numeric or boolean proc.

    Raises:
        ToolError: there is no Tcl.
        GrammarError: a DSL grammar of the domain is broken.
    """

    def __init__(
        self, domain: Domain, *, seconds: int = SECONDS, commands: int = COMMANDS, mocks: bool = False
    ) -> None:
        self._catalog = domain.catalog
        self._command = tcl_command(RECORDER) if self._catalog.host == "tcl" else ()
        self._seconds = seconds
        self._commands = commands
        self.mocked = mocks and domain.mocks is not None
        self._procs = {p.name: p for p in self._catalog.procs}
        self._variables = {v.name: v for v in self._catalog.variables}
        self._grammars: list[DslGrammar | None] = [
            load_grammar(domain.grammars[d.name], d.name, domain.grammar_paths[d.name])
            if d.name in domain.grammars
            else None
            for d in self._catalog.dsls
        ]
        self._spec = self._static_spec()
        stand_ins = domain.mocks.read_text("utf-8") if self.mocked and domain.mocks is not None else ""
        self._spec += f" mocks {_quote(stand_ins)}"

    def trace(self, script: str) -> Trace:
        """Run one script (a pure DSL text is parsed instead)."""
        if self._catalog.host == "none":
            statements, problem = self._statements(0, script)
            event = BlockEvent(self._catalog.dsls[0].name, statements, script, 1)
            return Trace(problem, (Round((event,), {}),), (problem,) if problem else ())
        text, cuts = self._without_blocks(script)
        rounds, problems = [], dict[str, None]()
        first: dict[str, Any] = {}
        for answer in (0, 1) if "[" in script and not self.mocked else (0,):
            raw = self._run(text, answer, len(cuts))
            if not first or (raw["error"] and not first["error"]):
                first = raw
            events = tuple(self._events(raw["events"], cuts, problems))
            values = {n: canonical_word(self._variables[n], w) for n, w in raw["variables"].items()}
            rounds.append(Round(events, values, raw["globals"], raw["output"]))
        line = _line_of_error(text, first["line"], first["trace"])
        return Trace(first["error"] or "", tuple(rounds), tuple(problems), line, first["limit"], first["tcl"])

    def _without_blocks(self, script: str) -> tuple[str, list[tuple[int, str]]]:
        """The script with calls in the place of the blocks that are not Tcl, every line where it was."""
        cuts: list[tuple[int, str]] = []
        text, at = "", 0
        for block in cut_blocks(script, self._catalog.dsls).blocks:
            call = f"__block {len(cuts)}" + "\n" * script.count("\n", block.start, block.end)
            text += script[at : block.start] + (call if block.statement else f"[{call}]")
            cuts.append((block.dsl, script[block.inner_start : block.inner_end]))
            at = block.end
        return text + script[at:], cuts

    def _run(self, text: str, answer: int, blocks: int) -> dict[str, Any]:
        spec = f"{self._spec} script {_quote(text)} blocks {blocks} answer {answer} seconds {self._seconds}"
        spec += f" commands {self._commands} characters {CHARACTERS}"
        limits = Limits(seconds=self._seconds + _GRACE, memory=MEMORY, output=16 * CHARACTERS)
        done = run_limited(self._command, spec.encode("utf-8", "replace"), limits)
        try:
            raw: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            raw = {"events": [], "variables": {}, "globals": {}, "output": "", "line": None, "trace": "", "tcl": ""}
            raw["limit"] = done.stopped or ("memory" if done.status < 0 else None)
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raw["error"] = _STOPPED.get(raw["limit"]) or f"no trace: {said[0] if said else f'status {done.status}'}"
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

    def _events(
        self, raw: list[dict[str, Any]], cuts: list[tuple[int, str]], problems: dict[str, None]
    ) -> Iterator[Event]:
        for event in raw:
            if "call" in event:
                yield self._call(event, cuts, problems)
                continue
            index, text = (event["block"], event["text"]) if "block" in event else cuts[event["cut"]]
            statements, problem = self._statements(index, text)
            if problem:
                problems[problem] = None
            yield BlockEvent(self._catalog.dsls[index].name, statements, text, event["line"])

    def _call(self, event: dict[str, Any], cuts: list[tuple[int, str]], problems: dict[str, None]) -> CallEvent:
        proc = self._procs[event["call"]]
        by_name = {a.name: a for a in proc.args}
        inside = event.get("body")
        args: dict[str, Any] = {}
        stray: list[str] = []
        for name, word, nested in event["args"]:
            if inside is not None and name in by_name and by_name[name].type == "script":
                nested, inside = inside, None
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
        return CallEvent(proc.name, dict(sorted(args.items())), tuple(stray), event["line"])

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


_STOPPED = {
    "time": "time limit exceeded",
    "memory": "more memory than the limit allows",
    "output": "more output than the limit allows",
}


def _line_of_error(script: str, line: int | None, trace: str) -> int | None:
    """The line of the script where an error happened.

    Tcl names that of the outermost command; its stack trace says how many lines further into a body the failing command
    stands, which is believed where that command is found there.
    """
    if line is None:
        return None
    lines = script.split("\n")
    entries = re.findall(r'^"(.*?)(?:\.\.\.)?"?\n[ ]+\("[^"]*" (?:body|script) line (\d+)\)', trace, re.M)
    for command, deeper in reversed(entries):
        at = line + int(deeper) - 1
        if not (0 < at <= len(lines) and command.split("\n")[0].strip() in lines[at - 1]):
            break
        line = at
    return line


def _missing(proc: Proc, args: dict[str, Any]) -> list[str]:
    return [f"{a.name} is missing" for a in proc.args if a.required and a.name not in args]


def _first_value(name: str, default: Any) -> str:
    if default is None:
        return f"@var:{name}"
    return str(default).lower() if isinstance(default, bool) else str(default)


def _is_token(x: object) -> bool:
    return isinstance(x, lark.Token)


def _quote(text: str) -> str:
    return quote_word(text.replace("\r\n", "\n"))


def _join(items: Any) -> str:
    """A Tcl list."""
    return " ".join(quote_word(i) for i in items)
