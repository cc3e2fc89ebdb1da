"""Regular expressions of catalogs and DSL terminals, rewritten for the constraint, grounded piece by piece.

What a pattern fixes (literal characters, small alternatives, digits) stays; a run of open character classes
(`[A-Za-z_][A-Za-z0-9_]*`) becomes the words of the instruction that match it, and a number the instruction's numbers.
`left:\\d+-\\d+` keeps its letters; `[A-Z]+\\d+` takes `SR7` if the instruction has it. Python's own parser reads the
pattern.

No group captures: llguidance 1.9 panics on two equal literals that differ in their groups (`abcd|(ab)cd`).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from re import _constants as sre
from re import _parser
from typing import Any

from .grounding import Words, digits_of
from .quantities import number_texts
from .units import canonical_unit

MAX_REPEAT = 6  # how often an open-ended group is repeated at most in what is generated
MAX_DIGITS = 7
MAX_TIMES = 8  # times of day that are put together to spans
_TIME, _JOINTS = r"[0-2]\d:[0-5]\d", ("-", "..", "/", "~", "->", "…")
_SPAN = re.compile(rf"{_TIME}\D+{_TIME}")
_NUMERIC = frozenset("0123456789+-.")
_CATEGORIES = {
    sre.CATEGORY_DIGIT: "0-9",
    sre.CATEGORY_WORD: "A-Za-z0-9_",
    sre.CATEGORY_SPACE: r" \t",
}
_NOT_CATEGORIES = {sre.CATEGORY_NOT_DIGIT: "0-9", sre.CATEGORY_NOT_SPACE: r"\s", sre.CATEGORY_NOT_WORD: "A-Za-z0-9_"}
_SPECIAL = set(r"\.+*?()|[]{}^$/#&-~") | {'"'}


class Unsupported(Exception):
    """A construct that no constraint engine can express; the text names it."""


@dataclass(frozen=True)
class Grounder:
    """What open runs of a pattern may be filled with; `None` words leave them open."""

    words: Words | None
    banned: frozenset[str] = frozenset()
    forbidden_characters: str = ""

    def matching(self, regex: str, flags: int) -> list[str]:
        """Words that a run's regex matches whole; upper and lower case are tried for one that does not fit as it is."""
        assert self.words is not None
        compiled = re.compile(regex, flags)
        found: dict[str, None] = {}
        quote = regex[:1] if regex[:1] in "\"'" and regex.endswith(regex[:1]) else ""  # what is quoted in the language
        spaced = compiled.fullmatch("a b") or (quote and compiled.fullmatch(f"{quote}a b{quote}"))
        for w in (*self.words.all(), *(self.words.spans if spaced else ())):
            for form in (w, w.upper(), w.lower(), f"{quote}{w}{quote}") if quote else (w, w.upper(), w.lower()):
                if compiled.fullmatch(form):
                    if form not in self.banned and not any(c in self.forbidden_characters for c in form):
                        found[form] = None
                    break
        return list(found)


def escape(text: str) -> str:
    """A literal inside a regex between slashes."""
    named = {"\n": r"\n", "\t": r"\t", "\r": r"\r"}
    return "".join(named.get(c) or ("\\" + c if c in _SPECIAL else c) for c in text)


def alternatives(texts: Iterable[str]) -> str:
    """A group that matches one of these literals."""
    return "(?:" + "|".join(escape(t) for t in texts) + ")"


