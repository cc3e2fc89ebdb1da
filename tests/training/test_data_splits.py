"""Nothing is in two splits: no family, no sentence form, no catalog, no script, and nothing that is nearly the same."""

from __future__ import annotations

import itertools
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from training.data_kit import MINIMAL

from localgen_training.data import clarifications, repairs, wording
from localgen_training.data.dedupe import THRESHOLD, NearDuplicates, jaccard, shingles
from localgen_training.data.settings import DataSettings
from localgen_training.data.splits import SPLITS, fields_of, forms, split_of_form, split_of_name
from localgen_training.data.writer import make_data
from localgen_training.examples import Example, Negative, read_examples


@pytest.fixture(scope="module", params=["pnr", MINIMAL])
def data(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "set"
    make_data(DataSettings((request.param,), num=1200, spread=0), folder, jobs=1, report=lambda _: None)
    return folder


def by_split(folder: Path) -> dict[str, list[Example]]:
    return {split: list(read_examples(folder / f"{split}.jsonl")) for split in SPLITS}


def test_no_family_is_in_two_splits(data: Path) -> None:
    found: dict[str, set[str]] = defaultdict(set)
    for split, examples in by_split(data).items():
        assert len(examples) > 20
        for e in examples:
            found[e.family].add(split)
    assert all(len(splits) == 1 for splits in found.values())


def test_no_catalog_is_in_two_splits(data: Path) -> None:
    """Neither by its name nor by what it shows: validation and test see other names for everything."""
    examples = by_split(data)
    labels = {split: {e.domain for e in rows} for split, rows in examples.items()}
    assert not labels["train"] & (labels["validation"] | labels["test"]) and not labels["validation"] & labels["test"]
    shown = {
        split: {name for e in rows if not e.domain.startswith("virtual-") for name in e.symbols if "::" in name}
        for split, rows in examples.items()
    }
    assert shown["train"] and shown["validation"] and shown["test"]
    assert not shown["train"] & (shown["validation"] | shown["test"])


def test_no_near_duplicate_is_in_two_splits_or_in_one(data: Path) -> None:
    """Compared exactly, each with each, though the program does it by min-hashes."""
    sets = [shingles(f"{e.instruction}\n{e.response}") for rows in by_split(data).values() for e in rows]
    column = {value: i for i, value in enumerate(np.unique(np.concatenate(sets)).tolist())}
    has = np.zeros((len(sets), len(column)), dtype=np.float32)
    for row, own in enumerate(sets):
        has[row, [column[v] for v in own.tolist()]] = 1
    common = has @ has.T
    sizes = has.sum(axis=1)
    overlap = common / (sizes[:, None] + sizes[None, :] - common)
    np.fill_diagonal(overlap, 0)
    assert overlap.max() < 0.9, np.argwhere(overlap >= 0.9)[:4]


def test_fields_of_virtual_catalogs_are_divided() -> None:
    names = [{f.name for f in fields_of(split)} for split in SPLITS]
    assert all(names) and not any(a & b for a, b in itertools.combinations(names, 2))


def test_negatives_are_in_the_split_of_what_they_come_from(data: Path) -> None:
    split_of = {e.id: split for split, rows in by_split(data).items() for e in rows}
    with (data / "negatives.jsonl").open(encoding="utf-8") as f:
        found = [Negative.model_validate_json(line) for line in f]
    assert len(found) > 50
    assert all(split_of[n.of] == n.split for n in found)


POOLS = (
    {f"{name}{key}": pool for name in ("CALLS", "BARE", "LAYOUTS") for key, pool in getattr(wording, name).items()}
    | {
        name: getattr(wording, name)
        for name in (
            "PHRASES",
            "FLAGS",
            "SETTINGS",
            "PRINTS",
            "STORES",
            "LOOPS",
            "EACH_OF",
            "CONDITIONS",
            "RESULTS",
            "STATEMENTS",
        )
    }
    | {
        "VAGUE": clarifications._VAGUE,
        "CHAT": clarifications._CHAT,
        "SEVERAL": clarifications._SEVERAL,
        "REPAIR": repairs._ASKS,
    }
)


@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
def test_every_pool_of_forms_serves_all_splits_with_forms_of_their_own(pool: tuple[str, ...]) -> None:
    numbers = [{i for i, _ in forms(pool, split)} for split in SPLITS]
    assert all(numbers) and sum(map(len, numbers)) == len(pool)


def test_the_same_words_are_no_form_of_two_splits() -> None:
    """A form that stood twice, in one pool or in two, might be in two splits under two numbers."""
    where: dict[str, set[str]] = defaultdict(set)
    for pool in POOLS.values():
        for i, form in enumerate(pool):
            where[form].add(split_of_form(i))
    assert not {f: s for f, s in where.items() if len(s) > 1}


def test_scripts_are_divided_by_their_names() -> None:
    splits = [split_of_name(f"flows/run_{i}.tcl") for i in range(2000)]
    assert 0.85 < splits.count("train") / 2000 < 0.95
    assert splits.count("validation") > 50 and splits.count("test") > 50


# ---------------------------------------------------------------- near-duplicates

_WORDS = ["route", "net", "clk", "on", "m3", "with", "width", "two", "place", "cell", "fix", "move", "of", "the"]
_TEXTS = st.lists(st.sampled_from(_WORDS), min_size=6, max_size=40)


@given(_TEXTS)
def test_a_text_is_a_near_duplicate_of_itself_whatever_its_case_and_punctuation(found: list[str]) -> None:
    text = " ".join(found)
    with NearDuplicates() as duplicates:
        assert not duplicates.seen(text)
        assert duplicates.seen(text.upper().replace(" ", ", "))


@given(_TEXTS, _TEXTS)
def test_what_is_called_a_near_duplicate_is_one(a: list[str], b: list[str]) -> None:
    with NearDuplicates() as duplicates:
        duplicates.seen(" ".join(a))
        if duplicates.seen(" ".join(b)):
            assert jaccard(shingles(" ".join(a)), shingles(" ".join(b))) >= THRESHOLD


def test_near_duplicates_are_found_among_thousands_and_tables_do_not_grow() -> None:
    words = [f"w{i}" for i in range(997)]
    with NearDuplicates() as duplicates:
        size = duplicates.size
        texts = [" ".join(words[(i * k * 7 + k * k) % 997] for k in range(3, 43)) for i in range(3000)]
        kept = [t for t in texts if not duplicates.seen(t)]
        assert len(kept) > 900
        changed = [" ".join(["other", *t.split()[1:]]) for t in kept[:300]]
        assert sum(map(duplicates.seen, changed)) >= 299
        assert duplicates.size == size
