"""The forms of a report: text with the source line underlined, SARIF, GitHub's workflow commands."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlparse

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab_domain import lab

from localgen.checking import Checked, answer
from localgen.reporting.github import github_error, github_lines
from localgen.reporting.sarif import sarif
from localgen.reporting.text import MAX_WIDTH, text_lines
from localgen.validation.codes import CODES, Level
from localgen.validation.validate import validate_script
from localgen_retrieval.errors import UsageError


def checked(text: str, name: str = "s.tcl", **levels: Level) -> Checked:
    """A script's answer as the command gets it."""
    return answer(name, text, validate_script(text, lab(), filename=name, levels=levels))


def shown(text: str, name: str = "s.tcl", *, colour: bool = False, **levels: Level) -> list[str]:
    """The lines as text."""
    answer = checked(text, name, **levels)
    assert answer.report is not None
    return list(text_lines(answer.report, answer.source, colour=colour))


def commands(text: str, name: str = "s.tcl", **levels: Level) -> list[str]:
    """The lines for GitHub."""
    report = checked(text, name, **levels).report
    assert report is not None
    return list(github_lines(report))


# ---------------------------------------------------------------------- text
def test_the_source_line_is_shown_and_what_is_meant_underlined() -> None:
    assert shown("puts a\nmy::route -net A -layer M9\n") == [
        's.tcl:2:25: my::route: -layer: "M9" is not one of M1, M2, M3 [CAT013]',
        " 2 | my::route -net A -layer M9",
        "   |                         ^^",
    ]


@pytest.mark.parametrize(
    ("line", "marked"),
    [
        ("\tmy::route -net A -layer M9", "M9"),
        ("if 1 {\tputs \t[zzz]}", "zzz"),
        ("set x {層 層}; zzz", "zzz"),
        ("set x {e\u0301}; zzz", "zzz"),
        ("set x {\x1b[31m}; zzz", "zzz"),
        ("zzz", "zzz"),
    ],
)
def test_the_mark_is_below_what_it_is_about(line: str, marked: str) -> None:
    _, source, mark = shown(line + "\n")
    # What a terminal shows: two columns for a wide character, none for a combining one.
    columns = "".join("" if c == "\u0301" else c + "\0" * (c == "層") for c in source)
    assert columns[mark.index("^") : mark.rindex("^") + 1] == marked


def test_a_long_line_is_shown_around_the_finding() -> None:
    line = "puts {" + "a" * 5000 + "}; zzz; puts {" + "b" * 5000 + "}"
    _, source, mark = shown(line + "\n")
    assert len(source) < MAX_WIDTH + 20 and source.count("…") == 2
    assert source[mark.index("^") : mark.rindex("^") + 1] == "zzz"


def test_at_the_ends_of_a_long_line_as_much_is_shown() -> None:
    _, first, mark = shown("zzz; puts {" + "a" * 500 + "}\n")
    assert first == " 1 | zzz; puts {" + "a" * (MAX_WIDTH - 11) + "…" and mark == "   | ^^^"
    _, last, mark = shown("puts {" + "a" * 500 + "}; zzz\n")
    assert last == " 1 | …" + "a" * (MAX_WIDTH - 6) + "}; zzz" and last[mark.index("^") :] == "zzz"
    exact = "puts {" + "a" * (MAX_WIDTH - 12) + "}; zzz"
    assert shown(exact + "\n")[1] == f" 1 | {exact}"


def test_a_finding_over_several_lines_is_underlined_to_the_end_of_its_first() -> None:
    _, source, mark = shown("my::route -net A -layer {M9\nM1}\n")
    assert source[mark.index("^") :] == "{M9" and mark.endswith("   ^^^")


def test_a_finding_behind_the_last_character_has_a_mark() -> None:
    _, source, mark = shown("puts a\\\n")
    assert source == " 1 | puts a\\" and mark.endswith("^")


def test_no_control_character_reaches_the_terminal() -> None:
    text = "\n".join(shown("set x \x1b\x07; zz\x1bz\x08\n", "a\x1b\nb.tcl"))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text) and "a␛␊b.tcl:1:" in text


def test_severities_are_named_and_coloured() -> None:
    bad = "my::route -net A -layer M9\n"
    assert shown(bad, CAT013="warning")[0].startswith("s.tcl:1:25: warning: my::route")
    assert shown(bad, CAT013="hint")[0].startswith("s.tcl:1:25: hint: my::route")
    coloured = shown(bad, colour=True)
    assert coloured[0].startswith("\x1b[1ms.tcl:1:25:\x1b[0m ") and coloured[2].endswith("\x1b[31m^^\x1b[0m")
    plain = re.compile(r"\x1b\[[0-9;]*m")
    assert [plain.sub("", line) for line in coloured] == shown(bad)


