"""A domain's policy: forbidden commands, allowed Tcl commands, header, required calls, order, number of blocks.

Forbidden names are judged where a command is called, however its name comes about; text is not searched for them.
"""

from __future__ import annotations

from collections.abc import Mapping

from localgen.validation.findings import Collector
from localgen.validation.nearest import did_you_mean
from localgen.validation.repairs import Repair, headed, insertion
from localgen.validation.tcl.flow.calls import Call
from localgen.validation.tcl.flow.state import State
from localgen_grammars.tcl.core import core_subcommand, full_subcommand
from localgen_retrieval.catalog import Policy, Proc

_SHOWN = 10


class PolicyChecks:
    """The checks of one script against one policy."""

    def __init__(self, policy: Policy, procs: Mapping[str, Proc], collector: Collector) -> None:
        self.policy = policy
        self.procs = procs
        self.collector = collector
        self._forbidden = [tuple(f.removeprefix("::").split()) for f in policy.forbidden if f.split()]
        self._disordered: set[tuple[str, str]] = set()
        self._first = {words[0] for words in self._forbidden}
        self._free = {a.removeprefix("::") for a in policy.allowed_builtins}
        self._idle = not (policy.forbidden or policy.order or policy.required_calls)
        self._allowed = [tuple(a.removeprefix("::").split()) for a in policy.allowed_builtins if a.split()]
        # Commands for which the words after the name count too.
        self._several = {words[0] for words in (*self._allowed, *self._forbidden) if words}
        few = policy.allowed_builtins[:_SHOWN]
        more = ", …" if len(policy.allowed_builtins) > _SHOWN else ""
        self._allowed_hint = f"allowed are {', '.join(few)}{more}" if few else "no Tcl command is allowed"

    def called(self, call: Call, state: State) -> None:
        """A command is called: is it forbidden, is it in order?"""
        if self._idle:
            return
        entry = self._forbidden_entry(call)
        if entry:
            self.collector.add("POL001", call.name_start, call.name_end, f"{' '.join(entry)} is forbidden here")
        name = call.name.removeprefix("::")
        if not self.policy.order and not self.policy.required_calls:
            return
        for first, then in self.policy.order:
            first_name, then_name = first.removeprefix("::"), then.removeprefix("::")
            if name == then_name and first_name not in state.called:
                state.early |= {(first_name, then_name, call.name_start, call.name_end)}
            elif name == first_name:
                for early in sorted(state.early, key=lambda e: e[2]):
                    if early[:2] == (first_name, then_name) and early[:2] not in self._disordered:
                        self._disordered.add(early[:2])
                        message = f"{then} is called before {first}"
                        self.collector.add("POL005", early[2], early[3], message, f"call {first} first")
        if name not in state.called:
            state.called |= {name}

    def core(self, call: Call, state: State) -> None:
        """A command of Tcl's own is called: as `called`, and is it one of the allowed ones?"""
        if not self._idle:
            self.called(call, state)
        name = call.name
        if name in self._free:
            return
        if call.name_start and name not in self._several and not name.startswith("tcl::"):
            self._not_allowed(call)
            return
        words = _words(call)
        if call.name_start == 0 and words == tuple(self.policy.required_header.split()):
            return
        if not any(words[: len(entry)] == entry for entry in self._allowed) and not self._forbidden_entry(call):
            self._not_allowed(call)

    def _not_allowed(self, call: Call) -> None:
        message = f"{call.name} is not one of the allowed Tcl commands"
        self.collector.add("POL002", call.name_start, call.name_end, message, self._allowed_hint)

    def _forbidden_entry(self, call: Call) -> tuple[str, ...]:
        name = call.name.removeprefix("::")
        if name not in self._first and not name.startswith("tcl::"):
            return ()
        words = _words(call)
        return next((entry for entry in self._forbidden if words[: len(entry)] == entry), ())

    def whole(self, text: str, end: State, blocks: list[tuple[int, int]]) -> None:
        """What concerns the whole script."""
        header = self.policy.required_header
        if header and not text.lstrip("\ufeff\n").startswith(header):
            line = text.lstrip("\ufeff\n").split("\n", 1)[0]
            message = f"the script does not begin with {header}"
            self.collector.add("POL003", 0, len(line), message, repairs=(headed(text, header),))
        for name in self.policy.required_calls:
            if name.removeprefix("::") not in end.called:
                hint = did_you_mean(name, sorted(end.called))
                proc = self.procs.get(name.removeprefix("::"))
                repairs: tuple[Repair, ...] = ()
                if proc is not None and not any(a.required for a in proc.args):
                    call = f"{proc.name}\n" if text.endswith("\n") or not text else f"\n{proc.name}\n"
                    repairs = (insertion(len(text), call, f"call {proc.name} at the end"),)
                self.collector.add("POL004", len(text), len(text), f"{name} is never called", hint, repairs=repairs)
        most = self.policy.max_dsl_blocks
        if most is not None and len(blocks) > most:
            start, end_ = sorted(blocks)[most]
            what = f"{len(blocks)} DSL block{'' if len(blocks) == 1 else 's'}, at most {most} allowed"
            self.collector.add("POL006", start, end_, what)


def _words(call: Call) -> tuple[str, ...]:
    """The words of a call that may name a command: the name, and the subcommand written out."""
    name = call.name.removeprefix("::")
    behind = core_subcommand(name)
    rest = [a.text if a.text is not None else "" for a in call.args[:3]]
    if behind is not None:
        return (*behind, *rest)
    if rest:
        rest[0] = full_subcommand(name, rest[0]) or rest[0]
    return (name, *rest)
