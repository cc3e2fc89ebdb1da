"""Examples from real scripts: the task line, a pack of only what the script uses, and variants with other values.

A script's task is its line `# task: …`; without one, its first comment where that is a sentence. A script with neither
is discarded, and counted.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from pathlib import Path

from localgen.scripts import used_symbols
from localgen_grammars.blocks import cut_blocks
from localgen_grammars.tcl import Command, Visit, parse, walk
from localgen_grammars.tcl.roles import Role
from localgen_retrieval.errors import UsageError

from ..values import invent_name
from .calls import Step
from .marks import keep
from .renaming import translated
from .source import Source
from .splits import Split, pick, split_of_name
from .wording import BARE, Style
from .world import Shown, World

MAX_CHARACTERS = 20_000
_TASK = re.compile(r"#[ \t]*task:[ \t]*(.*\S)", re.I)
_TOKEN = re.compile(r"[A-Za-z_][\w/.\[\]-]*\w|\d+(?:\.\d+)?|[A-Za-z]")
_STARTS = re.compile(r"(?:at|in|if|for|with|when|on|after|before|first|now|please|to|using|the|only)\b", re.I)


@dataclass(frozen=True)
class RealScript:
    """A script of the team: where it is, its task ("" where it says none), and its text without comments."""

    path: str
    task: str
    body: str

    @property
    def split(self) -> Split:
        """A script is in one split whatever becomes of it."""
        return split_of_name(self.path)


def scripts_of(source: Source, folder: Path | None) -> list[RealScript]:
    """The domain's example scripts, and the `.tcl` files of a folder.

    Raises:
        UsageError: the folder is none, or has no script.
    """
    found = [RealScript(e.path, e.task, _body(e.script)) for e in source.domain.examples]
    if folder is None:
        return found
    if not folder.is_dir():
        raise UsageError(
            f"{folder}: no such folder of scripts", hint="--scripts takes a folder", code="scripts-missing"
        )
    files = sorted(p for p in folder.rglob("*.tcl") if p.is_file())
    if not files:
        raise UsageError(f"{folder}: no .tcl file there", hint="--scripts takes a folder", code="scripts-missing")
    for path in files:
        text = path.read_text("utf-8", "replace").replace("\r\n", "\n")[: MAX_CHARACTERS + 1]
        comments = [line.strip() for line in text.split("\n") if line.lstrip().startswith("#") and line[:2] != "#!"]
        task = next((m.group(1) for c in comments if (m := _TASK.match(c))), "")
        first = comments[0].lstrip("# ").strip() if comments else ""
        if not task and len(first.split()) >= 4 and first[:1].isalpha():
            task = first
        found.append(RealScript(path.relative_to(folder).as_posix(), task, _body(text)))
    return found


def _body(script: str) -> str:
    """The script without header, comments and blank lines."""
    return "\n".join(line for line in script.splitlines() if line.strip() and not line.lstrip().startswith("#"))


def script_step(world: World, script: RealScript, style: Style) -> Step | str:
    """The task with its script in this world's names, or the reason why there is none."""
    source, rng = world.source, world.rng
    if not script.body or len(script.body) > MAX_CHARACTERS:
        return "script is empty" if not script.body else "script is too long"
    shown = _shown(source, script.body)
    if not shown.procs and not shown.variables and not shown.dsls:
        return "script uses nothing of the catalog"
    task, body = script.task, script.body
    if not task:
        return "script says no task"
    if rng.random() < 0.6:
        task, body = _varied(source, task, body, rng)
    number = 0
    marked = _TOKEN.sub(lambda m: keep(m.group()) if _said(m.group(), body) else m.group(), task)
    if not _STARTS.match(task) and rng.random() < 0.5:
        number, form = pick(BARE[style], world.split, rng)
        marked = form.format(act=marked[:1].lower() + marked[1:].rstrip("."))
    if world.renaming is not None:
        if any(not source.domain.catalog.procs[i].summary for i in shown.procs):
            return "script uses undocumented procs, whose names must stay"
        renamed = rename_script(world, body)
        if renamed is None:
            return "script cannot be renamed"
        body, marked = renamed, world.renaming.text(marked)
    return Step(marked.rstrip("."), body.split("\n"), shown, f"script{number}")


def _said(token: str, body: str) -> bool:
    plain = token.isalpha() and token.islower() and len(token) > 2
    return bool(re.search(rf"(?<!\w){re.escape(token)}(?![A-Za-z_])" if not plain else rf"(?<!\S){token}(?!\S)", body))


def _shown(source: Source, body: str) -> Shown:
    used = used_symbols(body, source.domain.catalog)
    names = set(used)
    shown = Shown(
        [source.by_name[n] for n in used if n in source.by_name],
        [i for i, v in enumerate(source.domain.catalog.variables) if v.name in names],
    )
    for d, dsl in enumerate(source.dsls):
        entry = source.domain.catalog.dsls[dsl.index]
        if entry.name in names or source.domain.catalog.host == "none":
            lines = {line.split()[0] for line in body.splitlines() if line.split()}
            heads = [p.example.split()[0] if p.example.split() else "" for p in entry.productions]
            shown.dsls[d] = [i for i, head in enumerate(heads) if head in lines]
    return shown


