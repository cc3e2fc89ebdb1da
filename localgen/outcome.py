"""What one generation answers: a script, or a clarification. A pure value with its two public JSON forms."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

DOCUMENT_VERSION = 1

# The keys of a batch line, in order: they are part of the public format (docs/catalog.md).
_BATCH_KEYS = (
    "type", "script", "message", "suggestions", "valid", "confidence", "candidates", "tokens", "seconds",
)  # fmt: skip


class Outcome(BaseModel):
    """The answer to one instruction.

    Attributes:
        script: the script's text, None for a clarification.
        message: the question of a clarification; None for a script.
        suggestions: concrete answers to the question, or rewordings.
        reason: why it is asked (`localgen.clarify.Reason`); None for a script.
        about: the `proc` and `argument` that the question is about, where there is one.
        valid: the script passed validation (false for a clarification).
        confidence: 0 to 1.
        candidates: how many scripts were decoded.
        tokens: how many tokens were decoded, over all candidates.
        seconds: from the instruction to the answer, without loading.
        truncated: the token budget ended the script at an earlier statement.
        completed: what was added to finish a call that the budget cut off.
        dropped: statements that are left out: not valid, against a rule, or cut off by the budget.
        notes: remarks for people, one line each.
        symbols: names of the context symbols that the script uses.
        values: where each value comes from (`localgen.provenance.Origin.to_document`).
        timings: seconds by part: import, load, retrieve, compile, prompt, decode, validate.
    """

    model_config = ConfigDict(frozen=True)

    type: Literal["script", "clarification"]
    script: str | None = None
    message: str | None = None
    suggestions: list[str] = Field(default_factory=list)
    reason: str | None = None
    about: dict[str, str] | None = None
    valid: bool = False
    confidence: float = 0.0
    candidates: int = 0
    tokens: int = 0
    seconds: float = 0.0
    truncated: bool = False
    completed: list[str] = Field(default_factory=list)
    dropped: list[str] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)
    symbols: list[str] = Field(default_factory=list)
    values: list[dict[str, Any]] = Field(default_factory=list)
    timings: dict[str, float] = Field(default_factory=dict)

    def to_document(self) -> dict[str, Any]:
        """The document of `generate --json` (docs/cli.md)."""
        return {"version": DOCUMENT_VERSION, **_rounded(self.model_dump(mode="json"))}

    def to_batch_line(self, id: Any) -> dict[str, Any]:
        """One output line of the batch form (docs/catalog.md)."""
        data = _rounded(self.model_dump(mode="json", include=set(_BATCH_KEYS)))
        return {"id": id, **{key: data[key] for key in _BATCH_KEYS}}


def _rounded(value: Any) -> Any:
    """Floats to four decimals: times and confidences have no more to say."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    return [_rounded(v) for v in value] if isinstance(value, list) else value
