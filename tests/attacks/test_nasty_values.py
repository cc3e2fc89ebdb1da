"""Values with every character that means something to Tcl: whatever the model writes, they arrive as they were said.

Random weights write scripts at a high temperature; real Tcl runs them with recording procs; each recorded value is
one of the phrases of the instruction, character by character, and its source is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from constraint_kit import domain_of
from oracle import requires_tcl

from localgen.execution.trace import BlockEvent, CallEvent, Tracer
from localgen.options import Options
from localgen.pipeline import Generator
from localgen_grammars.constraint.grounding import words_of
from localgen_retrieval.catalog_io import Domain

CATALOG = {
    "procs": [
        {"name": "do", "args": [{"name": "x"}, {"name": "more", "list": True, "required": False},
                                {"name": "last", "positional": True, "required": False}]},
        {"name": "each", "args": [{"name": "of"}, {"name": "body", "type": "script"}]},
        {"name": "name_of", "args": [{"name": "x"}], "returns": "string"},
    ],
    "dsl": [
        {"name": "braced", "embedding": {"open": "dsl {", "close": "}"}, "grammar": "braced.lark"},
        {"name": "cut", "embedding": {"open": "@cut(", "close": ")"}, "grammar": "cut.lark"},
    ],
}  # fmt: skip
BRACED = 'start: rule+\nrule: "keep" TEXT ";"\nTEXT: /"[^"\\n]*"/\n%ignore /[ \\n]+/\n'
CUT = 'start: rule+\nrule: "drop" NAME ";"\nNAME: /[^\\s;()]+/\n%ignore /[ \\n]+/\n'
TASKS = [
    "do it with `a b`, `$v` and `[exit]`, keep `{x` or drop `y}`",
    "do it with `a\\` and `#c` and `;d`, then `\\n` and `-e` and `--`",
    "do it for each `é ü`, `日本 語` and `x\ty`, keep `q  r`",
    "do it with `a}b{`, `\\{`, `$::env(HOME)` and `[file delete x]`, each `{}` and `{*}x`",
]


@pytest.fixture(scope="module")
def domain() -> Domain:
    return domain_of(CATALOG, braced=BRACED, cut=CUT)


@pytest.fixture(scope="module")
def generator(domain: Domain, random_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Generator]:
    made = Generator(domain, model=random_model, cache_dir=tmp_path_factory.mktemp("cache"))
    yield made
    made.close()


@requires_tcl
@pytest.mark.parametrize("task", TASKS)
def test_what_real_tcl_passes_on_is_what_was_said(domain: Domain, generator: Generator, task: str) -> None:
    tracer = Tracer(domain)
    words = words_of(task)
    said = {*words.all(), *words.spans}
    seen = 0
    for seed in range(6):
        answer = generator.generate(task, Options(k=2, temperature=1.5, max_tokens=160, seed=seed, ask=False))
        assert answer.valid and answer.script is not None
        assert all(v["source"] for v in answer.values), (answer.script, answer.values)
        trace = tracer.trace(answer.script)
        assert trace.ran and not trace.problems, (answer.script, trace.error, trace.problems)
        for value in _values(trace.rounds[0].events):
            seen += 1
            assert value in said or value.startswith("@mock:"), (value, answer.script)
    assert seen > 5


def _values(events: Any) -> Iterator[str]:
    for event in events:
        if isinstance(event, CallEvent):
            assert not event.stray
            for name, value in event.args.items():
                if name == "body":
                    yield from _values(value)
                elif isinstance(value, list):
                    yield from value
                else:
                    yield value
        else:
            assert isinstance(event, BlockEvent)
