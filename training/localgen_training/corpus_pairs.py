"""Commands of other tools with people's own descriptions: help examples read as (sentence, command, options).

The corpus' pairs (PowerShell help, the aws command's help, tldr pages) are sentences that no template has. What can be
read with certainty is kept: one plain command with options, whose values stand in the sentence, are one of the few an
option ever takes, or can be said beside it. Knows nothing of packs or of training.
"""

from __future__ import annotations

import json
import lzma
import re
import shlex
from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

MAX_OPTIONS = 5
MAX_WORDS = 32
_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+|\d+")
_SYNTAX = re.compile(r"-(\w+)\]?(?:\s+<([^>]+)>)?")
_LEAD = re.compile(
    r"^(?:(?:In this example,? )?(?:this|the (?:following|first|second)|above)(?: `?[\w-]+`?)?"
    r" (?:example|command|cmdlet)s?,? (?:shows how to |will )?|to (?=[a-z])|use `[^`]+` to |how to )",
    re.I,
)
_PLACEHOLDERS = frozenset([
    "path", "file", "url", "name", "username", "user", "repository", "directory", "command", "package", "host",
    "hostname", "id", "string", "text", "value", "image",
])  # fmt: skip
_COMMON = frozenset(["confirm", "whatif", "verbose", "debug", "erroraction", "force", "passthru", "query", "output"])


@dataclass(frozen=True)
class Example:
    """A sentence and the options that do what it says; a flag's value is None."""

    sentence: str
    options: tuple[tuple[str, str | None], ...]


