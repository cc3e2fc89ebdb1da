"""Synthetic tasks: a virtual API, an instruction, the context pack as retrieval would order it, and the script.

`example(seed)` is a pure function of its seed, so a data set is reproducible, resumable and never needs to be stored.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import yaml

from localgen_retrieval.catalog import Dsl, Proc, Variable
from localgen_retrieval.reading import ReadSymbol, read_proc, read_variable
from localgen_retrieval.render import render_dsl, render_example, render_proc, render_variable

from .compose import Step, Use, call_step, dsl_step, if_step, query_step, read_statement
from .families import FAMILIES, ArgSpec, Concept, Field, split_fields
from .noise import dress, dress_placed
from .values import draw_number, say_number
from .virtual_api import DslStyle, Style, VirtualProduction, VirtualSymbol, make_dsl, make_production, make_symbol


@dataclass(frozen=True)
class PlacedUse:
    """What a step of the task uses, and the (start, end) of that step in the instruction."""

    use: Use
    place: tuple[int, int]


@dataclass(frozen=True)
class Task:
    """One training example, before tokenisation.

    Attributes:
        pack, instruction, script: what the decoder is trained on.
        symbols, uses: what the reader is trained on: the pack's symbols, and what the instruction asks of them.
        procs, variables, dsl, productions: what the pack shows as a catalog has it, for a validator.
    """

    kind: str
    pack: str
    instruction: str
    script: str
    symbols: tuple[ReadSymbol, ...] = ()
    uses: tuple[PlacedUse, ...] = ()
    field: str = ""
    procs: tuple[Proc, ...] = ()
    variables: tuple[Variable, ...] = ()
    dsl: Dsl | None = None
    productions: tuple[VirtualProduction, ...] = ()


@lru_cache(maxsize=1)
def variable_specs() -> tuple[dict[str, Any], ...]:
    """The hand-written settings (families/shared/variables.yaml)."""
    return tuple(yaml.safe_load((FAMILIES / "shared" / "variables.yaml").read_text(encoding="utf-8")))


@dataclass
class _World:
    """What one example is made in: a field, a house style, and what the pack will show."""

    rng: random.Random
    fields: tuple[Field, ...]
    field: Field
    style: Style
    symbols: list[VirtualSymbol]
    variables: list[Variable]
    dsl: Dsl | None = None
    statements: tuple[ReadSymbol, ...] = ()
    productions: tuple[VirtualProduction, ...] = ()

    def symbol(self, concept: Concept) -> VirtualSymbol:
        for s in self.symbols:
            if s.concept.id == concept.id and s.concept.field == concept.field:
                return s
        for _ in range(10):
            s = make_symbol(concept, self.style, self.rng)
            if all(s.proc.name != other.proc.name for other in self.symbols):
                break
        self.symbols.append(s)
        return s

    def concept(self, *, query: str | None = None) -> Concept:
        """A random concept of the field; query: "any", "bool" or "number" asks for one with a result."""
        pool = list(self.field.concepts)
        if query == "any":
            pool = [c for c in pool if c.returns and c.ask] or pool
        elif query == "test":
            pool = [c for c in pool if c.returns in ("int", "float", "bool") and c.ask] or pool
        return self.rng.choice(pool)


Maker = Callable[[], Step]


def _variable_maker(world: _World) -> Maker:
    """Adds a catalog variable to the world; the maker says and sets a fresh value each time."""
    rng = world.rng
    spec = rng.choice(variable_specs())
    ns = rng.choice(["::", "::cfg::", "::tech::", f"::{rng.choice(world.field.namespaces)}::", "::run::", ""])
    name = ns + rng.choice(spec["names"])
    if any(v.name == name for v in world.variables):
        return _call_maker(world)
    noun = rng.choice(spec["nouns"])
    doc = rng.choice(["", f"{noun.capitalize()}.", f"The {noun} used by all commands."])
    if "values" in spec:
        world.variables.append(Variable(name=name, type="enum", values=tuple(spec["values"]), doc=doc))

        def draw() -> tuple[str, str]:
            code = rng.choice(list(spec["values"]))
            return code, rng.choice(spec["values"][code]) if rng.random() < 0.8 else code

        forms = ["set the {n} to {v}", "use the {v} {n}", "switch to the {v} {n}", "{n} {v}", "in the {v} {n}",
                 "go to {v} {n}", "make the {n} {v}", "with the {v} {n}", "for the {v} {n}", "select {v} as {n}"]
    else:
        low, high = spec["range"]
        arg = ArgSpec("v", "float" if "step" in spec else "int", ("v",), low=low, high=high, step=spec.get("step", 0),
                      unit=spec.get("unit", ""))
        world.variables.append(
            Variable(name=name, type=arg.type, min=low, max=high, unit=arg.unit, doc=doc))  # type: ignore[arg-type]

        def draw() -> tuple[str, str]:
            code = draw_number(arg, rng)
            return code, say_number(code, arg.unit, rng)

        forms = ["set the {n} to {v}", "use a {n} of {v}", "with the {n} at {v}", "{n} {v}", "change the {n} to {v}",
                 "make the {n} {v}", "the {n} should be {v}", "{n} is {v}", "put the {n} at {v}"]

    def make() -> Step:
        code, said = draw()
        used = Use(name, {"value": (code,)})
        return Step(rng.choice(forms).format(n=noun, v=said), [f"set {name} {code}"], uses=[used])

    return make


def _call_maker(world: _World) -> Maker:
    symbol = world.symbol(world.concept())
    return lambda: call_step(symbol, world.field, world.rng)


def _dsl_maker(world: _World, n: int) -> Callable[[], list[Step]]:
    """n statements of one DSL as one block; the DSL has other productions beside the ones used."""
    rng, f = world.rng, world.field
    style = DslStyle.draw(rng)
    concepts = rng.sample(list(f.concepts), k=min(len(f.concepts), n + rng.randint(0, 4)))
    productions, seen = [], set[str]()
    for c in concepts:
        p = make_production(c, style, rng)
        if p.keyword not in seen:
            seen.add(p.keyword)
            productions.append(p)
    used = [rng.choice(productions) for _ in range(n)] if rng.random() < 0.3 else productions[:n]
    examples = [(p, dsl_step(p, f, rng)[1]) for p in productions]
    rng.shuffle(examples)
    if rng.random() < 0.8:  # as retrieval orders them
        examples.sort(key=lambda pe: pe[0] not in used)
    world.dsl = make_dsl(examples, style, rng)
    world.statements = tuple(read_statement(p, f, rng) for p in productions)
    world.productions = tuple(productions)

    def make() -> list[Step]:
        made = [dsl_step(p, f, rng) for p in used]
        steps = [s for s, _ in made]
        steps[-1].lines = [style.open, *(f"  {statement}" for _, statement in made), style.close]
        return steps

    return make


def _pack(world: _World, needed: list[VirtualSymbol], example: tuple[str, str] | None) -> str:
    """The pack's text: procs ordered by a noisy relevance (needed ones mostly first), then variables and the DSL."""
    rng = world.rng
    order: list[tuple[float, int, VirtualSymbol]] = []
    for s in world.symbols:
        rank = needed.index(s) if s in needed else None
        score = rng.gauss(2.6 - 0.15 * rank, 1.0) if rank is not None else rng.gauss(0.4, 0.9)
        if s.concept.field != world.field.name:
            score -= 0.6
        order.append((-score, len(order), s))
    lines = [render_proc(s.proc) for _, _, s in sorted(order, key=lambda t: t[:2])]
    lines += [render_variable(v) for v in world.variables]
    if world.dsl is not None:
        lines.append(render_dsl(world.dsl, world.dsl.productions[:6]))
    if example:
        lines.append(render_example(*example))
    return "\n".join(lines)


