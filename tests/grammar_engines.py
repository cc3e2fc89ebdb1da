"""The three engines' verdicts on a text: lark itself, llguidance, and llama.cpp's own grammar engine."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import llguidance
import numpy as np
from tiny_model import write_tiny_model

from localgen.decoder.model import LlamaModel

_BYTES = llguidance.LLTokenizer("byte")


def llguidance_accepts(grammar: str, text: str) -> bool:
    """Whether llguidance accepts the whole text; an error of the engine is none of its verdicts."""
    matcher = llguidance.LLMatcher(_BYTES, grammar, log_level=0)
    assert not matcher.is_error(), matcher.get_error()
    tokens = list(text.encode())
    taken = int(matcher.try_consume_tokens(tokens))
    assert not matcher.is_error() or taken < len(tokens), matcher.get_error()
    return taken == len(tokens) and bool(matcher.is_accepting())


class LlamaGrammars:
    """llama.cpp's grammar engine over a model's vocabulary that has every byte as a token."""

    def __init__(self, folder: Path) -> None:
        import llama_cpp

        self._lib: Any = llama_cpp
        self._model = LlamaModel(write_tiny_model(folder / "tiny.gguf"))
        self._byte = {self._model.piece(t): t for t in range(self._model.n_vocab) if len(self._model.piece(t)) == 1}
        self._end = min(self._model.end_tokens())
        self._tokens = (llama_cpp.llama_token_data * 1)()

    def close(self) -> None:
        """Free the model."""
        self._model.close()

    def compile(self, grammar: str) -> Any:
        """A sampler for a GBNF text; None where llama.cpp refuses it."""
        return self._lib.llama_sampler_init_grammar(self._model.vocab, grammar.encode(), b"root")

    def accepts(self, sampler: Any, text: str) -> bool:
        """Whether the whole text can be written, byte by byte, and may end there."""
        self._lib.llama_sampler_reset(sampler)
        for b in text.encode():
            token = self._byte[bytes([b])]
            if not self._allowed(sampler, token):
                return False
            self._lib.llama_sampler_accept(sampler, token)
        return self._allowed(sampler, self._end)

    def free(self, sampler: Any) -> None:
        """Free a sampler."""
        self._lib.llama_sampler_free(sampler)

    def _allowed(self, sampler: Any, token: int) -> bool:
        self._tokens[0] = self._lib.llama_token_data(token, 1.0, 0.0)
        array = self._lib.llama_token_data_array(self._tokens, 1, -1, False)
        self._lib.llama_sampler_apply(sampler, ctypes.byref(array))
        return bool(np.isfinite(self._tokens[0].logit))
