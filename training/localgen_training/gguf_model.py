"""A GGUF decoder without any constraint: tokens, logits and greedy text, for checks and for watching a training.

What generates scripts for people is `localgen.decoder`; nothing here masks, batches or forces a token.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from localgen_retrieval.errors import ModelError
from localgen_retrieval.llama_quiet import first_error, silence


class GgufModel:
    """A decoder-only GGUF loaded into llama.cpp on the CPU.

    Args:
        path: the GGUF file.
        context: tokens of prompt and answer together.
        threads: of every evaluation.

    Raises:
        ModelError: missing, damaged, or nothing that llama.cpp can run.
    """

    def __init__(self, path: Path, *, context: int = 1024, threads: int = 1) -> None:
        silence()
        import llama_cpp

        if not path.is_file():
            raise ModelError(f"{path}: no such model file", code="model-missing")
        first_error()
        try:
            self._llama: Any = llama_cpp.Llama(
                str(path),
                n_ctx=context,
                n_batch=512,
                logits_all=True,
                n_threads=threads,
                n_threads_batch=threads,
                verbose=False,
            )
        except ValueError:
            raise ModelError(f"{path}: llama.cpp cannot load it: {first_error()}", code="model-damaged") from None
        self.context = context
        self.end: int = self._llama.token_eos()
        self.metadata: dict[str, str] = dict(self._llama.metadata)

    def encode(self, text: str) -> list[int]:
        """The token ids of a text; marker tokens in it count as such, nothing is added."""
        return list(self._llama.tokenize(text.encode("utf-8"), add_bos=False, special=True))

    def decode(self, ids: Sequence[int]) -> bytes:
        """The bytes of these tokens, markers included."""
        return b"".join(self._llama.detokenize([i], special=True) for i in ids)

    def logits(self, ids: Sequence[int]) -> NDArray[np.float32]:
        """(tokens, vocabulary) logits after each token of a fresh sequence."""
        self._llama.reset()
        self._llama.eval(list(ids))
        return np.array(self._llama.scores[: len(ids)], dtype=np.float32)

    def greedy(self, prompt: str, limit: int = 200) -> str:
        """The most probable continuation, token by token, up to the end token, `limit` tokens or a full context."""
        ids = self.encode(prompt)
        if len(ids) >= self.context:
            return ""
        self._llama.reset()
        self._llama.eval(ids)
        made: list[int] = []
        while len(made) < limit and len(ids) + len(made) < self.context:
            token = int(self._llama.scores[self._llama.n_tokens - 1].argmax())
            if token == self.end:
                break
            made.append(token)
            self._llama.eval([token])
        return self.decode(made).decode("utf-8", "replace")
