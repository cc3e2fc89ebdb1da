"""Tcl lists: what is quoted is read back, and real Tcl quotes and reads the same."""

from __future__ import annotations

import base64
import itertools
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import TCLSH, requires_tcl

from localgen_grammars.tcl import ListError, join_list, list_values, quote_element, split_list

HARD = 'a{}"[]$;# \\\n'


@given(st.lists(st.text(alphabet=HARD + "bé\t\r\v\f", max_size=6)))
def test_joined_elements_are_read_back(values: list[str]) -> None:
    assert list_values(join_list(values)) == values


@given(st.text(alphabet=HARD + "b", max_size=12))
def test_elements_lie_where_they_say(text: str) -> None:
    try:
        elements = split_list(text)
    except ListError as e:
        assert 0 <= e.offset <= len(text)
        return
    at = 0
    for element in elements:
        assert at <= element.start <= element.inner_start <= element.inner_end <= element.end <= len(text)
        if "\\" not in text[element.start : element.end]:
            assert text[element.inner_start : element.inner_end] == element.value
        at = element.end


def test_a_range_of_a_text_is_split_in_place() -> None:
    text = "switch x {one {two three}}"
    found = split_list(text, 10, len(text) - 1)
    assert [(e.value, e.start) for e in found] == [("one", 10), ("two three", 14)]


@pytest.mark.parametrize("text", ["{a", '"a', "{a}b", '"a"b', "a {b} {c"])
def test_what_is_no_list(text: str) -> None:
    with pytest.raises(ListError):
        list_values(text)


@requires_tcl
def test_real_tcl_quotes_and_reads_the_same() -> None:
    values = ["".join(p) for n in range(4) for p in itertools.product(HARD, repeat=n)]
    script = (
        "foreach e [split [encoding convertfrom utf-8 [binary decode base64 [gets stdin]]] \\u0001] {\n"
        "  puts [binary encode base64 [list $e]]\n"
        "  puts [binary encode base64 [list x $e]]\n"
        "  puts [expr {[catch {llength $e} n] ? {none} : $n}]\n"
        "}\n"
    )
    assert TCLSH is not None
    command = [TCLSH]
    data = base64.b64encode("\1".join(values).encode()).decode()
    done = subprocess.run(
        command, input=f"proc main {{}} {{\n{script}}}\nmain\n{data}\n", capture_output=True, text=True
    )
    rows = done.stdout.splitlines()
    assert len(rows) == 3 * len(values)
    for value, alone, second, size in zip(values, rows[::3], rows[1::3], rows[2::3], strict=True):
        assert quote_element(value, first=True) == base64.b64decode(alone).decode()
        assert join_list(["x", value]) == base64.b64decode(second).decode()
        try:
            found = str(len(list_values(value)))
        except ListError:
            found = "none"
        assert found == size, value
