"""Steps made from procs and variables: calls, sweeps, queries, settings; each a sentence and its statements."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from localgen_grammars.quoting import quote_list, quote_word
from localgen_retrieval.catalog import Arg, Proc

from ..compose import RESULT_NAMES
from ..values import say_list
from .drawing import Drawn, draw, scalar
from .marks import keep
from .splits import pick
from .wording import BARE, CALLS, LOOPS, PRINTS, SETTINGS, STORES, Style, act_of, asked_of, noun_of, phrase
from .world import Shown, World

_MAX_PHRASES = 5


@dataclass
class Step:
    """One step: its marked sentence, its statements, the symbols it needs, and the form of the sentence.

    Attributes:
        missing: where one required argument was left unsaid on purpose: the proc and the argument.
    """

    text: str
    lines: list[str]
    shown: Shown
    form: str
    missing: tuple[Proc, Arg] | None = None
    tags: list[str] = field(default_factory=list)


@dataclass
class Call:
    """A call under way: the proc and what its args are given, by name."""

    index: int
    proc: Proc
    given: dict[str, Drawn]
    bodies: dict[str, Step] = field(default_factory=dict)

    def words(self, replaced: dict[str, str] | None = None) -> str:
        """The command, options in the order of the signature, then positionals; `replaced`: other words, by arg."""
        words = [self.proc.name]
        for a in (*self.proc.options, *self.proc.positionals):
            if a.name not in self.given and a.name not in self.bodies and a.name not in (replaced or {}):
                continue
            if not a.positional:
                words.append(f"-{a.name}")
            if a.type == "flag":
                continue
            if a.name in self.bodies:
                words.append("{\n" + "\n".join(f"  {line}" for line in self.bodies[a.name].lines) + "\n}")
            else:
                words.append((replaced or {}).get(a.name) or self.given[a.name].written)
        return " ".join(words)


def draw_call(
    world: World, index: int, *, share: float | None = None, nested: int = 0, fixed: dict[str, Drawn] | None = None
) -> Call | None:
    """A call with values for its required args and some of the optional ones; None where a value cannot be drawn.

    Args:
        share: of the optional args that are given; at random without it.
        nested: how many bodies there are around the call.
        fixed: values that the caller wants, by arg.
    """
    rng, proc = world.rng, world.proc(index)
    share = rng.choice([0.0, 0.2, 0.4, 0.7]) if share is None else share
    chosen = {a.name for a in proc.args if a.required or rng.random() < share} | set(fixed or {})
    required = {a.name for a in proc.args if a.required} | set(fixed or {})
    for group in proc.exclusive:
        found = [n for n in group if n in chosen]
        first = next((n for n in found if n in required), rng.choice(found) if found else "")
        chosen -= {n for n in found if n != first}
    for _ in range(3):
        for name, needs in proc.requires.items():
            if name in chosen and not chosen.issuperset(needs):
                taken = {n for group in proc.exclusive for n in group if set(group) & chosen}
                if taken.isdisjoint(set(needs) - chosen):
                    chosen |= set(needs)
                elif name not in required:
                    chosen.discard(name)
    order = [a.name for a in proc.positionals]
    gap = next((i for i, n in enumerate(order) if n not in chosen), len(order))
    chosen -= set(order[gap:]) - required
    call = Call(index, proc, dict(fixed or {}))
    for a in proc.args:
        if a.name not in chosen or a.name in call.given:
            continue
        if a.type == "flag":
            call.given[a.name] = Drawn("", "", ())
        elif a.type == "script":
            inner = _body(world, index, nested)
            if inner is None:
                return None
            call.bodies[a.name] = inner
        elif a.type == "expr":
            low, high = sorted(rng.sample(range(1, 50), 2))
            call.given[a.name] = Drawn(f"{{{low} < {high}}}", keep(f"{low} < {high}"), ())
        else:
            value = draw(a, world.source.names, rng)
            if value is None:
                if a.name in required:
                    return None
                continue
            call.given[a.name] = value
    return call


def _body(world: World, outer: int, nested: int) -> Step | None:
    inner = [i for i in world.source.usable if i not in world.source.bodies and i != outer]
    if nested > 1 or not inner:
        return None
    return call_step(world, world.rng.choice(inner), nested=nested + 1)


def call_step(
    world: World, index: int, style: Style = "step", *, nested: int = 0, share: float | None = None
) -> Step | None:
    """One call."""
    call = draw_call(world, index, nested=nested, share=share)
    return None if call is None else said_call(world, call, style)


def said_call(world: World, call: Call, style: Style, *, unsaid: frozenset[str] = frozenset()) -> Step:
    """The sentence of a call and its statement; args in `unsaid` are not mentioned."""
    rng = world.rng
    shown = Shown(procs=[call.index])
    act = act_of(call.proc, rng, style, query=call.index in world.source.queries)
    parts = [
        phrase(a, call.given[a.name].said, world.split, rng, style)
        for a in call.proc.args
        if a.name in call.given and a.name not in unsaid
    ]
    if len(parts) > 1 and rng.random() < 0.4:
        rng.shuffle(parts)
    text, form = _sentence(world, act, parts, style)
    for inner in call.bodies.values():
        text = f"{text}: {inner.text}" if rng.random() < 0.5 else f"{inner.text}, and for this {text}"
        shown.add(inner.shown)
    return Step(text, call.words().split("\n"), shown, form)


def _sentence(world: World, act: str, parts: list[str], style: Style) -> tuple[str, str]:
    """(sentence, form) of an imperative and its phrases."""
    rng = world.rng
    if not parts:
        number, form = pick(BARE[style], world.split, rng)
        return form.format(act=act), f"bare-{style}{number}"
    number, form = pick(CALLS[style], world.split, rng)
    joined = (" " if style == "terse" and rng.random() < 0.6 else ", ").join(parts)
    if style != "terse" and 1 < len(parts) <= _MAX_PHRASES and rng.random() < 0.6:
        joined = f"{', '.join(parts[:-1])} and {parts[-1]}"
    return form.format(act=act, args=joined), f"call-{style}{number}"


def sweep_step(world: World, index: int, style: Style) -> Step | None:
    """The same call for several values of one arg: a loop, or a call for each."""
    rng = world.rng
    call = draw_call(world, index, share=0.3)
    if call is None or call.bodies:
        return None
    able = [a for a in call.proc.args if a.name in call.given and a.type not in ("flag", "expr") and not a.list_]
    able = [a for a in able if not (a.values and len(a.values) < 2)]
    if not able:
        return None
    swept = rng.choice(able)
    values: dict[str, str] = {}
    for _ in range(24):
        got = scalar(swept, world.source.names, rng)
        if got is not None:
            values.setdefault(*got)
        if len(values) >= rng.choice([2, 3, 3, 4, 5]):
            break
    if len(values) < 2:
        return None
    act = act_of(call.proc, rng, style, query=index in world.source.queries)
    others = [
        phrase(a, call.given[a.name].said, world.split, rng, style)
        for a in call.proc.args
        if a.name in call.given and a is not swept
    ]
    inner, _ = _sentence(world, act, others, "terse" if style == "terse" else "step") if others else (act, "")
    number, form = pick(LOOPS, world.split, rng)
    text = form.format(noun=noun_of(swept, swept.name, rng), values=say_list(list(values.values()), rng), act=inner)
    loop = world.allows("foreach") and (len(values) > 2 or rng.random() < 0.7)
    if loop:
        variable = swept.name if swept.name.isidentifier() else "item"
        lines = [f"foreach {variable} {quote_list(values)} {{", f"  {call.words({swept.name: f'${variable}'})}", "}"]
    else:
        lines = [call.words({swept.name: quote_word(v)}) for v in values]
    return Step(text, lines, Shown(procs=[index]), f"loop{number}-{'each' if loop else 'calls'}")


def setting_step(world: World, index: int) -> Step | None:
    """A variable of the catalog is set."""
    rng, variable = world.rng, world.variable(index)
    value = draw(variable, world.source.names, rng)
    if value is None or not world.allows("set"):
        return None
    number, form = pick(SETTINGS, world.split, rng)
    text = form.format(noun=noun_of(variable, variable.name, rng), value=value.said)
    return Step(text, [f"set {variable.name} {value.written}"], Shown(variables=[index]), f"setting{number}")


def answer_of(world: World, index: int) -> tuple[str, str] | None:
    """(command, what it answers as a marked noun phrase) of a query."""
    call = draw_call(world, index, share=0.2)
    if call is None or call.bodies:
        return None
    rng = world.rng
    parts = [
        phrase(a, call.given[a.name].said, world.split, rng, "natural") for a in call.proc.args if a.name in call.given
    ]
    asked = asked_of(call.proc, rng)
    return call.words(), f"{asked} for {', '.join(parts)}" if parts else asked


def query_step(world: World, index: int) -> Step | None:
    """A query whose result is printed or kept in a variable."""
    got = answer_of(world, index)
    rng = world.rng
    if got is None:
        return None
    command, asked = got
    if world.allows("puts") and (rng.random() < 0.65 or not world.allows("set")):
        number, form = pick(PRINTS, world.split, rng)
        return Step(form.format(asked=asked), [f"puts [{command}]"], Shown(procs=[index]), f"print{number}")
    if not world.allows("set"):
        return None
    number, form = pick(STORES, world.split, rng)
    name = rng.choice(RESULT_NAMES)
    text = form.format(asked=asked, name=keep(name))
    return Step(text, [f"set {name} [{command}]"], Shown(procs=[index]), f"store{number}")


def random_name(rng: random.Random) -> str:
    """A name for a variable that holds a result."""
    return rng.choice(RESULT_NAMES)
