"""Which candidate is best: agreement, the model's own odds, what of the instruction is used, fit of the procs."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from localgen.decoder.candidate import Candidate
from localgen.decoder.names import enumerated
from localgen.scripts import called_procs
from localgen_grammars.constraint.grounding import is_stop_word, words_of
from localgen_retrieval.retrieve import Ranking

# First guesses but for the coverage (bench/ranking.py); each factor is in natural-log units.
AGREEMENT, COVERAGE, FIT, TRUNCATED, REPEATED = 0.3, 2.0, 0.1, 3.0, 1.0
# A script without any call is seldom meant, and hardly ever where one is planned.
NO_CALL, NO_CALL_BUT_WANTED = 0.5, 5.0
# The task's plan written out as it is, where the model is the shipped one, whose votes follow the plan anyway.
DRAFTED = 1.5
# One name in two places of a statement.
TWICE = 0.7
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w]*\d)")


@dataclass(frozen=True)
class Ranked:
    """A distinct text among the candidates.

    Attributes:
        share: of the candidates that wrote it.
        coverage: share of the instruction's names and numbers that it uses.
        fit: mean score of the procs that it calls.
        score: what it is ranked by.
        completed: what was added to a call that the budget cut off. cut: what was left out there.
        lost: statements that were given up since they broke a rule.
        greedy: whether the candidate that takes the likeliest token always wrote it.
    """

    text: str
    share: float
    log_prob: float
    coverage: float
    score: float
    truncated: bool
    tokens: int
    unused: tuple[str, ...] = field(default=())
    fit: float = 0.0
    greedy: bool = False
    completed: str = ""
    cut: str = ""
    lost: tuple[str, ...] = ()


def rank(
    candidates: Sequence[Candidate],
    instruction: str,
    ranking: Ranking,
    procs: Sequence[str],
    *,
    call_wanted: bool = False,
) -> list[Ranked]:
    """Distinct texts, best first.

    Args:
        procs: names that count as calls. call_wanted: the task is known to need one.
    """
    groups: dict[str, list[Candidate]] = {}
    for c in candidates:
        groups.setdefault(c.text, []).append(c)
    literals = instruction_literals(instruction)
    fit = {s.name: float(v) for s, v in zip(ranking.symbols, ranking.scores, strict=True) if s.kind == "proc"}
    out = []
    for text, group in groups.items():
        share = len(group) / len(candidates)
        best = max(group, key=lambda c: c.score)
        unused = tuple(w for w in literals if not _uses(text, w))
        coverage = 1 - len(unused) / len(literals) if literals else 1.0
        calls = called_procs(text, procs)
        fits = sum(fit.get(p, 0.0) for p in calls) / len(calls) if calls else 0.0
        truncated = all(c.truncated for c in group)
        score = best.score + AGREEMENT * math.log(share) + COVERAGE * coverage + FIT * fits - TRUNCATED * truncated
        lines = [line for line in text.splitlines() if len(line.strip()) > 2]
        score += DRAFTED * any(c.drafted for c in group)
        score -= REPEATED * (len(lines) - len(set(lines)))
        score -= TWICE * sum(_names_twice(line, literals) for line in lines)
        if not calls:
            score -= NO_CALL_BUT_WANTED if call_wanted else NO_CALL
        if not text.strip():
            score -= 10
        greedy = any(c.temperature <= 0 for c in group)
        out.append(Ranked(text, share, best.score, coverage, score, truncated, best.tokens, unused, fits, greedy,
                          best.completed, " ".join(best.cut.split())[:120], tuple(best.lost)))  # fmt: skip
    return sorted(out, key=lambda r: -r.score)


def _names_twice(line: str, literals: Sequence[str]) -> int:
    """How many names of the instruction a statement holds more than once."""
    words = re.split(r"[\s{}\[\]\"]+", line)
    return sum(words.count(w) > 1 for w in literals if not re.fullmatch(r"[-\d.]+", w))


def instruction_literals(instruction: str) -> list[str]:
    """Names and numbers of an instruction that a right script most likely holds: quoted phrases, digits, odd words."""
    found: dict[str, None] = {}
    words = words_of(instruction)
    listed = enumerated(instruction, words)
    for w in words.names:
        looks = bool(re.search(r"[_/\d*\[\]]|[a-z][A-Z]|\w\.\w|\w:\w", w)) or (w.isupper() and len(w) > 1)
        looks = looks or w in words.quoted or (w in listed and not w.islower())
        if looks and not is_stop_word(w) and "," not in w and "=" not in w:
            m = re.fullmatch(r"(-?\d+(?:\.\d+)?)[A-Za-z%°µ/]*", w)
            found[m.group(1) if m else w] = None
    return list(found)


def _uses(text: str, literal: str) -> bool:
    """Whether a script holds a literal; a number may have lost its trailing zeros."""
    if re.fullmatch(r"-?\d+(?:\.\d+)?", literal):
        value = float(literal)
        return any(float(n) == abs(value) for n in _NUMBER.findall(text)) or literal in text
    return literal in text