@dataclass
class Command:
    """A command with what is known of it.

    Attributes:
        words: its name as words. area: what it belongs to; commands of one area are each other's distractors.
        values: option → every value seen (empty for a flag).
    """

    words: str
    area: str
    summary: str = ""
    values: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    examples: list[Example] = field(default_factory=list)

    def kind(self, option: str) -> str:
        """The type that the values seen suggest: flag, bool, int, float, enum or string."""
        seen = [v for v in self.values[option] if v]
        low = {v.lower() for v in seen}
        if not seen:
            return "flag"
        if low <= {"true", "false"}:
            return "bool"
        if all(re.fullmatch(r"-?\d+", v) for v in seen):
            return "int"
        if all(re.fullmatch(r"-?\d+\.\d+|-?\d+", v) for v in seen):
            return "float"
        words = {v for v in seen if re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{1,18}", v)}
        return "enum" if len(words) == len(set(seen)) and 2 <= len(words) <= 8 and len(seen) > len(words) else "string"


@lru_cache(maxsize=2)
def load_commands(corpus: Path) -> dict[str, list[Command]]:
    """area → its commands with examples, from every `pairs-*.jsonl.xz` of a folder; areas of one command left out."""
    made: dict[str, Command] = {}
    for path in sorted(corpus.glob("pairs-*.jsonl.xz")):
        with lzma.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                d = json.loads(line)
                if d["how"] in ("powershell", "aws", "tldr"):
                    _read(d["how"], d["instruction"], d["output"], made)
    areas: dict[str, list[Command]] = defaultdict(list)
    for c in made.values():
        if c.examples:
            areas[c.area].append(c)
    return {a: cs for a, cs in sorted(areas.items()) if len(cs) > 1}


def words_of_name(name: str) -> str:
    """`Set-CsTeamsAIPolicy` → `set cs teams ai policy`."""
    return " ".join(w.lower() for w in _CAMEL.findall(name))


def _read(how: str, instruction: str, output: str, made: dict[str, Command]) -> None:
    output = output.replace("\\\n", " ").replace("`\n", " ").strip()
    if "\n" in output or re.search(r"[|><;{}$()@]", output.replace("$true", "true").replace("$false", "false")):
        return
    try:
        words = shlex.split(output.replace("\\", "/").replace("$true", "true").replace("$false", "false"))
    except ValueError:
        return
    head, area, rest = _head(how, words)
    if not head or len(words) > 24:
        return
    name = words_of_name(head).removeprefix("aws ")
    command = made.setdefault(f"{how} {head}", Command(name, f"{how} {area}"))
    syntax = re.match(r"Commands:\n(.*?)\n\nTask: ", instruction, re.S)
    if syntax:
        instruction = instruction[syntax.end() :]
        for name, _ in _SYNTAX.findall(syntax.group(1)):
            if name.lower() not in _COMMON:
                command.values[words_of_name(name)].extend(())
        summary = syntax.group(1).strip().splitlines()[-1].strip()
        command.summary = command.summary or (summary if summary[:1].isupper() else "")
    sentence = _sentence(instruction, head)
    options = _options(rest)
    if sentence and options is not None and len(options) <= MAX_OPTIONS:
        for name, value in options:
            command.values[name].extend([value] if value is not None else ())
        command.examples.append(Example(sentence, tuple(options)))


def _head(how: str, words: list[str]) -> tuple[str, str, list[str]]:
    """(name, area, arguments) of a command line."""
    if how == "powershell":
        m = re.fullmatch(r"[A-Z][A-Za-z]+-([A-Z][a-z0-9]*[A-Z]?[a-z]*)\w*", words[0]) if words else None
        return (words[0], m.group(1)[:6], words[1:]) if m else ("", "", [])
    if words and words[0] == "sudo":
        words = words[1:]
    n = 0
    while n < min(3, len(words)) and re.fullmatch(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", words[n]):
        if words[n] in _PLACEHOLDERS:
            break
        n += 1
    if n < 2 or (how == "aws" and n < 3):
        return "", "", []
    return " ".join(words[:n]), words[1] if how == "aws" else words[0], words[n:]


def _options(words: list[str]) -> list[tuple[str, str | None]] | None:
    """Option pairs of an argument list; None where it has anything else, or an option twice."""
    out: list[tuple[str, str | None]] = []
    i = 0
    while i < len(words):
        m = re.fullmatch(r"--?([A-Za-z][\w-]+)(?:[=:](.+))?", words[i])
        if not m:
            return None
        name, value = words_of_name(m.group(1)), m.group(2)
        i += 1
        if value is None and i < len(words) and not re.match(r"--?[A-Za-z]", words[i]):
            value = words[i]
            i += 1
        if name.replace(" ", "") in _COMMON:
            continue
        if name in (n for n, _ in out) or (value is not None and (len(value) > 40 or value == "")):
            return None
        out.append((name, value))
    return out


def _sentence(text: str, head: str) -> str:
    """The request in a help text's words: its first sentence, without the phrases that introduce an example."""
    text = re.sub(r"^`[^`\n]+`:[^\n]*\nTask: ", "", text)
    text = re.sub(r"\*\*|__|\[([^\]]*)\]\([^)]*\)", r"\1", " ".join(text.split())).replace("\\", "/")
    parts = [p for p in re.split(r"(?<=[a-z0-9\"`)])[.:] (?=[A-Z])", text) if p]
    if not parts:
        return ""
    best = _LEAD.sub("", max(parts[:2], key=lambda p: (len(p) < 160, len(p))))
    best = best.replace("`", "").replace("'", "").strip(" .")
    first, _, rest = best.partition(" ")
    if first.lower().endswith("s") and not first.lower().endswith("ss") and len(first) > 3 and rest:
        best = f"{_base(first.lower())} {rest}"
    lower = best.lower()
    if head.lower() in lower or (head.split()[-1].lower() in lower.split() and "-" in head.split()[-1]):
        return ""
    return best if 2 < len(best.split()) <= MAX_WORDS else ""


def _base(verb: str) -> str:
    """`returns` → `return`, `specifies` → `specify`, `searches` → `search`."""
    if verb.endswith("ies"):
        return verb[:-3] + "y"
    return verb[:-2] if verb.endswith(("ches", "shes", "sses", "xes")) else verb[:-1]
