"""Tasks to ask back about: a missing value, several readings, a typo between two values, nothing to do, not this API.

The answer that a model learns is a comment, so that it is no command in any script and cannot be run:

    # ask: What is the layer for my::route? (Metal layer)
    # - layer: M1
    # - layer: M2

The questions are the product's own (`localgen.clarify`), with the answers that it would suggest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from localgen.clarify import Clarification, ask_value, outside_question
from localgen_retrieval.text import name_words
from localgen_retrieval.text import words as stems

from ..families import Field
from ..values import draw_number, draw_string, say_list, say_number
from .calls import draw_call, said_call
from .marks import keep
from .source import Source
from .splits import Split, fields_of, pick
from .wording import Style
from .world import Shown, World

Context = Literal["present", "partial", "absent"]
ASK = "# ask: "
_MOST = 4

_VAGUE = (
    "do it", "make it better", "fix this", "you know what to do", "the usual, please", "do the same as before",
    "can you sort that out", "set it up properly",
    "finish the rest", "improve things", "handle this for me", "please continue", "go ahead", "that one again",
    "change the thing we talked about", "run it once more",
    "make everything right", "get it done", "adjust it a bit", "same procedure as last time", "apply the changes",
    "let's start with the first one", "do what is needed", "take care of it",
)  # fmt: skip
_CHAT = (
    "write a poem about {x}", "what is the weather in {x} today?", "tell me a joke about {x}", "who invented {x}?",
    "translate {x} into French", "recommend a film about {x}", "how do I cook {x}?", "book a flight to {x}",
    "what is the capital of {x}?", "explain the history of {x}", "send an e-mail to {x}", "play some music by {x}",
    "compare {x} with its rivals", "give me a recipe with {x}", "who won the match in {x}?", "order two boxes of {x}",
)  # fmt: skip
_THINGS = (
    "autumn", "Lisbon", "penguins", "the telephone", "rice", "Mozart", "Norway", "chess", "tea", "the moon", "roses",
    "Vienna", "bicycles", "coffee", "lentils", "Kyoto", "glaciers", "jazz", "bread", "the wheel", "Peru", "tulips",
)  # fmt: skip
_SEVERAL = (
    "{act} please", "now {act}", "{act} for {x}", "we should {act}", "can you {act} {x}", "{act} - {x}",
    "{act} with {x}",
    "I need to {act} {x}",
)  # fmt: skip


@dataclass(frozen=True)
class Question:
    """A task to ask back about: marked text, the question, what the pack shows, and what it was made from."""

    text: str
    question: Clarification
    shown: Shown
    kind: str
    form: str
    context: Context


def answer_text(question: Clarification) -> str:
    """The question as the model writes it: comment lines, none of which can be run."""
    lines = [ASK + _line(question.message), *(f"# - {_line(s)}" for s in question.suggestions)]
    return "\n".join(lines)


def _line(text: str) -> str:
    # A backslash at the end of a comment would take the next line in.
    return " ".join(text.split()).rstrip("\\").rstrip()


def question_of(world: World, style: Style) -> Question | None:
    """A question of some kind; None where the domain has nothing for that kind."""
    kinds = [
        (30, _missing),
        (14, _between),
        (12, _several),
        (10, _vague),
        (14, _other_field),
        (8, _chat),
        (12, _lacking),
    ]
    while kinds:
        chosen = world.rng.choices(kinds, [w for w, _ in kinds])[0]
        question = chosen[1](world, style)
        if question is not None:
            return question
        kinds.remove(chosen)
    return None


def _missing(world: World, style: Style) -> Question | None:
    """A call whose required value is not said."""
    rng, source = world.rng, world.source
    if not source.usable:
        return None
    call = draw_call(world, rng.choice(source.usable), share=0.2)
    if call is None or call.bodies:
        return None
    able = [
        a for a in call.proc.args if a.required and a.name in call.given and a.type not in ("flag", "expr", "script")
    ]
    if not able:
        return None
    arg = rng.choice(able)
    step = said_call(world, call, style, unsaid=frozenset({arg.name}))
    return Question(step.text, ask_value(call.proc, arg), Shown(procs=[call.index]), "missing", step.form, "present")


def _between(world: World, style: Style) -> Question | None:
    """A misspelt value that is as near to one choice as to another."""
    rng, source = world.rng, world.source
    pool = source.usable if len(source.usable) < 100 else rng.sample(source.usable, 100)
    able = [i for i in pool if any(len(a.values) > 1 and not a.list_ for a in source.domain.catalog.procs[i].args)]
    if not able:
        return None
    index = rng.choice(able)
    enums = [a for a in world.proc(index).args if len(a.values) > 1 and not a.list_]
    arg = rng.choice(enums)
    found = _near_pairs(arg.values)
    if not found:
        return None
    wrong, near = rng.choice(found)
    call = draw_call(world, index, share=0.1)
    if call is None or call.bodies or arg.name not in call.given:
        return None
    given = call.given[arg.name]
    call.given[arg.name] = type(given)(wrong, keep(wrong), (wrong,))
    step = said_call(world, call, style)
    narrowed = arg.model_copy(update={"values": near})
    return Question(step.text, ask_value(call.proc, narrowed), Shown(procs=[index]), "typo", step.form, "present")


def _near_pairs(values: tuple[str, ...]) -> list[tuple[str, tuple[str, ...]]]:
    """(misspelling, the values that are one letter away): two values that differ in one letter."""
    out = []
    for i, a in enumerate(values):
        for b in values[i + 1 :]:
            differ = [k for k in range(len(a)) if a[k] != b[k]] if len(a) == len(b) else []
            if len(differ) == 1 and len(a) > 1:
                k = differ[0]
                for wrong in (a[:k] + a[k + 1 :], a[:k] + "?" + a[k + 1 :], a[:k] + "x" + a[k + 1 :]):
                    if wrong not in values and wrong:
                        near = tuple(v for v in values if _one_off(wrong, v))
                        out.append((wrong, near))
    return out


def _one_off(wrong: str, value: str) -> bool:
    if len(wrong) == len(value):
        return sum(a != b for a, b in zip(wrong, value, strict=True)) == 1
    return len(value) == len(wrong) + 1 and any(value[:k] + value[k + 1 :] == wrong for k in range(len(value)))


def _several(world: World, style: Style) -> Question | None:
    """Words that several procs fit equally well."""
    rng, source = world.rng, world.source
    if not source.alike:
        return None
    shared, group = rng.choice(source.alike)
    procs = [world.proc(i) for i in group]
    number, form = pick(_SEVERAL, world.split, rng)
    if world.renaming is not None:
        # Under other names the procs share no words: their own first words in common stand in for these.
        common = set.intersection(*(set(name_words(p.name).lower().split()) for p in procs))
        shared = " ".join(w for w in name_words(procs[0].name).lower().split() if w in common)
        if not shared:
            return None
    thing = keep(draw_string(_THINGS, rng, identifier=True)) if "{x}" in form else ""
    near = tuple(f"{p.name}: {p.summary}".removesuffix(": ") for p in procs[:_MOST])
    question = Clarification(f'Which of these is meant by "{shared}"?', near)
    text = form.format(act=shared, x=thing)
    return Question(text, question, Shown(procs=list(group)), "several", f"several{number}", "present")


def _vague(world: World, style: Style) -> Question | None:
    """Nothing that could be done is said."""
    rng = world.rng
    number, text = pick(_VAGUE, world.split, rng)
    shown = _some(world)
    extra = rng.choice(("", "", " with {x}", " for {x}", " on {x}", ", {x}", " ({x})"))
    text += extra.format(x=keep(draw_string(_THINGS, rng, identifier=True)))
    question = outside_question(world.source.domain.catalog, _near(world, shown))
    return Question(text, question, shown, "vague", f"vague{number}", "present")


def _chat(world: World, style: Style) -> Question | None:
    """Small talk."""
    number, form = pick(_CHAT, world.split, world.rng)
    thing = world.rng.choice(_THINGS)
    if world.rng.random() < 0.5:
        thing += f" and {world.rng.choice(_THINGS)}"
    return _refused(world, form.format(x=thing), "chat", f"chat{number}")


def _other_field(world: World, style: Style) -> Question | None:
    """A task of another field of work, which this API has nothing for."""
    rng = world.rng
    fields = _far_fields(world.source, world.split)
    if not fields:
        return None
    field = rng.choice(fields)
    concept = rng.choice(field.concepts)
    said = {}
    for spec in concept.required:
        if spec.type in ("int", "float"):
            said[spec.key] = keep(say_number(draw_number(spec, rng), spec.unit, rng))
        elif spec.type == "enum":
            said[spec.key] = rng.choice(spec.values[rng.choice(list(spec.values))])
        elif spec.type == "bool":
            said[spec.key] = rng.choice(("on", "off"))
        else:
            many = rng.choice([1, 2]) if spec.list_ else 1
            said[spec.key] = say_list([keep(draw_string(field.pools[spec.pool], rng)) for _ in range(many)], rng)
    form = rng.choice(concept.say)
    text = re.sub(r"\{(\w+)\}", lambda m: said[m.group(1)], form)
    return _refused(world, text, "other-field", f"{field.name}.{concept.id}")


def _refused(world: World, text: str, kind: str, form: str) -> Question:
    context: Context = world.rng.choices(("present", "absent"), (70, 30))[0]
    shown = _some(world) if context == "present" else Shown()
    question = outside_question(world.source.domain.catalog, _near(world, shown))
    return Question(text, question, shown, kind, form, context)


def _lacking(world: World, style: Style) -> Question | None:
    """A task of this domain whose symbols the context does not show: nothing is made up for it."""
    rng, source = world.rng, world.source
    if len(source.usable) < 3:
        return None
    call = draw_call(world, rng.choice(source.usable), share=0.3)
    if call is None or call.bodies:
        return None
    step = said_call(world, call, style)
    shown = Shown() if rng.random() < 0.35 else _some(world)
    summaries = {call.proc.summary, ""}
    shown.procs = [i for i in shown.procs if i != call.index and world.proc(i).summary not in summaries]
    context: Context = "partial" if shown.procs else "absent"
    question = outside_question(source.domain.catalog, _near(world, shown))
    return Question(step.text, question, shown, "lacking", step.form, context)


def _some(world: World) -> Shown:
    """Symbols that happen to be in the context."""
    usable = world.source.usable
    shown = Shown(procs=world.rng.sample(usable, min(len(usable), world.rng.randint(1, 6))))
    if world.dsls and (not usable or world.rng.random() < 0.2):
        d = world.rng.randrange(len(world.dsls))
        shown.dsls[d] = list(range(min(3, len(world.dsls[d].entry.productions)))) or [-1]
    return shown


def _near(world: World, shown: Shown) -> list[str]:
    procs = [world.proc(i) for i in shown.procs[:3]]
    return [f"{p.name}: {p.summary}".removesuffix(": ") for p in procs]


def _far_fields(source: Source, split: Split) -> list[Field]:
    """The fields whose concepts share the fewest words with the catalog: the farther half."""
    key = (id(source), split)
    if key not in _FAR:
        catalog = source.domain.catalog
        texts = [catalog.description, *(f"{p.name} {p.summary}" for p in catalog.procs[:2000])]
        own = set(stems(" ".join(texts)))
        scored = []
        for f in fields_of(split):
            theirs = stems(" ".join(n for c in f.concepts for n in (*c.names, c.object)))
            scored.append((sum(w in own for w in theirs) / max(1, len(theirs)), f.name, f))
        scored.sort(key=lambda t: t[:2])
        _FAR[key] = [f for _, _, f in scored[: max(1, len(scored) // 2)]]
    return _FAR[key]


_FAR: dict[tuple[int, Split], list[Field]] = {}
REFUSALS = frozenset({"chat", "other-field", "lacking"})
