"""What a person may choose for one generation. A pure value, cheap to import."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from localgen_retrieval.errors import UsageError

MAX_CANDIDATES = 64
MAX_TEMPERATURE = 10.0
# The highest confidence, in hundredths, below which none of the right scripts of the tuning domains is
# (bench/calibration.py prints how many a threshold withholds).
ASK_BELOW = 0.02


@dataclass(frozen=True)
class Options:
    """How scripts are generated.

    Attributes:
        k: candidates decoded side by side, 1 to 64.
        temperature: 0 (always the likeliest token) to 10.
        max_tokens: most tokens of a script, at least 1.
        seed: the same seed, instruction, domain and model give the same script.
        ask: answer with a clarification where the instruction does not say enough.
        search: `sample` writes k candidates side by side, `beam` compares their beginnings at the end of each command,
            `greedy` writes the likeliest one alone.
        ask_below: with `ask`, a script of less confidence becomes a question too; 0 for never.
        grounding: values come from the instruction, the catalog and variables set above.

    Raises:
        UsageError: a value out of its range.
    """

    k: int = 8
    temperature: float = 0.3
    max_tokens: int = 2000
    seed: int = 0
    ask: bool = True
    grounding: bool = True
    ask_below: float = ASK_BELOW
    search: Literal["sample", "beam", "greedy"] = "sample"

    def __post_init__(self) -> None:
        if not 1 <= self.k <= MAX_CANDIDATES:
            _refuse("k", self.k, f"the number of candidates is 1 to {MAX_CANDIDATES}")
        if not (math.isfinite(self.temperature) and 0 <= self.temperature <= MAX_TEMPERATURE):
            _refuse("temperature", self.temperature, f"a temperature is 0 (no chance) to {MAX_TEMPERATURE:g}")
        if not 0 <= self.ask_below <= 1:
            _refuse("ask-below", self.ask_below, "a confidence is 0 (never ask for it) to 1")
        if self.max_tokens < 1:
            _refuse("max-tokens", self.max_tokens, "a script has at least one token")
        if not 0 <= self.seed < 2**32:
            _refuse("seed", self.seed, "a seed is 0 to 4294967295")


def _refuse(option: str, value: object, hint: str) -> None:
    raise UsageError(f"--{option} {value}: out of range", hint=hint, code="option-range")
