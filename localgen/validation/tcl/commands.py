"""The commands that a script may call: the catalog's, the openers of its DSLs, Tcl's, and the script's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType

from localgen.validation.nearest import Names, names_of
from localgen_grammars.blocks import is_braced
from localgen_grammars.tcl.bodies import Visit
from localgen_grammars.tcl.core import ARITY
from localgen_grammars.tcl.nodes import Command
from localgen_grammars.tcl.roles import Role
from localgen_retrieval.catalog import Catalog, Proc
from localgen_retrieval.once import once_per_catalog

# What defines commands that the script's text does not show.
_FOREIGN = frozenset(("source", "load", "package", "auto_load", "auto_import", "unknown"))

# Which word of a command names what it defines.
_DEFINERS = {"proc": 1, "coroutine": 1, "rename": 2, "oo::class": 2, "oo::object": 2, "interp": 3}

_NOTED = frozenset((*_DEFINERS, *_FOREIGN, "namespace"))

_NO_CODE: Mapping[int, Role] = MappingProxyType({})

# Unknown names for which near ones are looked up.
MAX_SUGGESTIONS = 1000

# Commands that exist inside methods.
_OF_OBJECTS = frozenset(("my", "self", "next", "nextto", "link", "callback", "mymethod", "classvariable"))

# Commands that call what they are given as words.
_CALLS_BY_NAME = frozenset(("eval", "uplevel", "rename", "interp", "apply", "subst", "tailcall", "coroutine", "after"))


@once_per_catalog
def _procs_of(catalog: Catalog) -> Mapping[str, Proc]:
    return MappingProxyType({p.name.removeprefix("::"): p for p in catalog.procs})


@once_per_catalog
def _tails_of(catalog: Catalog) -> frozenset[str]:
    return frozenset(name.rpartition("::")[2] for name in _procs_of(catalog))


class Commands:
    """The commands known by name; names have no leading `::`."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.procs = _procs_of(catalog)
        self.openers: dict[str, list[int]] = {}
        for index, dsl in enumerate(catalog.dsls):
            if is_braced(dsl):
                self.openers.setdefault(dsl.embedding.words[0].removeprefix("::"), []).append(index)
        self._tails = _tails_of(catalog) | {name.rpartition("::")[2] for name in self.openers}
        self.script: set[str] = set()
        self.foreign = False
        self._suggestions: dict[str, list[str]] = {}

    def note(self, named: Mapping[str | None, Sequence[Visit]]) -> None:
        """Note what the script defines anywhere, so that nothing is called unknown that is defined later.

        Args:
            named: every command of the script, by its first word.
        """
        for name in named:
            if name is not None and (name in _NOTED or name in self.script or name.startswith((":", "oo:"))):
                for visit in named[name]:
                    self._note(visit.command)

    def _note(self, command: Command) -> None:
        name = (command.name or "").removeprefix("::")
        values = [w.value for w in command.words]
        at = _DEFINERS.get(name)
        if at is not None and len(values) > at and values[at]:
            self.script.add((values[at] or "").rpartition("::")[2])
            if name.startswith("oo::"):
                self.script.update(_OF_OBJECTS)
        elif name.startswith("oo::"):
            self.script.update(_OF_OBJECTS)
        elif name in self.script and len(values) > 2 and values[1] == "create":
            self.script.add((values[2] or "").rpartition("::")[2])
        elif (name == "namespace" and len(values) > 1 and values[1] in ("import", "ensemble")) or name in _FOREIGN:
            self.foreign = True

    def matter(self, text: str, named: Mapping[str | None, Sequence[Visit]]) -> bool:
        """Whether values can lead to findings: the script uses the team's symbols, or puts commands together."""
        if any(variable.name.rpartition("::")[2] in text for variable in self.catalog.variables):
            return True
        forbids = bool(self.catalog.policy.forbidden)
        for name, visits in named.items():
            if name is None:
                if forbids:
                    return True
                continue
            bare = name.rpartition("::")[2]
            if bare in self._tails or (forbids and bare in _CALLS_BY_NAME):
                return True
            if forbids and any(visit.command.words[0].expand for visit in visits):
                return True
        return False

    def in_script(self, name: str) -> bool:
        """Whether the script defines such a command somewhere, in whatever namespace."""
        return name.rpartition("::")[2] in self.script

    def suggestions(self, name: str) -> list[str]:
        """The commands closest to an unknown name: the catalog's first, deprecated ones never.

        A large script calls the same unknown commands again and again, and each search is slow. Where very many differ
        nothing is suggested for the later ones, most of which no report has room for.
        """
        if name not in self._suggestions:
            self._suggestions[name] = self._closest(name) if len(self._suggestions) < MAX_SUGGESTIONS else []
        return self._suggestions[name]

    def _closest(self, name: str) -> list[str]:
        found = self._own.nearest(name)
        if len(name) > 2:
            found += [n for n in self._rest.nearest(name, most=1) if n in ARITY or n not in found]
        return found[:3]

    @cached_property
    def _own(self) -> Names:
        return names_of(tuple(p.name for p in self.catalog.live_procs))

    @cached_property
    def _rest(self) -> Names:
        """Complete once the script's own commands are noted."""
        return names_of((*self.openers, *sorted(self.script), *self.catalog.policy.allowed_builtins))

    def code_words(self, command: Command) -> Mapping[int, Role]:
        """The words of a catalog command that are scripts."""
        name = command.words[0].value
        if name is None or name.rpartition("::")[2] not in self._tails:
            return _NO_CODE
        proc = self.procs.get((command.name or "").removeprefix("::"))
        if proc is None or not any(a.type == "script" for a in proc.args):
            return {}
        options = {a.name: a for a in proc.options}
        positionals = list(proc.positionals)
        out: dict[int, Role] = {}
        i, free, n = 1, 0, len(command.words)
        while i < n:
            value = command.words[i].value or ""
            spec = options.get(value[1:]) if value.startswith("-") else None
            if spec is None and len(value) > 1 and value[0] == "-" and value[1].isalpha():
                found = [a for name, a in options.items() if name.startswith(value[1:])]
                spec = found[0] if len(found) == 1 else None
            if spec is not None:
                if spec.type != "flag":
                    i += 1
                    if spec.type == "script" and i < n:
                        out[i] = "script"
            else:
                if free < len(positionals) and positionals[free].type == "script":
                    out[i] = "script"
                free += 1
            i += 1
        return out
