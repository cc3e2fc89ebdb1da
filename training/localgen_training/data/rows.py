"""Rows of one chunk: each slot draws a category, a domain and a split, and tries until the validator accepts an answer.

A chunk is a function of the settings and its number, so that any process can make any chunk at any time.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from localgen.repair import finish, with_header
from localgen.scripts import statements
from localgen.validation.codes import CODES
from localgen.validation.validate import validate_script
from localgen_retrieval.prompt import chat_messages, policy_rules

from ..examples import Category, Example, Message, Negative, Phase
from .breaking import broken, first_error
from .clarifications import REFUSALS, answer_text, question_of
from .drafts import Discarded, Draft, Drafter, NothingHere
from .flows import style_of
from .marks import plain
from .paraphrase import dressed
from .paraphrase_model import Paraphraser
from .repairs import fixed_by_rule, repair_instruction
from .settings import CATEGORY_SHARES, CHUNK, DataSettings, Material
from .splits import Split, draw_split
from .virtual import virtual_task
from .wording import Style, lay_out
from .world import Pack, World, pack_of, with_others

TRIES = 25
NEGATIVE_SHARE = 0.35


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


class RowMaker:
    """Makes rows from the material.

    Args:
        paraphraser: words tasks anew, if there is one.
    """

    def __init__(self, settings: DataSettings, material: Material, paraphraser: Paraphraser | None = None) -> None:
        self._settings = settings
        self._sources = len(material.sources)
        self._drafter = Drafter(settings, material, paraphraser)

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
        self._drafter.begin(chunk)
        stats = into if into is not None else Chunk()
        rng = random.Random(f"row {self._settings.seed} {chunk} {slot}")
        identity = f"{chunk:05d}-{slot:02d}"
        which = rng.randrange(self._sources)
        category = _category(rng)
        for attempt in range(TRIES):
            stats.tried += 1
            try:
                return self._attempt(rng, which, category, f"{identity}.{attempt}", stats)
            except Discarded as e:
                stats.reasons[str(e)] += 1
            except NothingHere:
                stats.tried -= 1
                category = _category(rng)
        return None

    def _attempt(self, rng: random.Random, which: int, category: str, seed: str, stats: Chunk) -> Row:
        split = draw_split(rng)
        identity = seed.partition(".")[0]
        if category == "virtual":
            return self._virtual(rng, identity, seed, split)
        world = self._drafter.world(which, rng, seed, split)
        style = style_of(world)
        if category == "clarification":
            return self._question(world, style, identity)
        if category == "repair":
            base = rng.choice(("sweep", "production", "flow", "sweep"))
            return self._repair(self._drafter.task(world, base, style, which), style, identity, stats)
        draft = self._drafter.task(world, category, style, which)
        row = self._finished(draft, identity)
        return self._with_negative(row, rng)

    def _finished(self, draft: Draft, identity: str) -> Row:
        """The example of a draft, judged.

        Raises:
            Discarded: the answer is not valid.
        """
        domain = draft.pack.domain
        script, report, dropped = finish(draft.body, domain)
        if dropped or not report.valid:
            bad = validate_script(with_header(draft.body, domain), domain, strict=True)
            raise Discarded(_reason(bad if not bad.valid else report))
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

    def _repair(self, draft: Draft, style: Style, identity: str, stats: Chunk) -> Row:
        base = self._finished(draft, identity)
        domain, rng = draft.pack.domain, draft.rng
        right = base.example.response + "\n"
        got = broken(right, domain, rng)
        if got is None:
            raise Discarded("nothing to break")
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
            raise NothingHere
        rng = world.rng
        text, _ = lay_out([got.text], style, world.split, rng)
        text, noise = dressed(text, rng)
        shown = with_others(world, got.shown, 5) if got.kind in ("missing", "typo") else got.shown
        pack = pack_of(world, shown)
        answer = answer_text(got.question) + "\n"
        if pack.domain.catalog.host == "tcl":
            report = validate_script(answer, pack.domain, strict=True)
            if not report.valid_syntax or any(f.code.startswith("CAT") for f in report.details):
                raise Discarded("a question that is no comment")
        category: Category = "refusal" if got.kind in REFUSALS else "clarification"
        family = f"{world.source.domain.name}/{category}/{got.kind}-{got.context}/{got.form}"
        named = f"{style}-{noise}" if noise else style
        draft = Draft(world.label, family, category, named, plain(text), pack, answer, world.split, rng)
        return Row(_example(draft, identity, category, "micro", draft.instruction, answer), world.split, pack)

    def _virtual(self, rng: random.Random, identity: str, seed: str, split: Split) -> Row:
        made = virtual_task(f"{self._settings.seed} {seed}", split, rng)
        task = made.task
        family = f"virtual/{task.field}/{task.kind}"
        draft = Draft(
            made.label, family, "virtual", "natural", task.instruction, made.pack, task.script + "\n", split, rng
        )
        return self._with_negative(self._finished(draft, identity), rng)


def _category(rng: random.Random) -> str:
    return rng.choices(list(CATEGORY_SHARES), list(CATEGORY_SHARES.values()))[0]


def _example(
    draft: Draft, identity: str, category: str, phase: Phase, instruction: str, answer: str, family: str = ""
) -> Example:
    policy = draft.pack.domain.catalog.policy
    asked = chat_messages(draft.pack.text, instruction, policy_rules(policy))
    messages = tuple(Message.model_validate(m) for m in asked)
    return Example(
        id=identity, domain=draft.label, family=family or draft.family, category=category,  # type: ignore[arg-type]
        phase=phase, style=draft.style, instruction=instruction, symbols=draft.pack.symbols,
        messages=(*messages, Message(role="assistant", content=answer.rstrip("\n"))), header=policy.required_header,
    )  # fmt: skip


def _phase(answer: str, draft: Draft, host: str) -> Phase:
    count = len(statements(answer, draft.pack.domain.catalog)) if host == "tcl" else answer.count("\n")
    return "micro" if count <= 1 else "multi" if count <= 3 else "flow"


def _reason(report: Any) -> str:
    errors = [f for f in report.details if f.severity == "error"]
    return f"{errors[0].code} {CODES[errors[0].code].title}" if errors else "a statement was dropped"
