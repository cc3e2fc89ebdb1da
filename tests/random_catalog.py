"""Domains made at random, with everything that a catalog can say: what a constraint is compiled from must not matter.

The same seed gives the same folder.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

NASTY = (
    *(
        "a b",
        "x;y",
        'q"r',
        "a{b}",
        "[x]",
        "$v",
        "a\\b",
        "#hash",
        "50%",
        "left:1",
        "ünï",
        "-3",
        "a,b",
        "it's",
        "*",
        "a[0]",
    ),
    *("${x}", "a#b", "{", "tail\\", "@dsl(", "// x", "a  b", "END", "if", "1.5um", "~", "(", "?", "&&", "|", "µm"),
    *("a\u2028b", "{\x0c}", "a\\{", "\u00a0", "]", ")", ">", "}"),
)
PATTERNS = (
    *(r"\d+x\d+", r"(left|right|top):\d+-\d+", r"met[1-9]-met[1-9]", r"[A-Z][A-Za-z0-9_]*", r"lib/[a-z_]+\.lib"),
    *(r"[a-z]+@[a-z]+", r'"[A-Za-z0-9_]+"', r"v[0-9]\.[0-9]{1,2}", r"[^ ]+\.rpt", r"(on|off)(,(on|off)){0,3}", r"\w+"),
    *(r"[A-Za-z]+\[\d+\]", r"\d+(\.\d+)?V", r"[01]{4}", r"x?y+z*", r".*", r"[a-z ]+", r"#[0-9a-f]{6}", r"-?\d+"),
)
UNITS = ("um", "ns", "V", "%", "MHz", "degC", "L")
EMBEDDINGS = (
    *(
        ("{n} {{", "}}"),
        ("@{n}(", ")"),
        ("{n} <<END", "END"),
        ("db {n} {{", "}}"),
        ("{n} [", "]"),
        ("{n}_block <", ">"),
    ),
    *(("{n} <<EOT", "EOT"), ("{n}: (", ")")),
)
GRAMMARS = (
    """start: stmt+
stmt: "{a}" NAME "->" NUM "{u}" ";" | "{b}" NAME ("," NAME)* ";"
NAME: /[A-Za-z_][A-Za-z0-9_]*/
NUM: /-?[0-9]+(\\.[0-9]+)?/
%import common.WS
%ignore WS
""",
    """start: (rule | note)+
rule: "{a}" ID "{b}:" NET ["limit:" AMOUNT]
note: "note" ID
ID: /"[^"]*"/
NET: /[A-Za-z_][A-Za-z0-9_.]*/
AMOUNT: /[0-9]+(\\.[0-9]+)?{u}/
%import common.WS
%ignore WS
%ignore /#[^\\n]*/
""",
    """start: expr
?expr: expr "+" term | expr "-" term | term
?term: term "*" atom | atom
?atom: NUMBER | NAME | "{a}" NAME
NAME: /[a-z][a-z0-9]*/
NUMBER: /[0-9]+/
%ignore " "
""",
    """start: line (NL line)*
line: KEY " = " value
value: INT | WORD | "{a}" | "{b}"
KEY: "{a}_key" | "{b}_key" | /[a-z]+_id/
INT: /0|[1-9][0-9]{{0,4}}/
WORD: /[A-Z]+/i
NL: /\\n/
""",
    """start: "{a}" mode group* tail?
mode: FAST | SLOW
group: "{b}" WORD+ "."
tail: "until" CLOCK
FAST: "fast"i
SLOW: "slow"
WORD.2: /[a-z]\\w+/
CLOCK: /[0-2][0-9]:[0-5][0-9]/
%import common.WS
%ignore WS
""",
    """start: _list{{pair}}
