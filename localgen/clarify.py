"""When to ask instead of writing, and what: only for a reason that can be named."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from localgen.decoder.names import choices_of
from localgen.guide import Plan
from localgen.scripts import called_procs
from localgen_grammars.constraint.grounding import is_stop_word
from localgen_grammars.constraint.quantities import number_texts, quantities_of, unit_of
from localgen_retrieval.catalog import Arg, Catalog, Proc
from localgen_retrieval.once import once_per_catalog
from localgen_retrieval.retrieve import Ranking
from localgen_retrieval.text import name_words
from localgen_retrieval.text import words as text_words

# Best cosine of any symbol below which an instruction is about something else: of the tasks of nine tuning domains that
# have an answer 1% are below, of what has nothing to do with the catalog more than half.
OUTSIDE_COSINE = 0.22
# Names alone are like little that people say: without summaries, only what is near nothing is outside.
OUTSIDE_OF_NAMES = 0.13
# The reader's log odds of the likeliest symbol, and the plan's score, below both of which nothing in the catalog does
# what is asked: no answerable task of six tuning domains is, a third of what no proc does.
NOT_ASKED, POOR = -1.3, 6.0
# The reader's log odds below which a required value is not said, whatever stands in for it: 1% of those domains' tasks.
UNSAID = -2.0
# Below this score (in nats) a common word is hardly the name that a required argument wants.
UNLIKELY = 0.0
_LIMIT_WORDS = re.compile(r"\b(?:min|max|minimum|maximum|full|fully|zero|default|usual|standard)\b", re.I)


# Two procs are equally likely where one is ahead by less than this in z-scores: on three tuning domains no right script
# of a single call had so little.
EQUAL = 0.1
NEAREST = 3

Reason = Literal["missing-value", "two-procs", "outside-catalog", "low-confidence"]


@dataclass(frozen=True)
class Clarification:
    """A question with concrete answers.

    Attributes:
        reason: why it is asked. proc, arg: what it is about ("" for none).
        answers: what the first suggestions stand for: a value, or a proc's name; () where any text may be the answer.
    """

    message: str
    suggestions: tuple[str, ...]
    reason: Reason = "missing-value"
    proc: str = ""
    arg: str = ""
    answers: tuple[str, ...] = ()


def outside_catalog(ranking: Ranking, catalog: Catalog) -> Clarification | None:
    """The question for an instruction that is about nothing in the catalog."""
    documented = 2 * sum(bool(p.summary) for p in catalog.procs) >= len(catalog.procs)
    least = OUTSIDE_COSINE if documented else OUTSIDE_OF_NAMES
    if len(ranking.encoder_scores) == 0 or float(ranking.encoder_scores.max()) >= least:
        return None
    names = [s.name for s, _ in ranking.top("proc", NEAREST)]
    return outside_question(catalog, _described(names, catalog), names)


def nothing_fits(plan: Plan, ranking: Ranking, catalog: Catalog) -> Clarification | None:
    """The question for an instruction in the catalog's field of which the reader finds that no symbol does it."""
    if plan.asked >= NOT_ASKED or plan.score >= POOR:
        return None
    names = [s.name for s, _ in ranking.top("proc", NEAREST)]
    return outside_question(catalog, _described(names, catalog), names)


def outside_question(catalog: Catalog, near: Sequence[str], answers: Sequence[str] = ()) -> Clarification:
    """The question itself; near: what comes nearest, in words; answers: the names of that."""
    what = catalog.description.rstrip(".") or catalog.name or "this domain"
    message = f"This does not look like a task for {what}. What should be done with its API?"
    return Clarification(message, tuple(near), "outside-catalog", answers=tuple(answers))


def two_procs(plan: Plan, ranking: Ranking, catalog: Catalog) -> Clarification | None:
    """The question for an instruction that asks for one call and fits two procs equally well."""
    tops = ranking.top("proc", 2)
    if len(tops) < 2 or tops[0][1] - tops[1][1] >= EQUAL or len(plan.task) > 1 or len(ranking.clauses) > 1:
        return None
    names = [s.name for s, _ in tops]
    if plan.task and plan.task[0].branch not in names:
        return None
    return _which(f"Which of the two is meant: {names[0]} or {names[1]}?", names, catalog, "two-procs")


def low_confidence(
    confidence: float, doubts: Sequence[str], ranking: Ranking, catalog: Catalog
) -> Clarification:
    """The question for a script that is hardly the right one; it names what was unsure."""
    names = [s.name for s, _ in ranking.top("proc", NEAREST)]
    unsure = f" ({'; '.join(doubts[:3])})" if doubts else ""
    message = f"The best script is hardly what is meant: confidence {confidence:.2f}{unsure}. What should be done?"
    return _which(message, names, catalog, "low-confidence")


def _which(message: str, names: Sequence[str], catalog: Catalog, reason: Reason) -> Clarification:
    return Clarification(message, _described(names, catalog), reason, answers=tuple(names))


def _described(names: Sequence[str], catalog: Catalog) -> tuple[str, ...]:
    return tuple(f"{n}: {_summary(catalog, n)}".removesuffix(": ") for n in names)