KINDS = {"call": 40, "calls": 20, "query": 6, "if": 6, "variable": 9, "dsl": 13, "mixed": 6}


def example(seed: int, split: str = "train") -> Task:
    """The first task of this seed's world."""
    return examples(seed, 1, split)[0]


def examples(
    seed: int, n: int, split: str = "train", fields: tuple[Field, ...] | None = None
) -> list[Task]:
    """n tasks over one virtual API that need the same symbols, so that one pack (and its order) serves them all.

    Validation tasks use fields that training never sees; `fields`: others than the split's own.
    """
    rng = random.Random(f"{split}-{seed}")
    fields = fields or split_fields(split)
    f = rng.choice(fields)
    world = _World(rng, fields, f, Style.draw(rng, f.namespaces), [], [])
    kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
    plan = _plan(world, kind)
    rounds = [plan() for _ in range(n)]
    needed = [s for step in rounds[0] for s in step.symbols]
    _distract(world)
    own = [s for s in world.symbols if s.concept.field == f.name]
    worked = None
    if rng.random() < 0.12 and own:
        shown = call_step(rng.choice(needed or own), f, rng)
        worked = (dress([shown.text], rng), "\n".join(shown.lines))
    pack = _pack(world, needed, worked)
    symbols = (*(read_proc(x.proc) for x in world.symbols), *map(read_variable, world.variables), *world.statements)
    made = [_task(kind, pack, symbols, steps, rng) for steps in rounds]
    procs = tuple(s.proc for s in world.symbols)
    variables = tuple(world.variables)
    return [
        replace(task, field=f.name, procs=procs, variables=variables, dsl=world.dsl, productions=world.productions)
        for task in made
    ]


