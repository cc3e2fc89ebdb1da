"""Variables of procs that are set and never used: a hint, given only where nothing can use them unseen."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from localgen.validation.findings import Collector
from localgen_grammars.tcl.bodies import Visit
from localgen_grammars.tcl.nodes import Word

_NAME = re.compile(r"\w+")
# With one of these in a body, its variables may be used without being named.
_SEES_ALL = frozenset(
    ("eval", "subst", "uplevel", "source", "locals", "vars", "with", "namespace", "coroutine", "yield")
)


def check_unused(text: str, named: Mapping[str | None, Sequence[Visit]], collector: Collector) -> None:
    """Report `set name value` in a proc whose body has the name nowhere else."""
    bodies: list[tuple[int, int]] = []
    targets: dict[tuple[int, int], list[Word]] = defaultdict(list)
    # What some proc reaches for in its caller.
    reached = {word.value for visit in named.get("upvar", ()) for word in visit.command.words[1:]}
    if "proc" not in named:
        return
    for visit in sorted((*named["proc"], *named.get("set", ())), key=_start):
        words = visit.command.words
        name = words[0].value
        while bodies and visit.command.start >= bodies[-1][1]:
            bodies.pop()
        if name == "proc" and len(words) == 4 and words[3].kind == "braced" and not words[3].unclosed:
            bodies.append((words[3].inner_start, words[3].inner_end))
        elif name == "set" and len(words) == 3 and bodies and _NAME.fullmatch(words[1].value or ""):
            # The value of a bracket or of the last command of a body is used by others.
            last = visit.script.commands[-1] is visit.command
            if not last and text[visit.script.start - 1 : visit.script.start] != "[":
                targets[bodies[-1]].append(words[1])
    for (start, end), words_set in targets.items():
        names = _NAME.findall(text, start, end)
        if not _SEES_ALL.isdisjoint(names):
            continue
        used = Counter(names)
        times = Counter(w.value for w in words_set)
        for word in words_set:
            if word.value is None or word.value in reached:
                continue
            if used[word.value] == times.pop(word.value, -1):
                message = f'"{word.value}" is set but never used'
                collector.add("VAR002", word.start, word.end, message, "remove it, or use it")


def _start(visit: Visit) -> int:
    return visit.command.start
