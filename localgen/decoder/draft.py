"""A task's plan written out as a script: what the decoder's candidates are compared with.

The plan says which statements are asked for and with which values. Written out it is one more candidate: it knows no
statement that was not read, but it loses none on the way either. Two shapes that instructions have are put around the
statements: a loop's order where several calls go over the same names, and a condition on what a query returns.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from localgen.decoder.conditions import afterwards, comparison_of, in_either_case, is_condition, turns
from localgen.decoder.task_plan import Planned
from localgen_grammars.constraint.quantities import Quantity
from localgen_grammars.quoting import quote_list, quote_word
from localgen_grammars.statements import Literal, Place, Repeated, Statement
from localgen_retrieval.catalog import Catalog, Proc


@dataclass(frozen=True)
class _Line:
    """A statement as text, with what it goes over: the value that differs among calls of one group."""

    text: str
    group: int
    over: str = ""
    dsl: int = -1


class Draft:
    """Writes plans of one domain.

    Args:
        statements: of each DSL, by its index in the catalog.
    """

    def __init__(self, catalog: Catalog, statements: Mapping[int, Sequence[Statement]]) -> None:
        self._catalog, self._statements = catalog, statements

    def write(self, plan: Sequence[Planned], instruction: str, quantities: Sequence[Quantity]) -> str | None:
        """The script, without header; None where a statement lacks a value that it needs."""
        lines: list[_Line] = []
        groups = [list(g) for _, g in itertools.groupby(plan, key=lambda p: (p.span, p.branch))]
        for n, group in enumerate(groups):
            for p in group:
                text = self._statement(p)
                if text is None:
                    return None
                dsl = p.candidate.statement[0] if p.candidate.statement is not None else -1
                lines.append(_Line(text, n, _differs(p, group), dsl))
        if not lines:
            return None
        if self._catalog.host == "none":
            return "".join(f"{line.text}\n" for line in lines)
        condition = self._condition(groups, instruction, quantities)
        if condition is None:
            return self._blocks(_interleaved(lines))
        at, test, body, otherwise = condition
        parts = [[line for line in lines if line.group in part] for part in (range(at), body, otherwise)]
        rest = [line for line in lines if line.group > at and line.group not in body and line.group not in otherwise]
        if not body:  # said after what it is about
            parts[0], parts[1] = [], parts[0]
        before, then, otherwise_, after = (_interleaved(part) for part in (*parts, rest))
        if not then:
            return None
        text = f"{self._blocks(before)}if {{{test}}} {{\n{self._blocks(then, '  ')}}}"
        text += f" else {{\n{self._blocks(otherwise_, '  ')}}}\n" if otherwise_ else "\n"
        return text + self._blocks(after)

    def _statement(self, p: Planned) -> str | None:
        values = p.assignment.best.values
        if p.candidate.statement is not None:
            d, i = p.candidate.statement
            return _written(self._statements[d][i], values)
        if p.branch.startswith("set "):
            given = values.get("value")
            listed = any(v.list_ for v in self._catalog.variables if f"set {v.name}" == p.branch)
            return f"{p.branch} {_word(given, listed)}" if given else None
        proc = self._catalog.proc(p.branch)
        return _call(proc, values) if proc is not None else None

    def _blocks(self, lines: Sequence[_Line], indent: str = "") -> str:
        """The lines, those of one DSL that follow each other in one block."""
        out = ""
        for d, group in itertools.groupby(lines, key=lambda line: line.dsl):
            texts = [line.text for line in group]
            if d < 0:
                out += "".join(f"{indent}{text}\n" for text in texts)
                continue
            embedding = self._catalog.dsls[d].embedding
            inner = "".join(f"{indent}  {text}\n" for text in texts)
            out += f"{indent}{embedding.open.strip()}\n{inner}{indent}{embedding.close.strip()}\n"
        return out

    def _condition(
        self, groups: Sequence[Sequence[Planned]], instruction: str, quantities: Sequence[Quantity]
    ) -> tuple[int, str, range, range] | None:
        """(the group that asks, the test, the groups it decides about, those for otherwise)."""
        spans = [g[0].span for g in groups]
        ends = [*(start for start, _ in spans[1:]), len(instruction)]
        for n, group in enumerate(groups):
            proc, words = self._catalog.proc(group[0].branch), instruction[slice(*spans[n])]
            after = range(n + 1, len(groups))
            others = [m for m in after if turns(instruction[spans[m][0] : ends[m]])]
            if proc is None or len(groups) < 2 or len(group) > 1 or not (others or is_condition(words)):
                continue
            values = group[0].assignment.best.values
            call = _call(proc, values)
            used = [v for given in values.values() for v in given]
            test = comparison_of(proc, call, used, words, spans[n][0], quantities) if call is not None else None
            if test is None:
                continue
            last = next((
                m for m in after if in_either_case(instruction[slice(*spans[m])])
                or (m > n + 1 and afterwards(instruction[: spans[m][0]]))
            ), len(groups))  # fmt: skip
            other = min([last, *others])
            return n, test, range(n + 1, other), range(other, last)
        return None


def _differs(p: Planned, group: Sequence[Planned]) -> str:
    """The value that tells a call from the others of its group; "" for a single one."""
    if len(group) < 2:
        return ""
    mine, *others = (_values_of(o) for o in (p, *(o for o in group if o is not p)))
    return next(iter(sorted(mine.difference(*others))), "")


def _values_of(p: Planned) -> set[str]:
    return {v for values in p.assignment.best.values.values() for v in values}


def _interleaved(lines: Sequence[_Line]) -> list[_Line]:
    """The lines, with groups in a row that go over the same names done name by name."""
    out: list[_Line] = []
    runs = [list(g) for _, g in itertools.groupby(lines, key=lambda line: line.group)]
    while runs:
        first = runs.pop(0)
        names = [line.over for line in first]
        same = [first]
        while runs and all(names) and [line.over for line in runs[0]] == names:
            same.append(runs.pop(0))
        out += [line for turn in zip(*same, strict=True) for line in turn]
    return out


def _call(proc: Proc, values: Mapping[str, tuple[str, ...]]) -> str | None:
    words = [proc.name]
    for a in (*proc.options, *proc.positionals):
        given = values.get(a.name)
        if given is None or (not given and a.type != "flag"):
            if a.required:
                return None
            continue
        words += [] if a.positional else [f"-{a.name}"]
        words += [] if a.type == "flag" else [_word(given, a.list_)]
    return " ".join(words)


def _word(values: Sequence[str], listed: bool) -> str:
    return quote_list(values) if listed else quote_word(values[0])


def _written(statement: Statement, values: Mapping[str, tuple[str, ...]]) -> str | None:
    """A statement of a DSL with the part that takes exactly these values; None where there is none."""
    given = {int(k) for k, v in values.items() if v}
    for part in statement.parts:
        places = {i for i in part if isinstance(statement.full[i], Place)}
        repeats = {i for i in part if isinstance(statement.full[i], Repeated)}
        several = {i + 1 for i in given if len(values[str(i)]) > 1 and i + 1 < len(statement.full)}
        if places != given or repeats != {i for i in several if isinstance(statement.full[i], Repeated)}:
            continue
        words: list[str] = []
        for i in part:
            e = statement.full[i]
            if isinstance(e, Literal):
                words.append(e.text)
            elif isinstance(e, Place):
                words.append(values[str(i)][0])
            elif isinstance(e, Repeated):
                pattern = e.patterns[0]
                for value in values[str(i - 1)][1:]:
                    words += [value if isinstance(x, Place) else getattr(x, "text", "") for x in pattern]
        return " ".join(w for w in words if w)
    return None
