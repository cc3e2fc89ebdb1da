"""Virtual APIs: a concept becomes a proc or a DSL statement with random names, options and style.

A model trained on these cannot learn any API by heart; it has to read the signature in the context pack. Every choice
comes from the `random.Random` that is passed in, so an example is a function of its seed.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from localgen_retrieval.catalog import Arg, Dsl, Embedding, Proc, Production, Returns

from .families import ArgSpec, Concept

_SYLLABLES = [
    "ba", "ko", "ti", "ru", "ma", "ve", "lo", "zi", "pe", "da", "nu", "so", "ri", "ka", "fe", "mo", "xi", "ta", "gu",
    "li", "ex", "or", "an", "ul",
]  # fmt: skip
_DSL_WORDS = [
    "dsl", "rules", "limits", "spec", "deck", "plan", "recipe", "checks", "cfg", "seq", "flow", "script", "net", "req",
    "table",
]  # fmt: skip

# Share of the enums whose doc explains the values, and how an explanation does not begin.
GLOSSED = 0.45
_LEADING = re.compile(
    r"^(?:as it|as|because it|because|being|owing to|due to|in|by|with|at|through|for|on|to|of)\s+", re.IGNORECASE
)


def opaque_word(rng: random.Random) -> str:
    """A name that says nothing, so that only the doc tells what it means."""
    return "".join(rng.choice(_SYLLABLES) for _ in range(rng.randint(2, 3)))


def join_words(words: str, style: str) -> str:
    """Words of a name in one style: snake, camel, pascal or flat."""
    parts: list[str] = re.findall(r"[A-Za-z0-9]+", words)
    if style == "camel":
        return parts[0].lower() + "".join(p.capitalize() for p in parts[1:])
    if style == "pascal":
        return "".join(p.capitalize() for p in parts)
    if style == "flat":
        return "".join(p.lower() for p in parts)
    return "_".join(p.lower() for p in parts)


@dataclass(frozen=True)
class Style:
    """How one team writes its API."""

    case: str
    prefix: str
    prefix_join: str
    positional: bool
    kinds: bool
    abbreviate: bool
    opaque: float
    unit_suffix: bool

    @staticmethod
    def draw(rng: random.Random, namespaces: tuple[str, ...]) -> Style:
        """A random house style."""
        case = rng.choices(["snake", "camel", "flat", "pascal"], [72, 16, 6, 6])[0]
        join = rng.choices(["::", "_", ""], [60, 22, 18])[0]
        return Style(
            case=case,
            prefix=rng.choice(namespaces) if rng.random() < 0.85 else opaque_word(rng),
            prefix_join=join,
            positional=rng.random() < 0.2,
            kinds=rng.random() < 0.6,
            abbreviate=rng.random() < 0.15,
            opaque=0.5 if rng.random() < 0.04 else 0.0,
            unit_suffix=rng.random() < 0.12,
        )

    def proc_name(self, words: str, rng: random.Random) -> str:
        """A full proc name for these words."""
        base = opaque_word(rng) if rng.random() < self.opaque else join_words(words, self.case)
        if self.prefix_join == "":
            return base
        return f"{self.prefix}{self.prefix_join}{base}"

    def arg_name(self, words: str, rng: random.Random) -> str:
        """An option name for these words."""
        name = join_words(words, "snake" if self.case == "pascal" else self.case)
        if self.abbreviate and len(name) > 5 and rng.random() < 0.5:
            name = name[: rng.randint(3, 4)] if rng.random() < 0.5 else name[0] + re.sub("[aeiou]", "", name[1:])
        return name


@dataclass(frozen=True)
class VirtualArg:
    """An argument spec with the name and the values it has in one API."""

    spec: ArgSpec
    arg: Arg
    codes: dict[str, str]  # the family's enum code -> this API's


@dataclass(frozen=True)
class VirtualSymbol:
    """A concept as one API has it: a proc, and the specs behind its args."""

    concept: Concept
    proc: Proc
    args: tuple[VirtualArg, ...]

    def arg(self, key: str) -> VirtualArg:
        return next(a for a in self.args if a.spec.key == key)


def make_symbol(concept: Concept, style: Style, rng: random.Random) -> VirtualSymbol:
    """Realise a concept as a proc in this house style; optional args may be missing from it."""
    chosen = [a for a in concept.args if not a.optional or rng.random() < 0.8]
    if rng.random() < 0.2:
        rng.shuffle(chosen)
    n_positional = rng.randint(1, 2) if style.positional and rng.random() < 0.7 else 0
    args, taken = [], set[str]()
    for spec in chosen:
        name = style.arg_name(rng.choice(spec.names) if rng.random() < 0.75 else spec.key, rng)
        while name in taken or name == "":
            name = f"{spec.key}{rng.randint(2, 9)}" if name else opaque_word(rng)
        taken.add(name)
        positional = n_positional > 0 and not spec.optional and spec.type != "flag"
        n_positional -= positional
        args.append(_make_arg(spec, name, positional, style, rng))
    doc = "" if rng.random() < 0.05 else rng.choice(concept.docs)
    returns = Returns(type=concept.returns) if concept.returns and rng.random() < 0.97 else None
    proc = Proc(
        name=style.proc_name(rng.choice(concept.names), rng),
        summary=doc,
        args=tuple(a.arg for a in args),
        returns=returns,
    )
    return VirtualSymbol(concept, proc, tuple(args))


def _make_arg(spec: ArgSpec, name: str, positional: bool, style: Style, rng: random.Random) -> VirtualArg:
    codes: dict[str, str] = {}
    if spec.type == "enum":
        keys = list(spec.values)
        recases: list[Callable[[str], str]] = [str, str.upper, str.capitalize]
        recase = rng.choices(recases, [80, 12, 8])[0]
        codes = {k: recase(k) for k in keys}
        if len(set(codes.values())) < len(codes):
            codes = {k: k for k in keys}
        if rng.random() < 0.3:
            rng.shuffle(keys)
        codes = {k: codes[k] for k in keys}
    data: dict[str, object] = {
        "name": name,
        "type": spec.type,
        "values": list(codes.values()),
        "positional": positional,
        "list": spec.list_,
        "doc": rng.choice(spec.docs) if spec.docs and rng.random() < 0.85 else "",
    }
    if codes and rng.random() < GLOSSED:
        data["doc"] = f"{data['doc']} {glossed(spec, codes, rng)}".strip()
    if spec.unit and rng.random() < 0.92:
        data["unit"] = spec.unit
        data["unit_suffix"] = style.unit_suffix and spec.type == "float"
    if spec.type == "string" and style.kinds:
        data["kind"] = spec.pool
    if spec.optional:
        data["required"] = False
    return VirtualArg(spec, Arg.model_validate(data), codes)


def glossed(spec: ArgSpec, codes: Mapping[str, str], rng: random.Random) -> str:
    """What a doc says about an enum's values, each in one of the ways to say it: "dup: booked twice; amt: …"."""
    between, joint = rng.choice([(", ", " "), ("; ", ": "), (", ", " = "), ("; ", " = "), (", ", " ("), (". ", ": ")])
    told = []
    for key, code in codes.items():
        phrase = rng.choice(sorted(spec.values[key], key=len)[:3])
        phrase = _LEADING.sub("", phrase) if rng.random() < 0.7 else phrase
        if rng.random() < 0.93 and phrase:
            told.append(code + joint + phrase.strip(" .") + ")" * (joint == " ("))
    return between.join(told) + "." * bool(told)


