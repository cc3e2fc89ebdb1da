"""One call of a catalog's proc against its signature.

Which word is an option, a value or a positional is decided as the teams' tools do: options first, each `-name value`
or a flag; a word that begins with `-` and a letter is an option wherever no value is due.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from localgen.validation.nearest import did_you_mean
from localgen.validation.repairs import Repair, Swap, insertion, moved, removal, spelling
from localgen.validation.tcl.flow.calls import Arg, Call
from localgen.validation.tcl.flow.values import Unknown
from localgen.validation.values import Problem, check_value, shown
from localgen_grammars.quoting import quote_word
from localgen_retrieval import catalog

_OPTION = re.compile(r"-[A-Za-z]")


@dataclass(frozen=True)
class Located:
    """A problem and its place in the script; `doubtful` where values that are not known might make it right."""

    problem: Problem
    start: int
    end: int
    doubtful: bool = False
    repairs: tuple[Repair, ...] = ()


@dataclass
class Matched:
    """Which argument of the signature each word is.

    `given` has the option words by name; `values` pairs an argument with its word; `uncertain` where words that are
    not known may be options, so that nothing can be said to be missing.
    """

    given: dict[str, Arg] = field(default_factory=dict)
    values: list[tuple[catalog.Arg, Arg]] = field(default_factory=list)
    problems: list[Located] = field(default_factory=list)
    shortened: list[tuple[Arg, str]] = field(default_factory=list)
    uncertain: bool = False


def match(proc: catalog.Proc, call: Call) -> Matched:
    """Assign the words of a call to the arguments of its proc."""
    return _Matcher(proc, call).run()


class _Matcher:
    def __init__(self, proc: catalog.Proc, call: Call) -> None:
        self.proc = proc
        self.call = call
        self.options = {a.name: a for a in proc.options}
        self.free: list[Arg] = []
        self.certain = 0  # how many of them surely are positionals
        self.stray = False  # the last word was an unknown option, so the next may be its value
        self.out = Matched(uncertain=call.partial)

    def run(self) -> Matched:
        args, i = self.call.args, 0
        while i < len(args):
            arg = args[i]
            i += 1
            if self.stray:
                self.stray = False
                if arg.text is None or not _OPTION.match(arg.text):
                    continue
            option = self._option(arg)
            if option is None:
                continue
            name, spec = option
            last = args[i] if spec.type != "flag" and i < len(args) else arg
            if self.certain:
                message, hint = f"option -{name} after a positional argument", "write the options first"
                self._problem(arg, "CAT009", message, hint, repairs=self._moved(i - 1, last))
            if name in self.out.given:
                self._problem(arg, "CAT006", f"-{name} is given twice", repairs=self._removed(name, i - 1, last))
            self.out.given[name] = arg
            if spec.type == "flag":
                continue
            if i >= len(args) or self._value_is_missing(args, i, spec):
                if not (i >= len(args) and self.call.partial):
                    self._problem(arg, "CAT011", f"-{name} has no value", _usage(spec))
                continue
            self.out.values.append((spec, args[i]))
            if args[i].many:
                self.out.uncertain = True
            i += 1
        self._positionals()
        return self.out

    def _option(self, arg: Arg) -> tuple[str, catalog.Arg] | None:
        """The option that a word names; a word that names none is kept as a positional or reported."""
        if arg.many:
            self.out.uncertain = True
            return None
        if isinstance(arg.value, Unknown):
            begins = arg.value.prefix
            room = len(self.free) < len(self.proc.positionals)
            if _OPTION.match(begins) and not any(name.startswith(begins[1:]) for name in self.options):
                self._unknown(arg, f"{begins}…")
            elif _OPTION.match(begins) or begins == "-" or (not begins and not room and self.options):
                message = "a computed word stands where an option is due"
                self._problem(arg, "CAT010", message, "write the option out", doubtful=True)
                self.out.uncertain = True
            else:
                self._free(arg)
            return None
        if len(arg.value) > 1:
            if any(_OPTION.match(text) for text in arg.value):
                self.out.uncertain = True
            else:
                self._free(arg)
            return None
        text = arg.value[0]
        if text.startswith("-") and text[1:] in self.options:
            return text[1:], self.options[text[1:]]
        if not _OPTION.match(text):
            self._free(arg)
            return None
        return self._shortened(arg, text)

    def _free(self, arg: Arg) -> None:
        self.free.append(arg)
        self.certain += not self.out.uncertain

    def _shortened(self, arg: Arg, text: str) -> tuple[str, catalog.Arg] | None:
        found = [name for name in self.options if name.startswith(text[1:])]
        if len(found) == 1:
            self.out.shortened.append((arg, found[0]))
            return found[0], self.options[found[0]]
        if found:
            names = " or ".join(f"-{name}" for name in found)
            swaps = tuple(Swap(text, f"-{name}") for name in found)
            self._problem(arg, "CAT003", f"{text} is ambiguous", f"it may mean {names}", swaps=swaps)
            self.out.uncertain = True
            return None
        self._unknown(arg, text)
        return None

    def _unknown(self, arg: Arg, text: str) -> None:
        known = list(self.options)
        hint = did_you_mean(text[1:], known, prefix="-")
        meant = hint.removeprefix("did you mean -").rstrip("?")
        if not hint:
            hint = f"it has {', '.join('-' + n for n in known)}" if known else "it has no options"
        self._problem(arg, "CAT002", f"no option {text}", hint, swaps=spelling(text[1:], known, prefix="-"))
        # What is missing may be what it was meant to be, the next word its value: one finding is enough.
        self.out.uncertain = True
        self.stray = not (meant in self.options and self.options[meant].type == "flag")

    def _value_is_missing(self, args: Sequence[Arg], i: int, spec: catalog.Arg) -> bool:
        """Whether the word where a value is due is the next option (`-net -layer M3`, `-layer -shield`)."""
        text = args[i].text
        if text is None or not text.startswith("-") or text[1:] not in self.options:
            return False
        if self.options[text[1:]].type == "flag":
            # A text may look like a flag, a number or a choice does not.
            return spec.type in ("enum", "int", "float", "bool") and text not in spec.values
        following = args[i + 1].text if i + 1 < len(args) else "-"
        return following is not None and not _OPTION.match(following) and following != "-"

    def _positionals(self) -> None:
        specs = self.proc.positionals
        for spec, arg in zip(specs, self.free, strict=False):
            self.out.values.append((spec, arg))
            self.out.given[spec.name] = arg
        takes = f"it takes {len(specs)} positional argument{'' if len(specs) == 1 else 's'}"
        if not specs:
            takes = "its arguments are written -name value" if self.options else "it takes no arguments"
        for arg in self.free[len(specs) : self.certain]:
            what = f" {shown(arg.text)}" if arg.text is not None else ""
            text = _source(self.call)
            repairs = (removal(text, arg.start, arg.end),) if text is not None else ()
            self._problem(arg, "CAT010", f"unexpected argument{what}", takes, repairs=repairs)

    def _problem(
        self,
        arg: Arg,
        code: str,
        message: str,
        hint: str = "",
        *,
        doubtful: bool = False,
        swaps: tuple[Swap, ...] = (),
        repairs: tuple[Repair, ...] = (),
    ) -> None:
        problem = Problem(code, f"{self.proc.name}: {message}", hint, swaps)
        self.out.problems.append(Located(problem, arg.start, arg.end, doubtful, repairs))

    def _moved(self, at: int, last: Arg) -> tuple[Repair, ...]:
        """The option at `at`, with its value, before the first positional."""
        text = _source(self.call)
        first = self.free[0]
        if text is None or first.word is None:
            return ()
        return (moved(text, self.call.args[at - 1].end, last.end, first.start),)

    def _removed(self, name: str, at: int, last: Arg) -> tuple[Repair, ...]:
        """Take the second of two options out; safe where both say the same."""
        text = _source(self.call)
        if text is None:
            return ()
        earlier = next((value for spec, value in self.out.values if spec.name == name), None)
        same = last is self.call.args[at] or (earlier is not None and earlier.text == last.text is not None)
        return (removal(text, self.call.args[at - 1].end, last.end, safe=same),)


def check_call(proc: catalog.Proc, call: Call, found: Matched) -> Iterator[Located]:
    """The problems of a call whose words are matched: what is missing, excluded, needed, and each value."""
    yield from found.problems
    at = (call.name_start, call.name_end)
    if not found.uncertain:
        for arg in proc.args:
            if arg.required and arg.name not in found.given:
                problem = Problem("CAT005", f"{proc.name}: {_label(arg)} is missing", _usage(arg))
                yield Located(problem, *at, repairs=_filled(arg, call))
    for group in proc.exclusive:
        given = [name for name in group if name in found.given]
        if len(given) > 1:
            names = " and ".join(_label_of(proc, name) for name in given)
            second = found.given[given[1]]
            problem = Problem("CAT007", f"{proc.name}: {names} exclude each other")
            yield Located(problem, second.start, second.end)
    if not found.uncertain:
        for name, needs in proc.requires.items():
            for need in needs:
                if name in found.given and need not in found.given:
                    word = found.given[name]
                    message = f"{proc.name}: {_label_of(proc, name)} needs {_label_of(proc, need)}"
                    yield Located(Problem("CAT008", message), word.start, word.end)
    for spec, word in found.values:
        for problem in value_problems(spec, word):
            message = f"{proc.name}: {_label(spec)}: {problem.message}"
            yield Located(Problem(problem.code, message, problem.hint, problem.swaps), word.start, word.end)


def value_problems(spec: catalog.Value, arg: Arg) -> Iterator[Problem]:
    """What is wrong with a word as a value, as far as it is known."""
    if arg.many:
        return
    if not isinstance(arg.value, Unknown):
        for text in arg.value:
            yield from check_value(spec, text)
        return
    returns = arg.value.returns
    if returns is None or spec.list_ or spec.type != "enum" or returns.type not in ("int", "float"):
        return
    if not any(v.lstrip("-").replace(".", "", 1).isdigit() for v in spec.values):
        yield Problem("CAT012", f"the result of a command of type {returns.type} is none of its values")


def _source(call: Call) -> str | None:
    """The text in which a call stands, None where it is not in the file as it is."""
    return call.ctx.tree.text if call.ctx.span is None else None


def _filled(arg: catalog.Arg, call: Call) -> tuple[Repair, ...]:
    """A missing option with each value that it may have, where they are few."""
    if arg.positional or arg.type != "enum" or len(arg.values) > 4 or _source(call) is None:
        return ()
    options = [f"-{arg.name} {quote_word(value)}" for value in arg.values]
    return tuple(insertion(call.name_end, f" {option}", f"add {option}") for option in options)


def _label(arg: catalog.Arg) -> str:
    return arg.name if arg.positional else f"-{arg.name}"


def _label_of(proc: catalog.Proc, name: str) -> str:
    return next((_label(a) for a in proc.args if a.name == name), name)


def _usage(arg: catalog.Arg) -> str:
    """How an argument is written."""
    if arg.type == "enum":
        value = "|".join(arg.values[:8]) + ("|…" if len(arg.values) > 8 else "")
    else:
        value = f"<{arg.kind or arg.type}>"
    return f"write {value}" if arg.positional else f"write -{arg.name} {value}"
