"""Evaluation of a run: pass@k without bias, what scripts are judged by, figures that no number of processes changes."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("lark")
pytest.importorskip("llama_cpp")
pytest.importorskip("llguidance")
pytest.importorskip("yaml")

import tiny_bases
from hypothesis import given
from hypothesis import strategies as st
from oracle import requires_tcl

from localgen_bundle.default import DOMAINS, default_folder
from localgen_retrieval.catalog_io import load_domain
from localgen_retrieval.errors import ModelError, UsageError
from localgen_training.evaluate import HeldOutTask
from localgen_training.evaluation import work
from localgen_training.evaluation.command import evaluate_run, main
from localgen_training.evaluation.estimates import curve, mean_estimate, pass_at_k
from localgen_training.evaluation.figures import errors, line, lines, mode
from localgen_training.evaluation.scoring import Judge
from localgen_training.evaluation.tasks import held_out, split_tasks, suite_of
from localgen_training.evaluation.work import Order, do_all
from localgen_training.run_config import Evaluation, load_config, save_config

PNR = default_folder() / DOMAINS / "pnr"
TASKS: list[dict[str, Any]] = [
    {"id": "1", "suite": "unit", "instruction": "run alpha with n 1", "reference": "alpha -n 1"},
    {"id": "2", "suite": "unit", "instruction": "run beta with n 7", "reference": "beta -n 7"},
    {"id": "3", "suite": "scenario", "instruction": "run alpha with n 1, then beta with n 2",
     "reference": "alpha -n 1\nbeta -n 2"},
    {"id": "4", "suite": "ask", "instruction": "sing a song", "expect": "clarification", "reference": None},
]  # fmt: skip
SMALL = Evaluation(k=2, samples=2, temperatures=(0.7,), max_tokens=24, processes=1)


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    args = [{"name": "n", "type": "int", "min": 0, "max": 9}]
    procs = [{"name": "alpha", "args": args}, {"name": "beta", "args": args}]
    (folder / "catalog.json").write_text(json.dumps({"name": "mine", "procs": procs}))
    (folder / "tasks.jsonl").write_text("".join(json.dumps(t) + "\n" for t in TASKS))
    return folder


# ---------------------------------------------------------------- estimates


@given(st.integers(1, 9), st.data())
def test_pass_at_k_is_the_share_of_all_draws_of_k_samples_that_have_a_right_one(n: int, data: st.DataObject) -> None:
    c, k = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    draws = list(itertools.combinations([True] * c + [False] * (n - c), k))
    assert pass_at_k(n, c, k) == pytest.approx(sum(any(d) for d in draws) / len(draws))


@pytest.mark.parametrize(("n", "c", "k"), [(4, 5, 1), (4, -1, 1), (4, 1, 5), (4, 1, 0)])
def test_impossible_counts_are_refused(n: int, c: int, k: int) -> None:
    with pytest.raises(ValueError):
        pass_at_k(n, c, k)


def test_the_curve_rises_and_ends_with_the_fewest_samples() -> None:
    got = curve([(8, 1), (8, 4), (6, 0)])
    assert list(got) == [1, 2, 4]
    assert got[1].rate < got[2].rate < got[4].rate
    assert got[1].rate == pytest.approx((1 / 8 + 4 / 8 + 0) / 3, abs=1e-4)
    assert all(0 <= e.low <= e.rate <= e.high <= 1 for e in got.values())
    assert curve([]) == {}


def test_intervals_shrink_with_tasks_and_are_the_same_for_a_seed() -> None:
    few, many = mean_estimate([0.0, 1.0] * 5), mean_estimate([0.0, 1.0] * 200)
    assert few is not None and many is not None and many.high - many.low < (few.high - few.low) / 3
    assert few == mean_estimate([0.0, 1.0] * 5) and mean_estimate([]) is None


# ---------------------------------------------------------------- judging


def task(reference: str, **more: Any) -> HeldOutTask:
    return HeldOutTask("t", "unit", "do", "script", (reference,), more.get("ordered", True), None)


REFERENCE = "route::route_net -net CLK -layer M4\nroute::rip_up {n1 n2}"


@requires_tcl
@pytest.mark.parametrize(
    ("script", "failure", "hits"),
    [
        (REFERENCE, "", 4),
        ("route::route_net -net CLK -layer M5\nroute::rip_up {n1 n2}", "wrong values or order", 3),
        ("route::route_net -net CLK -layer M4", "wrong procs", 2),
        ("route::route_net -net CLK -layer {M4", "Tcl syntax", 0),
        ("route::route_nets -net CLK", "unknown command", 0),
        ("route::route_net -net CLK -colour red", "arguments", 1),
        ("exec ls", "policy", 0),
    ],
)
def test_the_first_error_of_a_script_is_named_and_its_literals_counted(script: str, failure: str, hits: int) -> None:
    judge = Judge(load_domain(PNR))
    got = judge.score(judge.headed(script), task(judge.headed(REFERENCE)))
    assert (got["failure"], got["literals"], got["literal_hits"]) == (failure, 4, hits)
    assert got["functional"] == (not failure) and got["tcl"] == (failure != "Tcl syntax")
    assert got["policy"] == (failure != "policy")


@requires_tcl
def test_blocks_are_parsed_by_their_own_grammar() -> None:
    domain = load_domain(PNR)
    judge = Judge(domain)
    good = next(e.script for e in domain.examples if judge.score(judge.headed(e.script), task(""))["blocks"])
    got = judge.score(judge.headed(good), task(judge.headed(good)))
    assert got["dsl"] and got["mixed"] and got["functional"] and got["literals"] == got["literal_hits"] > 0
    embedding = domain.catalog.dsls[0].embedding.open.strip()
    broken = good.replace(embedding, embedding + " ,,, ", 1)
    worse = judge.score(judge.headed(broken), task(judge.headed(good)))
    assert worse["tcl"] and not worse["dsl"] and not worse["mixed"] and worse["failure"] == "DSL block"


@requires_tcl
def test_a_reference_that_does_not_run_is_refused() -> None:
    with pytest.raises(UsageError, match="its reference"):
        Judge(load_domain(PNR)).score("", task("route::route_net -net"))


# ---------------------------------------------------------------- tasks


def test_the_suites_are_syntax_unit_scenario_and_clarification(suite: Path) -> None:
    assert [suite_of(t) for t in held_out(suite).tasks] == ["unit", "unit", "scenario", "clarification"]
    assert len(held_out(suite, 2).tasks) == 2
    assert {suite_of(t) for t in held_out(Path("tests/heldout/pnr")).tasks} == {
        "syntax", "unit", "scenario", "clarification",
    }  # fmt: skip


def test_the_test_split_gives_tasks_of_its_domain_with_headers_as_the_product_writes_them(tmp_path: Path) -> None:
    data = tiny_bases.write_data(tmp_path, test=12)
    rows = [json.loads(x) for x in (data / "test.jsonl").read_text().splitlines()]
    rows[0]["category"], rows[1]["category"], rows[2]["domain"] = "repair", "clarification", "other"
    (data / "test.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    found = split_tasks(data / "test.jsonl", load_domain(PNR), 100)
    assert len(found.tasks) == 10 and {t.suite for t in found.tasks} == {"unit", "scenario", "clarification"}
    assert all(t.references[0].startswith("#!") for t in found.tasks if t.expect == "script")
    few = split_tasks(data / "test.jsonl", load_domain(PNR), 4, seed=1)
    assert len(few.tasks) == 4 and few == split_tasks(data / "test.jsonl", load_domain(PNR), 4, seed=1)


# ---------------------------------------------------------------- doing it


def rows_of(suite: Path, model: Path, kept: Path, **changes: Any) -> list[dict[str, Any]]:
    order = Order(model, SMALL.model_copy(update=changes), seed=3)
    rows = sorted(do_all([held_out(suite)], order, kept), key=lambda r: r["id"])
    return [{k: v for k, v in r.items() if k != "seconds"} for r in rows]


@requires_tcl
@pytest.mark.slow
def test_figures_do_not_depend_on_the_number_of_processes(suite: Path, random_model: Path, tmp_path: Path) -> None:
    alone = rows_of(suite, random_model, tmp_path / "one")
    assert rows_of(suite, random_model, tmp_path / "two", processes=2) == alone
    assert [r["id"] for r in alone] == ["1", "2", "3", "4"]
    constrained = [m for r in alone for m in r["constrained"]]
    assert len(constrained) == 3 and all(len(m["samples"]) == 2 for m in constrained)
    assert all(m["greedy"]["valid"] and all(s["valid"] for s in m["samples"]) for m in constrained)
    free = [m["greedy"] for r in alone for m in r["unconstrained"]]
    assert len(free) == 3 and not any(s["valid"] for s in free), "random weights write nonsense without a grammar"


@requires_tcl
@pytest.mark.slow
def test_after_a_kill_only_the_tasks_left_are_done(
    suite: Path, random_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = rows_of(suite, random_model, tmp_path / "whole")
    lines_ = (tmp_path / "whole").read_text().splitlines(keepends=True)
    kept = tmp_path / "kept"
    kept.write_text("".join(lines_[:3]) + lines_[3][:40])  # the key, two rows, and one cut off
    asked: list[str] = []
    real = work.one_row

    def noted(name: str, t: HeldOutTask, *more: Any) -> dict[str, Any]:
        asked.append(t.id)
        return real(name, t, *more)

    monkeypatch.setattr(work, "one_row", noted)
    assert rows_of(suite, random_model, kept) == whole
    assert len(asked) == 2
    rows_of(suite, random_model, kept, max_tokens=20)
    assert len(asked) == 6, "other settings begin anew"


def row(**more: Any) -> dict[str, Any]:
    base = {"set": "s", "id": "1", "suite": "unit", "expect": "script", "type": "script", "truncated": False,
            "seconds": 1.0, "tokens": 9, "score": None, "constrained": [], "unconstrained": []}  # fmt: skip
    return base | more


def score(**more: Any) -> dict[str, Any]:
    base = {"tcl": True, "blocks": 0, "dsl": True, "mixed": True, "policy": True, "valid": True, "functional": False,
            "literals": 4, "literal_hits": 1, "failure": "wrong procs"}  # fmt: skip
    return base | more


def test_figures_are_counted_over_what_they_are_about() -> None:
    right = score(functional=True, literal_hits=4, failure="", blocks=1)
    rows = [
        row(score=right), row(id="2", score=score(tcl=False, blocks=1, dsl=False, failure="Tcl syntax")),
        row(id="3", type="clarification"), row(id="4", type="error"),
        row(id="5", suite="clarification", expect="clarification", type="clarification"),
        row(id="6", suite="clarification", expect="clarification"),
    ]  # fmt: skip
    got = line(rows)
    counts = {k: (got[k].n, got[k].of) for k in ("tcl_parse", "dsl_parse", "pass@1", "ask_precision", "ask_recall")}
    assert counts == {"tcl_parse": (1, 2), "dsl_parse": (1, 2), "pass@1": (1, 4), "ask_precision": (1, 2),
                      "ask_recall": (1, 2)}  # fmt: skip
    assert got["literals"].rate == pytest.approx(0.625) and got["errors"] == 1 and got["tasks"] == 6
    assert list(lines(rows)) == ["s/clarification", "s/unit", "s"]
    assert errors(rows)["answers"] == {
        "Tcl syntax": 1, "asked without need": 1, "no answer": 1, "did not ask": 1,
    }  # fmt: skip


def test_samples_are_counted_by_temperature() -> None:
    right = score(functional=True, failure="")
    made = [{"temperature": t, "text": "", "greedy": right, "samples": [right, score()]} for t in (0.2, 0.8)]
    got = mode([row(constrained=made), row(id="2", constrained=made), row(id="3")], "constrained")
    assert got is not None and got["tasks"] == 2 and got["greedy"]["pass@1"].rate == 1
    assert set(got["temperatures"]) == {"0.2", "0.8"}
    at = got["temperatures"]["0.8"]["pass@k"]
    assert at["1"].rate == 0.5 and at["2"].rate == 1.0
    assert mode([row()], "constrained") is None


@requires_tcl
@pytest.mark.slow
def test_the_command_writes_figures_and_every_answer(suite: Path, random_model: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    changes = {f"eval.{k}": v for k, v in SMALL.model_dump(mode="json").items()} | {"eval.suites": [str(suite)]}
    save_config(run, load_config(run, changes))
    assert main(["--run", str(run), "--model", str(random_model)]) == 0
    document = json.loads((run / "eval.json").read_text())
    assert document["lines"]["mine"]["tasks"] == 4 and document["lines"]["mine"]["tcl_parse"]["rate"] == 1
    assert document["constrained"]["greedy"]["valid"]["rate"] == 1
    assert document["unconstrained"]["greedy"]["valid"]["rate"] < 1
    assert [json.loads(x)["id"] for x in (run / "eval-rows.jsonl").read_text().splitlines()] == ["1", "2", "3", "4"]
    assert not list(run.glob("*.partial")) and not list(run.glob("*.writing"))


def test_the_test_splits_own_rows_are_answered_by_the_model_alone(
    tmp_path: Path, random_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    pytest.importorskip("gguf")
    from localgen_training.evaluation import own_rows
    from localgen_training.export.to_gguf import export_folder
    from localgen_training.run_config import RunConfig

    data = tiny_bases.write_data(tmp_path / "data", test=6)
    test = data / "test.jsonl"
    base = tiny_bases.make_base("qwen3", tmp_path / "base")
    model = tmp_path / "m.gguf"
    export_folder(base, model, tiny_bases.examples(2), RunConfig(), name="test")
    got = own_rows.exact_answers(model, test, 4, seed=0, limit=12)
    assert got is not None and got["rows"] == 4 and got["exact"].n == 0
    written: dict[str, str] = {}
    real = own_rows.answer

    def noted(model: Any, example: Any, limit: int) -> str:
        return written.setdefault(example.id, real(model, example, limit))

    monkeypatch.setattr(own_rows, "answer", noted)
    own_rows.exact_answers(model, test, 6, seed=0, limit=12)
    rows = [json.loads(x) for x in test.read_text().splitlines()]
    for r in rows[:3]:
        r["messages"][-1]["content"] = written[r["id"]] + "\n\n"
    test.write_text("".join(json.dumps(r) + "\n" for r in rows))
    again = own_rows.exact_answers(model, test, 6, seed=0, limit=12)
    assert again is not None and (again["exact"].n, again["exact"].of) == (3, 6)
    assert own_rows.exact_answers(random_model, test, 4, seed=0, limit=12) is None, "our own form has no such rows"
    assert own_rows.exact_answers(model, tmp_path / "none.jsonl", 4, seed=0, limit=12) is None


def test_answers_are_compared_word_for_word_but_for_blank_ends() -> None:
    from localgen_training.evaluation.own_rows import same_answer

    assert same_answer("a -n 1 \n\nb\n", "a -n 1\nb") and not same_answer("a  -n 1", "a -n 1")


def test_without_a_model_or_tasks_the_command_says_what_to_do(suite: Path, tmp_path: Path, random_model: Path) -> None:
    run = tmp_path / "nobody"
    save_config(run, load_config(run, {"data.domains": [str(suite)]}))
    with pytest.raises(ModelError, match="no such model") as e:
        evaluate_run(run, None)
    assert "localgen-train all --name nobody" in e.value.hint
    with pytest.raises(UsageError, match="nothing to evaluate on"):
        evaluate_run(run, tmp_path, random_model)
