"""Paraphrases by a model: a local GGUF file, or a server that speaks OpenAI's chat protocol.

What a model says is believed only where every name and number of the task is still in it, and no number is new.
"""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Protocol

from localgen_retrieval.errors import ModelError, ToolError

from .marks import keep, kept, plain

SECONDS = 120
_ASKED = {
    "natural": "the way a colleague would say it", "terse": "as short as possible, without full sentences",
    "instructional": "as a formal instruction to write a script", "academic": "in an academic tone",
    "step": "the way a colleague would say it",
}  # fmt: skip
_SYSTEM = (
    "You rephrase requests. Keep every name, number and unit exactly as it is written, add nothing, leave nothing out. "
    "Answer with the rephrased request alone."
)
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")


class Chat(Protocol):
    """Something that answers a chat."""

    def answer(self, messages: list[dict[str, str]], seed: int, most: int) -> str:
        """The text of the next turn."""
        ...


class Paraphraser:
    """Words tasks anew with a model."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    def paraphrase(self, text: str, style: str, seed: int) -> str | None:
        """The marked text in other words, its kept pieces still marked; None where the model lost or invented one."""
        task = plain(text)
        messages = [
            {"role": "system", "content": _SYSTEM},
            {"role": "user", "content": f"Rephrase this request, {_ASKED.get(style, _ASKED['natural'])}:\n{task}"},
        ]
        return accepted(text, self._chat.answer(messages, seed, 64 + len(task)))


def accepted(text: str, answer: str) -> str | None:
    """The answer, marked as the text is, if it says the same names and numbers; else None."""
    answer = " ".join(answer.strip().strip('"').split())
    if not answer or len(answer) > 3 * len(plain(text)) + 40 or any(c in answer for c in "\ue000\ue001"):
        return None
    if answer.lower() == " ".join(plain(text).split()).lower():
        return None
    numbers = set(_NUMBER.findall(plain(text)))
    if set(_NUMBER.findall(answer)) != numbers:
        return None
    out, at = "", 0
    # Pieces may come in another order: each is looked for from the longest on, and none is found within another.
    spans: list[tuple[int, int]] = []
    for piece in sorted(kept(text), key=len, reverse=True):
        pattern = rf"(?<![\w.]){re.escape(piece)}(?!\w)"
        free = (m.span() for m in re.finditer(pattern, answer))
        span = next((s for s in free if all(s[1] <= a or b <= s[0] for a, b in spans)), None)
        if span is None:
            return None
        spans.append(span)
    for start, end in sorted(spans):
        out += answer[at:start] + keep(answer[start:end])
        at = end
    return out + answer[at:]


class GgufChat:
    """A GGUF model under llama.cpp, loaded at once, one thread.

    Raises:
        ModelError: the file is missing, or no model that llama.cpp can load.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        if not path.is_file():
            raise ModelError(f"{path}: no such file", hint="--paraphrase-model takes a GGUF file", code="model-missing")
        import llama_cpp

        try:
            self._model: Any = llama_cpp.Llama(
                str(path), n_ctx=2048, n_threads=threads, n_threads_batch=threads, verbose=False, seed=0
            )
        except (ValueError, RuntimeError, OSError) as e:
            raise ModelError(
                f"{path}: cannot be loaded: {e}", hint="is it a GGUF model?", code="model-damaged"
            ) from None

    def answer(self, messages: list[dict[str, str]], seed: int, most: int) -> str:
        """The text of the next turn; the same for the same seed."""
        self._model.reset()
        try:
            got = self._model.create_chat_completion(messages, seed=seed, temperature=0.7, max_tokens=min(most, 512))
        except ValueError:  # longer than the context
            return ""
        return str(got["choices"][0]["message"]["content"] or "")


class ServerChat:
    """A server on OpenAI's protocol; `url` is its root or ends in `/v1`."""

    def __init__(self, url: str, model: str = "") -> None:
        root = url.rstrip("/")
        self._url = (root if root.endswith("/v1") else f"{root}/v1") + "/chat/completions"
        self._model = model

    def answer(self, messages: list[dict[str, str]], seed: int, most: int) -> str:
        """The text of the next turn.

        Raises:
            ToolError: the server cannot be reached, or answers something else.
        """
        body: dict[str, Any] = {"messages": messages, "seed": seed, "temperature": 0.7, "max_tokens": min(most, 512)}
        if self._model:
            body["model"] = self._model
        request = urllib.request.Request(
            self._url, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as response:
                return str(json.load(response)["choices"][0]["message"]["content"] or "")
        except (OSError, urllib.error.URLError, ValueError, KeyError, IndexError, TypeError) as e:
            hint = "is a server with /v1/chat/completions at --paraphrase-url?"
            raise ToolError(f"{self._url}: no answer: {e}", hint=hint, code="paraphrase-server") from None


def open_paraphraser(where: str) -> Paraphraser | None:
    """The paraphraser at a URL or in a GGUF file; None for "".

    Raises:
        ModelError: the file cannot be used.
    """
    if not where:
        return None
    if where.startswith(("http://", "https://")):
        return Paraphraser(ServerChat(where))
    return Paraphraser(GgufChat(Path(where)))
