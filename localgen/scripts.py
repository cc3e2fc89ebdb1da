"""A generated script as a list of top-level statements: what is called, and what is left when one is taken out."""

from __future__ import annotations

import re
from collections.abc import Collection

from localgen_retrieval.catalog import Catalog

_PAIRS = {"{": "}", "(": ")", "[": "]", "<": ">"}


def statements(script: str, catalog: Catalog) -> list[str]:
    """The top-level statements, each with its line end; a block or a body is part of its statement.

    Works on what the decoder writes: one statement a line, bodies and blocks opened at a line's end.
    """
    heredocs = {d.embedding.open.strip(): d.embedding.close.strip() for d in catalog.dsls}
    out: list[str] = []
    closers: list[str] = []
    current = ""
    for line in re.findall(r"[^\n]*\n|[^\n]+", script):
        current += line
        text = line.strip()
        if closers and (text == closers[-1] or (len(closers[-1]) == 1 and text.startswith(closers[-1]))):
            closers.pop()
            text = text[1:]
        if text in heredocs:
            closers.append(heredocs[text])
        elif re.search(r"(?<!\\)(?:\\\\)*\{$", text) and (not closers or closers[-1] in ("}",)):
            closers.append("}")
        if not closers:
            out.append(current)
            current = ""
    if current:
        out.append(current)
    return out


def called_procs(script: str, names: Collection[str]) -> list[str]:
    """Names of procs at command position, in order, with repetitions."""
    found = re.findall(r"(?:^|[\[\n])[ \t]*([^\s\[\]{}\"$;#]+)", script)
    return [f for f in found if f in names]


def read_variables(script: str) -> set[str]:
    """Names after a `$`."""
    return set(re.findall(r"\$([A-Za-z_][\w:]*|::[\w:]+)", script))


def used_symbols(script: str, catalog: Catalog) -> list[str]:
    """Procs, catalog variables and DSLs that a script uses, in the catalog's order."""
    calls = set(called_procs(script, {p.name for p in catalog.procs}))
    used = [p.name for p in catalog.procs if p.name in calls]
    used += [v.name for v in catalog.variables if re.search(rf"(?<![\w:]){re.escape(v.name)}(?![\w:])", script)]
    return used + [d.name for d in catalog.dsls if d.embedding.open.strip() in script]
