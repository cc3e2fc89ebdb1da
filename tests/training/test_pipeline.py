"""The pipeline: finished stages are skipped, a changed source makes its successors run again, the record is whole."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("yaml")
pytest.importorskip("filelock")

from localgen_retrieval.errors import UsageError
from localgen_training import cli, run_record
from localgen_training.evaluate import default_suites
from localgen_training.pipeline import Settings, StageFailed, done, remaining_minutes, run_pipeline
from localgen_training.run_config import RunConfig, Virtual, load_config
from localgen_training.run_record import (
    append_metrics,
    data_digest,
    load_record,
    metrics,
    trained_minutes,
    update_record,
)
from localgen_training.stages import SIZES, plan


def virtual(run: Path, **more: Any) -> Settings:
    return Settings(run=run, config=RunConfig(kind="virtual", virtual=Virtual(**more)))


KINDS: tuple[Any, ...] = ("virtual", "base")


def touch(path: Path, at: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    os.utime(path, (at, at))


def test_a_stage_is_done_while_its_output_is_newer_than_its_source(tmp_path: Path) -> None:
    settings = virtual(tmp_path)
    assert not done(settings, "tokenizer") and not done(settings, "export")
    touch(tmp_path / "tokenizer.json", 10)
    touch(tmp_path / "checkpoint.pt", 20)
    touch(tmp_path / "model.gguf", 30)
    assert done(settings, "tokenizer") and done(settings, "export")
    touch(tmp_path / "checkpoint.pt", 40)
    assert not done(settings, "export"), "training went on: export again"


def test_minutes_are_counted_over_all_sittings(tmp_path: Path) -> None:
    settings = virtual(tmp_path, minutes=20)
    lines = [json.dumps({"step": s, "seconds_per_step": 3.0}) for s in (100, 200)]
    (tmp_path / "metrics.jsonl").write_text("\n".join(lines) + '\n{"step": 300, "sec')
    assert len(metrics(tmp_path)) == 2
    assert trained_minutes(tmp_path) == pytest.approx(10) and remaining_minutes(settings) == pytest.approx(10)
    touch(tmp_path / "checkpoint.pt", 1)
    assert not done(settings, "sft")
    update_record(tmp_path, {}, lambda record: record["stages"].update(sft={"minutes": 19.9}))
    assert done(settings, "sft"), "the finished sittings say more than the metrics"
    assert not done(virtual(tmp_path, minutes=40), "sft")


def test_the_record_says_what_was_done_with_what(tmp_path: Path) -> None:
    update_record(tmp_path, {"size": "tiny"}, lambda record: run_record.note_data(record, tmp_path))
    update_record(tmp_path, {"size": "tiny"}, lambda record: run_record.note_data(record, tmp_path))
    record = load_record(tmp_path)
    assert record["seed"] == run_record.SEED and record["versions"]["python"] and record["size"] == "tiny"
    assert record["data"] == [{"digest": data_digest(), "from_step": 0}]
    assert not list(tmp_path.glob("*.partial"))


def test_the_data_digest_covers_families_and_generator() -> None:
    digest = data_digest()
    assert len(digest) == 64 and digest == data_digest()
    assert all((run_record.PACKAGE / f"{name}.py").is_file() for name in run_record._DATA_MODULES)


def test_metrics_only_grow_whatever_a_kill_left(tmp_path: Path) -> None:
    append_metrics(tmp_path, {"a": 1})
    with (tmp_path / "metrics.jsonl").open("a") as f:
        f.write('{"b": ')
    append_metrics(tmp_path, {"c": 3})
    append_metrics(tmp_path, {"d": 4})
    assert (tmp_path / "metrics.jsonl").read_text() == '{"a": 1}\n{"b": \n{"c": 3}\n{"d": 4}\n'
    assert metrics(tmp_path) == [{"a": 1}, {"c": 3}, {"d": 4}]


def test_each_kind_of_run_has_its_stages(tmp_path: Path) -> None:
    names = {kind: [s.name for s in plan(Settings(run=tmp_path, config=RunConfig(kind=kind)))] for kind in KINDS}
    assert names["virtual"] == ["tokenizer", "embeddings", "sft", "export", "eval", "report"]
    assert names["base"] == ["data", "base", "sft", "merge", "export", "quantize", "eval", "report"]
    real = RunConfig.model_validate({"base": {"model": "/models/x"}})
    assert "base" not in [s.name for s in plan(Settings(run=tmp_path, config=real))]


def test_a_stage_done_with_other_settings_is_done_again(tmp_path: Path) -> None:
    run = tmp_path / "mine"
    touch(run / "mine-f16.gguf", 10)
    touch(run / "quantize.json", 20)
    settings = Settings(run=run)
    assert done(settings, "quantize")
    update_record(run, {}, lambda record: record["stages"].update(quantize={"settings": {"kind": "q4_k_m"}}))
    assert done(settings, "quantize")
    assert not done(Settings(run=run, config=load_config(run, {"export.quantise": "q8_0"})), "quantize")


def test_a_failed_stage_stops_the_pipeline(tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(StageFailed, match="export"):
        run_pipeline(virtual(tmp_path), ["export", "eval"], said.append)
    assert not any(line.startswith("eval") for line in said)
    assert "export" not in load_record(tmp_path)["stages"]


def test_unknown_stages_and_a_busy_run_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        run_pipeline(virtual(tmp_path), ["bake"], print)
    with pytest.raises(UsageError, match="no stage quantize") as e:
        run_pipeline(virtual(tmp_path), ["quantize"], print)
    assert "tokenizer, embeddings, sft, export, eval, report" in e.value.hint
    from filelock import FileLock

    with FileLock(tmp_path / ".lock"), pytest.raises(UsageError, match="trained already"):
        run_pipeline(virtual(tmp_path), ["tokenizer"], print)


def test_list_shows_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    touch(tmp_path / "mine" / "tokenizer.json", 10)
    assert cli.main(["list", "--runs", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "mine: virtual; tokenizer\n"


@pytest.mark.slow
def test_the_tokenizer_stage_really_runs_and_is_skipped_the_second_time(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    said: list[str] = []
    settings = virtual(tmp_path / "tiny", size="tiny")
    run_pipeline(settings, ["tokenizer"], said.append)
    made = (settings.run / "tokenizer.json").read_bytes()
    assert load_record(settings.run)["stages"]["tokenizer"]["seconds"] > 0
    run_pipeline(settings, ["tokenizer"], said.append)
    assert said[-1] == "tokenizer: done before" and (settings.run / "tokenizer.json").read_bytes() == made
    assert len(json.loads(made)["model"]["vocab"]) == SIZES["tiny"].vocab


def test_the_default_suites_are_the_held_out_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).resolve().parents[2])
    assert {"pnr"} < {p.name for p in default_suites()}
