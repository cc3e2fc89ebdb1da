"""Steps of a task: what one step asks for in English, and the statements that do it.

A step is made from one virtual symbol (a call, a loop of calls, a query) or one DSL production. The canonical form of a
script is the decoder's: options in the order of the signature, then positionals, bodies indented by two spaces.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from localgen_grammars.quoting import quote_list, quote_word
from localgen_grammars.tcl.lists import list_values
from localgen_retrieval.reading import ReadSymbol, read_production

from .families import SLOT, ArgSpec, Field
from .values import Spoken, draw_number, draw_string, say_list, say_number
from .virtual_api import VirtualArg, VirtualProduction, VirtualSymbol, join_words

RESULT_NAMES = ["total", "result", "count", "n", "value", "answer", "found", "level", "current", "size"]
_PRINT = ["print {}", "show me {}", "tell me {}", "report {}", "what is {}", "output {}", "write out {}", "display {}",
          "log {}"]  # fmt: skip
_KEEP = ["store {} in {}", "put {} into {}", "keep {} in a variable {}", "save {} as {}", "assign {} to {}",
         "read {} into variable {}"]  # fmt: skip


@dataclass(frozen=True)
class Use:
    """A symbol that a step uses (its name, as in a catalog), and the values it gives, by arg; none for a flag."""

    symbol: str
    values: Mapping[str, tuple[str, ...]]


@dataclass
class Step:
    """One step: its sentence, its statements, what it uses, and what later steps may refer back to."""

    text: str
    lines: list[str]
    symbols: list[VirtualSymbol] = field(default_factory=list)
    productions: list[VirtualProduction] = field(default_factory=list)
    strings: dict[str, str] = field(default_factory=dict)  # pool -> value
    uses: list[Use] = field(default_factory=list)


def draw_value(
    va: VirtualArg, pools: dict[str, tuple[str, ...]], rng: random.Random, identifier: bool = False
) -> Spoken:
    """A value for a required slot: written form (unquoted; a list is a Tcl list already) and spoken form."""
    spec = va.spec
    if spec.type in ("int", "float"):
        text = draw_number(spec, rng)
        written = text + spec.unit if va.arg.unit_suffix else text
        return Spoken(written, say_number(text, spec.unit, rng))
    if spec.type == "enum":
        key = rng.choice(list(spec.values))
        said = rng.choice(spec.values[key]) if rng.random() < 0.8 else va.codes[key]
        return Spoken(va.codes[key], said)
    if spec.type == "bool":
        yes = rng.random() < 0.5
        return Spoken("true" if yes else "false", "on" if yes else "off")
    if spec.list_:
        items = [draw_string(pools[spec.pool], rng, identifier) for _ in range(rng.choice([1, 2, 2, 3, 3, 4]))]
        items = list(dict.fromkeys(items))
        return Spoken(quote_list(items), say_list(items, rng))
    v = draw_string(pools[spec.pool], rng, identifier)
    return Spoken(v, f'"{v}"' if rng.random() < 0.06 else v)


def optional_phrase(va: VirtualArg, pools: dict[str, tuple[str, ...]], rng: random.Random) -> tuple[str, str] | None:
    """(written value, phrase) for an optional arg; None if the family gives no way to say it."""
    spec = va.spec
    if spec.type == "flag":
        return ("", rng.choice(spec.say)) if spec.say else None
    if spec.type == "enum":
        key = rng.choice(list(spec.values))
        said = rng.choice(spec.values[key])
        if rng.random() < 0.2:
            noun, code = va.spec.names[0], va.codes[key]
            said = rng.choice([f"with {noun} {code}", f"{noun} {code}", f"using {code} {noun}"])
        if spec.say and SLOT.search(spec.say[0]):
            said = SLOT.sub(said, rng.choice(spec.say))
        return va.codes[key], said
    if spec.type == "bool":
        yes = rng.random() < 0.5
        say = spec.say_true if yes else spec.say_false
        return ("true" if yes else "false", rng.choice(say)) if say else None
    if not spec.say:
        return None
    value = draw_value(va, pools, rng)
    return value.written, SLOT.sub(lambda _: value.said, rng.choice(spec.say))


def call(symbol: VirtualSymbol, written: dict[str, str], raw: frozenset[str] = frozenset()) -> str:
    """The command, options in signature order, then positionals; values in `raw` are put in unquoted."""
    words = [symbol.proc.name]
    ordered = [a for a in symbol.args if not a.arg.positional] + [a for a in symbol.args if a.arg.positional]
    for a in ordered:
        if a.spec.key not in written:
            continue
        if not a.arg.positional:
            words.append(f"-{a.arg.name}")
        if a.spec.type != "flag":
            value = written[a.spec.key]
            words.append(value if a.spec.list_ or a.spec.key in raw else quote_word(value))
    return " ".join(words)


def use(symbol: VirtualSymbol, written: dict[str, str], items: dict[str, list[str]] | None = None) -> Use:
    """What a call says; `items`: the values that a loop puts into an arg."""
    values: dict[str, tuple[str, ...]] = {}
    for a in symbol.args:
        if a.spec.key in written:
            value = written[a.spec.key]
            listed = (items or {}).get(a.spec.key) or (list_values(list_values(value)[0]) if a.spec.list_ else [value])
            values[a.arg.name] = () if a.spec.type == "flag" else tuple(listed)
    return Use(symbol.proc.name, values)


def sentence(symbol: VirtualSymbol | VirtualProduction, said: dict[str, str], rng: random.Random) -> str:
    """An imperative with every required arg: one of the family's sentences, or a terse listing."""
    required = [a for a in symbol.args if not a.spec.optional]
    if rng.random() < 0.1:
        head = rng.choice(symbol.concept.names)
        if rng.random() < 0.5 and len(required) > 1:
            pairs = ", ".join(f"{rng.choice(a.spec.names)} {said[a.spec.key]}" for a in required)
            return f"{head}{rng.choice([': ', ', ', ' with '])}{pairs}"
        return f"{head} {' '.join(said[a.spec.key] for a in required)}"
    return SLOT.sub(lambda m: said[m.group(1)], rng.choice(symbol.concept.say))


