"""The report of a run: self-contained, well-formed, with every figure and a line that says go or no-go."""

from __future__ import annotations

import base64
import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localgen_retrieval.errors import ModelError
from localgen_training.report.page import main, write_report
from localgen_training.report.svg import bar_chart, line_chart, ticks
from localgen_training.report.verdict import checks, verdict
from localgen_training.run_config import load_config, save_config
from localgen_training.run_record import append_metrics


def share(value: float) -> dict[str, Any]:
    return {"n": 1, "of": 2, "rate": value, "low": max(0.0, value - 0.2), "high": min(1.0, value + 0.2)}


EVALUATION: dict[str, Any] = {
    "model": "x-q8_0.gguf", "seed": 0, "tasks": 4,
    "lines": {
        "pnr/unit": {"tasks": 2, "tcl_parse": share(1.0), "pass@1": share(0.5), "seconds": 0.25},
        "pnr": {"tasks": 4, "tcl_parse": share(1.0), "pass@1": share(0.25), "seconds": 0.5},
    },
    "constrained": {"tasks": 3, "greedy": {"tcl_parse": share(1.0), "pass@1": share(0.5)},
                    "temperatures": {"0.8": {"pass@k": {"1": share(0.3), "2": share(0.5)}}}},
    "unconstrained": None,
    "failures": {"answers": {"wrong procs": 2, "<b>odd & </b>": 1}, "unconstrained": {}},
}  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "pnr"
    save_config(folder, load_config(folder, {"targets": {"tcl_parse": 0.9, "pass@1": 0.5}}))
    (folder / "eval.json").write_text(json.dumps(EVALUATION))
    for step, loss in ((10, 3.0), (20, 2.0), (20, 1.5), (30, 1.0)):
        append_metrics(folder, {"stage": "sft", "step": step, "of": 30, "loss": loss})
    append_metrics(folder, {"stage": "sft", "step": 20, "held_loss": 1.8, "held_right": 0.4})
    return folder


def test_a_missed_target_is_a_no_go_and_says_which(run: Path) -> None:
    assert write_report(run) == "NO-GO: 1 of 2 targets are missed: pass@1 25.0% < 50.0%"
    save_config(run, load_config(run, {"targets": {"pass@1": 0.25, "constrained.tcl_parse": 1.0}}))
    assert write_report(run) == "GO: all 2 targets are met"


def test_a_figure_that_was_not_measured_is_a_miss() -> None:
    found = checks({"unconstrained.tcl_parse": 0.1, "nonsense": 0.0}, EVALUATION)
    assert [c.met for c in found] == [False, False]
    rows = EVALUATION | {"test_rows": {"rows": 2, "exact": share(0.5), "by_category": {}}}
    assert [c.met for c in checks({"test_rows.exact": 0.5, "constrained.pass@1": 0.6}, rows)] == [True, False]
    assert verdict(found).startswith("NO-GO: 2 of 2") and verdict([]).startswith("NO VERDICT")


def test_both_pages_are_one_file_each_with_their_plots(run: Path) -> None:
    write_report(run)
    html, md = (run / "report.html").read_text(), (run / "report.md").read_text()
    for text in (html, md):
        assert not re.search(r'(?:src|href)="|url\(|<script|<link|@import', text)
        assert set(re.findall(r"https?://[^\"')\s]+", text)) <= {"http://www.w3.org/2000/svg"}
        assert "NO-GO" in text and "25% [5%-45%]" in text and "pnr/unit" in text
    assert html.count("<svg") == md.count("data:image/svg+xml;base64,") == 5
    assert "<b>odd" not in html
    for part in re.findall(r"base64,([A-Za-z0-9+/=]+)\)", md):
        ET.fromstring(base64.b64decode(part))


def test_the_html_is_well_formed(run: Path) -> None:
    write_report(run)
    open_: list[str] = []

    class Check(HTMLParser):
        def handle_starttag(self, tag: str, attrs: Any) -> None:
            if tag != "meta":
                open_.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert open_.pop() == tag

    Check().feed((run / "report.html").read_text())
    assert open_ == []


def test_a_step_trained_twice_counts_as_it_was_the_second_time(run: Path) -> None:
    write_report(run)
    loss = re.search(r'aria-label="Loss".*?<polyline[^>]*points="([^"]+)"', (run / "report.html").read_text(), re.S)
    assert loss is not None and len(loss.group(1).split()) == 3


def test_without_an_evaluation_there_is_no_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelError, match="nothing was evaluated"):
        write_report(tmp_path)
    assert main(["--run", str(tmp_path)]) == 5 and "localgen-train eval" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


numbers = st.floats(-1e6, 1e6)


@given(st.dictionaries(st.text(max_size=8), st.lists(st.tuples(numbers, numbers), max_size=6), max_size=3))
def test_any_chart_is_xml(series: dict[str, list[tuple[float, float]]]) -> None:
    clean = {re.sub(r"[^\x20-\ud7ff]", "", k): v for k, v in series.items()}
    for svg in (
        line_chart("a & b", clean, x="<x>", y="y"),
        bar_chart("b", {k: {"n": len(v)} for k, v in clean.items()}),
    ):
        if svg:
            ET.fromstring(svg)


@given(st.floats(-1e5, 1e5), st.floats(1e-3, 1e5))
def test_ticks_are_inside_and_a_few(low: float, width: float) -> None:
    found = ticks(low, low + width)
    slack = 1e-6 * (abs(low) + width)
    assert 1 <= len(found) <= 7 and all(low - slack <= t <= low + width + slack for t in found)
