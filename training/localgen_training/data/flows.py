"""Tasks of several steps: calls, settings, blocks, loops over results, conditions, results handed on."""

from __future__ import annotations

from collections.abc import Callable

from localgen_retrieval.catalog import Arg

from .calls import Step, answer_of, call_step, draw_call, query_step, said_call, setting_step
from .drawing import Drawn
from .marks import keep
from .productions import block_step
from .splits import pick
from .wording import CONDITIONS, EACH_OF, RESULTS, Style, noun_of
from .world import Shown, World

_BOUNDS = ((">", "is more than"), (">", "is above"), ("<", "is less than"), ("<", "is below"), (">=", "is at least"),
           ("<=", "is at most"), ("==", "is"))  # fmt: skip


def flow_steps(world: World, count: int) -> list[Step]:
    """So many steps, or fewer where the domain offers less."""
    makers = _makers(world)
    steps: list[Step] = []
    for _ in range(count * 3):
        if len(steps) == count or not makers:
            break
        weights = [w for w, _ in makers]
        _, make = world.rng.choices(makers, weights)[0]
        step = make()
        if step is not None and all(step.lines != s.lines for s in steps):
            steps.append(step)
    return steps


def _makers(world: World) -> list[tuple[int, Callable[[], Step | None]]]:
    rng, source = world.rng, world.source
    variables = len(source.domain.catalog.variables)
    found: list[tuple[int, Callable[[], Step | None]]] = []
    if source.usable:
        found.append((50, lambda: call_step(world, rng.choice(source.usable))))
    if variables:
        found.append((14, lambda: setting_step(world, rng.randrange(variables))))
    if world.dsls:
        found.append((14, lambda: block_step(world, rng.randrange(len(world.dsls)), rng.choice([1, 1, 2]))))
    answering = [i for kind, group in source.answers.items() if kind not in ("script",) for i in group]
    if answering and (world.allows("puts") or world.allows("set")):
        found.append((8, lambda: query_step(world, rng.choice(answering))))
    if source.answers.get("bool") or source.answers.get("int") or source.answers.get("float"):
        found.append((10, lambda: condition_step(world)))
    if source.answers.get("list"):
        found.append((8, lambda: each_step(world)))
    if source.answers.get("string"):
        found.append((6, lambda: result_step(world)))
    return found


def condition_step(world: World) -> Step | None:
    """A call that is made only where a query says so."""
    rng, source = world.rng, world.source
    if not world.allows("if"):
        return None
    tests = [(kind, i) for kind in ("bool", "int", "float") for i in source.answers.get(kind, ())]
    kind, index = rng.choice(tests)
    got, then = answer_of(world, index), call_step(world, rng.choice(source.usable), share=0.2)
    if got is None or then is None:
        return None
    command, asked = got
    if kind == "bool":
        negate = rng.random() < 0.3
        test = f"![{command}]" if negate else f"[{command}]"
        condition = f"{asked.removeprefix('whether ').removeprefix('the ')} is {'false' if negate else 'true'}"
    else:
        sign, words = rng.choice(_BOUNDS)
        bound = str(rng.choice([0, 1, 2, 5, 10, 20, 50, 100, rng.randint(1, 500)]))
        test, condition = f"[{command}] {sign} {bound}", f"{asked} {words} {keep(bound)}"
    number, form = pick(CONDITIONS, world.split, rng)
    shown = Shown(procs=[index])
    shown.add(then.shown)
    lines = [f"if {{{test}}} {{", *(f"  {line}" for line in then.lines), "}"]
    return Step(form.format(condition=condition, act=then.text), lines, shown, f"condition{number}")


def each_step(world: World) -> Step | None:
    """A call for each element of a query's list."""
    rng, source = world.rng, world.source
    if not world.allows("foreach"):
        return None
    index = rng.choice(source.answers["list"])
    got = answer_of(world, index)
    target = _target(world, index)
    if got is None or target is None:
        return None
    other, arg = target
    variable = arg.name if arg.name.isidentifier() else "item"
    call = draw_call(world, other, share=0.2, fixed={arg.name: Drawn(f"${variable}", "", ())})
    if call is None or call.bodies:
        return None
    inner = said_call(world, call, "step", unsaid=frozenset({arg.name}))
    number, form = pick(EACH_OF, world.split, rng)
    lines = [f"foreach {variable} [{got[0]}] {{", *(f"  {line}" for line in inner.lines), "}"]
    shown = Shown(procs=[index])
    shown.add(inner.shown)
    return Step(form.format(asked=got[1], act=inner.text), lines, shown, f"each{number}")


def result_step(world: World) -> Step | None:
    """A query's result is an argument of the next call."""
    rng, source = world.rng, world.source
    index = rng.choice(source.answers["string"])
    got = answer_of(world, index)
    target = _target(world, index)
    if got is None or target is None:
        return None
    other, arg = target
    apart = world.allows("set") and rng.random() < 0.6
    name = arg.name if arg.name.isidentifier() else "found"
    word = f"${name}" if apart else f"[{got[0]}]"
    call = draw_call(world, other, share=0.2, fixed={arg.name: Drawn(word, "", ())})
    if call is None or call.bodies:
        return None
    inner = said_call(world, call, "step", unsaid=frozenset({arg.name}))
    number, form = pick(RESULTS, world.split, rng)
    text = form.format(asked=got[1], act=inner.text, noun=noun_of(arg, arg.name, rng))
    shown = Shown(procs=[index])
    shown.add(inner.shown)
    return Step(text, [f"set {name} [{got[0]}]", *inner.lines] if apart else inner.lines, shown, f"result{number}")


def _target(world: World, query: int) -> tuple[int, Arg] | None:
    """A proc that takes what a query answers, and the argument: of the same kind where kinds are known."""
    rng, source = world.rng, world.source
    returns = source.domain.catalog.procs[query].returns
    kind = returns.kind if returns is not None else ""
    fits: list[tuple[int, Arg]] = []
    pool = source.usable if len(source.usable) <= 200 else rng.sample(source.usable, 200)
    for i in pool:
        if i == query:
            continue
        for old, new in zip(source.domain.catalog.procs[i].args, world.proc(i).args, strict=True):
            plain = old.type == "string" and not (old.list_ or old.unit or old.pattern or old.values)
            if plain and old.required and (not kind or not old.kind or old.kind == kind):
                fits.append((i, new))
    same = [(i, a) for i, a in fits if kind and a.kind == kind]
    return rng.choice(same or fits) if fits else None


def style_of(world: World) -> Style:
    """A style, as often as its share says."""
    from .wording import STYLE_SHARES, STYLES

    return world.rng.choices(STYLES, STYLE_SHARES)[0]
