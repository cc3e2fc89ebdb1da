"""Calls of procs: every required option, each option once, in any order, before the positionals; exclusive groups and
`requires`.
"""

from __future__ import annotations

import json
from functools import lru_cache

from localgen_retrieval.catalog import Arg, Proc

from .conditions import Conditions
from .host_rules import HostRules
from .host_values import HostValues
from .layout import BODY_FITS, CLEAR_BOTH, NESTING, OPTIONS, all_of, any_of
from .writable import Writable


class Calls:
    """Writes the rules for calls.

    Attributes:
        values: the rules for values; they call procs in `[…]` in turn.
        conditions: the rules for conditions.
    """

    def __init__(self, can: Writable, rules: HostRules) -> None:
        self._can = can
        self._rules = rules
        self._names = {p.name: f"c{i}" for i, p in enumerate(can.live)}
        self.values = HostValues(can, rules, self.rule)
        self.conditions = Conditions(can, rules, self.values)

    def statement(self, proc: Proc) -> str:
        """The alternative for a call that stands alone."""
        needs_body = any(a.type == "script" and a.required for a in proc.args)
        return f"{self.rule(proc)}::_{all_of([BODY_FITS] if needs_body else [])}"

    def rule(self, proc: Proc) -> str:
        """The rule of a call of one proc, with its options and positionals."""
        rule = self._names[proc.name]
        key = ("call", proc.name)
        if key in self._rules.shared:
            return rule
        self._rules.shared[key] = rule
        place = self._rules.reserve()
        options = self._options(proc)
        bit = {a.name: i for i, a in enumerate(options)}
        required = sum(a.required for a in options)
        ends = [f"is_ones([0:{required}])"] if required else []
        written = []
        for a in options:
            needs = proc.requires.get(a.name, ())
            if any(n not in bit and not any(p.name == n and p.required for p in proc.positionals) for n in needs):
                continue
            ends += [any_of([f"bit_clear({bit[a.name]})", f"bit_set({bit[n]})"]) for n in needs if n in bit]
            conditions = _option_when(a, proc, options, bit)
            written.append(f"{self._option(a)} {rule}o::set_bit({bit[a.name]}){all_of(conditions)}")
        self._rules.lines[place] = f"{rule}::_: {json.dumps(proc.name)} {rule}o::_"
        positionals = proc.positionals
        end = f"{rule}p::_" if positionals else '""'
        self._rules.add(f"{rule}o::_: " + "\n  | ".join([f"{end}{all_of(ends)}", *written]))
        if positionals:
            self._positionals(positionals, rule)
        return rule

    def _options(self, proc: Proc) -> list[Arg]:
        """The options that can be written, the required ones first: their bits are asked together."""
        options = [a for a in proc.options if self._possible(a)]
        if self._can.plain:
            options = [a for a in options if a.required or a.type != "script"]
        options.sort(key=lambda a: not a.required)
        return options[:OPTIONS]

    def _possible(self, a: Arg) -> bool:
        return a.type in ("flag", "script", "expr") or self._can.usable(a)

    def _option(self, a: Arg) -> str:
        name = _option_name(a.name)
        return name if a.type == "flag" else f"{name} {self._value(a)}"

    def _value(self, a: Arg) -> str:
        if a.type == "script":
            return f'" " blk::{CLEAR_BOTH} cl::_'
        if a.type == "expr":
            return self.conditions.argument()
        return f"{self.values.rule(self._can.class_of(a), positional=a.positional)}::_"

    def _positionals(self, args: tuple[Arg, ...], rule: str) -> None:
        last = max((i for i, a in enumerate(args) if a.required), default=-1)
        must = [self._value(a) for a in args[: last + 1]]
        rest = [a for a in args[last + 1 :] if a.type in ("script", "expr") or self._can.usable(a)]
        parts = [*must, *([f"{rule}p0::_"] if rest else [])]
        self._rules.add(f"{rule}p::_: " + (" ".join(parts) or '""'))  # none where no optional one can be written
        for i, a in enumerate(rest):
            more = f" {rule}p{i + 1}::_" if i + 1 < len(rest) else ""
            self._rules.add(f'{rule}p{i}::_: "" | {self._value(a)}{more}{all_of(_where(a))}')


@lru_cache(maxsize=4096)
def _option_name(name: str) -> str:
    return json.dumps(f" -{name}")


def _option_when(a: Arg, proc: Proc, options: list[Arg], bit: dict[str, int]) -> list[str]:
    """When an option may be written: not twice, not beside one that it excludes."""
    when = [f"bit_clear({bit[a.name]})", *_where(a)]
    if a.type == "script":
        # Last of the required ones, so that closing the body can end the call at any budget.
        when += [f"bit_set({bit[o.name]})" for o in options if o.required and o.type != "script"]
    for group in proc.exclusive:
        if a.name in group:
            when += [f"bit_clear({bit[o]})" for o in group if o != a.name and o in bit]
    return when


def _where(arg: Arg) -> list[str]:
    """Where an arg may be written: bodies and conditions only outside `[…]`, or a call could nest for ever."""
    outside = [f"is_zeros({NESTING})"] if arg.type in ("script", "expr") else []
    return outside + ([BODY_FITS] if arg.type == "script" else [])