# ------------------------------------------------------------------ DSLs


_JOINTS = ("to", "from", "at", "with", "for", "by", "on", "off", "over", "in", "into", "as", "via", "->", "=>", "of",
           "using", "under", "between", "against", "near", "per", "", "is")  # fmt: skip
_NUMBER_JOINTS = ("at", "to", "for", "after", "past", "above", "below", "over", "max", "min", "within", "every", ">",
                  "<", ">=", "<=", "times", "up to", "is", "by", "by", "")  # fmt: skip


@dataclass(frozen=True)
class DslStyle:
    """The surface of one embedded language."""

    open: str
    close: str
    name_style: str  # quoted | bare | none
    field_style: str  # colon | equals | plain | call | block | phrase (`move X to Y after 5`)
    end: str
    unit: str  # attached | bare | spaced
    upper: bool

    @staticmethod
    def draw(rng: random.Random) -> DslStyle:
        """A random embedding and statement syntax."""
        word = rng.choice(_DSL_WORDS)
        second = rng.choice(["eval", "apply", "run", "define"])
        open_, close = rng.choices(
            [(f"{word} {{", "}"), (f"@{word}(", ")"), (f"{word} {second} {{", "}")], [60, 22, 18]
        )[0]
        field_style = rng.choices(
            ["colon", "equals", "plain", "call", "block", "phrase"], [20, 12, 16, 10, 8, 34]
        )[0]
        names = [12, 13, 75] if field_style == "phrase" else [35, 25, 40]
        return DslStyle(
            open=open_,
            close=close,
            name_style=rng.choices(["quoted", "bare", "none"], names)[0],
            field_style=field_style if close == "}" or field_style != "call" else "colon",
            end=rng.choices(["", ";"], [65, 35])[0],
            unit=rng.choices(["attached", "bare", "spaced"], [50, 35, 15])[0],
            upper=rng.random() < 0.1,
        )


