"""Blocks in scripts: where they begin and end, and that cutting them out moves nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localgen_grammars.blocks import FILLER, braced_block, cut_blocks, dsl_text, heredoc_lines, is_filler, opener_of
from localgen_grammars.tcl import parse
from localgen_retrieval.catalog import Dsl, Embedding


def dsl(opening: str, closing: str) -> Dsl:
    return Dsl(embedding=Embedding(open=opening, close=closing))


AT = dsl("@dsl(", ")")
HERE = dsl("rules <<END", "END")
ANGLE = dsl("<%", "%>")
MARKED = dsl("@begin", "@end")
BRACED = dsl("db eval {", "}")


def cut(text: str, *dsls: Dsl) -> list[str]:
    """The inner texts of the blocks."""
    return [text[b.inner_start : b.inner_end] for b in cut_blocks(text, dsls).blocks]


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ("@dsl(a)", ["a"]),
        ("puts a; @dsl(a) ; puts b", ["a"]),
        ("@dsl(a (b) c)", ["a (b) c"]),
        ('@dsl(a ")" b)', ['a ")" b']),
        ('@dsl(a "\\")" b)', ['a "\\")" b']),
        ("@dsl(a \\) b)", ["a \\) b"]),
        ("@dsl(\n a\n)\n@dsl(b)", ["\n a\n", "b"]),
        ("if {1} {@dsl(a { b)}", ["a { b"]),
        ("# @dsl(a)\n", []),
        ("puts a ;# @dsl(a)\n", []),
        ('puts "see @dsl(a)"', []),
        ("x@dsl(a)", []),
        ("set x @dsl(a)", ["a"]),
    ],
)
def test_brackets(text: str, inner: list[str]) -> None:
    assert cut(text, AT) == inner


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ("rules <<END\na\nEND\nputs b", ["\na\n"]),
        ("rules   <<END\na\n  END  \n", ["\na\n"]),
        ("rules <<END\nTHE END\nENDING\nEND", ["\nTHE END\nENDING\n"]),
        ("rules <<END\r\na\r\nEND\r\nputs b\r\n", ["\r\na\r\n"]),
        ("my_rules <<END\na\nEND", []),
    ],
)
def test_heredocs(text: str, inner: list[str]) -> None:
    assert cut(text, HERE) == inner


@pytest.mark.parametrize(
    ("dsl", "text", "lines"),
    [
        (HERE, "\na\nb\n", "a\nb"),
        (HERE, "\r\na\r\n", "a"),
        (HERE, "\n", ""),
        (HERE, " a", None),
        (AT, "\na\n", None),
    ],
)
def test_the_lines_of_a_heredoc_stand_between_its_delimiters(dsl: Dsl, text: str, lines: str | None) -> None:
    assert heredoc_lines(text, dsl) == lines


def test_other_pairs() -> None:
    assert cut("<% a %> ; <%\nb\n%>\n", ANGLE) == [" a ", "\nb\n"]
    assert cut("@begin\nthe @end of it\n@end\nputs a", MARKED) == ["\nthe @end of it\n"]


def test_several_languages_at_once() -> None:
    text = "@dsl(a)\nrules <<END\n@dsl(b)\nEND\n@dsl(rules <<END)\n"
    found = cut_blocks(text, (AT, HERE)).blocks
    assert [b.dsl for b in found] == [0, 1, 0]
    assert cut(text, AT, HERE) == cut(text, HERE, AT) == ["a", "\n@dsl(b)\n", "rules <<END"]


@pytest.mark.parametrize("text", ["@dsl(a", "@dsl((a)", '@dsl(a "b)'])
def test_a_block_that_is_not_closed_runs_to_the_end(text: str) -> None:
    (block,) = cut_blocks(text, (AT,)).blocks
    assert not block.closed and block.end == len(text)


@given(
    st.lists(
        st.sampled_from(["@dsl(", ")", "(", '"', "\\", "rules <<END\n", "\nEND\n", "a", " ", ";", "{", "}", "#", "\n"])
    )
)
def test_cutting_keeps_every_offset(pieces: list[str]) -> None:
    text = "".join(pieces)
    done = cut_blocks(text, (AT, HERE))
    assert len(done.text) == len(text)
    at = 0
    for block in done.blocks:
        assert at <= block.start <= block.inner_start <= block.inner_end <= block.end <= len(text)
        assert set(done.text[block.start : block.end]) <= {FILLER}
        at = block.end
    outside = [(a, b) for a, b in zip(text, done.text, strict=True) if b != FILLER]
    assert all(a == b for a, b in outside)


def test_a_cut_block_is_one_command_for_tcl() -> None:
    tree = parse(cut_blocks("if {1} {\n  @dsl(a { b)\n}\n", (AT,)).text)
    assert not tree.problems
    body = tree.body(tree.script.commands[0].words[2])
    assert body is not None and is_filler(body.commands[0].name)


def test_braced_blocks_are_commands() -> None:
    command = parse("db eval {select {x} \\\n   from y}").script.commands[0]
    assert opener_of(command, (AT, BRACED)) == 1
    block = braced_block(command, 1, BRACED)
    assert block is not None and block.closed
    text = "db eval {select {x} \\\n   from y}"
    source = dsl_text(text, block, braced=True)
    assert source.text == "select {x}  from y"
    assert text[source.offset(source.text.index("from")) :].startswith("from y")


@pytest.mark.parametrize("text", ["db eval", "db eval a b", "db other {a}", "db eval $x", "eval {a}"])
def test_what_is_no_braced_block(text: str) -> None:
    command = parse(text).script.commands[0]
    assert braced_block(command, 0, BRACED) is None
