"""The DSL blocks of a script, each against its grammar; findings stand at the line of the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from localgen.validation.findings import Collector
from localgen.validation.grammars import dsl_hint
from localgen.validation.repairs import closing, misspelt_token
from localgen_grammars.blocks import (
    Block,
    Cut,
    braced_block,
    dsl_text,
    heredoc_lines,
    is_braced,
    is_filler,
    opener_of,
    opens_block,
)
from localgen_grammars.tcl.bodies import Visit
from localgen_retrieval.catalog import Catalog

if TYPE_CHECKING:
    from localgen_grammars.dsl import DslGrammar


class BlockChecks:
    """The checks of the blocks of one script; `places` are the blocks found."""

    def __init__(self, text: str, catalog: Catalog, grammars: Mapping[str, DslGrammar], collector: Collector) -> None:
        self.text = text
        self.catalog = catalog
        self.grammars = grammars
        self.collector = collector
        self.places: list[tuple[int, int]] = []

    def cut_out(self, cut: Cut, visits: Iterable[Visit]) -> None:
        """Check the blocks that were cut out of the text."""
        for block in cut.blocks:
            self.places.append((block.start, block.end))
            dsl = self.catalog.dsls[block.dsl]
            if not block.closed:
                message = f"{dsl.name}: the block is not closed"
                start = block.start
                self.collector.add(
                    "DSL002",
                    start,
                    block.inner_start,
                    message,
                    f"close it with {dsl.embedding.close.strip()}",
                    repairs=closing(self.text, block.inner_start - 1, dsl.embedding.close.strip()),
                )
                continue
            if not block.statement:
                self._misplaced(block.start, block.inner_start, dsl.name)
            self._parse(block, braced=False)
        for visit in visits if cut.blocks else ():
            words = visit.command.words
            if len(words) > 1 and is_filler(words[0].value):
                self.collector.add("DSL004", words[1].start, words[-1].end, "text after a DSL block", severity="error")

    def braced(self, named: Mapping[str | None, Sequence[Visit]]) -> None:
        """Check the blocks that are commands with a braced word."""
        openers = {
            prefix + dsl.embedding.words[0].removeprefix("::")
            for dsl in self.catalog.dsls
            for prefix in ("", "::")
            if is_braced(dsl)
        }
        found = [visit for opener in openers for visit in named.get(opener, ())]
        for visit in sorted(found, key=lambda v: v.command.start):
            command = visit.command
            if command.name is None:
                continue
            index = opener_of(command, self.catalog.dsls)
            if index is None:
                continue
            dsl = self.catalog.dsls[index]
            block = braced_block(command, index, dsl)
            if block is not None:
                self.places.append((block.start, block.end))
                if block.closed:
                    self._parse(block, braced=True)
            elif not opens_block(command, dsl) and self.catalog.proc(command.name or "") is None:
                if any(word.expand for word in command.words):
                    continue
                first = command.words[0]
                message = f"{dsl.name}: not a block"
                hint = f"write {dsl.embedding.open.strip()} … {dsl.embedding.close.strip()}"
                self.collector.add("DSL003", first.start, first.end, message, hint)

    def computed(self, index: int, text: str | None, start: int, end: int) -> None:
        """Check a block whose text is not in the file as it is."""
        name = self.catalog.dsls[index].name
        if text is None:
            self.collector.add("DSL005", start, end, f"{name}: the block's text is computed and cannot be checked")
            return
        grammar = self.grammars.get(name)
        if grammar is None:
            return
        from localgen_grammars.dsl import DslSyntaxError

        try:
            grammar.parse(text)
        except DslSyntaxError as e:
            self.collector.add("DSL001", start, end, e.message, dsl_hint(e, self.catalog.dsls[index]))

    def _parse(self, block: Block, *, braced: bool) -> None:
        dsl = self.catalog.dsls[block.dsl]
        grammar = self.grammars.get(dsl.name)
        if grammar is None:
            return
        source = dsl_text(self.text, block, braced=braced)
        from localgen_grammars.dsl import DslSyntaxError

        lines = heredoc_lines(source.text, dsl)
        if lines is not None and grammar.accepts(lines):
            return
        try:
            grammar.parse(source.text)
        except DslSyntaxError as e:
            at = source.offset(e.offset)
            end = source.offset(min(e.offset + max(e.length, 1), len(source.text)))
            repairs = misspelt_token(self.text, at, e.expected)
            self.collector.add("DSL001", at, max(end, at), e.message, dsl_hint(e, dsl), repairs=repairs)

    def _misplaced(self, start: int, end: int, name: str) -> None:
        self.collector.add("DSL004", start, end, f"{name}: a block stands where a statement may stand, not inside one")