pair: NAME ":" (STRING | SIGNED | pair_list)
pair_list: "<" _list{{pair}} ">"
_list{{x}}: x ("," x)*
NAME: /[a-zA-Z]\\w*/
STRING: /"[^"\\n]*"/
%import common.SIGNED_NUMBER -> SIGNED
%import common.WS_INLINE
%ignore WS_INLINE
""",
)
_MADE_OF = "ba ko ri tel mu san der vi lo pex qua zin or fa gle hut"
_ABOUT = "net layer width cell file text level speed mode angle count name side limit group tag"
_SYLLABLES, _NOUNS = _MADE_OF.split(), _ABOUT.split()


def random_name(rng: random.Random, syllables: int = 2) -> str:
    """A made-up word."""
    return "".join(rng.choice(_SYLLABLES) for _ in range(syllables))


def _value(rng: random.Random, *, plain: bool = False) -> dict[str, Any]:
    """Type and limits of an argument or a variable."""
    kind = rng.choice(["string", "string", "int", "float", "enum", "enum", "bool", "unit", "pattern"])
    out: dict[str, Any] = {"type": kind}
    if kind == "enum":
        out["values"] = [random_name(rng) if rng.random() < 0.5 else v for v in rng.sample(NASTY, rng.randint(1, 5))]
        out["values"] = list(dict.fromkeys(out["values"]))
        if rng.random() < 0.5:
            del out["type"]
    elif kind in ("int", "float"):
        scale = rng.choice([1, 1, 100, 100000])
        ends = sorted(round(rng.uniform(-scale, scale), rng.choice([0, 1, 3])) for _ in range(2))
        if kind == "int":
            ends = [int(ends[0]), int(ends[1]) + 1]
        if rng.random() < 0.7:
            out["min"] = ends[0]
        if rng.random() < 0.7:
            out["max"] = ends[1]
    elif kind == "unit":
        out = {"type": rng.choice(["float", "int", "string"]), "unit": rng.choice(UNITS)}
        out["unit_suffix"] = rng.random() < 0.5
        if rng.random() < 0.5:
            out["min"] = 0
    elif kind == "pattern":
        out = {"type": "string", "pattern": rng.choice(PATTERNS)}
    elif kind == "string" and rng.random() < 0.5:
        out["kind"] = rng.choice(_NOUNS)
    if not plain and rng.random() < 0.25 and kind != "bool":
        out["list"] = True
        if rng.random() < 0.5:
            out["min_items"] = rng.randint(0, 3)
        if rng.random() < 0.5:
            out["max_items"] = rng.randint(max(1, out.get("min_items", 1)), 6)
    if rng.random() < 0.5:
        out["doc"] = f"The {rng.choice(_NOUNS)} of the {rng.choice(_NOUNS)}, in um."
    return out


def _args(rng: random.Random) -> list[dict[str, Any]]:
    names = rng.sample(_NOUNS, rng.randint(0, 6))
    if rng.random() < 0.2:
        names += [f"{n}{rng.choice(['_x', '2', '-y'])}" for n in names[:2]]
    out = []
    for name in names:
        arg = {"name": name, **_value(rng)}
        roll = rng.random()
        if roll < 0.12:
            arg = {"name": name, "type": "flag"}
        elif roll < 0.17:
            arg = {"name": name, "type": "script"}
        elif roll < 0.22:
            arg = {"name": name, "type": "expr"}
        elif roll < 0.4:
            arg["positional"] = True
        if rng.random() < 0.5:
            arg["required"] = False
        out.append(arg)
    # A required positional after an optional one could not be told from it.
    return sorted(out, key=lambda a: (bool(a.get("positional")), a.get("required") is False))


def _proc(rng: random.Random, name: str) -> dict[str, Any]:
    args = _args(rng)
    proc: dict[str, Any] = {
        "name": name,
        "args": args,
        "summary": f"Set the {rng.choice(_NOUNS)} of a {rng.choice(_NOUNS)}.",
    }
    options = [a["name"] for a in args if not a.get("positional")]
    optional = [a["name"] for a in args if not a.get("positional") and a.get("required") is False]
    if len(optional) >= 2 and rng.random() < 0.5:
        proc["exclusive"] = [rng.sample(optional, rng.randint(2, len(optional)))]
    elif len(options) >= 2 and optional and rng.random() < 0.5:
        one = rng.choice(optional)
        proc["requires"] = {one: [rng.choice([o for o in options if o != one])]}
    if rng.random() < 0.6:
        kind = rng.choice(["int", "float", "bool", "string", "list of nets"])
        proc["returns"] = kind if rng.random() < 0.5 else {"type": "string", "list": True, "kind": "net"}
    if rng.random() < 0.1:
        proc["deprecated"] = True
    return proc


def _dsls(rng: random.Random, folder: Path) -> list[dict[str, Any]]:
    out = []
    for i, (open_, close) in enumerate(rng.sample(EMBEDDINGS, rng.randint(1, 3))):
        name = f"{random_name(rng)}{i}"
        # A language with `->` or `< >` of its own cannot stand between `<` and `>`.
        grammar = rng.choice([g for g in GRAMMARS if ">" not in g] if ">" in close else GRAMMARS)
        keys = {"a": random_name(rng), "b": random_name(rng, 3), "u": rng.choice(["um", "ns", "pct"])}
        (folder / f"{name}.lark").write_text(grammar.format(**keys), "utf-8")
        out.append(
            {
                "name": name,
                "embedding": {"open": open_.format(n=name), "close": close.format(n=name)},
                "grammar": f"{name}.lark",
                "productions": [{"name": f"{keys['a']}_rule", "summary": f"A rule on a {rng.choice(_NOUNS)}."}],
            }
        )
    if rng.random() < 0.3:
        out.append({"name": "opaque", "embedding": {"open": "opaque {", "close": "}"}})
    return out


def write_random_domain(folder: Path, seed: int, *, host: str = "tcl") -> Path:
    """Write a domain folder; with host `none` one whose output is a text of its first DSL."""
    rng = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    spaces = ["", *(random_name(rng) + "::" for _ in range(2))]
    names = {rng.choice(spaces) + random_name(rng, 3) for _ in range(rng.randint(4, 14))}
    procs = [_proc(rng, n) for n in sorted(names)]
    variables = [
        {"name": f"::{random_name(rng)}::{n}" if rng.random() < 0.7 else n + "_var", **_value(rng, plain=True)}
        for n in rng.sample(_NOUNS, rng.randint(0, 4))
    ]
    policy: dict[str, Any] = {"forbidden": ["exec", "socket", "file delete"]}
    if rng.random() < 0.5:
        policy["required_header"] = rng.choice(["#!/usr/bin/env tclsh", "# generated", "package require api 1.0"])
    if rng.random() < 0.4:
        policy["max_dsl_blocks"] = rng.randint(0, 3)
    if rng.random() < 0.4 and len(procs) > 2:
        policy["order"] = [[p["name"] for p in rng.sample(procs, 2)]]
    if rng.random() < 0.3:
        policy["required_calls"] = [p["name"] for p in procs if not p["args"] and "deprecated" not in p][:1]
    free = [p["name"] for p in procs if p["name"] not in policy.get("required_calls", ())]
    if rng.random() < 0.3:
        policy["forbidden"].append(rng.choice(free))
    if rng.random() < 0.3:
        policy["allowed_builtins"] = rng.sample(["set", "puts", "foreach", "if", "expr", "list"], rng.randint(0, 4))
    catalog = {"name": f"random{seed}", "host": host, "procs": procs, "variables": variables, "policy": policy}
    catalog["dsl"] = _dsls(rng, folder)
    (folder / "catalog.json").write_text(json.dumps(catalog, indent=1, ensure_ascii=False), "utf-8")
    return folder
