"""Help examples of real commands as training tasks: what is read, what is left out, and that tasks are right."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import pytest

pytest.importorskip("yaml")

from localgen_grammars.constraint.grounding import words_of
from localgen_training.corpus_pairs import load_commands, words_of_name
from localgen_training.corpus_tasks import corpus_tasks

ROWS = [
    ("powershell", "This example removes the pool named West1 at once.", 'Remove-StoragePool -Name "West1" -Now'),
    ("powershell", "Commands:\nGet-StoragePool [[-Name] <String[]>] [-Health <String>]\n    Gets pools.\n\n"
                   "Task: Get a pool. This command gets the pool named West1.", "Get-StoragePool -Name West1"),
    ("powershell", "This example sets the mode of every pool to Manual.", "Set-StoragePool -Mode Manual -Name East"),
    ("powershell", "Sets all pools to the Auto mode again.", "Set-StoragePool -Mode Auto -Name East"),
    ("powershell", "Manual pools for the rest of the week, please.", "Set-StoragePool -Mode Manual -Name East"),
    ("powershell", "Lists pools and sorts them.", "Get-StoragePool | Sort-Object Name"),
    ("powershell", "Two commands at once.", "Get-StoragePool -Name a\nGet-StoragePool -Name b"),
    ("aws", "To delete a backup plan.", "aws backup delete-backup-plan \\\n    --plan-id 9f1c"),
    ("aws", "To list the backup plans of an account.", "aws backup list-backup-plans"),
    ("tldr", "Use `git gone` to drop branches.", "git gone branch_name"),
    ("test", "Not a command.", "test a-1.0 {} {} {}"),
]  # fmt: skip


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    with lzma.open(folder / "pairs-000.jsonl.xz", "wt", encoding="utf-8") as f:
        for how, instruction, output in ROWS:
            print(json.dumps({"how": how, "instruction": instruction, "output": output, "kind": "pair"}), file=f)
    return folder


def test_only_single_plain_commands_with_options_are_read(corpus: Path) -> None:
    areas = load_commands(corpus)
    commands = {c.words: c for cs in areas.values() for c in cs}
    assert set(commands) == {
        "remove storage pool", "get storage pool", "set storage pool", "backup delete backup plan",
        "backup list backup plans",
    }  # fmt: skip
    assert len(commands["get storage pool"].examples) == 1
    assert commands["get storage pool"].summary == "Gets pools."
    assert [c.words for c in areas["aws backup"]] == ["backup delete backup plan", "backup list backup plans"]


def test_sentences_lose_what_introduces_them(corpus: Path) -> None:
    commands = {c.words: c for cs in load_commands(corpus).values() for c in cs}
    assert commands["remove storage pool"].examples[0].sentence == "remove the pool named West1 at once"
    assert commands["backup delete backup plan"].examples[0].sentence == "delete a backup plan"


def test_kinds_are_read_off_the_values_seen(corpus: Path) -> None:
    commands = {c.words: c for cs in load_commands(corpus).values() for c in cs}
    assert commands["remove storage pool"].kind("now") == "flag"
    assert commands["set storage pool"].kind("mode") == "enum"
    assert commands["set storage pool"].kind("name") == "string"


def test_every_name_and_number_of_a_task_is_in_its_instruction(corpus: Path) -> None:
    calls = 0
    for seed in range(120):
        for task in corpus_tasks(corpus, seed, 3):
            said = words_of(task.instruction)
            for line in task.script.splitlines():
                name, *words = line.split(" ")
                assert any(p.split(" ")[0] == name for p in task.pack.splitlines()), (name, task.pack)
                calls += 1
                values = [w for w in words if not w.startswith("-")]
                assert all(v.strip("{}") in task.instruction or v in ("Manual", "Auto") for v in values), task
                assert said.names
    assert calls > 300


def test_a_task_is_a_function_of_its_seed(corpus: Path) -> None:
    assert corpus_tasks(corpus, 7, 4) == corpus_tasks(corpus, 7, 4)
    assert len({t.instruction for s in range(20) for t in corpus_tasks(corpus, s, 1)}) > 10


@pytest.mark.parametrize(
    ("name", "words"),
    [("Set-CsTeamsAIPolicy", "set cs teams ai policy"), ("list-backup-plans", "list backup plans"), ("vpc", "vpc")],
)
def test_names_become_words(name: str, words: str) -> None:
    assert words_of_name(name) == words
