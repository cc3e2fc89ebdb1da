"""Drafts: what a row is made from before it is judged: a world, one or several steps in it, a pack, words."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from .calls import Step, call_step, setting_step, sweep_step
from .flows import flow_steps
from .marks import plain
from .paraphrase import dressed
from .paraphrase_model import Paraphraser
from .productions import block_step
from .renaming import Renaming, rename_dsl
from .scripts import script_step
from .settings import DataSettings, Material
from .splits import Split
from .wording import Style, lay_out
from .world import Pack, Shown, World, WorldDsl, pack_of, with_others

RENAMED_SHARE = 0.35
# Renamed grammars are compiled, which takes as long as everything else of a dozen rows: a chunk shares so many.
_GRAMMARS = {"train": 3, "validation": 1, "test": 1}


class Discarded(Exception):
    """An example that is not to be kept; the message is the reason."""


class NothingHere(Exception):
    """The domain, or this split of it, has nothing for a category."""


@dataclass(frozen=True)
class Draft:
    """An example before it is judged."""

    label: str
    family: str
    category: str
    style: str
    instruction: str
    pack: Pack
    body: str
    split: Split
    rng: random.Random


class Drafter:
    """Drafts tasks from the material.

    Args:
        paraphraser: words tasks anew, if there is one.
    """

    def __init__(self, settings: DataSettings, material: Material, paraphraser: Paraphraser | None) -> None:
        self._settings = settings
        self._material = material
        self._paraphraser = paraphraser
        self._grammars: dict[tuple[int, int, str], tuple[WorldDsl, ...]] = {}
        self._chunk = -1

    def begin(self, chunk: int) -> None:
        """Forget the renamed grammars of another chunk."""
        if chunk != self._chunk:
            self._grammars.clear()
            self._chunk = chunk

    def world(self, which: int, rng: random.Random, seed: str, split: Split) -> World:
        """The domain under its own names, or under others: always under others in validation and test."""
        source = self._material.sources[which]
        name = source.domain.name
        if split == "train" and rng.random() >= RENAMED_SHARE:
            return World(source, rng, split, name, self._dsls(which, "own", ""))
        variant = rng.randrange(_GRAMMARS[split])
        dsls = self._dsls(which, f"{split}{variant}", f"{self._settings.seed} {self._chunk} {split} {variant}")
        renaming = Renaming(source, f"{self._settings.seed} {seed}")
        return World(source, rng, split, f"{name}~{seed.replace('.', '')}", dsls, renaming)

    def _dsls(self, which: int, variant: str, seed: str) -> tuple[WorldDsl, ...]:
        key = (which, self._chunk, variant)
        if key not in self._grammars:
            source = self._material.sources[which]
            made = []
            for dsl in source.dsls:
                entry = source.domain.catalog.dsls[dsl.index]
                renamed = rename_dsl(source, dsl, seed) if seed else None
                made.append(WorldDsl(*renamed) if renamed else WorldDsl(entry, source.domain.grammars[entry.name], dsl))
            self._grammars[key] = tuple(made)
        return self._grammars[key]

    def task(self, world: World, category: str, style: Style, which: int) -> Draft:
        rng, source = world.rng, world.source
        steps: list[Step] = []
        only_used = False
        if category == "script":
            scripts = self._material.scripts[which]
            fitting = [s for s in scripts if s.split == world.split]
            if not fitting:
                raise NothingHere
            script = rng.choice(fitting)
            step = script_step(world, script, style)
            if isinstance(step, str):
                raise Discarded(step)
            steps, only_used = [step], True
            what = script.path
        elif category == "production":
            if not world.dsls:
                raise NothingHere
            made = block_step(world, rng.randrange(len(world.dsls)), rng.choice([1, 1, 1, 2, 3]))
            steps, what = [made] if made else [], ""
        elif category == "flow":
            steps, what = flow_steps(world, rng.choice([2, 2, 3, 3, 4, 5, 6])), ""
            if len(steps) < 2:
                raise NothingHere
        else:
            made, what = _one(world, style)
            steps = [made] if made else []
        if not steps:
            raise Discarded("a value could not be drawn")
        text, layout = lay_out([s.text for s in steps], style, world.split, rng)
        needed = Shown()
        for s in steps:
            needed.add(s.shown)
        forms = "+".join(s.form for s in steps) if len(steps) < 4 else f"{len(steps)}+{steps[0].form}"
        family = "/".join(x for x in (source.domain.name, category, what, layout, forms) if x)
        pack = pack_of(world, needed if only_used else with_others(world, needed, 6))
        body = "\n".join(line for s in steps for line in s.lines) + "\n"
        text, noise = dressed(text, rng)
        named = f"{style}-{noise}" if noise else style
        if self._paraphraser is not None and rng.random() < self._settings.paraphrase_share:
            new = self._paraphraser.paraphrase(text, style, rng.randrange(2**31))
            if new is not None:
                text, named = new, f"{style}-model"
        return Draft(world.label, family, category, named, plain(text), pack, body, world.split, rng)


def _one(world: World, style: Style) -> tuple[Step | None, str]:
    """One call, one sweep or one setting, and what it is of."""
    rng, source = world.rng, world.source
    variables = len(source.domain.catalog.variables)
    if variables and (not source.usable or rng.random() < 0.12):
        index = rng.randrange(variables)
        return setting_step(world, index), source.domain.catalog.variables[index].name
    if not source.usable:
        raise NothingHere
    index = rng.choice(source.usable)
    make: Callable[..., Step | None] = sweep_step if rng.random() < 0.25 else call_step
    return make(world, index, style), source.domain.catalog.procs[index].name
