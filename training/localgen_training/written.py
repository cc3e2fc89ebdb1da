"""Written domains: catalogs with tasks that people wrote for them, and what each task's reference script uses.

A folder holds a domain as a team has it, or has the name of a bundled one, and tasks.jsonl: lines of `id`, `suite`,
`instruction`, `expect`, `reference` and, where a script has several statements, `clauses`: which words ask for which
proc, variable or production. A task to ask back about has `asks` instead: the proc that it is for (null for none), what
is `given` to it, and which required arguments are `missing`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from localgen.decoder.dsl_reading import DslReader
from localgen.script_values import BlockText, Given, Loop, ScriptCall, Setting, read_script
from localgen.validation.grammars import grammars_of
from localgen_bundle.default import domain_folders as bundled_domains
from localgen_grammars.dsl import DslGrammar
from localgen_grammars.statements import Literal, Place, Repeated, Statement, match_block, statements_of
from localgen_retrieval.catalog_io import Domain, load_domain
from localgen_retrieval.encoder import Encoder
from localgen_retrieval.index import open_index
from localgen_retrieval.reading import BOOLS, ReadSymbol, read_proc, read_variable
from localgen_retrieval.retrieve import Retriever

from .compose import Use
from .families import FAMILIES

WRITTEN = FAMILIES.parent / "written"
TASKS = "tasks.jsonl"
# Nothing is trained on these: what is tuned is tuned on them.
VALIDATION = frozenset({"ate_levels", "printer_farm", "storage_array", "warehouse", "hotel_desk", "mine_vent"})
# Nor on these, on which the weights of the task's plan are fitted: what a network says of tasks it knows is too sure.
PLANNING = frozenset({
    "agv_fleet", "artifact_store", "auction_house", "battery_cycler", "drone_fleet", "emulator_farm", "exam_office",
    "gas_network", "invoicing", "pharmacy", "radio_studio", "wire_bond",
})  # fmt: skip
_SPLITS = {"validation": VALIDATION, "planning": PLANNING}
_TRUE = frozenset({"1", "true", "yes", "on"})


@dataclass(frozen=True)
class WrittenTask:
    """A task of a written domain; one to ask back about has no reference.

    Attributes:
        clauses: (words, symbol) for each statement of the reference; none where the whole instruction asks for one.
        uses: what the reference uses, in order: symbols as the reader names them.
        near: names of the domain's symbols, best first as retrieval ranks them for this instruction.
    """

    id: str
    suite: str
    instruction: str
    reference: str
    clauses: tuple[tuple[str, str], ...]
    uses: tuple[Use, ...]
    near: tuple[str, ...] = ()


def domain_folders(split: str, root: Path = WRITTEN) -> list[Path]:
    """The folders of "train", "validation" or "planning", by name."""
    found = sorted(p.parent for p in root.glob(f"*/{TASKS}"))
    return [p for p in found if next((s for s, names in _SPLITS.items() if p.name in names), "train") == split]


class WrittenDomain:
    """A written domain, with its symbols as the reader sees them.

    Raises:
        CatalogError, GrammarError: the domain cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        bundled = bundled_domains()
        self.domain: Domain = load_domain(folder if (folder / "catalog.json").is_file() else bundled[folder.name])
        self.grammars: Mapping[str, DslGrammar] = grammars_of(self.domain)
        catalog = self.domain.catalog
        self.dsls = {d.name: DslReader(d, self.grammars[d.name]) for d in catalog.dsls if d.name in self.grammars}
        found = [read_proc(p) for p in catalog.procs] + [read_variable(v) for v in catalog.variables]
        found += [s for d in self.dsls.values() for s in d.symbols]
        self.symbols: dict[str, ReadSymbol] = {s.name: s for s in found}
        # What clauses call a production, and what the reader calls its statement.
        self.productions = {s.name: d.dsl.productions[n].name
                            for d in self.dsls.values() for s, n in zip(d.symbols, d.productions, strict=True)
                            if n >= 0}  # fmt: skip
        self._lines = (folder / TASKS).read_text(encoding="utf-8").splitlines()

    @cached_property
    def tasks(self) -> tuple[WrittenTask, ...]:
        """The tasks that have a reference script of which something could be read."""
        return tuple(t for t in self._read() if t.uses and t.reference)

    @cached_property
    def asks(self) -> tuple[WrittenTask, ...]:
        """The tasks to ask back about: their one use lacks a required value, or they have none."""
        return tuple(t for t in self._read() if not t.reference)

    def ranked(self, encoder: Encoder) -> tuple[WrittenTask, ...]:
        """All tasks with the symbols as retrieval ranks them for each."""
        retriever = Retriever(open_index(self.domain, encoder, None), encoder)
        return tuple(replace(t, near=self._near(retriever, t.instruction)) for t in (*self.tasks, *self.asks))

    def _near(self, retriever: Retriever, instruction: str) -> tuple[str, ...]:
        by_production: dict[str, list[str]] = {}
        for name, production in self.productions.items():
            by_production.setdefault(f"{name.rpartition('.')[0]}.{production}", []).append(name)
        out: list[str] = []
        for s, _ in retriever.rank(instruction).top(None, len(retriever.index.symbols)):
            names = by_production.get(s.name, []) if s.kind == "production" else [s.name]
            out += [n for n in names if n in self.symbols and s.kind != "example"]
        return tuple(dict.fromkeys(out))

    def _read(self) -> Iterator[WrittenTask]:
        for line in self._lines:
            row = json.loads(line)
            if (asks := row.get("asks")) is not None:
                given = {k: tuple(v) for k, v in asks["given"].items()}
                uses = (Use(asks["symbol"], given),) if asks["symbol"] else tuple[Use, ...]()
                yield WrittenTask(row["id"], "ask", row["instruction"], "", (), uses)
            elif row["expect"] == "script":
                clauses = tuple((str(words), str(symbol)) for words, symbol in row.get("clauses") or ())
                uses = tuple(self._uses(row["reference"]))
                yield WrittenTask(row["id"], row["suite"], row["instruction"], row["reference"], clauses, uses)

    def _uses(self, script: str) -> Iterator[Use]:
        loops: dict[str, tuple[str, ...]] = {}
        for said in read_script(script, self.domain.catalog, self.grammars):
            if isinstance(said, Loop):
                loops[said.name] = said.items
            elif isinstance(said, ScriptCall):
                yield Use(said.proc.name, {g.name: _items(g, loops) for g in said.given})
            elif isinstance(said, Setting):
                yield Use(said.name, {"value": _items(said.given, loops)})
            elif isinstance(said, BlockText) and said.dsl in self.dsls:
                yield from self._statements(said)

    def _statements(self, block: BlockText) -> Iterator[Use]:
        reader, grammar = self.dsls[block.dsl], self.grammars[block.dsl]
        known = statements_of(grammar)
        for i, tokens in match_block(grammar, known, block.text):
            if known[i] in reader.statements:
                at = reader.statements.index(known[i])
                values = _places(known[i], [(t.type, str(t)) for t in tokens])
                yield Use(reader.symbols[at].name, values)


