"""Samples for one task: of the product's decoder (constrained), and of the model alone on the same prompt."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from localgen.decoder.model import Continuation, LlamaModel
from localgen.options import Options
from localgen.pipeline import Decoded, Generator
from localgen.repair import finish
from localgen_retrieval.catalog_io import Domain
from localgen_retrieval.errors import LocalgenError

from ..evaluate import Answer, HeldOutTask


@dataclass(frozen=True)
class Samples:
    """Texts at one temperature; `greedy` is the likeliest one."""

    temperature: float
    greedy: str
    texts: tuple[str, ...]


def seed_of(seed: int, task: str) -> int:
    """A seed of a task's own, the same in whichever process the task is done."""
    return (seed + zlib.crc32(task.encode())) % 2**32


class Asker:
    """Asks one model, for one domain.

    Args:
        model: a GGUF file. k: candidates of the product's own answers. max_tokens: of each sample.
    """

    def __init__(self, domain: Domain, model: Path | None, *, k: int, seed: int, max_tokens: int) -> None:
        self._domain = domain
        self._seed = seed
        self._k = k
        self._max_tokens = max_tokens
        self._seen: Decoded | None = None
        self._generator = Generator(domain, model=model, observe=self._note)

    def _note(self, decoded: Decoded) -> None:
        self._seen = decoded

    def answer(self, task: HeldOutTask) -> tuple[Answer, int]:
        """The product's answer as anybody gets it, and how many tokens were written for it."""
        import time

        begin = time.perf_counter()
        try:
            got = self._generator.generate(task.instruction, Options(k=self._k, seed=self._seed), task.context)
        except LocalgenError as e:
            return Answer("error", message=e.message, seconds=time.perf_counter() - begin), 0
        seconds = time.perf_counter() - begin
        made = Answer(got.type, got.script or "", got.valid, got.confidence, got.truncated, seconds, got.message or "")
        return made, got.tokens

    def constrained(self, task: HeldOutTask, temperature: float, n: int) -> Samples | None:
        """n samples and the greedy script under the constraint, as finished scripts; None where there is an error."""
        options = Options(
            k=n + 1, temperature=temperature, seed=seed_of(self._seed, task.id), ask=False, max_tokens=self._max_tokens
        )
        self._seen = None
        try:
            self._generator.generate(task.instruction, options, task.context)
        except LocalgenError:
            return None
        seen: Any = self._seen
        if seen is None:
            return None
        texts = [finish(c.text, self._domain)[0] for c in seen.candidates]
        return Samples(temperature, texts[0], tuple(texts[1:]))

    def unconstrained(self, task: HeldOutTask, temperature: float, n: int) -> Samples | None:
        """n samples and the greedy text of the model alone, on the prompt of the last constrained decoding."""
        if self._seen is None:
            return None
        rng = np.random.default_rng(seed_of(self._seed + 1, task.id))
        texts = free_samples(self._seen.model, self._seen.prompt, [0.0] + [temperature] * n, self._max_tokens, rng)
        return Samples(temperature, texts[0], tuple(texts[1:]))

    def close(self) -> None:
        """Free the models."""
        self._seen = None
        self._generator.close()


def free_samples(
    model: LlamaModel, prompt: list[int], temperatures: list[float], limit: int, rng: np.random.Generator
) -> list[str]:
    """One continuation for each temperature (0: greedy), up to an end token or `limit` tokens, side by side."""
    count = len(temperatures)
    model.open(length=len(prompt) + count * (limit + 1) + 64, sequences=count)
    rows: dict[int, NDArray[np.float32]] = dict.fromkeys(range(count), model.prompt(prompt, count))
    ends = model.end_tokens()
    data = [bytearray() for _ in temperatures]
    for step in range(limit):
        going: list[Continuation] = []
        for i, row in rows.items():
            token = _draw(row, temperatures[i], rng)
            if token in ends:
                continue
            data[i] += model.piece(token)
            going.append(Continuation(i, [token], len(prompt) + step))
        if not going or step == limit - 1:
            break
        rows = dict(zip([c.sequence for c in going], model.step(going), strict=True))
    return [d.decode("utf-8", "replace") for d in data]


def _draw(row: NDArray[np.float32], temperature: float, rng: np.random.Generator) -> int:
    if temperature <= 0:
        return int(row.argmax())
    hot = row.astype(np.float64) / temperature
    p = np.exp(hot - hot.max())
    return int(rng.choice(len(p), p=p / p.sum()))