@given(st.text(st.characters(codec="utf-8") | st.sampled_from('\t\r\n\x1b\\{}[]";$'), max_size=60))
def test_every_finding_begins_with_its_one_line_form(text: str) -> None:
    answer = checked(text)
    assert answer.report is not None
    lines = list(text_lines(answer.report, answer.source))
    assert lines[::3] == answer.report.lines() and len(lines) == 3 * len(answer.report.details)
    assert all(re.fullmatch(r"s\.tcl:\d+:\d+: .* \[[A-Z]{3}\d{3}\]", line) for line in lines[::3])
    assert all("^" in line and "\n" not in line for line in lines[2::3])


# ---------------------------------------------------------------------- GitHub
def test_a_workflow_command_per_finding() -> None:
    assert commands("my::route -net A -layer M9\n") == [
        "::error file=s.tcl,line=1,endLine=1,col=25,endColumn=27,title=localgen CAT013::"
        'my::route: -layer: "M9" is not one of M1, M2, M3'
    ]
    assert commands("my::old\n")[0].startswith("::warning file=")
    assert commands("my::old\n", CAT019="hint")[0].startswith("::notice file=")


def test_what_has_a_meaning_in_a_workflow_command_is_escaped() -> None:
    (line,) = commands("my::route -net A -layer {M%9\nx}\n", "a,b:100%.tcl")
    assert line.startswith("::error file=a%2Cb%3A100%25.tcl,line=1,endLine=2,title=") and '"M%259 x"' in line
    assert "\n" not in github_error("a\nb", UsageError("two\nlines"))


# ---------------------------------------------------------------------- SARIF
def log(*answers: Checked) -> dict:
    """A SARIF log for the folder /repo."""
    return sarif(answers, Path("/repo"))


def test_a_sarif_log_has_rules_results_and_regions() -> None:
    document = log(checked("puts a\nmy::route -net A -layer M9\nmy::old\n", "flows/a b.tcl"))
    assert document["version"] == "2.1.0" and document["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [r["id"] for r in rules] == ["CAT013", "CAT019"]
    assert rules[0]["shortDescription"]["text"] == CODES["CAT013"].title
    assert "Bad:" in rules[0]["help"]["markdown"] and rules[1]["defaultConfiguration"] == {"level": "warning"}
    assert run["results"][0] == {
        "ruleId": "CAT013",
        "ruleIndex": 0,
        "level": "error",
        "message": {"text": 'my::route: -layer: "M9" is not one of M1, M2, M3'},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "flows/a%20b.tcl", "uriBaseId": "%SRCROOT%", "index": 0},
                    "region": {
                        "startLine": 2, "startColumn": 25, "endLine": 2, "endColumn": 27, "snippet": {"text": "M9"},
                    },
                }
            }
        ],
    }  # fmt: skip
    assert run["originalUriBaseIds"]["%SRCROOT%"]["uri"] == "file:///repo/"


def test_a_region_over_several_lines_has_no_snippet() -> None:
    (run,) = log(checked("my::route -net A -layer {M9\nM1}\n"))["runs"]
    region = run["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 1, "startColumn": 25, "endLine": 2, "endColumn": 4}


def test_a_script_that_cannot_be_read_makes_the_run_unsuccessful() -> None:
    document = log(Checked("x.tcl", error=UsageError("x.tcl: binary data", hint="give text", code="script-binary")))
    (invocation,) = document["runs"][0]["invocations"]
    assert invocation["executionSuccessful"] is False
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["descriptor"] == {"id": "script-binary"} and "binary data" in notification["message"]["text"]
    assert log(checked("puts a\n"))["runs"][0]["invocations"][0]["executionSuccessful"] is True


@given(st.text(st.sampled_from('ab \n\\{}[]";$#'), max_size=40), st.sampled_from(["s.tcl", "/x/ü.tcl", "../a#b.tcl"]))
def test_sarif_s_own_rules_hold(text: str, name: str) -> None:
    """SARIF 2.1.0, 3.19.23, 3.27.6, 3.28.3, 3.30.4-8."""
    (run,) = log(checked(text, name), checked("zzz", "<stdin>"))["runs"]
    rules, artifacts = run["tool"]["driver"]["rules"], run["artifacts"]
    assert len({r["id"] for r in rules}) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note") and result["message"]["text"]
        physical = result["locations"][0]["physicalLocation"]
        place = physical["artifactLocation"]
        assert artifacts[place["index"]]["location"].items() <= place.items()
        assert not re.search(r'[\s<>"{}|\\^`#]', place["uri"]) and ".." not in place["uri"]
        assert bool(urlparse(place["uri"]).scheme) != ("uriBaseId" in place or place["uri"].startswith("%3C"))
        region = physical["region"]
        start, end = (region["startLine"], region["startColumn"]), (region["endLine"], region["endColumn"])
        assert (1, 1) <= start <= end
