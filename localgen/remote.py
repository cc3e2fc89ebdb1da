"""Candidates from another engine: any server that speaks OpenAI's chat completions, under the same constraint.

The grammar goes where the server takes one: vLLM in `structured_outputs` (llguidance text), llama.cpp's servers in
`grammar` (GBNF). Another server gets none. What comes back is judged like any candidate, so nothing is trusted.
"""

from __future__ import annotations

import json
import os
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from localgen.decoder.candidate import Candidate
from localgen.options import Options
from localgen_grammars.constraint import Constraint
from localgen_retrieval.errors import GrammarError, ModelError, UsageError

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_OWNERS = {"vllm": "vllm", "llamacpp": "llama.cpp", "me": "llama.cpp"}
_MAX_ANSWER = 8 << 20


@dataclass(frozen=True)
class Completion:
    """One answer: its text, how many tokens it took, and whether it was cut at the limit."""

    text: str
    tokens: int
    cut: bool


class OpenAiServer:
    """A server under a base URL such as `http://127.0.0.1:8000/v1`.

    The environment variable OPENAI_API_KEY, where set, is sent as the bearer token.

    Raises:
        UsageError: the URL is none.
    """

    def __init__(self, base_url: str, *, model: str | None = None, seconds: float = 600.0) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(
                f"--base-url {base_url}: not an http or https address",
                hint="for example http://127.0.0.1:8000/v1", code="base-url",
            )
        self.base_url = base_url.rstrip("/")
        self._seconds = seconds
        # A proxy has no business between two programs on one machine.
        proxy = [urllib.request.ProxyHandler({})] if parts.hostname in _LOOPBACK else []
        self._opener = urllib.request.build_opener(*proxy)
        self._model = model
        self._kind: str | None = None

    def kind(self) -> str:
        """`vllm`, `llama.cpp`, or `other`: what the server says about its models."""
        if self._kind is None:
            found = self._ask("/models", None).get("data")
            models = [m for m in found if isinstance(m, dict)] if isinstance(found, list) else []
            self._model = self._model or (str(models[0].get("id")) if models else "default")
            owners = {str(m.get("owned_by")) for m in models}
            self._kind = next((kind for owner, kind in _OWNERS.items() if owner in owners), "other")
        return self._kind

    def complete(
        self, messages: list[dict[str, str]], options: Options, constraint: Constraint
    ) -> list[Completion]:
        """`options.k` answers: the first with temperature 0, the others with the given one and seeds of their own.

        Raises:
            GrammarError: the constraint would be too large in the form that this server takes.
            ModelError: the server cannot be reached, refuses the request, or answers with something else.
        """
        kind = self.kind()
        grammar: dict[str, Any] = {}
        if kind == "vllm":
            grammar = {"structured_outputs": {"grammar": constraint.grammar}}
        elif kind == "llama.cpp":
            grammar = {"grammar": gbnf_of(constraint)}
        out = []
        for i in range(options.k):
            answer = self._ask("/chat/completions", {
                "model": self._model, "messages": messages, "max_tokens": options.max_tokens,
                "temperature": options.temperature if i else 0.0, "seed": options.seed + i, **grammar,
            })  # fmt: skip
            out.append(self._completion(answer))
        return out

    def _completion(self, answer: dict[str, Any]) -> Completion:
        try:
            choice = answer["choices"][0]
            text = choice["message"]["content"] or ""
            used = (answer.get("usage") or {}).get("completion_tokens") or 0
            return Completion(without_fence(str(text)), int(used), choice.get("finish_reason") == "length")
        except (KeyError, IndexError, TypeError, ValueError, AttributeError):
            raise ModelError(
                f"{self.base_url}: the answer is no chat completion",
                hint="--base-url takes a server with OpenAI's /chat/completions", code="backend-answer",
            ) from None

    def _ask(self, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        if key := os.environ.get("OPENAI_API_KEY"):
            headers["Authorization"] = f"Bearer {key}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base_url + path, data, headers)
        try:
            with self._opener.open(request, timeout=self._seconds) as reply:
                found = json.loads(reply.read(_MAX_ANSWER))
        except urllib.error.HTTPError as err:
            said = err.read(2000).decode("utf-8", "replace").strip()
            raise ModelError(
                f"{self.base_url}{path}: status {err.code}: {' '.join(said.split())[:300] or err.reason}",
                hint="the server refused the request; its log says more", code="backend-refused",
            ) from None
        except (OSError, ValueError) as err:
            reason = getattr(err, "reason", None) or err
            raise ModelError(
                f"{self.base_url}{path}: no answer: {reason}",
                hint="start the server, or give its address with --base-url", code="backend-unreachable",
            ) from None
        if not isinstance(found, dict):
            raise ModelError(
                f"{self.base_url}{path}: the answer is no JSON object",
                hint="--base-url takes a server with OpenAI's /chat/completions", code="backend-answer",
            )
        return found


def gbnf_of(constraint: Constraint) -> str:
    """A constraint as GBNF: options in one order, otherwise as it is.

    Raises:
        GrammarError: it would be too large.
    """
    from localgen_grammars.constraint.patterns import Unsupported
    from localgen_grammars.portable import emit_grammar
    from localgen_grammars.portable.request import request_grammar

    try:
        return emit_grammar(request_grammar(constraint.grammar), "gbnf")
    except Unsupported as e:
        raise GrammarError(
            f"the constraint cannot be written as GBNF: {e}",
            hint="llguidance's form has no such limit", code="grammar-too-large",
        ) from None


def candidates_of(completions: list[Completion]) -> list[Candidate]:
    """The answers as candidates; a cut one ends with its last whole line."""
    out = []
    for i, c in enumerate(completions):
        text = c.text[: c.text.rfind("\n") + 1] if c.cut else c.text
        text = text if not text or text.endswith("\n") else text + "\n"
        made = Candidate(i, None, 0.0, 0, data=bytearray(text.encode("utf-8", "replace")), tokens=c.tokens)
        made.finished, made.truncated = True, c.cut
        out.append(made)
    return out


def without_fence(text: str) -> str:
    """The script in an answer that puts it into a code fence."""
    fenced = re.search(r"^```[^\n]*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return fenced.group(1) if fenced else text
