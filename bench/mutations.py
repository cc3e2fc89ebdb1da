"""How many single slips in real scripts the validator finds, 200 of each kind, and how often it cries wolf.

    python bench/mutations.py [--count 200] [--source OpenROAD] [--seed 1] [--missed KIND]

The scripts are the corpus files of one tool, the catalog is mined from them. A mutant counts as found where it has a
finding of the kind's codes that the unmodified file has not. The second table is Tcl's own compiler on the same
mutants, where there is a tclsh: what no check beyond Tcl's can find.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from _mined_catalog import FORBIDDEN, mine, own_calls
from _tcl_corpus import ABSENT, tcl_files

from localgen.validation.validate import validate_script
from localgen_grammars.tcl import Command, Part, Substitution, Variable, Visit, Word, parse, walk
from localgen_retrieval.catalog import Catalog, Proc
from localgen_retrieval.catalog_io import Domain

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

MAX_SIZE = 60_000
RULE = 'rule "R1" apply_to: CLK spacing: 0.12um'
BROKEN_RULES = (
    RULE.replace('"R1"', '"R1'), RULE.replace("apply_to:", "apply_too:"), RULE.replace("rule", "rul", 1),
    RULE.replace("0.12um", "0.12"), RULE.replace("0.12um", "um"), RULE.replace("CLK ", ""), RULE + " spacing: 1um",
    RULE.replace("spacing:", "spacing"), RULE.replace("CLK", "9CLK"), RULE.replace('"R1"', "R1"), RULE + " !",
)  # fmt: skip
HIDDEN = (
    "@ ls", "::@ ls", "set out [@ ls]", "eval {@ ls}", 'set n {A}; append n {B}; $n ls', "[format %s%s {A} {B}] ls",
    "rename @ run; run ls", "interp alias {} run {} @; run ls", "after 10 {@ ls}",
    "if {[catch {@ ls} out]} {puts $out}",
)  # fmt: skip


@dataclass(frozen=True)
class Mutation:
    """A kind of slip: where it can be made (start, end, new text), the codes that count as finding it."""

    name: str
    places: Callable[[str, Domain, random.Random], list[tuple[int, int, str]]]
    codes: tuple[str, ...]
    wanted: int


def visits_of(text: str) -> list[Visit]:
    """Every command of a script."""
    return list(walk(parse(text)))


def _words(text: str) -> Iterator[Word]:
    for visit in visits_of(text):
        yield from visit.command.words


def _brackets(parts: Sequence[Part]) -> Iterator[Substitution]:
    for part in parts:
        if isinstance(part, Substitution):
            yield part
        elif isinstance(part, Variable) and part.index:
            yield from _brackets(part.index)


def close_braces(text: str, domain: Domain, rnd: random.Random) -> list[tuple[int, int, str]]:
    """Every brace that closes a word."""
    return [(w.inner_end, w.end, "") for w in _words(text) if w.kind == "braced"]


def quotes(text: str, domain: Domain, rnd: random.Random) -> list[tuple[int, int, str]]:
    """Every quote that opens or closes a word."""
    found = [w for w in _words(text) if w.kind == "quoted"]
    return [(at, at + 1, "") for w in found for at in (w.inner_start - 1, w.inner_end)]


def close_brackets(text: str, domain: Domain, rnd: random.Random) -> list[tuple[int, int, str]]:
    """Every bracket that closes a command substitution."""
    return [(s.end - 1, s.end, "") for w in _words(text) for s in _brackets(w.parts)]


def _calls(text: str, catalog: Catalog) -> Iterator[tuple[Command, Proc]]:
    procs = {p.name: p for p in catalog.procs}
    for command in own_calls(text):
        proc = procs.get(command.name or "")
        if proc is not None:
            yield command, proc


def misspelt_options(text: str, domain: Domain, rnd: random.Random) -> list[tuple[int, int, str]]:
    """Every option, with one letter dropped, doubled, swapped or replaced, so that it is no option any more."""
    found = []
    for command, proc in _calls(text, domain.catalog):
        names = [a.name for a in proc.options]
        for word in command.words[1:]:
            name = (word.value or "")[1:]
            if word.kind == "bare" and name in names and len(name) > 2:
                slips = [s for s in _slips(name, rnd) if not any(n.startswith(s) for n in names)]
                if slips:
                    found.append((word.start, word.end, "-" + rnd.choice(slips)))
    return found


def _slips(name: str, rnd: random.Random) -> list[str]:
    at = rnd.randrange(len(name) - 1)
    other = rnd.choice("abcdefghijklmnopqrstuvwxyz")
    before, here, following, after = name[:at], name[at], name[at + 1], name[at + 2 :]
    changed = (following, here + here + following, following + here, other + following)
    return [before + letters + after for letters in changed]


def extra_arguments(text: str, domain: Domain, rnd: random.Random) -> list[tuple[int, int, str]]:
    """Every call that already has all its positionals, with two words more."""
    found = []
    for command, proc in _calls(text, domain.catalog):
        room = len(proc.positionals)
        found.append((command.end, command.end, " extra" * (room + 1)))
    return found


def wrong_enums(text: str, domain: Domain, rnd: random.Random) -> list[tuple[int, int, str]]:
    """Every value of an enum, with a word that is none of its values."""
    found = []
    for command, proc in _calls(text, domain.catalog):
        enums = {f"-{a.name}" for a in proc.options if a.type == "enum"}
        for option, value in zip(command.words[1:], command.words[2:], strict=False):
            if option.value in enums and value.kind == "bare" and value.value is not None:
                found.append((value.start, value.end, value.value + "x"))
    return found


def _statements(text: str) -> list[int]:
    return [visit.command.start for visit in visits_of(text) if visit.depth == 0 and not visit.command.broken]


def broken_blocks(text: str, domain: Domain, rnd: random.Random) -> list[tuple[int, int, str]]:
    """A DSL block with one token wrong before any statement."""
    return [(at, at, f"dsl {{\n    {RULE}\n    {rnd.choice(BROKEN_RULES)}\n}}\n") for at in _statements(text)]


def hidden_commands(text: str, domain: Domain, rnd: random.Random) -> list[tuple[int, int, str]]:
    """A forbidden command, hidden in one of ten ways, before any statement."""
    found = []
    for at in _statements(text):
        name = rnd.choice(FORBIDDEN)
        hidden = rnd.choice(HIDDEN).replace("@", name).replace("{A}", name[:2]).replace("{B}", name[2:])
        found.append((at, at, hidden + "\n"))
    return found


MUTATIONS = (
    Mutation("dropped }", close_braces, ("TCL",), 196),
    Mutation('dropped "', quotes, ("TCL",), 191),
    Mutation("dropped ]", close_brackets, ("TCL",), 189),
    Mutation("misspelt option", misspelt_options, ("CAT002",), 195),
    Mutation("extra arguments", extra_arguments, ("CAT010", "TCL011"), 200),
    Mutation("wrong enum value", wrong_enums, ("CAT013",), 200),
    Mutation("broken DSL token", broken_blocks, ("DSL001",), 200),
    Mutation("hidden forbidden", hidden_commands, ("POL001",), 200),
)


def findings(text: str, domain: Domain) -> Counter[tuple[str, str]]:
    """The findings of a script, by code and message."""
    return Counter((d.code, d.message) for d in validate_script(text, domain).details)


def mutants(
    mutation: Mutation, texts: Sequence[str], domain: Domain, count: int, seed: int
) -> Iterator[tuple[str, str, int]]:
    """(unmodified, mutant, offset), at most one mutant of a file before every file has had one."""
    rnd = random.Random(f"{mutation.name}{seed}")
    made = 0
    for _ in range(20):
        for text in rnd.sample(texts, len(texts)):
            places = mutation.places(text, domain, rnd)
            if places:
                start, end, new = rnd.choice(places)
                yield text, text[:start] + new + text[end:], start
                made += 1
                if made == count:
                    return


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables; the status is 1 where a number is below what is wanted."""
    parser = argparse.ArgumentParser(description="Single slips in real scripts: how many are found.")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--source", default="OpenROAD")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--missed", help="show the mutants of a kind that were not found")
    args = parser.parse_args(argv)
    texts = [f.text for f in tcl_files(args.source) if 0 < len(f.text) < MAX_SIZE]
    if not texts:
        print(ABSENT)
        return 0
    from oracle import TCLSH, RealTcl

    real = RealTcl() if TCLSH is not None else None
    short = False
    with tempfile.TemporaryDirectory() as folder:
        domain = mine(texts, Path(folder))
        sound = [t for t in texts if real is None or real.check(t) is None]
        print(f"{len(sound)} files, {len(domain.catalog.procs)} commands in the mined catalog")
        print(f"{'':<20}{'found':>7}{'of':>6}{'wanted':>8}{'real Tcl':>10}")
        for mutation in MUTATIONS:
            if args.missed and mutation.name != args.missed:
                continue
            found = total = by_tcl = 0
            for before, after, at in mutants(mutation, sound, domain, args.count, args.seed):
                new = findings(after, domain) - findings(before, domain)
                hit = any(code.startswith(mutation.codes) for code, _ in new)
                by_real = real is not None and real.check(after) is not None
                found, total, by_tcl = found + hit, total + 1, by_tcl + by_real
                if args.missed and not hit:
                    line = after.count("\n", 0, at)
                    print(f"-- real Tcl: {by_real}", *after.split("\n")[max(line - 1, 0) : line + 2], sep="\n    ")
            wanted = mutation.wanted * args.count // 200
            short |= found < wanted and total >= args.count
            print(f"{mutation.name:<20}{found:>7}{total:>6}{wanted:>8}{by_tcl if real else '-':>10}")
        stray = sum(d.code == "TCL015" for t in sound for d in validate_script(t, domain).details)
        rejected = sum(not validate_script(t, domain).valid_syntax for t in sound)
        print(f"in the unmodified files: {stray} stray quotes, {rejected} rejected for their syntax")
    return int(short)


if __name__ == "__main__":
    raise SystemExit(main())