def _task(kind: str, pack: str, symbols: tuple[ReadSymbol, ...], steps: list[Step], rng: random.Random) -> Task:
    instruction, places = dress_placed([s.text for s in steps], rng)
    uses = tuple(PlacedUse(u, place) for s, place in zip(steps, places, strict=True) for u in s.uses)
    return Task(kind, pack, instruction, "\n".join(line for s in steps for line in s.lines), symbols, uses)


def _plan(world: _World, kind: str) -> Callable[[], list[Step]]:
    """Chooses the symbols of a task; what it returns makes the steps, in other words and values each time."""
    rng, f = world.rng, world.field
    if kind in ("query", "if"):
        q = world.symbol(world.concept(query="any" if kind == "query" else "test"))
        if not q.concept.ask:
            return lambda: [call_step(q, f, rng)]
        if kind == "query":
            return lambda: [query_step(q, f, rng)]
        then = world.symbol(world.concept())
        return lambda: [if_step(q, then, f, rng)]
    if kind == "dsl":
        return _dsl_maker(world, rng.choice([1, 1, 1, 2, 2, 3]))
    if kind == "mixed":
        first, block = _call_maker(world), _dsl_maker(world, 1)
        return lambda: [first(), *block()]
    if kind == "variable":
        makers = [_variable_maker(world)] + [_call_maker(world) for _ in range(rng.choice([0, 1, 1, 1, 2]))]
        return lambda: [m() for m in makers]
    symbols = [world.symbol(world.concept()) for _ in range(1 if kind == "call" else rng.choice([2, 2, 2, 3, 3, 4]))]
    refer = rng.random() < 0.4

    def make() -> list[Step]:
        steps: list[Step] = []
        for s in symbols:
            steps.append(call_step(s, f, rng, before=steps[-1].strings if steps and refer else None))
        return steps

    return make


def _distract(world: _World) -> None:
    """Symbols that the task does not need: from the same field, some from others."""
    rng = world.rng
    for _ in range(rng.choice([0, 1, 2, 3, 3, 4, 5, 6])):
        world.symbol(world.concept())
    if rng.random() < 0.3:
        other = rng.choice(world.fields)
        for _ in range(rng.randint(1, 2)):
            world.symbol(rng.choice(other.concepts))
    for _ in range(rng.choice([0, 0, 0, 1, 2])):
        _variable_maker(world)
    if world.dsl is None and rng.random() < 0.4:
        _dsl_maker(world, 1)
