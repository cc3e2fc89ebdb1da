"""Votes among the words of an instruction where no plan says more, and against going round in circles."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from localgen.decoder.names import NAME_LIKE, choices_of, enumerated, vocabulary_of
from localgen_grammars.constraint.grounding import Words, is_stop_word
from localgen_grammars.constraint.number_words import NUMBER_WORDS
from localgen_retrieval.catalog import Catalog
from localgen_retrieval.text import words as stems

from .votes import Floats, Step, Steps, Written, among, applied

WORD_WEIGHT = 2.5
NAME_BONUS, QUOTED_BONUS, VOCABULARY_PENALTY = 1.5, 2.5, 1.5
# A name already written: anywhere before, and in this very statement, where it hardly ever comes twice.
USED_PENALTY, USED_HERE_PENALTY = 0.5, 1.5
# A bare number is seldom a name, a function or number word hardly ever.
NUMBER_PENALTY, FUNCTION_PENALTY = 1.0, 2.0
# A line may stand in a script so often; then it costs so many nats, spread over its tokens as they come.
MOST_ALIKE, REPEATED_PENALTY = 2, 3.0
# A list is opened where names are enumerated, and closed when all of them are in it.
LIST_BONUS, LIST_CLOSE = 2.5, 1.0
_WORD_SO_FAR = re.compile(r"[\s{\"(\[=:]([^\s{}\"()\[\]]*)$")


class WordVotes:
    """Which words of the instruction are likely values: names rather than words the catalog itself is written in."""

    def __init__(
        self, words: Words | None, instruction: str, catalog: Catalog, weight: float = WORD_WEIGHT
    ) -> None:
        self.weight = weight
        vocabulary = vocabulary_of(catalog)
        choices = choices_of(catalog)
        self._prior: dict[str, float] = {}
        self._listed = enumerated(instruction, words)
        for w in words.all() if words is not None else ():
            if words is not None and w in words.quoted:
                self._prior[w] = QUOTED_BONUS
                continue
            name_like = bool(NAME_LIKE.search(w))
            if is_stop_word(w) or w.lower() in NUMBER_WORDS:
                self._prior[w] = -FUNCTION_PENALTY
                continue
            if re.fullmatch(r"[-+]?\d[\d.,:x]*[A-Za-z%]{0,3}", w):
                self._prior[w] = -NUMBER_PENALTY
                continue
            if w in choices:
                self._prior[w] = -VOCABULARY_PENALTY  # `M3` is a layer before it is a net
                continue
            known = w.islower() and set(stems(w)) <= vocabulary
            if w.istitle() and w.isalpha() and re.search(rf"(?:^|[.!?\n]\s*){w}\b", instruction):
                self._prior[w] = -VOCABULARY_PENALTY  # the first word of a sentence is seldom a name
                continue
            name_like = name_like or (w.istitle() and w.isalpha() and len(w) > 2 and not set(stems(w)) <= vocabulary)
            self._prior[w] = NAME_BONUS if name_like else -VOCABULARY_PENALTY if known else 0.0

    def biases(self, text: str, tokens: NDArray[np.int64], log_probs: Floats, written: Written) -> Floats | None:
        """New log probabilities (n,), or None where no word of the instruction is being chosen."""
        return applied(self.steps(text, written), log_probs)

    def steps(self, text: str, written: Written) -> Steps:
        """The votes for what the allowed tokens write (n,); none where no word of the instruction is being chosen."""
        if self.weight == 0 or len(self._prior) < 2:
            return ()
        m = _WORD_SO_FAR.search(text)
        start = m.group(1) if m else ""
        line = text[text.rfind("\n") + 1 :]
        here = set(re.split(r"[ {}]", line))
        left = [w for w in self._listed if w not in here] if self._listed else None
        prior: Mapping[str, float] = {
            w: p - USED_PENALTY * (f" {w}" in text) - USED_HERE_PENALTY * (w in here) for w, p in self._prior.items()
        }
        vote = np.full(len(written), -np.inf)
        for k, more in enumerate(written):
            whole = more.lstrip(' {"') if more[:1] in (" ", "{", '"') else start + more
            if more.startswith("}") and left is not None and line.count("{") > line.count("}"):
                fits = [-LIST_CLOSE if left else LIST_CLOSE]
            elif whole:
                fits = [p for w, p in prior.items() if _spells(whole, w)]
            elif more in (" {", ' "'):  # opens a list, or a value that needs quotes
                fits = [p for w, p in prior.items() if " " in w] + [LIST_BONUS] * (more == " {" and bool(left))
            else:
                continue
            if fits:
                vote[k] = self.weight * max(fits)
        return among(vote)


class RepetitionVotes:
    """Keeps a script from going round in circles: what would write a line for the third time becomes unlikely."""

    def biases(self, text: str, tokens: NDArray[np.int64], log_probs: Floats, written: Written) -> Floats | None:
        """New log probabilities (n,), or None where nothing has been written twice yet."""
        return applied(self.steps(text, written), log_probs)

    def steps(self, text: str, written: Written) -> Steps:
        """The votes for what the allowed tokens write (n,); none where nothing has been written twice yet."""
        *lines, current = text.split("\n")
        counts = Counter(line.strip() for line in lines)
        again = [line for line, n in counts.items() if n >= MOST_ALIKE and len(line) > 3]
        begun = current.lstrip(" ")
        again = [line for line in again if line.startswith(begun)]
        if not again:
            return ()
        out = np.zeros(len(written))
        for k, token in enumerate(written):
            more = (begun + token).lstrip(" ")
            if more and any(line.startswith(more) or more == f"{line}\n" for line in again):
                out[k] = -REPEATED_PENALTY
        return (Step(out),)


def _spells(text: str, word: str) -> bool:
    """Whether a text can become a word, or is the word with something else behind it."""
    return word.startswith(text) or (text.startswith(word) and not text[len(word)].isalnum())
