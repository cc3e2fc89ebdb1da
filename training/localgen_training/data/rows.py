"""Rows of one chunk: each slot draws a category, a domain and a split, and tries until the validator accepts an answer.

A chunk is a function of the settings and its number, so that any process can make any chunk at any time.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from localgen.repair import finish, with_header
from localgen.scripts import statements
from localgen.validation.codes import CODES
from localgen.validation.validate import validate_script
from localgen_retrieval.prompt import chat_messages, policy_rules

from ..examples import Category, Example, Message, Negative, Phase
from .breaking import broken, first_error
from .calls import Step, call_step, setting_step, sweep_step
from .clarifications import REFUSALS, answer_text, question_of
from .flows import flow_steps, style_of
from .marks import plain
from .paraphrase import dressed
from .paraphrase_model import Paraphraser
from .productions import block_step
from .renaming import Renaming, rename_dsl
from .repairs import fixed_by_rule, repair_instruction
from .scripts import script_step
from .settings import CATEGORY_SHARES, CHUNK, DataSettings, Material
from .splits import Split, draw_split
from .virtual import virtual_task
from .wording import Style, lay_out
from .world import Pack, Shown, World, WorldDsl, pack_of, with_others

TRIES = 25
NEGATIVE_SHARE = 0.35
RENAMED_SHARE = 0.35
# Renamed grammars are compiled, which takes as long as everything else of a dozen rows: a chunk shares so many.
_GRAMMARS = {"train": 3, "validation": 1, "test": 1}


@dataclass(frozen=True)
class Row:
    """An example, its split, its pack's own domain, and a broken form of it for some."""

    example: Example
    split: Split
    pack: Pack
    negative: Negative | None = None


@dataclass
class Chunk:
    """What one chunk came to: its rows, how many were tried, and why some were discarded."""

    rows: list[Row] = field(default_factory=list)
    tried: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)


class _Discarded(Exception):
    """An example that is not to be kept; the message is the reason."""


class _NothingHere(Exception):
    """The domain, or this split of it, has nothing for a category."""