# A phrase that is a clause of its own ("it should not take long") needs more than a space before it.
_CLAUSE = re.compile(r"(?:it|they|this|that|there|we|I|you|the|its|nothing|nobody|no|don't|do|make|keep|let|please)\b")


def _with_options(core: str, phrases: list[str], rng: random.Random) -> str:
    """The sentence with the phrases of its options, in any order, mostly behind it."""
    rng.shuffle(phrases)
    question = core.endswith("?")
    core = core.removesuffix("?")
    for phrase in phrases:
        r = rng.random()
        if r < 0.07:
            core = f"{phrase}, {core}"
        elif r < 0.17:
            core += rng.choice([" - ", " (", "; ", ". ", " and "]) + phrase
            core += ")" if core[-len(phrase) - 1] == "(" else ""
        else:
            core += rng.choice([", ", ", ", " - ", "; ", ". "] if _CLAUSE.match(phrase) else [" ", " ", ", "]) + phrase
    return core + "?" if question else core


def _remark(text: str, symbol: VirtualSymbol | VirtualProduction, rng: random.Random) -> str:
    """The request with a remark before or after it, now and then: a reason or a circumstance that asks for nothing."""
    remarks = symbol.concept.remarks
    if not remarks or rng.random() > 0.16:
        return text
    remark = rng.choice(remarks)
    r = rng.random()
    if r < 0.4:
        joint = rng.choice([". ", ": ", ", so ", "; ", " - ", ". "])
        return f"{remark}{joint}{text[:1].upper() + text[1:] if joint == '. ' else text}"
    if r < 0.6 and not text.endswith("?"):
        return f"{text} because {remark}"
    joint = rng.choice([". ", ", ", "; ", " - ", ". "]) if not text.endswith("?") else " "
    return f"{text}{joint}{remark[:1].upper() + remark[1:] if joint in ('. ', ' ') else remark}"


def _optional_values(symbol: VirtualSymbol, f: Field, rng: random.Random) -> tuple[dict[str, str], list[str]]:
    written: dict[str, str] = {}
    phrases: list[str] = []
    share = rng.choice([0.0, 0.25, 0.4, 0.7])
    for a in symbol.args:
        if a.spec.optional and rng.random() < share:
            got = optional_phrase(a, f.pools, rng)
            if got:
                written[a.spec.key], phrase = got
                phrases.append(phrase)
    return written, phrases