def rewrite(pattern: str, flags: int, grounder: Grounder) -> str | None:
    """A regex (Rust syntax) for a subset of what `pattern` matches whole; None if nothing can be written.

    Raises:
        Unsupported: look-around, back-references, boundaries and the like.
    """
    tree = _parser.parse(pattern, flags)
    items = list(tree)
    while len(items) > 1 and _looks_ahead(items[-1]):  # left to the parser that judges the statement once it is whole
        items.pop()
    writer = _Writer(grounder, flags | tree.state.flags)
    regex = writer.sequence(items)
    if grounder.words is not None:
        whole = [w for w in grounder.matching(pattern, flags) if w] or _spans(pattern, flags, grounder)
        if whole and (re.fullmatch(pattern, "12:34", flags) or _SPAN.fullmatch(whole[0])):
            regex = alternatives(whole)  # a time that is said is not put together from other numbers
        elif whole:
            regex = alternatives(whole) if regex is None else f"(?:{alternatives(whole)}|{regex})"
    if regex is not None and flags & re.IGNORECASE:
        regex = f"(?i:{regex})"
    return regex


def _looks_ahead(item: Any) -> bool:
    op, av = item
    return (op is sre.AT and av is sre.AT_BOUNDARY) or (op is sre.ASSERT_NOT and av[0] > 0)


def _spans(pattern: str, flags: int, grounder: Grounder) -> list[str]:
    """Two times of day that are said, as the pattern joins them (`09:30-12:00`)."""
    joint = next((j for j in _JOINTS if re.fullmatch(pattern, f"10:10{j}12:12", flags)), None)
    times = grounder.matching(_TIME, 0) if joint is not None else []
    return [f"{a}{joint}{b}" for a, b in itertools.permutations(times[:MAX_TIMES], 2)]


def characters(pattern: str) -> set[str] | None:
    """The characters that matches of a pattern can hold; None where that is not a small known set."""
    found: set[str] = set()

    def walk(items: Iterable[Any]) -> bool:
        for op, av in items:
            if op is sre.LITERAL:
                found.add(chr(av))
            elif op is sre.IN:
                text = _class_text(av)
                if text.startswith("^"):
                    return False
                found.update(c for c in map(chr, range(32, 127)) if re.fullmatch(f"[{text}]", c))
            elif op is sre.BRANCH:
                if not all(walk(b) for b in av[1]):
                    return False
            elif op is sre.SUBPATTERN:
                if not walk(av[3]):
                    return False
            elif op in (sre.MAX_REPEAT, sre.MIN_REPEAT):
                if not walk(av[2]):
                    return False
            elif op is not sre.AT:
                return False
        return True

    return found if walk(_parser.parse(pattern)) else None


