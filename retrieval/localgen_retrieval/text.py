"""Words of names and sentences, and the clauses of an instruction. Pure text: knows nothing of catalogs."""

from __future__ import annotations

import re
from collections.abc import Sequence

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_RUN = re.compile(r"\d+(?:\.\d+)+[^\W_]*|[^\W_]+(?:'s\b)?")
_LETTERS = re.compile(r"[^\W\d_]{2,}")
# A comma, a semicolon, a line's end or a sentence's end; or a joining word. Not the comma inside `1,500`. A word that
# says how the clause behind it is meant stays with that.
_JOINING = r"and\s+then|and\s+also|and|then|afterwards|after\s+that|finally|but"
_MEANT = (
    r"(?:or\s+)?(?:otherwise|else)\b|(?:only\s+)?if\b|unless\b|when(?:ever)?\b|while\b|as\s+soon\s+as\b|"
    r"once\s+(?!an?\b|per\b|every\b|more\b|again\b)|before\s+(?:that|you|we|it|they|\w+ing)\b"
)
_CLAUSE_END = re.compile(
    rf"\s*(?:[;\n]|,(?=\s)|[.!?:](?=\s|$)|\b(?:{_JOINING})\b)\s*|(?<!\bat)(?<!\bonly)\s+(?={_MEANT})", re.IGNORECASE
)
# Three or more names in a row: "A, B and C", "net_1, net_2 and VDD".
_NAME = r"(?<![\w.])(?:[A-Z]|[A-Z]{2}\w*|(?=\w*[\d_])\w[\w./\[\]-]*)(?![\w.])"
_NAMES = re.compile(rf"{_NAME}(?:\s*,\s*{_NAME})+\s*,?\s+and\s+{_NAME}")
_QUOTED = re.compile(r'"[^"\n]*"|(?<!\w)\'[^\'\n]*\'(?!\w)|`[^`\n]*`')
_STOP = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "to",
        "in",
        "on",
        "at",
        "by",
        "for",
        "from",
        "with",
        "and",
        "or",
        "is",
        "are",
        "be",
        "it",
        "its",
        "this",
        "that",
        "these",
        "those",
        "as",
        "so",
        "i",
        "we",
        "you",
        "me",
        "us",
        "my",
        "our",
        "your",
        "please",
        "can",
        "could",
        "would",
        "should",
        "will",
        "do",
        "does",
    ]
)


def name_words(name: str) -> str:
    """A name as words: `my::routeNet_fast2` is "my route Net fast2"."""
    return " ".join(w for run in _RUN.findall(name) for w in _CAMEL.split(run) if w)


def words(text: str) -> list[str]:
    """Lower-cased, stemmed words for BM25; names are split at `::`, `_`, `.`, `-`, at camelCase and before digits.

    A word with digits gives itself and its letters (`plane45` gives "plane45" and "plane"), so that both an exact
    name and its kind match.
    """
    out: list[str] = []
    for run in _RUN.findall(text):
        for part in _CAMEL.split(run.removesuffix("'s")):
            low = part.lower()
            if low.isalpha() or not low.isascii():
                if low not in _STOP:
                    out.append(stem(low))
            else:
                out.append(low)
                out.extend(stem(letters) for letters in _LETTERS.findall(low))
    return out


def stem(word: str) -> str:
    """A lower-cased word without English endings, so that route, routes, routed and routing are one.

    A much shortened form of Porter's steps 1a, 1b and 5a (An algorithm for suffix stripping, 1980).
    """
    if len(word) <= 3:
        return word
    if word.endswith("ies"):
        word = word[:-3] + "y"
    elif word.endswith(("sses", "shes", "ches", "xes", "zes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        base = word.removesuffix(ending)
        if base != word and len(base) >= 3 and re.search(r"[aeiouy]", base):
            double = len(base) > 3 and base[-1] == base[-2] and base[-1] not in "lsz"
            word = base[:-1] if double else base
            break
    if word.endswith("e") and len(word) > 3:
        word = word[:-1]
    return word[:-1] + "i" if word.endswith("y") and len(word) > 3 else word


def _is_entry(piece: Sequence[str]) -> bool:
    """Whether two words are an entry of a table in a sentence: a name and a number ("welders 1.6")."""
    return len(piece) == 2 and piece[0][:1].isalpha() and re.match(r"[-+]?\d", piece[1]) is not None


def split_clauses(instruction: str, *, min_words: int = 2, max_clauses: int = 24) -> list[str]:
    """The clauses of an instruction, in order; quoted text and a row of names are never cut.

    A piece of fewer than `min_words` words stays with its neighbour (with the one behind it after a colon, "Rule R1:"),
    but for a name with its number.
    Returns one clause, the whole text, where there is nothing to split.
    """
    unquoted = _QUOTED.sub(lambda m: "x" * len(m.group()), instruction)
    unquoted = _NAMES.sub(lambda m: "x" * len(m.group()), unquoted)
    ends = [m.span() for m in _CLAUSE_END.finditer(unquoted)]
    starts = [0, *(b for _, b in ends)]
    stops = [*(a for a, _ in ends), len(instruction)]
    spans: list[tuple[int, int]] = []
    short = False  # whether nothing in the last span may stand alone
    for start, stop in zip(starts, stops, strict=True):
        piece = instruction[start:stop].split()
        alone = len(piece) >= min_words or _is_entry(piece)
        heads = not alone and instruction[stop : stop + 1] == ":" and not short
        if spans and (short or not alone) and not heads:
            spans[-1] = (spans[-1][0], stop)
            short = short and not alone
        else:
            spans.append((start, stop))
            short = not alone
    clauses = [c for a, b in spans if (c := instruction[a:b].strip(" \t\r\n,;:."))]
    if len(clauses) > max_clauses:
        size = -(-len(clauses) // max_clauses)
        clauses = ["; ".join(clauses[i : i + size]) for i in range(0, len(clauses), size)]
    return clauses or [instruction.strip()]
