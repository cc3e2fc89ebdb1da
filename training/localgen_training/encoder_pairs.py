"""Pairs that the sentence encoder is trained on: what a person asks for, and the text of the symbol that does it.

Batches are pure functions of their seed. A batch of the families holds most concepts of a few fields, so that near
twins are each other's negatives; a batch of real pairs holds commands of a few modules or services. The symbols' texts
are those that the index has (localgen_retrieval.symbols). Knows nothing of models.
"""

from __future__ import annotations

import json
import lzma
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localgen_retrieval.symbols import option_text, proc_text, production_text, value_text, variable_text
from localgen_retrieval.text import name_words

from .compose import call_step, dsl_step, query_step
from .families import SLOT, Field, split_fields
from .noise import dress
from .synthesis import _variable_maker, _World, variable_specs
from .virtual_api import DslStyle, Style, VirtualArg, make_production, make_symbol

_MULTI_STEP, _PRODUCTION, _VARIABLES = 0.18, 0.15, 2
_OPTION = re.compile(r"(?<![\w-])--?([A-Za-z][\w-]+)")
_COMMAND_BLOCK = re.compile(r"Commands:\n(.*?)\n\nTask: (.*)", re.DOTALL)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_MAX_WORDS = 60
_WEIGHTS = {"aws": 1, "powershell": 2, "tldr": 1}


@dataclass(frozen=True)
class Pair:
    """A query and the text of the symbol that it asks for.

    Attributes:
        key: identity of the symbol; a batch has each key once.
        also: keys of other symbols that the query asks for: no negatives.
    """

    query: str
    text: str
    key: str
    also: frozenset[str] = frozenset()


def family_batch(rng: random.Random, size: int, split: str = "train") -> list[Pair]:
    """`size` pairs (fewer where the split has too few concepts): whole fields, each in one house style."""
    fields = list(split_fields(split))
    rng.shuffle(fields)
    out: list[Pair] = []
    for field in fields:
        found = _field_pairs(field, rng)
        out += found[: size - len(out)]
        if len(out) == size:
            break
    return list({p.key: p for p in out}.values())


def _field_pairs(field: Field, rng: random.Random) -> list[Pair]:
    style, dsl = Style.draw(rng, field.namespaces), DslStyle.draw(rng)
    made: list[tuple[str, str, str]] = []  # sentence, text, key
    for concept in rng.sample(field.concepts, len(field.concepts)):
        key = f"{field.name}.{concept.id}"
        if rng.random() < _PRODUCTION:
            production = make_production(concept, dsl, rng)
            step, statement = dsl_step(production, field, rng)
            # The example is another statement than the one asked for: its values must not give it away.
            _, example = dsl_step(production, field, rng)
            doc = rng.choice(concept.docs) if rng.random() < 0.8 else ""
            made.append((step.text, production_text(production.keyword, doc, example or statement), key))
            continue
        symbol = make_symbol(concept, style, rng)
        asks = concept.ask and concept.returns and rng.random() < 0.35
        step = query_step(symbol, field, rng) if asks else call_step(symbol, field, rng)
        made.append((step.text, proc_text(symbol.proc), key))
    for _ in range(_VARIABLES):
        made.insert(rng.randrange(len(made)), _variable_pair(field, style, rng))
    out = []
    for i, (sentence, text, key) in enumerate(made):
        steps, also = [sentence], frozenset[str]()
        if rng.random() < _MULTI_STEP:
            other = rng.choice(made[:i] + made[i + 1 :])
            steps.insert(rng.randint(0, 1), other[0])
            also = frozenset({other[2]} - {key})
        out.append(Pair(dress(steps, rng), text, key, also))
    return out


def option_batch(rng: random.Random, size: int, split: str = "train") -> list[Pair]:
    """`size` pairs of a phrase that asks for an option or an enum value, and the text that stands for that choice.

    The values of one enum and the flags of one concept are in the batch together: each other's negatives.
    """
    fields = list(split_fields(split))
    rng.shuffle(fields)
    out: dict[str, Pair] = {}
    for field in fields:
        style = Style.draw(rng, field.namespaces)
        for concept in rng.sample(field.concepts, len(field.concepts)):
            for a in make_symbol(concept, style, rng).args:
                for phrase, text in _choices(a, rng):
                    if len(out) < size:
                        out.setdefault(text, Pair(SLOT.sub(lambda _: "it", phrase), text, text))
            if len(out) == size:
                return list(out.values())
    return list(out.values())


def _choices(a: VirtualArg, rng: random.Random) -> list[tuple[str, str]]:
    """(phrase, text) of a flag, or of each value of an enum whose codes are words."""
    if a.spec.type == "flag" and a.spec.say:
        return [(rng.choice(a.spec.say), option_text(a.arg))]
    if a.spec.type != "enum":
        return []
    plain = [(rng.choice(a.spec.values[k]), code) for k, code in a.codes.items() if re.fullmatch(r"[A-Za-z]{3,}", code)]
    return [(phrase, value_text(a.arg, code)) for phrase, code in plain]