@dataclass(frozen=True)
class VirtualProduction:
    """A concept as a statement of a DSL: keyword, optional name, and the specs of its fields.

    Attributes:
        joints: in a phrase, the word before each field, by arg key ("" for none).
    """

    concept: Concept
    keyword: str
    args: tuple[VirtualArg, ...]
    style: DslStyle
    joints: Mapping[str, str]

    def statement(self, name: str, values: dict[str, str]) -> str:
        """The statement with these written values, by arg key; fields without a value are left out."""
        s = self.style
        shown = [(a.arg.name, values[a.spec.key]) for a in self.args if a.spec.key in values]
        if s.field_style == "phrase":
            shown = [(self.joints[a.spec.key], values[a.spec.key]) for a in self.args if a.spec.key in values]
        head = self.keyword
        if s.name_style == "quoted":
            head += f' "{name}"'
        elif s.name_style == "bare":
            head += f" {name}"
        if s.field_style == "call":
            inner = ", ".join(f"{k}={v}" for k, v in shown)
            return f"{head}({inner}){s.end}"
        if s.field_style == "block":
            inner = "; ".join(f"{k} {v}" for k, v in shown)
            return f"{head} {{ {inner}; }}"
        glue = {"colon": ": ", "equals": "=", "plain": " ", "phrase": " "}[s.field_style]
        return f"{head} {' '.join(f'{k}{glue}{v}' if k else v for k, v in shown)}{s.end}"

    def written(self, key: str, value: str) -> str:
        """A number with its unit as this DSL writes it; other values unchanged."""
        spec = self.arg_spec(key)
        if spec.type in ("int", "float") and spec.unit:
            return {"attached": f"{value}{spec.unit}", "spaced": f"{value} {spec.unit}", "bare": value}[self.style.unit]
        return value

    def arg_spec(self, key: str) -> ArgSpec:
        return next(a.spec for a in self.args if a.spec.key == key)


def make_production(concept: Concept, style: DslStyle, rng: random.Random) -> VirtualProduction:
    """Realise a concept as a DSL statement; only single-valued fields, two optional ones at most."""
    house = Style("snake", "", "", False, True, False, 0.0, False)
    keyword = join_words(rng.choice(concept.names), "snake")
    if rng.random() < 0.4:
        keyword = keyword.split("_")[0 if rng.random() < 0.6 else -1]
    if style.upper:
        keyword = keyword.upper()
    specs = list(concept.required)
    specs += rng.sample([a for a in concept.optional if a.type in ("int", "float", "enum")],
                        k=min(2, sum(a.type in ("int", "float", "enum") for a in concept.optional)))
    args, taken = [], {keyword}
    for spec in specs:
        name = join_words(rng.choice(spec.names), "snake")
        if name in taken:
            name = f"{spec.key}_{rng.randint(1, 9)}"
        taken.add(name)
        args.append(_make_arg(spec, name.upper() if style.upper and rng.random() < 0.5 else name, False, house, rng))
    joints = {a.spec.key: _joint(a.spec, i, rng) for i, a in enumerate(args)}
    return VirtualProduction(concept, keyword, tuple(args), style, joints)


def _joint(spec: ArgSpec, i: int, rng: random.Random) -> str:
    if spec.type in ("int", "float"):
        return rng.choice(_NUMBER_JOINTS) if i or rng.random() < 0.5 else ""
    return rng.choice(_JOINTS) if i else ""


def make_dsl(productions: list[tuple[VirtualProduction, str]], style: DslStyle, rng: random.Random) -> Dsl:
    """The catalog's entry of a DSL from productions with an example statement each."""
    form = rng.random()
    embedding = Embedding(open=style.open, close=style.close)
    if form < 0.7:
        shown = tuple(
            Production(
                name=p.keyword, summary=rng.choice(p.concept.docs) if rng.random() < 0.8 else "", example=example
            )
            for p, example in productions
        )
        return Dsl(name="dsl", embedding=embedding, productions=shown)
    lines = []
    for p, _ in productions:
        values = {a.spec.key: _type_of(a) for a in p.args}
        lines.append(p.statement("<ID>", values).replace('"<ID>"', '"<ID>"'))
    return Dsl(name="dsl", embedding=embedding, grammar_summary=" | ".join(lines))


def _type_of(a: VirtualArg) -> str:
    if a.spec.type == "enum":
        return "|".join(a.codes.values())
    if a.spec.type in ("int", "float"):
        return "<NUM>" + (a.spec.unit if a.spec.unit else "")
    return f"<{(a.spec.pool or 'ID').upper()}>"
