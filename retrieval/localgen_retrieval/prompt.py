"""How a pack and an instruction become the text that a model reads.

Two forms. `compact` is what the shipped small model was trained on: pack, task, script, each after a marker token.
`chat` is for any instruction-tuned GGUF: a fixed system prompt and one Constraints / Context / Goal message, to be put
into the model's own chat template. What all tasks of a domain share comes first, so that it is evaluated once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .catalog import Policy

PromptForm = Literal["compact", "chat"]

PACK, TASK, SCRIPT, END = "<|pack|>", "<|task|>", "<|script|>", "<|end|>"
MARKERS = (PACK, TASK, SCRIPT, END)

GOAL = "\n\nGoal:\n"

SYSTEM_PROMPT = (
    "You generate Tcl scripts that may embed DSL blocks. Use only the APIs shown in the context. "
    "Outputs must pass the validators: answer with the script alone, no explanation, no code fence."
)


def compact_prompt(pack_text: str, instruction: str) -> str:
    """The shipped model's prompt; the script follows, closed by `<|end|>`."""
    return f"{PACK}\n{pack_text}\n{TASK}\n{' '.join(instruction.split())}\n{SCRIPT}\n"


def policy_rules(policy: Policy) -> tuple[str, ...]:
    """The constraints that a model with a chat template is told, one sentence each."""
    rules = ["options before positional arguments, one statement a line"]
    if policy.forbidden:
        rules.append(f"never call {', '.join(policy.forbidden)}")
    rules.append(f"of Tcl's own commands only {', '.join(policy.allowed_builtins)}")
    return tuple(rules)


def chat_messages(
    pack_text: str, instruction: str, constraints: tuple[str, ...] = (), hints: tuple[str, ...] = ()
) -> list[dict[str, str]]:
    """System and user message for a model with a chat template; what changes from task to task comes last.

    Args:
        hints: paragraphs about this task, behind the goal.
    """
    rules = "\n".join(f"- {c}" for c in constraints) or "- Valid Tcl; options before positional arguments."
    goal = "\n\n".join((instruction.strip(), *hints))
    user = f"Constraints:\n{rules}\n\nContext (the only APIs there are):\n{pack_text}{GOAL}{goal}"
    return [{"role": "system", "content": SYSTEM_PROMPT}, {"role": "user", "content": user}]