def _variable_pair(field: Field, style: Style, rng: random.Random) -> tuple[str, str, str]:
    world = _World(rng, (field,), field, style, [], [])
    sentence = _variable_maker(world)().text
    variable = world.variables[0]
    name = variable.name.rpartition("::")[2]
    spec = next(i for i, spec in enumerate(variable_specs()) if name in spec["names"])
    return sentence, variable_text(variable), f"variable.{spec}"


class RealPairs:
    """Help examples of real commands: descriptions with the command's name cut out, and the commands' texts.

    Args:
        corpus: folder with `pairs-*.jsonl.xz` (how: aws, powershell, tldr) and `prose-*.jsonl.xz` (tldr pages).
    """

    def __init__(self, corpus: Path) -> None:
        self.groups: dict[str, dict[str, dict[str, list[Pair]]]] = {}  # how -> group -> key -> pairs
        pages = {d["path"]: d["text"] for d in _rows(corpus, "prose") if d["source"] == "tldr-pages/tldr"}
        found: dict[str, dict[str, dict[str, list[Pair]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
        for row in _rows(corpus, "pairs"):
            got = _real_pair(row, pages)
            if got:
                group, pair = got
                found[row["how"]][group][pair.key].append(pair)
        self.groups = {how: dict(by_group) for how, by_group in found.items()}

    def __len__(self) -> int:
        return sum(len(p) for g in self.groups.values() for k in g.values() for p in k.values())

    def batch(self, rng: random.Random, size: int) -> list[Pair]:
        """Pairs of different commands of one kind; up to a dozen of each of a few groups."""
        hows = sorted(self.groups)
        how = rng.choices(hows, [_WEIGHTS[h] for h in hows])[0]
        groups = self.groups[how]
        names = sorted(groups)
        out: dict[str, Pair] = {}
        for name in rng.sample(names, len(names)):
            keys = sorted(groups[name])
            for key in rng.sample(keys, min(12, len(keys), size - len(out))):
                out[key] = rng.choice(groups[name][key])
            if len(out) == size:
                break
        return list(out.values())


def _rows(corpus: Path, kind: str) -> Iterator[dict[str, Any]]:
    for path in sorted(corpus.glob(f"{kind}-*.jsonl.xz")):
        with lzma.open(path, "rt", encoding="utf-8") as f:
            for line in f:
                yield json.loads(line)


def _real_pair(row: dict[str, Any], pages: dict[str, str]) -> tuple[str, Pair] | None:
    path = Path(row["path"])
    if row["how"] == "aws":
        service, command = path.parent.name, path.stem
        query = _SENTENCE_END.split(row["instruction"])[0].removeprefix("To ")
        text = f"{name_words(service)} {name_words(command)}. {_options(row['output'])}"
        return _pair(query, text, f"aws.{service}.{command}", command, service)
    if row["how"] == "powershell":
        match = _COMMAND_BLOCK.match(row["instruction"])
        if match is None:
            return None
        block = next((b for b in re.split(r"\n(?=\S)", match[1]) if b.startswith(f"{path.stem} ")), "")
        # A signature may go over several lines, indented by one space; the doc is indented by four.
        head, _, doc = block.partition("\n    ")
        text = f"{name_words(path.stem)}. {_SENTENCE_END.split(doc.strip())[0]} {_options(head)}"
        return _pair(match[2], text, path.stem, path.stem, path.parent.name) if block else None
    if row["how"] == "tldr" and path.as_posix() in pages:
        title, _, rest = pages[path.as_posix()].partition("\n")
        doc = rest.strip().split("\n\n")[0].replace("\n", " ")
        command = title.removeprefix("# ")
        query = re.sub(r"^Use `[^`]*` to ", "", row["instruction"].rpartition("Task: ")[2])
        text = f"{name_words(command)}. {doc} {_options(rest)}"
        return _pair(query, text, f"tldr.{command}", command, command[:1])
    return None


def _pair(query: str, text: str, key: str, command: str, group: str) -> tuple[str, Pair] | None:
    """The command's name and its marks go out of the query; None where too little is left."""
    cut = re.sub(rf"[`*]*(?<![\w-]){re.escape(command)}(?![\w-])[`*]*", " ", query, flags=re.IGNORECASE)
    cut = " ".join(cut.replace("**", "").split()[:_MAX_WORDS])
    return (group, Pair(cut, text, key)) if len(cut.split()) > 2 else None


def _options(text: str) -> str:
    return ". ".join(dict.fromkeys(name_words(o) for o in _OPTION.findall(text)))
