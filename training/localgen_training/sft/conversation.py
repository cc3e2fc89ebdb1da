"""An example as token ids and labels: exactly the prompt that `generate` will show the model, then the answer.

`generate` lets llama.cpp render the model's chat template, which differs from the template's own Jinja in places (Llama
3 puts the date there, Qwen 3 an empty thought). So the prompt is rendered by llama.cpp here too. The answer follows
without whatever the template would put in front of it, since decoding starts there, and ends with the token that ends
the assistant's turn. Loss counts on the answer and that token alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localgen_retrieval.errors import ModelError
from localgen_retrieval.llama_quiet import silence

from ..examples import Example

IGNORED = -100


@dataclass(frozen=True)
class Encoded:
    """Token ids of prompt and answer, and labels: IGNORED over the prompt."""

    input_ids: list[int]
    labels: list[int]


def render_chat(template: str | None, messages: Sequence[Mapping[str, str]], *, answer_next: bool = True) -> str:
    """Messages as text, as `generate` does it: rendered by llama.cpp, or plainly where it does not know the template.

    Args:
        answer_next: end with what opens the assistant's turn.
    """
    silence()
    import ctypes

    import llama_cpp

    if template:
        kept = [(m["role"].encode(), m["content"].encode()) for m in messages]
        array = (llama_cpp.llama_chat_message * len(kept))(*(llama_cpp.llama_chat_message(r, c) for r, c in kept))
        size = 2 * sum(len(r) + len(c) for r, c in kept) + 4096
        buffer = ctypes.create_string_buffer(size)
        n = llama_cpp.llama_chat_apply_template(template.encode(), array, len(kept), answer_next, buffer, size)
        if 0 < n <= size:
            return buffer.raw[:n].decode("utf-8", "replace")
    return "\n\n".join(m["content"] for m in messages) + ("\n\nScript:\n" if answer_next else "")


class ConversationEncoder:
    """Encodes examples for one tokenizer.

    Args:
        tokenizer: a transformers tokenizer (fast), with or without a chat template.

    Raises:
        ModelError: the tokenizer has no token that can end an answer.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.template: str | None = tokenizer.chat_template if isinstance(tokenizer.chat_template, str) else None
        self.end = self._end_token()

    def prompt(self, messages: Sequence[Mapping[str, str]]) -> list[int]:
        """Token ids up to where the answer begins, with the beginning token where the model has one."""
        ids: list[int] = self.tokenizer(render_chat(self.template, messages), add_special_tokens=True)["input_ids"]
        # Some post-processors close every text; an answer follows here.
        while ids and ids[-1] == self.tokenizer.eos_token_id:
            ids.pop()
        return ids

    def encode(self, example: Example) -> Encoded:
        """The example's ids and labels."""
        *asked, answer = example.messages
        prompt = self.prompt([m.model_dump() for m in asked])
        response = self.tokenizer(answer.content, add_special_tokens=False)["input_ids"] + [self.end]
        return Encoded(prompt + response, [IGNORED] * len(prompt) + response)

    def _end_token(self) -> int:
        """The token after an assistant's turn in the chat template; else the end of the text."""
        if self.template:
            mark = "\u2402answer\u2402"
            turns = [{"role": "user", "content": "x"}, {"role": "assistant", "content": mark}]
            text = render_chat(self.template, turns, answer_next=False)
            after = self.tokenizer(text.rpartition(mark)[2].strip(), add_special_tokens=False)["input_ids"]
            special = set(self.tokenizer.all_special_ids) | set(self.tokenizer.added_tokens_decoder)
            if after and after[0] in special:
                return int(after[0])
        if self.tokenizer.eos_token_id is None:
            raise ModelError(
                "the tokenizer names no token that ends a text",
                hint="set eos_token in the base folder's tokenizer_config.json",
                code="base-no-end-token",
            )
        return int(self.tokenizer.eos_token_id)