class _Writer:
    """Writes one parsed pattern."""

    def __init__(self, grounder: Grounder, flags: int) -> None:
        self.grounder = grounder
        self.flags = flags

    def sequence(self, items: list[Any]) -> str | None:
        out: list[str] = []
        i = 0
        while i < len(items):
            j = _number_run(items, i)
            if j > i and not (j < len(items) and _is_open(items[j])):
                number = self._number(items[i:j], items[j:])
                if number is None:
                    return None
                out.append(number)
                i = j
                continue
            j = i
            while j < len(items) and _is_open(items[j]):
                j += 1
            if j > i:
                text = self._run(items[i:j])
                i = j
            else:
                text = self.node(items[i])
                i += 1
            if text is None:
                return None
            out.append(text)
        return "".join(out)

    def _plain(self, run: list[Any]) -> str:
        """A run as it stands in the pattern, nothing grounded."""
        writer = _Writer(Grounder(None), self.flags)
        return "".join(writer.node(item) or "" for item in run)

    def _number(self, run: list[Any], rest: list[Any]) -> str | None:
        """Digits: the instruction's numbers, in the unit that follows (`um`), or else the digits of its names."""
        plain = self._plain(run)
        words = self.grounder.words
        if words is None:
            return plain
        after = "".join(chr(av) for op, av in itertools.takewhile(lambda x: x[0] is sre.LITERAL, rest))
        texts = number_texts(words.quantities, canonical_unit(after), integer=False, low=None, high=None)
        fitting = [t for t in texts if re.fullmatch(plain, t)]
        fitting = fitting or [t for t in digits_of(words) if re.fullmatch(plain, t)]
        optional = "?" if re.fullmatch(plain, "") else ""
        return alternatives(fitting) + optional if fitting else "" if optional else None

    def _run(self, run: list[Any]) -> str | None:
        """A run of open classes, taken from the words."""
        plain = self._plain(run)
        if self.grounder.words is None:
            return plain
        found = self.grounder.matching(plain, self.flags & re.IGNORECASE)
        optional = re.compile(plain).fullmatch("") is not None
        if not found:
            return "" if optional else None
        found = [f for f in found if f]
        return alternatives(found) + ("?" if optional else "")

    def node(self, item: Any) -> str | None:
        op, av = item
        if op is sre.LITERAL:
            return escape(chr(av))
        if op is sre.NOT_LITERAL:
            return f"[^{_class_char(av)}\\n]"
        if op is sre.ANY:
            return r"[^\n]"
        if op is sre.IN:
            return f"[{_class_text(av)}]"
        if op is sre.BRANCH:
            options = [o for o in (self.sequence(list(b)) for b in av[1]) if o is not None]
            return "(?:" + "|".join(options) + ")" if options else None
        if op is sre.SUBPATTERN:
            inner = self.sequence(list(av[3]))
            return None if inner is None else f"(?:{inner})"
        if op in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            return self._repeat(av)
        if op is sre.AT and av in (sre.AT_BEGINNING, sre.AT_BEGINNING_STRING, sre.AT_END, sre.AT_END_STRING):
            return ""
        raise Unsupported(_NAMES.get(op, str(op).lower()))

    def _repeat(self, av: tuple[int, Any, Any]) -> str | None:
        low, high, body = av
        inner = self.sequence(list(body)) if not _all_open(body) else "".join(self.node(x) or "" for x in body)
        if inner is None:
            return "" if low == 0 else None
        if high is sre.MAXREPEAT:
            high = max(low, MAX_DIGITS if all(_is_numeric(x) for x in body) else 64 if _all_open(body) else MAX_REPEAT)
        suffix = "?" if (low, high) == (0, 1) else f"{{{low},{high}}}" if low != high else f"{{{low}}}"
        return f"(?:{inner}){suffix}"


_NAMES = {
    sre.ASSERT: "a look-ahead or look-behind",
    sre.ASSERT_NOT: "a negative look-around",
    sre.GROUPREF: "a back-reference",
    sre.GROUPREF_EXISTS: "a conditional group",
    sre.AT: "a word boundary or anchor",
}


def _is_open(item: Any) -> bool:
    """Whether an item is a character class or a repetition of one (a single small class is as good as an enum)."""
    op, av = item
    if op in (sre.ANY, sre.NOT_LITERAL):
        return True
    if op is sre.IN:
        return _class_size(av) > 8
    if op in (sre.MAX_REPEAT, sre.MIN_REPEAT):
        return _all_open(av[2], repeated=True)
    if op is sre.SUBPATTERN:
        return len(av[3]) > 0 and _all_open(av[3])
    return False


def _all_open(items: Sequence[Any], repeated: bool = False) -> bool:
    return len(items) > 0 and all(_is_open(x) or (repeated and x[0] is sre.IN) for x in items)


def _is_numeric(item: Any) -> bool:
    op, av = item
    if op is sre.IN:
        text = _class_text(av)
        return not text.startswith("^") and all(
            c in _NUMERIC for c in map(chr, range(32, 127)) if re.fullmatch(f"[{text}]", c)
        )
    if op in (sre.MAX_REPEAT, sre.MIN_REPEAT):
        return all(_is_numeric(x) for x in av[2])
    if op is sre.SUBPATTERN:
        return all(_is_numeric(x) for x in av[3])
    return False


