"""The Tcl host of the constraint: a script of statements over the procs, variables and DSLs of one context pack.

What the rules guarantee: only the pack's procs, called as the catalog says (`calls`); typed and grounded values;
variables read only where they are declared and where their type fits (`host_values`); bodies and blocks closed and
indented; no empty body and no empty script.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from localgen_retrieval.catalog import Proc, Variable

from .calls import Calls
from .dsl_rules import DslRules
from .grounding import Words
from .host_rules import HostRules
from .host_statements import HostStatements
from .layout import BLOCKS, DEPTH, EFFECT, NEVER, all_of, at_depth, settle
from .tail import BEHIND_A_NAME
from .writable import Writable


@dataclass
class HostBlock:
    """A DSL as the host embeds it."""

    open: str
    close: str
    rules: DslRules


@dataclass
class TclHost:
    """Puts the rules of one constraint together.

    Attributes:
        plain: only calls, catalog variables and blocks; no variables or comments, no body that is not required.
        calls_only: only calls, where any proc can be called.
        tail: the terminal expression of names that a statement may begin with and that end the constraint; "" for none.
    """

    procs: tuple[Proc, ...]
    catalog_variables: tuple[Variable, ...]
    blocks: list[HostBlock]
    words: Words | None
    builtins: frozenset[str]
    instruction: str
    max_blocks: int | None = None
    plain: bool = False
    calls_only: bool = False
    tail: str = ""

    def __post_init__(self) -> None:
        self._can = Writable(
            self.procs, self.catalog_variables, self.words, self.builtins, self.instruction, self.plain
        )
        self._rules = HostRules()
        self._tcl = HostStatements(self._can, self._rules, Calls(self._can, self._rules))

    @property
    def excluded(self) -> dict[str, str]:
        """Procs that cannot be written, and why."""
        return self._can.excluded

    def build(self) -> list[str]:
        """The grammar's lines; the start rule is `start`. Empty if nothing at all can be written."""
        statements = self._statements()
        if not statements:
            return []
        # The indented brace is a lexeme of its own: were it `ind` and a brace, llguidance (1.9) would take the indent
        # of a statement in the body for the brace's, since both are the rule `ind` at one place.
        lines = [
            "start: s::0x0",
            f's::_: "" %if bit_set({EFFECT})' + "".join(f"\n  | {s}" for s in statements),
            at_depth("ind", ""),
            at_depth("cl", "}"),
            f'blk::_: "{{\\n" s::incr({DEPTH}){NEVER}',
        ]
        for block in self.blocks:
            lines += block.rules.lines
        lines += self._rules.lines
        return [*settle([line for line in lines if line]), *self._rules.terminal_lines()]

    def _statements(self) -> list[str]:
        """Whole lines; each goes on with the body it stands in."""
        can = self._can
        if not (can.live or self.blocks or any(can.settable(v) for v in self.catalog_variables)):
            return []
        out: list[str] = []
        effects = self._tcl.effects(self.calls_only)
        if effects:
            self._rules.add("e::_: " + "\n  | ".join(effects))
            out.append(f'ind::_ e::_ "\\n" s::set_bit({EFFECT})')
        if self.tail:
            out.append(f"ind::_ {self._rules.terminal(self.tail)} {self._rules.terminal(BEHIND_A_NAME)}")
        if self.calls_only and can.live:
            return out
        limit = [] if self.max_blocks is None else [f"lt({BLOCKS}, {min(self.max_blocks, 3)})"]
        for i, block in enumerate(self.blocks):
            self._rules.add(f'sb{i}::_: "\\n" s::set_bit({EFFECT}){NEVER}', f"b{i}::_: {self._block(block)}")
            out.append(f"ind::_ b{i}::_ sb{i}::incr({BLOCKS}){all_of(limit)}")
        return out if self.plain else out + self._tcl.others()

    def _block(self, block: HostBlock) -> str:
        open_ = block.open.strip()
        bracketed = open_[-1:] in "{([<" and len(block.close.strip()) == 1
        if not bracketed:
            return f"{json.dumps(open_ + chr(10))} {block.rules.start} {json.dumps(chr(10) + block.close.strip())}"
        if block.rules.multiline:
            # One lexeme from the line end to the bracket: `\n` alone would be taken for the space between two tokens.
            close = self._rules.fresh("close")
            self._rules.add(at_depth(close, block.close.strip(), before="\n"))
            opened = open_ if block.rules.leads else open_ + chr(10) + "  "
            return f"{json.dumps(opened)} {block.rules.start} {close}::_"
        return f"{json.dumps(open_)} {block.rules.start} {json.dumps(block.close.strip())}"