class RowMaker:
    """Makes rows from the material.

    Args:
        paraphraser: words tasks anew, if there is one.
    """

    def __init__(self, settings: DataSettings, material: Material, paraphraser: Paraphraser | None = None) -> None:
        self._settings = settings
        self._material = material
        self._paraphraser = paraphraser
        self._grammars: dict[tuple[int, int, str], tuple[WorldDsl, ...]] = {}
        self._chunk = -1

    def chunk(self, number: int) -> Chunk:
        """All rows of a chunk, in the order of their slots."""
        out = Chunk()
        for slot in range(CHUNK):
            row = self.row(number, slot, out)
            if row is not None:
                out.rows.append(row)
        return out

    def row(self, chunk: int, slot: int, into: Chunk | None = None) -> Row | None:
        """The row of one slot; None where nothing that was tried is valid."""
        if chunk != self._chunk:
            self._grammars.clear()
            self._chunk = chunk
        stats = into if into is not None else Chunk()
        rng = random.Random(f"row {self._settings.seed} {chunk} {slot}")
        identity = f"{chunk:05d}-{slot:02d}"
        which = rng.randrange(len(self._material.sources))
        category = _category(rng)
        for attempt in range(TRIES):
            stats.tried += 1
            try:
                return self._attempt(rng, which, category, f"{identity}.{attempt}", stats)
            except _Discarded as e:
                stats.reasons[str(e)] += 1
            except _NothingHere:
                stats.tried -= 1
                category = _category(rng)
        return None

    def _attempt(self, rng: random.Random, which: int, category: str, seed: str, stats: Chunk) -> Row:
        split = draw_split(rng)
        identity = seed.partition(".")[0]
        if category == "virtual":
            return self._virtual(rng, identity, seed, split)
        world = self._world(which, rng, seed, split)
        style = style_of(world)
        if category == "clarification":
            return self._question(world, style, identity)
        if category == "repair":
            base = rng.choice(("sweep", "production", "flow", "sweep"))
            return self._repair(self._task(world, base, style, which), style, identity, stats)
        draft = self._task(world, category, style, which)
        row = self._finished(draft, identity)
        return self._with_negative(row, rng)

    # ---------------------------------------------------------------- worlds

    def _world(self, which: int, rng: random.Random, seed: str, split: Split) -> World:
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

    # ---------------------------------------------------------------- tasks

    def _task(self, world: World, category: str, style: Style, which: int) -> _Draft:
        rng, source = world.rng, world.source
        steps: list[Step] = []
        only_used = False
        if category == "script":
            scripts = self._material.scripts[which]
            fitting = [s for s in scripts if s.split == world.split]
            if not fitting:
                raise _NothingHere
            script = rng.choice(fitting)
            step = script_step(world, script, style)
            if isinstance(step, str):
                raise _Discarded(step)
            steps, only_used = [step], True
            what = script.path
        elif category == "production":
            if not world.dsls:
                raise _NothingHere
            made = block_step(world, rng.randrange(len(world.dsls)), rng.choice([1, 1, 1, 2, 3]))
            steps, what = [made] if made else [], ""
        elif category == "flow":
            steps, what = flow_steps(world, rng.choice([2, 2, 3, 3, 4, 5, 6])), ""
            if len(steps) < 2:
                raise _NothingHere
        else:
            made, what = _one(world, style)
            steps = [made] if made else []
        if not steps:
            raise _Discarded("a value could not be drawn")
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
        return _Draft(world.label, family, category, named, plain(text), pack, body, world.split, rng)

    def _finished(self, draft: _Draft, identity: str) -> Row:
        """The example of a draft, judged.

        Raises:
            _Discarded: the answer is not valid.
        """
        domain = draft.pack.domain
        script, report, dropped = finish(draft.body, domain)
        if dropped or not report.valid:
            bad = validate_script(with_header(draft.body, domain), domain, strict=True)
            raise _Discarded(_reason(bad if not bad.valid else report))
        header = domain.catalog.policy.required_header
        answer = script.removeprefix(header).lstrip("\n") if header else script
        phase = _phase(answer, draft, domain.catalog.host)
        return Row(_example(draft, identity, draft.category, phase, draft.instruction, answer), draft.split, draft.pack)

    def _with_negative(self, row: Row, rng: random.Random) -> Row:
        if rng.random() >= NEGATIVE_SHARE:
            return row
        e = row.example
        body = e.response + "\n"
        got = broken(body, row.pack.domain, rng)
        if got is None:
            return row
        kind, text, report = got
        finding = first_error(report)
        message = f"{finding.message} ({finding.hint})" if finding.hint else finding.message
        negative = Negative(
            id=f"{e.id}-no", of=e.id, domain=e.domain, family=e.family, kind=kind, instruction=e.instruction,
            script=text, code=finding.code, message=message, correction=body, split=row.split,
        )  # fmt: skip
        return Row(e, row.split, row.pack, negative)

    def _repair(self, draft: _Draft, style: Style, identity: str, stats: Chunk) -> Row:
        base = self._finished(draft, identity)
        domain, rng = draft.pack.domain, draft.rng
        right = base.example.response + "\n"
        got = broken(right, domain, rng)
        if got is None:
            raise _Discarded("nothing to break")
        _, text, report = got
        shown = with_header(text, domain)
        clear = fixed_by_rule(shown, report, domain) == with_header(right, domain)
        instruction, form = repair_instruction(
            draft.instruction, shown.rstrip("\n"), report, draft.split, rng, clear=clear
        )
        if clear:
            stats.counts["repairs that the product's safe fixes make too"] += 1
        stats.counts["repairs"] += 1
        family = f"{draft.family}/{form}"
        example = _example(draft, identity, "repair", base.example.phase, instruction, right, family=family)
        return Row(example, draft.split, draft.pack)

    def _question(self, world: World, style: Style, identity: str) -> Row:
        got = question_of(world, style)
        if got is None:
            raise _NothingHere
        rng = world.rng
        text, _ = lay_out([got.text], style, world.split, rng)
        text, noise = dressed(text, rng)
        shown = with_others(world, got.shown, 5) if got.kind in ("missing", "typo") else got.shown
        pack = pack_of(world, shown)
        answer = answer_text(got.question) + "\n"
        if pack.domain.catalog.host == "tcl":
            report = validate_script(answer, pack.domain, strict=True)
            if not report.valid_syntax or any(f.code.startswith("CAT") for f in report.details):
                raise _Discarded("a question that is no comment")
        category: Category = "refusal" if got.kind in REFUSALS else "clarification"
        family = f"{world.source.domain.name}/{category}/{got.kind}-{got.context}/{got.form}"
        named = f"{style}-{noise}" if noise else style
        draft = _Draft(world.label, family, category, named, plain(text), pack, answer, world.split, rng)
        return Row(_example(draft, identity, category, "micro", draft.instruction, answer), world.split, pack)

    def _virtual(self, rng: random.Random, identity: str, seed: str, split: Split) -> Row:
        made = virtual_task(f"{self._settings.seed} {seed}", split, rng)
        task = made.task
        family = f"virtual/{task.field}/{task.kind}"
        draft = _Draft(
            made.label, family, "virtual", "natural", task.instruction, made.pack, task.script + "\n", split, rng
        )
        return self._with_negative(self._finished(draft, identity), rng)


@dataclass(frozen=True)
class _Draft:
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


def _category(rng: random.Random) -> str:
    return rng.choices(list(CATEGORY_SHARES), list(CATEGORY_SHARES.values()))[0]


def _one(world: World, style: Style) -> tuple[Step | None, str]:
    """One call, one sweep or one setting, and what it is of."""
    rng, source = world.rng, world.source
    variables = len(source.domain.catalog.variables)
    if variables and (not source.usable or rng.random() < 0.12):
        index = rng.randrange(variables)
        return setting_step(world, index), source.domain.catalog.variables[index].name
    if not source.usable:
        raise _NothingHere
    index = rng.choice(source.usable)
    make: Callable[..., Step | None] = sweep_step if rng.random() < 0.25 else call_step
    return make(world, index, style), source.domain.catalog.procs[index].name


def _example(
    draft: _Draft, identity: str, category: str, phase: Phase, instruction: str, answer: str, family: str = ""
) -> Example:
    policy = draft.pack.domain.catalog.policy
    asked = chat_messages(draft.pack.text, instruction, policy_rules(policy))
    messages = tuple(Message.model_validate(m) for m in asked)
    return Example(
        id=identity, domain=draft.label, family=family or draft.family, category=category,  # type: ignore[arg-type]
        phase=phase, style=draft.style, instruction=instruction, symbols=draft.pack.symbols,
        messages=(*messages, Message(role="assistant", content=answer.rstrip("\n"))), header=policy.required_header,
    )  # fmt: skip


def _phase(answer: str, draft: _Draft, host: str) -> Phase:
    count = len(statements(answer, draft.pack.domain.catalog)) if host == "tcl" else answer.count("\n")
    return "micro" if count <= 1 else "multi" if count <= 3 else "flow"


def _reason(report: Any) -> str:
    errors = [f for f in report.details if f.severity == "error"]
    return f"{errors[0].code} {CODES[errors[0].code].title}" if errors else "a statement was dropped"