def _varied(source: Source, task: str, body: str, rng: random.Random) -> tuple[str, str]:
    """Task and script with other names and numbers, where one is said once and written literally."""
    catalog = source.domain.catalog
    fixed = {v for p in catalog.procs for a in p.args for v in a.values} | {
        v for x in catalog.variables for v in x.values
    }
    fixed |= set(source.by_name) | source.builtins
    for token in dict.fromkeys(_TOKEN.findall(task)):
        if token in fixed or rng.random() < 0.4:
            continue
        there = re.findall(rf"(?<![\w:.$-]){re.escape(token)}(?![\w:.])", task)
        number = token.replace(".", "", 1).isdigit()
        if number:
            digits = len(token.partition(".")[2])
            new = f"{float(token) * rng.choice([0.5, 0.8, 1.2, 1.5, 2]):.{digits}f}"
            if float(new) == 0 or len(there) != 1 or len(re.findall(rf"(?<![\w.]){token}(?![\d.])", body)) != 1:
                continue
            pattern = rf"(?<![\w.]){re.escape(token)}(?![\d.])"
        elif (any(c.isupper() or c.isdigit() or c == "_" for c in token) and _name(token, body)) and there:
            new = invent_name(rng)
            pattern = rf"(?<![\w:.$-]){re.escape(token)}(?![\w:.])"
            if not re.fullmatch(r"[A-Za-z_]\w*", new) or re.search(rf"\b{new}\b", body + task):
                continue
        else:
            continue
        # Neither names nor numbers have a backslash, which `sub` would read.
        task, body = re.sub(pattern, new, task), re.sub(pattern, new, body)
    return task, body


def _name(token: str, body: str) -> bool:
    """Whether a token is a whole word of the script, and no option, variable or unit."""
    return bool(re.search(rf"(?<![\w:.$\-/]){re.escape(token)}(?![\w:./])", body)) and not re.match(
        r"M\d|[A-Z]?\d", token
    )


def rename_script(world: World, body: str) -> str | None:
    """A script in this world's names, None where an option is shortened or a block does not parse."""
    source, renaming = world.source, world.renaming
    assert renaming is not None
    catalog = source.domain.catalog
    edits: dict[tuple[int, int], str] = {}
    cut = cut_blocks(body, catalog.dsls)
    for block in cut.blocks:
        d = next((i for i, x in enumerate(source.dsls) if x.index == block.dsl), None)
        if d is None or not _translate(world, d, body, (block.inner_start, block.inner_end), edits):
            return None
    tree = parse(cut.text)

    def code(command: Command) -> dict[int, Role]:
        index = source.by_name.get((command.name or "").removeprefix("::"))
        if index is None or index not in source.bodies:
            return {}
        last = len(command.words) - 1
        return {last: "script"} if last > 0 and command.words[last].kind == "braced" else {}

    for visit in walk(tree, code):
        if not _edit_command(world, visit, cut.text, edits):
            return None
    for variable in catalog.variables:
        new = renaming.name(variable.name)
        for m in re.finditer(rf"(?<![\w:]){re.escape(variable.name)}(?![\w:])", body):
            edits[m.span()] = new
    out, at = "", 0
    for (start, end), text in sorted(edits.items()):
        if start < at:
            return None
        out += body[at:start] + text
        at = end
    return out + body[at:]


def _edit_command(world: World, visit: Visit, text: str, edits: dict[tuple[int, int], str]) -> bool:
    source, renaming = world.source, world.renaming
    assert renaming is not None
    words = visit.command.words
    name = (visit.command.name or "").removeprefix("::")
    index = source.by_name.get(name)
    for d, dsl in enumerate(source.dsls):
        entry = source.domain.catalog.dsls[dsl.index].embedding
        if (
            entry.braced
            and tuple(w.value for w in words[: len(entry.words)]) == entry.words
            and len(words) > len(entry.words)
        ):
            last = words[len(entry.words)]
            new = world.dsls[d].entry.embedding.words
            for word, changed in zip(words, new, strict=False):
                edits[(word.start, word.end)] = changed
            return _translate(world, d, text, (last.inner_start, last.inner_end), edits)
    if index is None:
        return True
    old, new_proc = source.domain.catalog.procs[index], renaming.proc(index)
    edits[(words[0].start, words[0].end)] = new_proc.name
    options = {f"-{a.name}": f"-{b.name}" for a, b in zip(old.args, new_proc.args, strict=True) if not a.positional}
    for word in words[1:]:
        value = word.value or ""
        if value in options and word.kind == "bare":
            edits[(word.start, word.end)] = options[value]
        elif re.match(r"-[A-Za-z]", value) and word.kind == "bare":
            return False
    return True


def _translate(world: World, d: int, text: str, span: tuple[int, int], edits: dict[tuple[int, int], str]) -> bool:
    inner = text[span[0] : span[1]]
    new = translated(inner, world.source.dsls[d].grammar, world.dsls[d].words)
    if new is None:
        return False
    edits[span] = new
    return True
