"""A catalog of 10,000 procs: what each part of a request costs once it is loaded, and what the tail of names costs.

    python bench/large_catalog.py [--procs 10000] [--runs 5] [--cache FOLDER]

The index is a real one: every proc is embedded, which takes minutes the first time; --cache keeps it. Medians in
processor time, after one request that is not measured.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from _timing import seconds, show

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

VERBS = """\
add align apply attach balance bind bound build buffer check clear clip clone close collect compare compress
connect convert copy count create cut delete describe detach disable draw dump enable estimate expand export
extract fill filter find fix flip fold freeze get group highlight import insert invert join label legalize
limit link list load lock mark match measure merge mirror move name open optimize order pack park place plan
plot pull push rank read rebuild refine remove rename repair replace report reset resize resolve restore
rotate route save scale scan select set shift show simulate size skew slice snap sort split spread start stop
swap sync tag trace trim unlock update validate verify weigh write""".split()  # noqa: SIM905
NOUNS = """\
anchor area arc axis band bank bay beam blockage boundary box branch bridge bump bus cell chain channel clock
cluster column component constraint contact corner crossing current curve delay density diode domain edge
fanout field filler floorplan frame gap gate gcell grid group guide hold instance island jog keepout lane
latch layer layout leaf leg macro marker mask mesh module net node offset pad pair panel path pattern pin
pitch plane plug port power probe rail region ring route row scan seed segment shape shield site skew slack
slew slot source spacing span stage strap stripe stub switch table tap target tie tile track tree trunk tunnel
via view voltage wall well width window wire zone""".split()  # noqa: SIM905
PACKAGES = ("fp", "rt", "cts", "sta", "drc", "pwr", "io", "eco", "lib", "gui")
ARGS: tuple[dict[str, Any], ...] = (
    {"name": "net", "kind": "net", "doc": "name of the net"},
    {"name": "layer", "values": ["M1", "M2", "M3", "M4", "M5"], "doc": "metal layer"},
    {"name": "width", "type": "float", "unit": "um", "min": 0, "max": 20, "required": False, "doc": "width"},
    {"name": "count", "type": "int", "min": 1, "max": 64, "required": False, "doc": "how many"},
    {"name": "mode", "values": ["fast", "balanced", "accurate"], "required": False, "doc": "effort"},
    {"name": "instance", "kind": "instance", "doc": "name of the instance"},
    {"name": "quiet", "type": "flag", "doc": "no messages"},
    {"name": "margin", "type": "float", "min": 0, "max": 1, "required": False, "doc": "share that is kept free"},
)  # fmt: skip
TASK = "Route the shield around net CLK_MAIN on M3 with a width of 0.4 um"


def catalog_of(count: int) -> dict[str, Any]:
    """A catalog of `count` procs, the same one each time."""
    rng = random.Random(0)
    pairs = [(v, n) for v, n in itertools.product(VERBS, NOUNS) if v != n]
    rng.shuffle(pairs)
    procs = [
        {
            "name": f"{rng.choice(PACKAGES)}::{verb}_{noun}",
            "summary": f"{verb.capitalize()} the {noun} of a design",
            "args": [dict(a) for a in rng.sample(ARGS, rng.randint(1, 4))],
        }
        for verb, noun in pairs[:count]
    ]
    return {"name": "large", "description": "a large layout tool", "procs": procs}


def loading(folder: Path, cache: Path) -> None:
    """From files to a process that can answer."""
    from localgen_bundle.default import encoder_path
    from localgen_retrieval.catalog_io import load_domain
    from localgen_retrieval.encoder import GgufEncoder
    from localgen_retrieval.index import open_index

    start = time.process_time()
    domain = load_domain(folder)
    show("load: catalog, s", f"{time.process_time() - start:.2f}")
    encoder = GgufEncoder(encoder_path())
    start = time.process_time()
    open_index(domain, encoder, cache)
    show("load: index, first time or from the cache, s", f"{time.process_time() - start:.2f}")
    start = time.process_time()
    open_index(domain, encoder, cache)
    show("load: index from the cache, s", f"{time.process_time() - start:.2f}")
    encoder.close()


def requests(folder: Path, cache: Path, runs: int) -> None:
    """The parts of a request in a process that has loaded everything."""
    from localgen.clock import Clock
    from localgen.dialogue import Task
    from localgen.options import Options
    from localgen.pipeline import Generator
    from localgen_retrieval.catalog_io import load_domain

    generator = Generator(load_domain(folder), cache_dir=cache)
    options = Options(ask=False)
    first = time.process_time()
    print(generator.generate(TASK, options).script)
    show("first request, with everything that is kept for later ones, s", f"{time.process_time() - first:.2f}")
    parts: dict[str, list[float]] = {}
    for _ in range(runs):
        start = time.process_time()
        made = generator.generate(TASK, options)
        parts.setdefault("whole request", []).append(time.process_time() - start)
        for name, value in made.timings.items():
            parts.setdefault(name, []).append(value)
    for name, values in parts.items():
        show(f"  {name}, ms", f"{statistics.median(values) * 1e3:.0f}")
    models = generator._load()
    ranking = models.retriever.rank(TASK)
    show("rank, ms", f"{seconds(runs, lambda: models.retriever.rank(TASK)) * 1e3:.1f}")
    advice = generator._advise(models, Task(TASK), ranking, None)
    show("advise, ms", f"{seconds(runs, lambda: generator._advise(models, Task(TASK), ranking, None)) * 1e3:.1f}")
    request = generator._request(models, Task(TASK), advice, options, None, Clock(), plain=False, tail=True)
    pack = seconds(runs, lambda: models.pack(advice.for_pack()))
    text = seconds(runs, lambda: generator._constraint(Task(TASK), request.pack, (), options, tail=True))
    engine = seconds(runs, lambda: models.engine.matcher(request.constraint.grammar))
    show("pack / constraint's text / engine, ms", f"{pack * 1e3:.1f} / {text * 1e3:.1f} / {engine * 1e3:.1f}")
    show("  all three", f"{(pack + text + engine) * 1e3:.1f}", "<= 50")
    name = sorted(request.constraint.tail)[len(request.constraint.tail) // 2]

    def typed() -> None:
        made = generator._typed(models, request, options, (name,))
        assert made is not None
        models.engine.matcher(made.grammar)

    chosen = seconds(runs, typed)
    what = f"a name of the tail ({len(request.constraint.tail)}) chosen: packed, compiled, ms"
    show(what, f"{chosen * 1e3:.1f}", "<= 50")
    vote = seconds(runs, lambda: advice.vote(request.constraint, models.model, generator.weights))
    show("votes, made ready, ms", f"{vote * 1e3:.1f}")
    generator.close()


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="What a catalog of 10,000 procs costs.")
    parser.add_argument("--procs", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--cache", type=Path, help="where the index is kept")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        # The index goes by the folder's name: it is kept beside the index.
        folder = (args.cache or Path(name)) / f"large-{args.procs}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "catalog.json").write_text(json.dumps(catalog_of(args.procs)), "utf-8")
        cache = args.cache or Path(name) / "cache"
        show(f"{args.procs} procs", "measured", "target")
        loading(folder, cache)
        requests(folder, cache, args.runs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
