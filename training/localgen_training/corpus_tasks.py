"""Tasks from people's own sentences: help examples of real commands, as calls of a virtual API made of those commands.

A pack holds commands of one area (near-twins: get, set and remove of one thing); several tasks ask for some of them.
The corpus is not part of this repository: a run that has none trains on the written families alone.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

from localgen_grammars.quoting import quote_word
from localgen_retrieval.catalog import Arg, Proc
from localgen_retrieval.reading import read_proc
from localgen_retrieval.render import render_proc

from .compose import Use
from .corpus_pairs import Command, Example, load_commands
from .noise import dress_placed
from .synthesis import PlacedUse, Task
from .values import draw_string
from .virtual_api import Style

_SAID_APART = (
    ", {k} {v}", " with {k} {v}", " ({k} {v})", " for {k} {v}", ", {k}: {v}", ", {k} is {v}", " using {v} as {k}",
)  # fmt: skip
_NAMESPACES = ("ops", "sys", "adm", "cli", "cfg", "mgr", "core", "tool", "site", "svc", "lab", "dev")


def corpus_tasks(corpus: Path, seed: int, n: int) -> list[Task]:
    """n tasks over one pack of real commands; a function of the seed and the corpus."""
    rng = random.Random(f"corpus-{seed}")
    areas = load_commands(corpus)
    names = list(areas)
    area = rng.choice(names)
    if rng.random() < 0.6:  # one with many commands, so with twins
        area = max(rng.sample(names, min(12, len(names))), key=lambda a: len(areas[a]))
    near = rng.sample(areas[area], k=min(len(areas[area]), rng.randint(3, 7)))
    far = [rng.choice(areas[rng.choice(names)]) for _ in range(rng.choice([0, 0, 1, 2, 3]))]
    targets = near[: rng.choice([1, 2, 3, 3, 4])]
    style = Style.draw(rng, (*_NAMESPACES, area.split()[1].lower()))
    asked = [rng.choice(c.examples) for c in targets]
    # One command's examples and one choice of them are what the signature has to hold.
    procs: dict[str, tuple[Proc, dict[str, Arg]]] = {}
    for c in (*near, *far):
        chosen = [e for t, e in zip(targets, asked, strict=True) if t is c]
        made = _proc(c, chosen, style, rng)
        if made[0].name not in (p.name for p, _ in procs.values()):
            procs.setdefault(c.words, made)
    order = sorted(
        procs, key=lambda w: -rng.gauss(2.6 if any(w == t.words for t in targets) else 0.6, 1.0)
    )
    pack = "\n".join(render_proc(procs[w][0]) for w in order)
    symbols = tuple(read_proc(p) for p, _ in procs.values())
    usable = [(c, e) for c, e in zip(targets, asked, strict=True) if c.words in procs]
    tasks = []
    for i in range(n):
        picked = [usable[i % len(usable)]]
        if len(usable) > 1 and rng.random() < 0.2:
            picked.append(rng.choice([u for u in usable if u is not picked[0]]))
        steps = [_step(c, e, *procs[c.words], rng) for c, e in picked]
        instruction, places = dress_placed([s for s, _, _ in steps], rng)
        uses = tuple(PlacedUse(u, place) for (_, _, u), place in zip(steps, places, strict=True))
        tasks.append(Task("corpus", pack, instruction, "\n".join(line for _, line, _ in steps), symbols, uses))
    return tasks


def _proc(c: Command, asked: list[Example], style: Style, rng: random.Random) -> tuple[Proc, dict[str, Arg]]:
    """The command as a proc of the house style, and its args by option."""
    used = list(dict.fromkeys(k for e in asked for k, _ in e.options))
    others = [k for k in c.values if k not in used]
    shown = used + rng.sample(others, k=min(len(others), rng.randint(0, 4)))
    if rng.random() < 0.5:
        rng.shuffle(shown)
    always = {k for k in c.values if all(k in (o for o, _ in e.options) for e in c.examples)}
    args: dict[str, Arg] = {}
    for k in shown:
        kind = c.kind(k)
        name = style.arg_name(k, rng)
        if name in (a.name for a in args.values()):
            continue
        values = sorted(set(c.values[k])) if kind == "enum" else []
        first = not any(a.positional for a in args.values())
        positional = first and kind == "string" and style.positional and k in always
        args[k] = Arg.model_validate({
            "name": name, "type": kind, "values": values, "positional": positional,
            "required": k in always and kind != "flag",
        })  # fmt: skip
    summary = c.summary
    if not summary and rng.random() < 0.5 and len(c.examples) > 1:
        told = rng.choice([e for e in c.examples if e not in asked] or list(c.examples)).sentence
        summary = told if len(told.split()) < 16 and told not in [e.sentence for e in asked] else ""
    return Proc(name=style.proc_name(c.words, rng), summary=summary, args=tuple(args.values())), args


def _step(c: Command, e: Example, proc: Proc, args: dict[str, Arg], rng: random.Random) -> tuple[str, str, Use]:
    """(sentence, statement, what it uses) of an example; names are changed at random, so that they must be copied."""
    sentence = e.sentence
    words: dict[str, str] = {}
    apart: list[str] = []
    for option, value in e.options:
        if option not in args:
            continue
        if value is None:
            words[option] = ""
            continue
        kind = c.kind(option)
        at = re.search(rf"(?<![\w-]){re.escape(value)}(?![\w-])", sentence, re.I)
        if kind in ("enum", "bool"):
            words[option] = value if kind == "enum" else value.lower()
            continue
        if at is None:
            new = str(rng.randint(1, 400)) if kind in ("int", "float") else draw_string((value,), rng)
            apart.append(rng.choice(_SAID_APART).format(k=option, v=new))
        else:
            new = at.group(0)
            if kind == "int" and rng.random() < 0.7:
                new = str(rng.randint(1, 999))
            elif kind == "string" and re.fullmatch(r"[\w.-]+", new) and rng.random() < 0.7:
                new = draw_string((new,), rng)
            sentence = sentence[: at.start()] + new + sentence[at.end() :]
        words[option] = new
    rng.shuffle(apart)
    line = [proc.name]
    ordered = [k for k in args if not args[k].positional] + [k for k in args if args[k].positional]
    for k in ordered:
        if k in words:
            line += [] if args[k].positional else [f"-{args[k].name}"]
            line += [] if args[k].type == "flag" else [quote_word(words[k])]
    values = {args[k].name: () if args[k].type == "flag" else (v,) for k, v in words.items()}
    return sentence + "".join(apart), " ".join(line), Use(proc.name, values)