def call_step(symbol: VirtualSymbol, f: Field, rng: random.Random, before: dict[str, str] | None = None) -> Step:
    """One call, or one loop of calls where a single-valued arg gets several values.

    `before` holds values of the previous step by pool: one may come back as "it" or "the same …".
    """
    written: dict[str, str] = {}
    said: dict[str, str] = {}
    strings: dict[str, str] = {}
    for a in symbol.args:
        if a.spec.optional:
            continue
        pool = a.spec.pool
        if before and pool in before and not a.spec.list_ and pool not in strings and rng.random() < 0.6:
            written[a.spec.key] = strings[pool] = before[pool]
            noun = rng.choice(a.spec.names)
            said[a.spec.key] = rng.choice(["it", f"the same {noun}", before[pool], f"that {noun}"])
            continue
        value = draw_value(a, f.pools, rng)
        while value.written in written.values() and a.spec.type == "string":
            value = draw_value(a, f.pools, rng)
        written[a.spec.key], said[a.spec.key] = value.written, value.said
        if a.spec.type == "string" and not a.spec.list_:
            strings[pool] = value.written
    options, phrases = _optional_values(symbol, f, rng)
    loop = [a for a in symbol.args if a.spec.type == "string" and not a.spec.optional and not a.spec.list_]
    if loop and rng.random() < 0.12 and not any(p in said.values() for p in ("it",)):
        a = rng.choice(loop)
        items = list(dict.fromkeys(draw_string(f.pools[a.spec.pool], rng) for _ in range(rng.choice([2, 2, 3, 3, 4]))))
        if len(items) > 1:
            spoken = say_list(items, rng)
            said[a.spec.key] = rng.choice([spoken, spoken, f"each of {spoken}", f"all of {spoken}"])
            variable = loop_variable(a.spec, a.arg.name)
            written[a.spec.key] = f"${variable}"
            text = _remark(_with_options(sentence(symbol, said, rng), phrases, rng), symbol, rng)
            body = call(symbol, {**written, **options}, frozenset([a.spec.key]))
            used = use(symbol, {**written, **options}, {a.spec.key: items})
            return Step(text, [f"foreach {variable} {quote_list(items)} {{", f"  {body}", "}"], [symbol], uses=[used])
    text = _remark(_with_options(sentence(symbol, said, rng), phrases, rng), symbol, rng)
    written |= options
    return Step(text, [call(symbol, written)], [symbol], strings=strings, uses=[use(symbol, written)])


def loop_variable(spec: ArgSpec, name: str) -> str:
    """The name of a variable that feeds an arg: the arg's own."""
    return join_words(name, "snake") if not name.isidentifier() else name


def query_step(symbol: VirtualSymbol, f: Field, rng: random.Random) -> Step:
    """A query whose result is printed or kept in a variable."""
    command, asked, _, used = _query(symbol, f, rng)
    if symbol.concept.returns == "bool" or rng.random() < 0.6:
        what = f"whether {asked}" if symbol.concept.returns == "bool" else asked
        return Step(rng.choice(_PRINT).format(what), [f"puts [{command}]"], [symbol], uses=[used])
    name = rng.choice(RESULT_NAMES)
    text = rng.choice(_KEEP).format(asked, name)
    return Step(text, [f"set {name} [{command}]"], [symbol], uses=[used])


def _query(symbol: VirtualSymbol, f: Field, rng: random.Random) -> tuple[str, str, dict[str, str], Use]:
    values = {a.spec.key: draw_value(a, f.pools, rng) for a in symbol.args if not a.spec.optional}
    asked = SLOT.sub(lambda m: values[m.group(1)].said, rng.choice(symbol.concept.ask))
    strings = {a.spec.pool: values[a.spec.key].written for a in symbol.args
               if not a.spec.optional and a.spec.type == "string" and not a.spec.list_}
    written = {k: v.written for k, v in values.items()}
    return call(symbol, written), asked, strings, use(symbol, written)


def if_step(query: VirtualSymbol, then: VirtualSymbol, f: Field, rng: random.Random) -> Step:
    """A call that depends on a query: a yes/no, or a number against a bound."""
    command, asked, strings, used = _query(query, f, rng)
    inner = call_step(then, f, rng, before=strings)
    if query.concept.returns == "bool":
        negate = rng.random() < 0.3
        condition = f"![{command}]" if negate else f"[{command}]"
        word = "unless" if negate else rng.choice(["if", "if", "when", "in case"])
        clause = f"{word} {asked}"
    else:
        op, phrase = rng.choice([(">", "is more than"), (">", "is above"), (">", "exceeds"), ("<", "is less than"),
                                 ("<", "is below"), (">=", "is at least"), ("<=", "is at most"), ("==", "is"),
                                 ("==", "equals")])
        bound = str(rng.choice([0, 1, 2, 5, 10, 20, 50, 100, rng.randint(1, 500)]))
        condition = f"[{command}] {op} {bound}"
        clause = f"if {asked} {phrase} {bound}"
    text = f"{clause}, {inner.text}" if rng.random() < 0.7 else f"{inner.text} {clause}"
    lines = [f"if {{{condition}}} {{", *(f"  {line}" for line in inner.lines), "}"]
    return Step(text, lines, [query, then], uses=[used, *inner.uses])


