"""Synthetic tasks: reproducible, right by construction, and without a trace of the held-out suites in them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("yaml")

from oracle import TCLSH, requires_tcl

from localgen_grammars.blocks import cut_blocks
from localgen_grammars.quoting import quote_word
from localgen_retrieval.catalog import Dsl, Embedding
from localgen_training.families import SLOT, VALIDATION_FIELDS, all_fields, split_fields
from localgen_training.raw_check import procs_of
from localgen_training.synthesis import KINDS, Task, example, examples

HELD_OUT = Path(__file__).resolve().parents[1] / "heldout"
SEEDS = 300
_DIGEST = """
import hashlib
from localgen_training.synthesis import examples
print(hashlib.sha256("".join(repr(examples(s, 3)) for s in range(60)).encode()).hexdigest())
"""


def held_out_instructions() -> list[str]:
    paths = sorted(HELD_OUT.glob("*/tasks.jsonl"))
    return [
        json.loads(line)["instruction"] for p in paths for line in p.read_text("utf-8").splitlines() if line.strip()
    ]


def normal(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9_./$]+", text.lower()))


# ------------------------------------------------------------------ reproducible


def test_a_task_is_a_function_of_its_seed_in_any_process() -> None:
    wanted = hashlib.sha256("".join(repr(examples(s, 3)) for s in range(60)).encode()).hexdigest()
    for seed in ("0", "4711"):
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "PYTHONHASHSEED": seed}
        got = subprocess.run([sys.executable, "-c", _DIGEST], capture_output=True, text=True, check=True, env=env)
        assert got.stdout.strip() == wanted


def test_seeds_differ_and_all_kinds_appear() -> None:
    tasks = [example(s) for s in range(SEEDS)]
    assert len({(t.pack, t.instruction) for t in tasks}) == SEEDS
    assert {t.kind for t in tasks} == set(KINDS)


def test_the_first_task_of_a_world_does_not_depend_on_how_many_are_asked_for() -> None:
    # The pack is drawn after the tasks, so only the task itself is the same.
    for s in range(40):
        one, three = examples(s, 1)[0], examples(s, 3)[0]
        assert one.kind == three.kind and one.script == three.script


# ------------------------------------------------------------------ splits


def test_splits_share_no_field() -> None:
    train, validation = ({f.name for f in split_fields(s)} for s in ("train", "validation"))
    assert validation == set(VALIDATION_FIELDS) and train and not train & validation
    assert train | validation == {f.name for f in all_fields()}


def test_splits_share_hardly_a_sentence() -> None:
    def sentences(split: str) -> set[str]:
        fields = split_fields(split)
        found = [s for f in fields for c in f.concepts for s in (*c.say, *c.ask)]
        return {normal(SLOT.sub(" ", s)) for s in found if len(normal(SLOT.sub(" ", s)).split()) >= 4}

    shared = sentences("train") & sentences("validation")
    assert 100 * len(shared) < len(sentences("validation")), shared  # "check whether … is occupied": of any field


def test_no_held_out_instruction_is_nearly_a_synthetic_one() -> None:
    held = [set(normal(t).split()) for t in held_out_instructions()]
    assert len(held) >= 60
    for seed in range(2500):
        task = example(seed)
        words = set(normal(task.instruction).split())
        for other in held:
            assert len(words & other) < 0.6 * len(words | other), f"seed {seed}: {task.instruction}"


def test_no_held_out_instruction_is_made_from_a_familys_sentence() -> None:
    held = [normal(t) for t in held_out_instructions()]
    for field in all_fields():
        for concept in field.concepts:
            for sentence in (*concept.say, *concept.ask):
                pattern, fixed = _as_pattern(sentence)
                if fixed < 3:
                    continue  # "close {valve}": every language has that
                for text in held:
                    covered = fixed / len(text.split())
                    assert covered < 0.5 or not pattern.search(text), f"{field.name}: {sentence!r} makes {text!r}"


def _as_pattern(sentence: str) -> tuple[re.Pattern[str], int]:
    """A family's sentence as a pattern with up to four words in each slot, and the number of its fixed words."""
    parts = [p for p in re.split(r"(\{\w+\})", sentence) if p.strip()]
    words = [w for p in parts for w in ([p] if SLOT.fullmatch(p) else map(re.escape, normal(p).split()))]
    pattern = " ".join(r"\S+(?: \S+){0,3}" if SLOT.fullmatch(w) else w for w in words)
    return re.compile(rf"(?:^| ){pattern}(?: |$)"), sum(not SLOT.fullmatch(w) for w in words)


# ------------------------------------------------------------------ right scripts