def _items(given: Given, loops: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The values of an argument; those of a loop for its variable."""
    if given.kind == "variable":
        return loops.get(given.written.strip("${}"), ())
    if given.kind == "literal" and given.spec.type == "bool":
        return tuple(BOOLS[0] if i.lower() in _TRUE else BOOLS[1] for i in given.items)
    return given.items if given.kind == "literal" and given.spec.type != "flag" else ()


def _places(statement: Statement, tokens: Sequence[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """The values of a DSL statement by its places; what repeats belongs to the place before it."""
    out: dict[str, tuple[str, ...]] = {}
    at = 0
    for i, e in enumerate(statement.full):
        if at >= len(tokens):
            break
        if isinstance(e, Literal):
            at += tokens[at][0] == e.terminal
        elif isinstance(e, Place) and tokens[at][0] in e.terminal.split("|"):
            out[str(i)] = (_bare(tokens[at][1]),)
            at += 1
        elif isinstance(e, Repeated):
            inside = {x.terminal for p in e.patterns for x in p if isinstance(x, Literal | Place)}
            values = {t for p in e.patterns for x in p if isinstance(x, Place) for t in x.terminal.split("|")}
            while at < len(tokens) and tokens[at][0] in inside:
                if tokens[at][0] in values and str(i - 1) in out:
                    out[str(i - 1)] += (_bare(tokens[at][1]),)
                at += 1
    return out


def _bare(text: str) -> str:
    """A token without its quotes."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text
