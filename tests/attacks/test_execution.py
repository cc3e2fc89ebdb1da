"""Scripts that attack the execution check: it ends, says what happened, and nothing outside has changed."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from lab_domain import CATALOG, write_domain
from oracle import requires_tcl

from localgen.execution.events import CallEvent, Trace
from localgen.execution.trace import Tracer
from localgen_retrieval.catalog_io import load_domain

pytestmark = requires_tcl

MOCKS = """\
namespace eval my {variable calls 0}
proc my::count args {variable calls; incr calls}
proc my::nets args {return {a b}}
proc my::each args {uplevel 1 [lindex $args 1]}
"""


@pytest.fixture(scope="module", params=["mocks", "recorders"])
def tracer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tracer:
    """A tracer of the lab domain, once with mocks and once with recorders alone; a second, little else."""
    folder = write_domain(tmp_path_factory.mktemp("domain"), CATALOG)
    if request.param == "mocks":
        (folder / "mocks.tcl").write_text(MOCKS)
    return Tracer(load_domain(folder), seconds=1, commands=100_000, mocks=request.param == "mocks")


def names(trace: Trace) -> list[str]:
    """What was called in the first run."""
    return [e.name for e in trace.rounds[0].events if isinstance(e, CallEvent)]


@pytest.mark.parametrize(
    "script",
    [
        "while 1 {}",
        "while 1 {catch {while 1 {}}}",
        "for {set i 0} {1} {incr i} {set x $i}",
        "after 1000000",
        "vwait forever",
        "after 0 {while 1 {}}\nvwait forever",
        "proc f {} {while 1 {}}\nf",
        "coroutine c apply {{} {while 1 {}}}",
    ],
)
def test_infinite_loop(tracer: Tracer, script: str) -> None:
    trace = tracer.trace(f"my::count\n{script}\nmy::nets")
    assert trace.limit in ("time", "commands") and not trace.ran
    assert names(trace) == ["my::count"], "what came before is known"


def test_infinite_commands(tracer: Tracer) -> None:
    assert tracer.trace("proc f {} {}\nwhile 1 {f; catch f}").limit in ("commands", "time")
    assert tracer.trace("proc f args {tailcall f}\nf").limit in ("commands", "time")


@pytest.mark.parametrize(
    "script",
    [
        "set x a\nwhile 1 {append x $x}",
        "string repeat a 2000000000",
        "set x [string repeat a 500000000]\nset y $x[string repeat b 600000000]",
        "set l {}\nwhile 1 {lappend l [string repeat x 1000000]}",
        "while 1 {catch {append x [string repeat a 100000000]}}",
        "proc f {x} {f [string repeat $x 2]}\nf aaaaaaaaaaaaaaaa",
        "lrepeat 2000000000 a",
        "format %2000000000d 1",
    ],
)
def test_memory_bomb(tracer: Tracer, script: str) -> None:
    trace = tracer.trace(script)
    assert not trace.ran and trace.error


@pytest.mark.parametrize(
    "script",
    [
        "while 1 {puts [string repeat a 10000]}",
        "while 1 {catch {puts [string repeat a 10000]}}",
        "while 1 {catch {my::note -text [string repeat a 10000]}}",
        'while 1 {catch {my::note -text "\\u0001"}}',
        "while 1 {catch {dsl [string repeat a 10000]}}",
    ],
)
def test_output_flood(tracer: Tracer, script: str) -> None:
    trace = tracer.trace(script)
    assert trace.limit in ("output", "time", "commands")
    assert len(trace.rounds[0].output) < 5_000_000


@pytest.mark.parametrize(
    "command",
    [
        *("exec touch {f}", "open {f} w", "open |ls", "file delete {f}", "file mkdir {f}", "source {f}", "load {f}"),
        *("socket localhost 80", "unload {f}", "cd /", "pwd", "glob *", "exit", "exit 0", "fork", "thread::create"),
        *("interp create x", "interp invokehidden {{}} exec ls", "interp eval {{}} exit", "encoding dirs /"),
        *("fconfigure stdin", "trace info x", "read stdin", "gets stdin", "close stdout", "chan puts stdout x"),
        *("set ::env(HOME)", "package require Tk", "rename puts p", "zipfs mount x", "uplevel #0 exit"),
        *("tcl::unsupported::representation", "namespace eval :: exit"),
    ],
)  # fmt: skip
def test_the_world_outside_is_not_there(tracer: Tracer, command: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    trace = tracer.trace(f"my::count\n{command.format(f=file)}\nmy::nets")
    assert not trace.ran and trace.line == 2, trace
    assert names(trace) == ["my::count"] and not file.exists()


@pytest.mark.parametrize(
    "script",
    [
        "proc my::count args {return 7}",
        "catch {proc my::count args {return 7}}",
        "namespace eval my {proc count args {}}",
        "namespace delete my",
        "catch {namespace eval my {namespace delete [namespace current]}}",
        "coroutine my::count list",
        "namespace eval n {proc count {} {}; namespace export *}; namespace eval my {namespace import -force ::n::*}",
        "catch {namespace ensemble create -command my::count}",
        "proc set args {}",
        "proc info args {return 1}",
        "proc array args {}",
        "namespace delete ::",
        "catch {__lost my::count}",
    ],
)
def test_redefining_what_watches(tracer: Tracer, script: str) -> None:
    """The script is stopped, or its calls are still recorded."""
    trace = tracer.trace(f"my::count\n{script}\nmy::nets\nmy::count")
    assert trace.limit == "redefined" or not trace.ran or names(trace) == ["my::count", "my::nets", "my::count"]
    assert names(trace)[:1] == ["my::count"]


@pytest.mark.parametrize(
    "script",
    [
        "rename my::count x",
        "interp alias {} my::count {} list",
        "interp hide {} my::count",
        "trace remove command my::count {rename delete} {__lost my::count}",
        "oo::class create my::count",
    ],
)
def test_taking_the_watch_away(tracer: Tracer, script: str) -> None:
    trace = tracer.trace(f"catch {{{script}}}\nmy::count")
    assert trace.limit == "redefined" or names(trace) == ["my::count"]


def test_calling_a_mock_past_its_recorder(tracer: Tracer) -> None:
    trace = tracer.trace("catch {{::my::count (mock)}}\nmy::nets")
    assert trace.limit == "redefined" or names(trace) == ["my::nets"]


def test_forging_events(tracer: Tracer) -> None:
    for index in ("0", "99", "-1", "x", "1]},{"):
        trace = tracer.trace(f"catch {{__block {{{index}}}}}\nmy::count")
        assert names(trace) == ["my::count"] and len(trace.rounds[0].events) == 1


@pytest.mark.parametrize(
    "script", ["proc f {} f\nf", "proc f {} {catch f}\nf", "proc f {} {eval f}\nf", "proc f {} {my::each -body f}\nf"]
)
def test_deep_recursion(tracer: Tracer, script: str) -> None:
    trace = tracer.trace(f"my::count\n{script}")
    assert trace.ran or trace.error
    assert trace.limit in (None, "time", "commands", "output", "memory")


def test_odd_results_at_the_top(tracer: Tracer) -> None:
    for script in ("break", "continue", "return -code 77 x", "return -code error x", "error {}", "throw {A B} {}"):
        trace = tracer.trace(f"my::count\n{script}")
        assert names(trace) == ["my::count"] and not trace.ran, script
    assert tracer.trace("my::count\nreturn 5\nmy::nets").ran


def test_odd_texts_in_events(tracer: Tracer) -> None:
    for text in ('"}],"error":null', "\\u0000\\u0001\\ud800", "\U0001f600", "]; exit; [", "\\\n", "\u2028"):
        quoted = re.sub(r'(["\[\]])', r"\\\1", text)
        trace = tracer.trace(f'puts "{quoted}"\nmy::count')
        assert trace.ran and names(trace) == ["my::count"], text


def test_nothing_is_left_running_and_no_file_is_written(tracer: Tracer, tmp_path: Path) -> None:
    before = os.getcwd(), sorted(os.listdir(tmp_path))
    tracer.trace("while 1 {append x [string repeat a 1000000]}")
    assert (os.getcwd(), sorted(os.listdir(tmp_path))) == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
