"""Votes at branches: what retrieval and the instruction say about a choice that the model is about to make.

A branch is a set of token paths: `place::row` and `place::region` part after several tokens. At every token the vote of
all branches that the token still leads to is added up, so that it reaches the branch however the tokenizer cuts the
text. A vote only arbitrates among the branches it knows: the model's own odds of doing something else stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from localgen_retrieval.catalog import Catalog
from localgen_retrieval.retrieve import Ranking
from localgen_retrieval.text import name_words
from localgen_retrieval.text import words as stems

from .tail_scores import TailScores

Floats = NDArray[np.float64]
# What each of the allowed tokens writes.
Written = Sequence[str]

# On three tuning domains 5 found more right procs than 2.5; the other figures are guesses.
STATEMENT_WEIGHT = 4.0
COVERED_PENALTY = 1.5
# The statement whose turn it is in the task's plan, in z-scores; an end before the plan's, in nats.
PLANNED, AHEAD, UNFINISHED = 2.5, 1.0, 12.0
ORDER_PENALTY = 0.3
# A DSL beside procs of the same score, and one that the instruction names. On three tuning domains retrieval's best
# production is above the best proc less 0.5 in 93% of the DSL tasks and below in 93% of the single calls.
DSL_BONUS, NAMED_BONUS = 0.5, 1.0
# What is planned gains on everything else, in nats; a DSL that leads the procs so much, and more by its lead.
PLAN_LEAD = 6.0
DSL_LEAD, DSL_LEAD_SLOPE, DSL_LEAD_MOST = 2.0, 3.0, 6.0
END_BONUS, END_PENALTY = 3.0, 1.0
# Words that ask for a loop, a condition, or a result that is printed; what such a statement costs without one.
UNCUED_PENALTY = 5.0
# A planned call that has a result is a condition where the instruction has a word for one and goes on.
CONDITION = 6.0
_CUES = {
    "foreach": re.compile(r"\b(?:each|every|all|both|respectively)\b", re.IGNORECASE),
    "if": re.compile(
        r"\b(?:if|when|whenever|unless|in case|as long as|provided|otherwise|while|once)\b", re.IGNORECASE
    ),
    "puts": re.compile(
        r"\b(?:what|whats|how|which|whether|where|who|is|are|was|were|does|do|did|has|have|can|could|tell|show|print|"
        r"report|display|log|output|say|write|give|let me|read|check|list|find|look|query|get|many|much|know|see)\b|\?",
        re.IGNORECASE,
    ),
}
_IN_BRACKET = re.compile(r"\[([^\s\[\]{}\"$;]*)$")


@dataclass(frozen=True)
class Step:
    """One change of log probabilities; what it is does not depend on them.

    Attributes:
        vote: (n,) in nats; -inf where a token has no vote.
        among: it arbitrates among the tokens that have one; else it is added to all, and their total becomes 1.
    """

    vote: Floats
    among: bool = False


Steps = tuple[Step, ...]


def applied(steps: Steps, log_probs: Floats) -> Floats | None:
    """New log probabilities (n,), one step after the other; None for no step."""
    for step in steps:
        if step.among:
            log_probs = _arbitrated(log_probs, step.vote)
        else:
            log_probs = log_probs + step.vote
            log_probs = log_probs - log_sum(log_probs)
    return log_probs if steps else None


def among(vote: Floats) -> Steps:
    """The step that arbitrates, where at least two tokens have a vote."""
    return (Step(vote, among=True),) if np.isfinite(vote).sum() > 1 else ()


def arbitrate(log_probs: Floats, vote: Floats) -> Floats | None:
    """Log probabilities with votes added among the tokens that have one; their total stays what it was.

    Args:
        log_probs: (n,); vote: (n,), -inf where a token leads to no branch that is voted on.
    """
    return applied(among(vote), log_probs)


def _arbitrated(log_probs: Floats, vote: Floats) -> Floats:
    on = np.isfinite(vote)
    out = log_probs.copy()
    mixed = log_probs[on] + vote[on]
    out[on] = mixed - log_sum(mixed) + log_sum(log_probs[on])
    return out


class StatementVotes:
    """How well each proc, catalog variable and DSL fits what the instruction still asks for.

    Args:
        ranking: retrieval's scores; a clause that a statement answers best counts as dealt with.
        procs: names that can be written.
        weight: λ, the share of the vote; 0 switches it off.
        listed: whether the instruction enumerates names. plan: what its statements begin with, in order.
        tail: the procs that can be written beside these, and how well they fit.
    """

    def __init__(
        self,
        ranking: Ranking,
        procs: Sequence[str],
        catalog: Catalog | None = None,
        weight: float = STATEMENT_WEIGHT,
        listed: bool = False,
        plan: Sequence[str] = (),
        tail: TailScores | None = None,
    ) -> None:
        self.weight = weight
        self._tail = tail
        self.procs = frozenset(procs)
        self._plan = tuple(plan)
        cued = {word for word, cue in _CUES.items() if cue.search(ranking.instruction)}
        self._uncued = {word for word in _CUES if word not in cued and not (word == "foreach" and listed)}
        columns: dict[str, list[int]] = {}
        for i, s in enumerate(ranking.symbols):
            if s.kind == "proc" and s.name in self.procs:
                columns[s.name] = [i]
            elif s.kind == "variable":
                columns[f"set {s.name}"] = [i]
            elif s.kind == "production" and catalog is not None:
                columns.setdefault(catalog.dsls[s.dsl].embedding.open.strip(), []).append(i)
        self.branches = tuple(columns)
        groups = list(columns.values())
        openings = {d.embedding.open.strip() for d in catalog.dsls} if catalog is not None else set[str]()
        self._returning = {p.name for p in catalog.procs if p.returns} if catalog is not None else self.procs
        self._is_dsl = np.array([b in openings for b in self.branches], bool)
        bonus = np.array([dsl_bonus(b, ranking.instruction, catalog) for b in self.branches], np.float64)
        self._whole = np.array([ranking.scores[g].max() for g in groups], np.float64) + bonus
        clauses = ranking.clause_scores
        best = [[row[g].max() for g in groups] for row in clauses]
        self._clauses = np.array(best, np.float64).reshape(len(clauses), -1) + bonus

    def scores(self, text: str) -> Floats:
        """(branches,) fit of each branch to what is left of the instruction after what is written."""
        fit = self._fit(text)
        left = self._left(text)
        if left and left[0] in self.branches:
            fit = fit.copy()
            i = self.branches.index(left[0])
            fit[i] = max(fit[i] + PLANNED, fit.max() + AHEAD)
        return fit

    def _left(self, text: str) -> tuple[str, ...]:
        """What is planned and not written yet."""
        counts = {b: len(re.findall(_statement_of(b), text)) if b in text else 0 for b in set(self._plan)}
        out = []
        for b in self._plan:
            counts[b] -= 1
            if counts[b] < 0:
                out.append(b)
        return tuple(out)

    def _fit(self, text: str) -> Floats:
        used = np.array([_written(b, text) for b in self.branches], bool)
        if len(self._clauses) < 2 or not used.any():
            return self._whole - COVERED_PENALTY * used
        best = self._clauses.argmax(axis=1)
        left = [row for row, b in zip(self._clauses, best, strict=True) if not used[b]]
        if not left:
            return self._whole - COVERED_PENALTY * used
        # Steps are mostly done in the order in which they are said.
        later = ORDER_PENALTY * np.arange(len(left))
        fit: Floats = np.maximum.reduce([row - late for row, late in zip(left, later, strict=True)])
        return fit - COVERED_PENALTY * used

    def biases(
        self, text: str, tokens: NDArray[np.int64], log_probs: Floats, written: Written,
        ends: frozenset[int] = frozenset(),
    ) -> Floats | None:  # fmt: skip
        """New log probabilities (n,) for the allowed tokens (n,), or None where no statement is being chosen."""
        found = self.steps(text, tokens, written, ends)
        return log_probs if found is not None and not found else applied(found or (), log_probs)

    def steps(
        self, text: str, tokens: NDArray[np.int64], written: Written, ends: frozenset[int] = frozenset()
    ) -> Steps | None:
        """The votes for the allowed tokens (n,); None where no statement is being chosen."""
        if self.weight == 0 or not self.branches:
            return None
        m = _IN_BRACKET.search(text)
        line = text[text.rfind("\n") + 1 :]
        start = m.group(1) if m else line.lstrip(" ")
        names = self.procs if m else None
        open_ = [i for i, b in enumerate(self.branches) if b.startswith(start) and (names is None or b in names)]
        tail = self._tail if m is None else None
        if len(open_) + (tail.count(start) if tail is not None else 0) < 2:
            return None
        left, fit = self._left(text), self.scores(text)
        out: Steps = self._about_the_end(text, tokens, left, ends) if not line and text else ()
        if m is None:
            out += self._about_control(start, written, left, fit)
        scores = self.weight * fit
        vote = np.full(len(written), -np.inf)
        for k, token in enumerate(written):
            more = start + token
            if not start and more.startswith(" "):
                continue
            fits = [scores[i] for i in open_ if _leads_to(more, self.branches[i])]
            if tail is not None:
                fits += tail.leading(more)
            if fits:
                vote[k] = log_sum(np.array(fits))
        out += among(vote)
        return out if m else out + self._lead(text, start, written, left, fit)

    def _about_control(self, start: str, written: Written, left: tuple[str, ...], fit: Floats) -> Steps:
        """Loops and conditions are for instructions that have a word for them, printing for what has a result."""
        uncued = set(self._uncued)
        asks = bool(left) and left[0] in self._returning and "if" not in uncued and len(left) > 1
        if self.branches[int(fit.argmax())] not in self._returning:
            uncued.add("puts")
        if left and not left[0].startswith("set "):
            uncued.add("set")
        out = np.zeros(len(written))
        for k, token in enumerate(written):
            more = start + token
            if more.strip() and any(w.startswith(more) or more.startswith(f"{w} ") for w in uncued):
                out[k] = -UNCUED_PENALTY
            elif asks and more.strip() and ("if".startswith(more) or more.startswith("if ")):
                out[k] = CONDITION
            elif asks and left[0].startswith(more.strip() or "?"):
                out[k] = -CONDITION
        return (Step(out),)

    def _lead(self, text: str, start: str, written: Written, left: tuple[str, ...], fit: Floats) -> Steps:
        """What is planned, or a DSL that leads all procs, gains on what is no branch too (`if`, `foreach`)."""
        branch, gain = self._leader(text, left, fit)
        if not gain:
            return ()
        out = np.zeros(len(written))
        for k, token in enumerate(written):
            more = start + token
            if more.strip() and _leads_to(more, branch):
                out[k] = gain
        return (Step(out),)

    def _leader(self, text: str, left: tuple[str, ...], fit: Floats) -> tuple[str, float]:
        """The branch that leads all others, and what it gains in nats."""
        conditional = "if" not in self._uncued and not re.search(r"^ *if \{", text, re.MULTILINE)
        if left and left[0] in self.branches and not conditional:
            return left[0], PLAN_LEAD
        best = int(fit.argmax())
        others = fit[~self._is_dsl]
        lead = float(fit[best] - others.max()) if len(others) else 0.0
        if not self._is_dsl[best] or lead <= 0:
            return "", 0.0
        return self.branches[best], min(DSL_LEAD_MOST, DSL_LEAD + DSL_LEAD_SLOPE * lead)

    def _about_the_end(
        self, text: str, tokens: NDArray[np.int64], unwritten: tuple[str, ...], ends: frozenset[int]
    ) -> Steps:
        """Where a script may end: more likely once every clause is dealt with, less likely before."""
        at = [k for k, token in enumerate(tokens.tolist()) if token in ends]
        if not at:
            return ()
        out = np.zeros(len(tokens))
        if self._plan:
            out[at] = -UNFINISHED if unwritten else END_BONUS
            return (Step(out),)
        used = np.array([_written(b, text) for b in self.branches], bool)
        best = self._clauses.argmax(axis=1) if len(self._clauses) > 1 else np.array([self._whole.argmax()])
        left = int((~used[best]).sum()) if len(self._clauses) > 1 else 0
        out[at] = END_BONUS if left == 0 else -END_PENALTY * left / max(1, len(best))
        return (Step(out),)


def dsl_bonus(branch: str, instruction: str, catalog: Catalog | None) -> float:
    """What a DSL has over procs of the same z-score, more where the instruction names it; 0 for other branches."""
    dsl = next((d for d in (catalog.dsls if catalog else ()) if d.embedding.open.strip() == branch), None)
    if dsl is None:
        return 0.0
    named = set(stems(f"{name_words(dsl.name)} {name_words(branch)}")) & set(stems(instruction))
    return DSL_BONUS + NAMED_BONUS * bool(named)


def _statement_of(branch: str) -> str:
    return rf"(?:^|[\n\[])[ ]*{re.escape(branch)}(?=[\s\]]|$)"


def _written(branch: str, text: str) -> bool:
    """Whether a statement of this branch stands in the text."""
    # Most branches are nowhere in the text: no expression need be made for them.
    return branch in text and re.search(_statement_of(branch), text) is not None


def _leads_to(text: str, branch: str) -> bool:
    """Whether a text can become, or just has become, a statement of this branch."""
    return branch.startswith(text) or (text.startswith(branch) and text[len(branch)] in " \n]")


def log_sum(values: Floats) -> float:
    """Logarithm of the sum of exponentials, -inf for nothing but -inf."""
    top = float(values.max())
    return top + float(np.log(np.exp(values - top).sum())) if np.isfinite(top) else top