# One interpreter per task: recorders for the pack's procs, everything else that is not allowed goes to `unknown`.
_RUN_ALL = r"""
fconfigure stdin -encoding utf-8 -translation lf
set allowed {set puts foreach if expr list lindex llength incr namespace}
set n 0
foreach {script procs spaces openers} [read stdin] {
    set ::strangers {}
    if {![info complete $script]} {puts "$n incomplete"}
    set child [interp create -safe]
    foreach space $spaces {interp eval $child [list namespace eval $space {}]}
    foreach command [interp eval $child {info commands}] {
        if {$command ni $allowed} {interp hide $child $command}
    }
    proc called {args} {return 1}
    proc stranger {name args} {if {$name ni $::openers} {lappend ::strangers $name}}
    interp alias $child unknown {} stranger
    interp alias $child puts {} called
    foreach proc $procs {interp alias $child $proc {} called}
    if {[catch {interp eval $child $script} message]} {puts "$n fails: $message"}
    foreach name $::strangers {puts "$n calls $name"}
    interp delete $child
    incr n
}
puts "done $n"
"""


def _dsls(pack: str) -> tuple[Dsl, ...]:
    heads = re.findall(r"^block (\S.*?[{(]) ([})])(?= |$)", pack, re.MULTILINE)
    return tuple(Dsl(name=f"d{i}", embedding=Embedding(open=o, close=c)) for i, (o, c) in enumerate(heads))


def _cut(task: Task) -> str:
    """The script without the blocks that are not Tcl (each of a DSL that the pack shows)."""
    text = task.script
    for block in reversed(cut_blocks(task.script, _dsls(task.pack)).blocks):
        assert block.closed, task.script
        text = text[: block.start] + text[block.end :]
    return text


def complaints(tasks: list[Task], folder: Path) -> list[str]:
    """What real Tcl says of these scripts, run with nothing but their packs' procs and the allowed built-ins."""
    words: list[str] = []
    for task in tasks:
        procs = sorted(procs_of(task.pack))
        names = [*procs, *re.findall(r"::[\w:]+", task.script)]
        spaces = sorted({"::" + n.strip(":").rsplit("::", 1)[0] for n in names if "::" in n.strip(":")})
        openers = [d.embedding.words[0] for d in _dsls(task.pack) if d.embedding.words]
        words += [_cut(task), *(" ".join(map(quote_word, x)) for x in (procs, spaces, openers))]
    *told, last = _tclsh(_RUN_ALL, " ".join(map(quote_word, words)), folder).splitlines()
    assert last == f"done {len(tasks)}"
    return [f"{t}\n{tasks[int(t.split()[0])].script}" for t in told]


@requires_tcl
@pytest.mark.parametrize("split", ["train", "validation"])
def test_every_script_is_complete_tcl_and_uses_symbols_of_its_pack_only(split: str, tmp_path: Path) -> None:
    told = complaints([example(seed, split) for seed in range(SEEDS)], tmp_path)
    assert not told, "\n\n".join(told[:5])


@requires_tcl
def test_the_check_itself_sees_strangers_and_broken_scripts(tmp_path: Path) -> None:
    pack = "a::b -c <int> : Does b.\nvar x <int>\nblock rules { } rule <ID>"
    bad = ["a::b -c 1\na::z -c 1", "exec ls", "a::b -c {1", "foreach n {1 2} {\n  b $n\n}", "set y [q]", "limits {\n}"]
    good = ["a::b -c 1\nset x 2", "rules {\n  rule R1\n}", "if {[a::b -c 1] > 2} {\n  a::b -c 2\n}"]
    tasks = [Task("call", pack, "", script) for script in [*bad, *good]]
    flagged = {int(t.split()[0]) for t in complaints(tasks, tmp_path)}
    assert flagged == set(range(len(bad)))


def _tclsh(program: str, text: str, folder: Path) -> str:
    assert TCLSH is not None
    file = folder / "program.tcl"
    file.write_text(program, encoding="utf-8")
    done = subprocess.run([TCLSH, str(file)], input=text.encode(), capture_output=True, timeout=60, check=True)
    return done.stdout.decode()


@pytest.mark.parametrize("split", ["train", "validation"])
def test_variables_that_scripts_set_are_in_the_pack_or_their_own(split: str) -> None:
    for seed in range(SEEDS):
        task = example(seed, split)
        known = set(re.findall(r"^var (\S+)", task.pack, re.MULTILINE))
        for name in re.findall(r"^\s*set (::\S+)", task.script, re.MULTILINE):
            assert name in known, f"{name}\n{task.pack}"
        for name in re.findall(r"\$(\w+)", _cut(task)):
            assert re.search(rf"^\s*(?:foreach|set) {name} ", task.script, re.MULTILINE), task.script