def _number_run(items: list[Any], i: int) -> int:
    """Index after the number that starts at item i (sign, digits, fraction); i itself where none does."""
    k = i
    if k < len(items) and _is_sign(items[k]):
        k += 1
    if k >= len(items) or not (_is_open(items[k]) and _is_numeric(items[k])):
        return i
    k += 1
    while k < len(items):
        op, av = items[k]
        if _is_numeric(items[k]) or (op in (sre.MAX_REPEAT, sre.MIN_REPEAT) and all(_is_fraction(x) for x in av[2])):
            k += 1
        elif op is sre.LITERAL and chr(av) == "." and k + 1 < len(items) and _is_numeric(items[k + 1]):
            k += 2
        else:
            break
    return k


def _is_sign(item: Any) -> bool:
    op, av = item
    if op not in (sre.MAX_REPEAT, sre.MIN_REPEAT) or av[:2] != (0, 1) or len(av[2]) != 1:
        return False
    inner, value = av[2][0]
    return (inner is sre.LITERAL and chr(value) in "+-") or (inner is sre.IN and set(_class_text(value)) <= set("+-\\"))


def _is_fraction(item: Any) -> bool:
    """Whether an item is a group of digits, points, signs and exponents."""
    op, av = item
    if op is sre.LITERAL:
        return chr(av) in ".eE+-"
    if op is sre.SUBPATTERN:
        return all(_is_fraction(x) for x in av[3])
    if op in (sre.MAX_REPEAT, sre.MIN_REPEAT):
        return all(_is_fraction(x) for x in av[2])
    return _is_numeric(item)


def _class_size(av: list[Any]) -> int:
    text = _class_text(av)
    return sum(1 for c in map(chr, range(32, 127)) if re.fullmatch(f"[{text}]", c))


def _class_char(code: int) -> str:
    c = chr(code)
    if c in r"\]^-[&~/":
        return "\\" + c
    return {"\n": r"\n", "\t": r"\t", "\r": r"\r"}.get(c, c)


_TESTS = {
    sre.CATEGORY_DIGIT: r"[0-9]", sre.CATEGORY_NOT_DIGIT: r"[^0-9]", sre.CATEGORY_WORD: r"[A-Za-z0-9_]",
    sre.CATEGORY_NOT_WORD: r"[^A-Za-z0-9_]", sre.CATEGORY_SPACE: r"\s", sre.CATEGORY_NOT_SPACE: r"\S",
}  # fmt: skip


def _spelled_out(av: list[Any]) -> str:
    """A class that mixes in negated categories (`[^\\W\\d]`), as the list of its printable ASCII characters."""

    def within(op: Any, arg: Any, c: str) -> bool:
        if op is sre.LITERAL:
            return bool(ord(c) == arg)
        if op is sre.RANGE:
            return bool(arg[0] <= ord(c) <= arg[1])
        return bool(op is sre.CATEGORY and arg in _TESTS and re.fullmatch(_TESTS[arg], c))

    negated = bool(av) and av[0][0] is sre.NEGATE
    found = [c for c in map(chr, range(32, 127)) if any(within(op, arg, c) for op, arg in av) != negated]
    if not found:
        raise Unsupported("an empty character class")
    return "".join(_class_char(ord(c)) for c in found)


def _class_text(av: list[Any]) -> str:
    """The inside of a bracketed class, valid in Python's and Rust's syntax; newlines never match a negated one."""
    negated = bool(av) and av[0][0] is sre.NEGATE
    parts: list[str] = []
    for op, arg in av:
        if op is sre.NEGATE:
            continue
        if op is sre.LITERAL:
            parts.append(_class_char(arg))
        elif op is sre.RANGE:
            parts.append(f"{_class_char(arg[0])}-{_class_char(arg[1])}")
        elif op is sre.CATEGORY and arg in _CATEGORIES:
            parts.append(_CATEGORIES[arg])
        elif op is sre.CATEGORY and arg in _NOT_CATEGORIES and len(av) == 1:
            return f"^{_NOT_CATEGORIES[arg]}\\n"
        else:
            return _spelled_out(av)
    return ("^" if negated else "") + "".join(parts) + (r"\n" if negated and r"\n" not in parts else "")