def unsaid_value(plan: Plan, ranking: Ranking, catalog: Catalog) -> Clarification | None:
    """The question for an instruction that asks for a proc and leaves out what it needs.

    A planned call lacks a required value, or the reader finds none said; or nothing was surely planned, and the
    likeliest call lacks one or would take a common word for a name.
    """
    for p in plan.task if plan.sure else ():
        proc = catalog.proc(p.branch)
        given = p.assignment.best.values
        unsaid = {o.name for o in p.candidate.openings if o.said < UNSAID}
        for a in proc.args if proc is not None else ():
            if proc is not None and a.required and (a.name in unsaid or _empty(a, given.get(a.name))):
                return ask_value(proc, a)
    if plan.sure:
        return None
    best = next((catalog.proc(s.name) for s, _ in ranking.top("proc", 1)), None)
    if best is None or best.name not in plan.calls:
        return None
    call = plan.calls[best.name]
    given = call.best.values
    for arg in best.args:
        if not arg.required:
            continue
        values = given.get(arg.name, ())
        doubtful = arg.type == "string" and all(v.islower() and v.isalpha() for v in values)
        if _empty(arg, values) or (doubtful and call.likely(arg.name, values) < UNLIKELY):
            return ask_value(best, arg)
    return None


def _empty(arg: Arg, values: Sequence[str] | None) -> bool:
    """Whether an argument has no value, or only what it is called itself: "open the valve" names none."""
    own = set(text_words(f"{name_words(arg.name)} {name_words(arg.kind)}"))
    said = all(v.islower() and set(text_words(v)) <= own for v in values or ())
    return not values or (said and arg.type == "string")


def missing_value(
    body: str, instruction: str, catalog: Catalog, excluded: Mapping[str, str], ranking: Ranking
) -> Clarification | None:
    """The question for a required argument that the instruction gives no value for.

    Two signs: the procs that fit best could not be written because no word of the instruction can be their value; or
    the script fills a required name with a word that is not a name, or a required number although no number is said.
    """
    best = next((s for s, _ in ranking.top(None, len(ranking.symbols)) if s.kind != "example"), None)
    if best is not None and best.kind == "proc" and best.name in excluded:
        proc = catalog.proc(best.name)
        if proc is not None:
            missing = [a for a in proc.args if a.required and a.name in excluded[proc.name]]
            if missing:
                return ask_value(proc, missing[0])
    vocabulary = _vocabulary(catalog)
    choices, names = choices_of(catalog), {p.name for p in catalog.procs}
    for line in body.splitlines():
        for name in called_procs(line, names):
            proc = catalog.proc(name)
            if proc is None:
                continue
            for arg in proc.args:
                value = _value(line, proc, arg)
                if value is not None and arg.required and not _given(arg, value, instruction, vocabulary, choices):
                    return ask_value(proc, arg)
    return None


def _given(arg: Arg, value: str, instruction: str, vocabulary: frozenset[str], choices: frozenset[str]) -> bool:
    """Whether the instruction can be where a value came from."""
    if arg.numeric:
        unit, integer = unit_of(arg), arg.type == "int"
        said = number_texts(quantities_of(instruction), unit, integer=integer, low=arg.min, high=arg.max)
        number = value.removesuffix(arg.unit) if arg.unit_suffix else value
        return number in said or value.startswith(("$", "[", "{")) or bool(_LIMIT_WORDS.search(instruction))
    if arg.type != "string" or value.startswith(("$", "[", "{")):
        return True
    word = value.strip('"')
    if word in choices:
        return False
    if not word.islower() or not word.isalpha():
        return True
    if arg.default_text == word:
        return True
    stems = set(text_words(word))
    return not is_stop_word(word) and not stems <= vocabulary


@once_per_catalog
def _vocabulary(catalog: Catalog) -> frozenset[str]:
    """Stems of the words that the catalog itself is written in: such a word is hardly a name."""
    texts = [" ".join((p.name, p.summary, *(a.name for a in p.args), *(a.kind for a in p.args))) for p in catalog.procs]
    return frozenset(text_words(" ".join(texts)))


def _value(line: str, proc: Proc, arg: Arg) -> str | None:
    """The word written for an arg of a call on a line of a generated script; None if it is not there."""
    if not arg.positional:
        m = re.search(rf" -{re.escape(arg.name)} (\S+)", line)
        return m.group(1).rstrip("]") if m and arg.type != "flag" else None
    rest = re.split(rf"(?:^|[\[\s]){re.escape(proc.name)}(?=\s)", line, maxsplit=1)
    if len(rest) < 2:
        return None
    words = rest[1].split()
    flags = {f"-{a.name}" for a in proc.options if a.type == "flag"}
    bare: list[str] = []
    i = 0
    while i < len(words):
        if re.match(r"-[A-Za-z]", words[i]):
            i += 1 if words[i] in flags else 2
        else:
            bare.append(words[i])
            i += 1
    at = [a.name for a in proc.positionals].index(arg.name)
    return bare[at].rstrip("]") if at < len(bare) and not bare[0].startswith("{") else None


def ask_value(proc: Proc, arg: Arg) -> Clarification:
    """The question for an argument of a proc, with what it may be."""
    what = arg.doc.rstrip(".") or arg.kind or arg.name
    unit = f" (in {arg.unit})" if arg.unit else ""
    if arg.values:
        choices = tuple(f"{arg.name}: {v}" for v in arg.values)
    elif arg.min is not None and arg.max is not None:
        choices = (f"{arg.name} between {arg.min:g} and {arg.max:g}{unit}",)
    else:
        choices = (f"name the {arg.kind or arg.name}{unit}",)
    example = next((e for e in proc.examples), "")
    if example:
        choices += (f"for example: {example}",)
    message = f"What is the {arg.name}{unit} for {proc.name}? ({what})"
    return Clarification(message, choices, "missing-value", proc.name, arg.name, arg.values)


def _summary(catalog: Catalog, name: str) -> str:
    proc = catalog.proc(name)
    return proc.summary if proc is not None else ""
