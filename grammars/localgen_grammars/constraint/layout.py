"""The 64-bit parameter that llguidance's rules carry, and how bits of it are asked and set.

0..35   options of the call that is being written (each at most once, required ones present)
36..55  variables: declared in this body or one around it
56..57  DSL blocks so far, saturating
58..59  depth of the body
60      whether the body has a statement that does something
61..62  depth of command substitutions

llguidance 1.9 inlines a rule that has one alternative and one use, and stumbles over the function of the parameter that
it is used with; such rules get a second alternative that never applies.
"""

from __future__ import annotations

import json
import re

OPTIONS = 36
VARIABLES = 20
FIRST_VARIABLE = OPTIONS
BLOCKS = "[56:58]"
DEPTH = "[58:60]"
EFFECT = 60
NESTING = "[61:63]"
MAX_DEPTH = 2
MAX_NESTING = 2
BODY_FITS = f"lt({DEPTH}, {MAX_DEPTH})"
NESTING_FITS = f"lt({NESTING}, {MAX_NESTING})"
NEVER = ' | "never" %if bit_set(63)'
_ALL, _OPTION_BITS, _EFFECT_BIT = (1 << 64) - 1, (1 << OPTIONS) - 1, 1 << EFFECT
CLEAR_OPTIONS = f"bit_and(0x{_ALL ^ _OPTION_BITS:x})"
CLEAR_EFFECT = f"bit_and(0x{_ALL ^ _EFFECT_BIT:x})"
# A body inside an argument starts afresh: no options, no effect yet, no substitution around it.
CLEAR_BOTH = f"bit_and(0x{_ALL ^ _OPTION_BITS ^ _EFFECT_BIT ^ (3 << 61):x})"


def effect_and(bit: int) -> str:
    """Sets this bit and the one for an effect."""
    return f"bit_or(0x{_EFFECT_BIT | 1 << bit:x})"


def all_of(conditions: list[str]) -> str:
    """` %if …` that holds where all conditions hold; nothing for none."""
    if not conditions:
        return ""
    text = conditions[0]
    for c in conditions[1:]:
        text = f"and({text}, {c})"
    return f" %if {text}"


def any_of(conditions: list[str]) -> str:
    """One condition that holds where any of these holds."""
    text = conditions[0]
    for c in conditions[1:]:
        text = f"or({text}, {c})"
    return text


def at_depth(rule: str, text: str, before: str = "") -> str:
    """A rule for a text indented by the depth of the body."""
    depths = [f"is_zeros({DEPTH})", *(f"eq({DEPTH}, {d})" for d in range(1, MAX_DEPTH + 1))]
    options = [f"{json.dumps(before + '  ' * d + text)} %if {when}" for d, when in enumerate(depths)]
    return f"{rule}::_: {' | '.join(options)}"


_HEAD = re.compile(r"([a-z][a-z0-9_]*)::_:")
_TOKEN = re.compile(
    r'"(?:\\.|[^"\\])*"|/(?:\\.|[^/\\])+/|(?P<name>[a-z][a-z0-9_]*)::(?P<how>_|0x[0-9a-f]+|[a-z_]+\([^)]*\))|%if'
)


def settle(lines: list[str]) -> list[str]:
    """Take the parameter away from rules without need of it: llguidance refuses a parametric rule that ignores it."""
    heads = {m.group(1): i for i, line in enumerate(lines) if (m := _HEAD.match(line))}
    found = [[m for m in _TOKEN.finditer(line) if m["name"] is not None or m[0] == "%if"] for line in lines]
    # A rule needs the parameter where its body asks it, or hands it to a rule that does.
    users: dict[str, list[str]] = {}
    needing: list[str] = []
    for name, i in heads.items():
        begin = lines[i].index("::_:") + 4
        used = {m["name"] for m in found[i] if m.start() >= begin}
        if used <= heads.keys():
            for other in used:
                users.setdefault(other, []).append(name)
        else:
            needing.append(name)
    plain = set(heads) - set(needing)
    while needing:
        for name in users.get(needing.pop(), ()):
            if name in plain:
                plain.remove(name)
                needing.append(name)
    pairs = zip(lines, found, strict=True)
    return [_without(line, [m for m in tokens if m["name"] in plain]) for line, tokens in pairs]


def _without(line: str, references: list[re.Match[str]]) -> str:
    """A line with these references reduced to their rules' names."""
    if not references:
        return line
    parts, at = [], 0
    for m in references:
        parts += [line[at : m.start()], m["name"]]
        at = m.end()
    return "".join((*parts, line[at:]))
