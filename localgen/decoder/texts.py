"""What the tokens of a model write, as text: decoded once per model, not once per vote."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from .model import LlamaModel

_KNOWN: WeakKeyDictionary[LlamaModel, NDArray[np.object_]] = WeakKeyDictionary()


class TokenTexts:
    """The texts of one model's tokens, looked up the first time that they may be written; kept as long as the model."""

    def __init__(self, model: LlamaModel) -> None:
        self._piece = model.piece
        found = _KNOWN.get(model)
        if found is None:
            found = _KNOWN[model] = np.full(model.n_vocab, None, object)
        self._texts = found

    def of(self, tokens: NDArray[np.int64]) -> list[str]:
        """The text of each of the tokens (n,); bytes that are no whole character become U+FFFD."""
        found: list[str] = self._texts[tokens].tolist()
        if None in found:
            for k, token in enumerate(tokens.tolist()):
                if found[k] is None:
                    found[k] = self._texts[token] = self._piece(token).decode("utf-8", "replace")
        return found