_RULE_FORMS = (
    "add a {kind} {name}: {fields}", "{kind} {name}: {fields}", "a {kind} named {name} with {fields}",
    "declare {kind} {name}, {fields}", "write a {kind} called {name} for {fields}", "{kind} {name}, {fields}",
    "new {kind} {name} - {fields}",
)


def dsl_step(production: VirtualProduction, f: Field, rng: random.Random) -> tuple[Step, str]:
    """A DSL statement and the sentence that asks for it; the statement is returned to be put into a block."""
    written: dict[str, str] = {}
    said: dict[str, str] = {}
    phrases: list[str] = []
    values: dict[str, tuple[str, ...]] = {}
    for a in production.args:
        if a.spec.optional:
            got = optional_phrase(a, f.pools, rng) if rng.random() < 0.4 else None
            if got and (a.spec.type != "string"):
                written[a.spec.key], phrase = got[0], got[1]
                phrases.append(phrase)
            continue
        value = draw_value(a, f.pools, rng, identifier=True)
        written[a.spec.key], said[a.spec.key] = value.written, value.said
        if a.spec.list_:
            items = list_values(list_values(value.written)[0])
            if rng.random() < 0.3:
                items, said[a.spec.key] = items[:1], items[0]
            written[a.spec.key] = ", ".join(items)
            values[a.spec.key] = tuple(items)
    name = rng.choice([f"R{rng.randint(1, 99)}", f"{rng.choice('ABCDKLMSTX')}{rng.randint(1, 99)}",
                       draw_string(("main", "base", "first_rule", "top", "night", "limit_2"), rng, identifier=True)])
    named = production.style.name_style != "none"
    if named or rng.random() < 0.4:
        kind = rng.choice([production.keyword.lower().replace("_", " "), f"{rng.choice(production.concept.names)} rule",
                           f"{production.keyword.lower()} {rng.choice(['rule', 'entry', 'statement'])}"])
        fields = ", ".join(f"{rng.choice(a.spec.names)} {said[a.spec.key]}" for a in production.args
                           if a.spec.key in said)
        if rng.random() < 0.45:
            text = f"{kind} {name}: {sentence(production, said, rng)}"
            if rng.random() < 0.4:
                text = f"{sentence(production, said, rng)} as {kind} {name}"
        else:
            text = rng.choice(_RULE_FORMS).format(kind=kind, name=name, fields=fields)
        if not named:
            text = text.replace(f" {name}", "")
    else:
        text = sentence(production, said, rng)
    text = _remark(_with_options(text, phrases, rng), production, rng)
    statement = production.statement(name, {k: production.written(k, v) for k, v in written.items()})
    values = {k: (v,) for k, v in written.items()} | values | ({"": (name,)} if named else {})
    return Step(text, [], productions=[production], uses=[Use(production.keyword, values)]), statement


def read_statement(production: VirtualProduction, f: Field, rng: random.Random) -> ReadSymbol:
    """A production as the reader sees it, by another statement of it; its slots are named by the keys of its args."""
    step, _ = dsl_step(production, f, rng)
    given = step.uses[0].values
    fields = [a for a in production.args if a.spec.key in given]
    # A sign of private use on either side tells where a value stands; choices are words of the language, not values.
    marked = {a.spec.key: ", ".join(given[a.spec.key]) for a in fields}
    for a in fields:
        value = production.written(a.spec.key, marked[a.spec.key])
        marked[a.spec.key] = value if a.spec.type == "enum" else f"\ue000{value}\ue001"
    signed = production.statement(f"\ue000{given[''][0]}\ue001" if "" in given else "", marked)
    names = ["" for _ in given.get("", ())] + [a.spec.key for a in fields if a.spec.type != "enum"]
    example, places = "", list[tuple[int, int]]()
    for i, part in enumerate(re.split("[\ue000\ue001]", signed)):
        if i % 2:
            places.append((len(example), len(example) + len(part)))
        example += part
    doc = rng.choice(production.concept.docs) if rng.random() < 0.8 else ""
    return read_production(production.keyword, production.keyword, doc, example, places, names)
