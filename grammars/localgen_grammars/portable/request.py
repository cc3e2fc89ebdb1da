"""A request's constraint without parameters, for engines that have none (GBNF).

llguidance's rules carry 64 bits; here a rule is written out once for each value of the bits that it can still ask
about. Options come in the order of the catalog's bits, or there would be a rule for every subset of them: every text of
the result is one of the constraint's, not the other way round.
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..constraint.layout import OPTIONS
from ..constraint.patterns import Unsupported
from .cfg import Cfg, Sequence, Symbol, productive, tidy
from .charsets import partition
from .dfa import Dfa, both, first_match, key_of, minimal
from .nfa import Machine

_TOKEN = re.compile(
    r'\s*("(?:\\.|[^"\\])*"|/(?:\\.|[^/\\])+/|%if|::|[A-Za-z_][A-Za-z0-9_]*|0x[0-9a-f]+|\d+|[|(){},?*+&:\[\]])'
)
_ALL = (1 << 64) - 1
MAX_RULES = 60_000


@dataclass(frozen=True)
class _Part:
    """`text`, `regex`, `rule` (with a parameter) or `group` (of alternatives), repeated `low` to `high` times."""

    kind: str
    value: Any
    parameter: Any = None
    low: int = 1
    high: int = 1


@dataclass
class _Rule:
    alternatives: list[tuple[tuple[_Part, ...], Any]] = field(default_factory=list)  # parts, condition


def request_grammar(text: str) -> Cfg:
    """The rules of a constraint (`Constraint.grammar`) without parameters.

    Raises:
        Unsupported: it would have too many rules.
    """
    rules = {name: _Reader(body).rule() for name, body in _lines(text)}
    return _Expansion(rules).build()


def _lines(text: str) -> Iterator[tuple[str, str]]:
    joined = re.sub(r"\n\s+\|", " |", text)
    for line in joined.splitlines():
        head, _, body = line.partition(":") if "::_:" not in line.split('"')[0] else line.partition("::_:")
        if head.strip():
            yield head.strip(), body


class _Reader:
    """Reads the right-hand side of one rule."""

    def __init__(self, body: str) -> None:
        self._tokens = [m.group(1) for m in _TOKEN.finditer(body)]
        self._at = 0

    def rule(self) -> _Rule:
        return _Rule(self._alternatives())

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1]

    def _alternatives(self) -> list[tuple[tuple[_Part, ...], Any]]:
        out = []
        while True:
            parts: list[_Part] = []
            condition = None
            while self._peek() not in ("", "|", ")"):
                if self._peek() == "%if":
                    self._take()
                    condition = self._call()
                else:
                    parts.append(self._part())
            out.append((tuple(parts), condition))
            if self._peek() != "|":
                return out
            self._take()

    def _part(self) -> _Part:
        token = self._take()
        if token == "(":
            part = _Part("group", self._alternatives())
            self._take()
        elif token[0] == '"':
            part = _Part("text", json.loads(token))
        elif token[0] == "/":
            every = [token[1:-1]]
            while self._peek() == "&":
                self._take()
                every.append(self._take()[1:-1])
            part = _Part("regex", tuple(every))
        else:
            parameter: Any = 0
            if self._peek() == "::":
                self._take()
                parameter = self._call()
            part = _Part("rule", token, parameter)
        if self._peek() == "?":
            self._take()
            return _Part(part.kind, part.value, part.parameter, 0, 1)
        if self._peek() == "{":
            self._take()
            low = int(self._take())
            self._take()
            high = int(self._take())
            self._take()
            return _Part(part.kind, part.value, part.parameter, low, high)
        return part

    def _call(self) -> Any:
        """`_`, a number, a range of bits (low, high), or (function, arguments…)."""
        token = self._take()
        if token == "[":
            low = int(self._take())
            self._take()
            high = int(self._take())
            self._take()
            return ("bits", low, high)
        if token[0].isdigit():
            return int(token, 16) if token.startswith("0x") else int(token)
        if self._peek() != "(":
            return token
        self._take()
        arguments = [self._call()]
        while self._peek() == ",":
            self._take()
            arguments.append(self._call())
        self._take()
        return (token, *arguments)


def _holds(condition: Any, bits: int) -> bool:
    if condition is None:
        return True
    name, *args = condition
    if name in ("and", "or"):
        return (all if name == "and" else any)(_holds(a, bits) for a in args)
    if name in ("bit_set", "bit_clear"):
        return bool(bits >> args[0] & 1) is (name == "bit_set")
    _, low, high = args[0]
    width = (1 << (high - low)) - 1
    value = bits >> low & width
    return bool({"is_ones": value == width, "is_zeros": value == 0,
                 "eq": value == args[-1], "lt": args[-1] != args[0] and value < args[-1]}[name])


def _changed(parameter: Any, bits: int) -> int:
    if parameter == "_":
        return bits
    if isinstance(parameter, int):
        return parameter
    name, value = parameter
    if name == "set_bit":
        return bits | 1 << int(value)
    if name == "bit_and":
        return bits & int(value)
    if name == "bit_or":
        return bits | int(value)
    _, low, high = value  # incr, which stops at the highest
    width = (1 << (high - low)) - 1
    now = bits >> low & width
    return int(bits & ~(width << low) | min(now + 1, width) << low)


def _asked(condition: Any) -> int:
    """The bits that a condition is about."""
    if condition is None:
        return 0
    name, *args = condition
    if name in ("and", "or"):
        return _asked(args[0]) | _asked(args[1])
    if name in ("bit_set", "bit_clear"):
        return 1 << int(args[0])
    _, low, high = args[0]
    return int(((1 << (high - low)) - 1) << low)


class _Expansion:
    def __init__(self, rules: dict[str, _Rule]) -> None:
        self._rules = rules
        self._out: dict[str, list[Sequence]] = {}
        self._keys: dict[Hashable, str] = {}
        self._todo: list[tuple[str, int, int]] = []
        self._pieces: list[Dfa] = []
        self._numbers: dict[Hashable, int] = {}
        self._made: dict[Hashable, int] = {}
        self._machines: dict[str, tuple[Machine, int]] = {}
        for pattern in sorted({r for rule in rules.values() for r in _regexes(rule.alternatives)}):
            machine = Machine()
            self._machines[pattern] = machine, machine.add(pattern, 0, "x")
        sets = {s for m, _ in self._machines.values() for s in m.sets()}
        literals = {c for rule in rules.values() for t in _texts(rule.alternatives) for c in t}
        self._classes = partition([*sets, *(((ord(c), ord(c)),) for c in sorted(literals))])
        self._class_of = {chr(c[0][0]): i for i, c in enumerate(self._classes) if c[0][0] == c[-1][1]}
        self._relevant = self._needs()

    def build(self) -> Cfg:
        start = self._name("start", 0, -1)
        while self._todo:
            name, bits, last = self._todo.pop()
            own = self._name(name, bits, last)
            if len(self._out) > MAX_RULES:
                raise Unsupported("more rules than an engine without parameters can hold")
            self._out[own] = self._written(self._rules[name].alternatives, name, bits, last)
        rules = productive(self._out)
        if start not in rules:
            raise Unsupported("nothing that can be written without parameters")
        return tidy(Cfg(start, rules, self._pieces, self._classes))

    def _needs(self) -> dict[str, int]:
        """By rule, the bits that it or what it calls asks about."""
        found = dict.fromkeys(self._rules, 0)
        while True:
            before = dict(found)
            for n, rule in self._rules.items():
                for parts, condition in rule.alternatives:
                    found[n] |= _asked(condition)
                    for part in _flat(parts):
                        if part.kind == "rule" and not isinstance(part.parameter, int):
                            found[n] |= found[part.value]
            if found == before:
                return found

    def _name(self, rule: str, bits: int, last: int) -> str:
        key = rule, bits & self._relevant[rule], last
        if key not in self._keys:
            self._keys[key] = f"{rule}.{len(self._keys)}"
            self._todo.append((rule, key[1], last))
        return self._keys[key]

    def _written(self, alternatives: Any, name: str, bits: int, last: int) -> list[Sequence]:
        out: list[Sequence] = []
        shared = self._shared(name)
        for parts, condition in alternatives:
            option = _option_of(parts, name)
            if option is not None and option <= last:
                continue
            if not _holds(condition, bits):
                continue
            sequence: list[Symbol] = []
            for part in parts:
                if option is not None and part is parts[-1]:
                    after = bits | 1 << option if shared >> option & 1 else bits
                    sequence.append(self._name(name, after, option))
                else:
                    sequence += self._part(part, name, bits)
            out.append(tuple(sequence))
        return out

    def _shared(self, name: str) -> int:
        """Option bits that anything but the option itself asks about."""
        found = 0
        for parts, condition in self._rules[name].alternatives:
            option = _option_of(parts, name)
            found |= _asked(condition) & ~(0 if option is None else 1 << option)
        return found

    def _part(self, part: _Part, name: str, bits: int) -> Sequence:
        if (part.low, part.high) != (1, 1):
            once = self._part(_Part(part.kind, part.value, part.parameter), name, bits)
            rule = self._fresh(once, part)
            return (*(once * part.low), rule)
        if part.kind == "text":
            return (self._piece(part.value),) if part.value else ()
        if part.kind == "regex":
            return (self._piece(part.value),)
        if part.kind == "rule":
            return (self._name(part.value, _changed(part.parameter, bits), -1),)
        key = "group", repr(part.value), bits, name
        if key not in self._keys:
            self._keys[key] = f"group.{len(self._keys)}"
            self._out[self._keys[key]] = self._written(part.value, name, bits, -1)
        return (self._keys[key],)

    def _fresh(self, once: Sequence, part: _Part) -> str:
        """Up to `high - low` more of the same."""
        rule = ""
        for left in range(1, part.high - part.low + 1):
            key = "more", once, left
            more = () if not rule else (rule,)
            if key not in self._keys:
                self._keys[key] = f"more.{len(self._keys)}"
                self._out[self._keys[key]] = [(), (*once, *more)]
            rule = self._keys[key]
        return rule or self._empty()

    def _empty(self) -> str:
        self._out.setdefault("empty", [()])
        return "empty"

    def _piece(self, value: str | tuple[str, ...]) -> int:
        if value in self._made:
            return self._made[value]
        if isinstance(value, str):
            moves = [{self._class_of[c]: i + 1} for i, c in enumerate(value)]
            found: Dfa | None = Dfa((*moves, {}), (*(None for _ in value), True))
        else:
            found = None
            for pattern in value:
                machine, start = self._machines[pattern]
                one = first_match(machine, start, self._classes, whole=True)
                one = Dfa(one.moves, tuple(None if t is None else True for t in one.tags))
                found = minimal(one if found is None else both(found, one))
                if found is None:
                    found = Dfa(({},), (None,))
        assert found is not None
        key = key_of(found)
        if key not in self._numbers:
            self._numbers[key] = len(self._pieces)
            self._pieces.append(found)
        self._made[value] = self._numbers[key]
        return self._made[value]


def _option_of(parts: tuple[_Part, ...], name: str) -> int | None:
    """The bit that an alternative sets before it goes on with its own rule: it writes an option."""
    last = parts[-1] if parts else None
    if last is None or last.kind != "rule" or last.value != name or not isinstance(last.parameter, tuple):
        return None
    how, bit = last.parameter
    return int(bit) if how == "set_bit" and isinstance(bit, int) and bit < OPTIONS else None


def _flat(parts: tuple[_Part, ...]) -> Iterator[_Part]:
    for part in parts:
        yield part
        if part.kind == "group":
            for inner, _ in part.value:
                yield from _flat(inner)


def _regexes(alternatives: Any) -> Iterator[str]:
    for parts, _ in alternatives:
        for part in _flat(parts):
            if part.kind == "regex":
                yield from part.value


def _texts(alternatives: Any) -> Iterator[str]:
    for parts, _ in alternatives:
        for part in _flat(parts):
            if part.kind == "text":
                yield part.value
