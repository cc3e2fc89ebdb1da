"""The examples of the data stage: every answer is valid for its pack, and says what its task asks for."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from oracle import requires_tcl
from training.data_kit import HARBOUR, MINIMAL, maker, rows

from localgen.execution.trace import Tracer
from localgen.repair import with_header
from localgen.validation.validate import validate_script
from localgen_retrieval.prompt import SYSTEM_PROMPT
from localgen_training.data.clarifications import ASK
from localgen_training.data.rows import Row

DOMAINS = ("pnr", MINIMAL, HARBOUR)
ASKING = ("clarification", "refusal")


def scripts_in(made: tuple[Row, ...]) -> list[Row]:
    return [r for r in made if r.example.category not in ASKING]


def answer(row: Row) -> str:
    return with_header(row.example.response + "\n", row.pack.domain)


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_answer_is_valid_for_the_catalog_of_its_own_pack(domain: str) -> None:
    for row in scripts_in(rows(domain)):
        report = validate_script(answer(row), row.pack.domain, strict=True)
        assert report.valid, (row.example.id, report.lines(), answer(row))


@pytest.mark.parametrize("domain", DOMAINS)
def test_an_answer_uses_no_name_that_the_pack_does_not_show(domain: str) -> None:
    for row in scripts_in(rows(domain)):
        called = {
            c.name for c in row.pack.domain.catalog.procs if re.search(rf"{re.escape(c.name)}(?![\w:])", answer(row))
        }
        assert called <= set(row.example.symbols)
        assert all(name in row.example.messages[1].content for name in called)


@requires_tcl
@pytest.mark.parametrize("domain", DOMAINS)
def test_answers_run_in_real_tcl_as_the_catalog_says(domain: str) -> None:
    sample = scripts_in(rows(domain))[::6]
    assert len(sample) > 15
    for row in sample:
        trace = Tracer(row.pack.domain).trace(answer(row))
        assert trace.ran and not trace.problems, (row.example.id, trace.error, trace.problems, answer(row))
        assert trace.rounds[0].events or trace.rounds[0].variables, answer(row)


@requires_tcl
def test_answers_under_the_domains_own_names_run_with_its_mocks() -> None:
    own = [r for r in scripts_in(rows("pnr")) if r.example.domain == "pnr"][::4]
    assert len(own) > 10
    for row in own:
        tracer = Tracer(row.pack.domain, mocks=True)
        assert tracer.mocked
        trace = tracer.trace(answer(row))
        assert trace.ran and not trace.problems, (trace.error, trace.problems, answer(row))


def test_values_of_the_answer_are_said_in_the_task() -> None:
    """Names are copied from the task: what a call has in an option without a fixed choice stands there."""
    checked = 0
    for row in rows("pnr"):
        e = row.example
        if e.category != "sweep" or "model" in e.style:
            continue
        strings = {
            f"-{a.name}" for p in row.pack.domain.catalog.procs for a in p.args if a.type == "string" and not a.unit
        }
        for option, value in re.findall(r"(-[\w]+) ([A-Za-z_][\w/]*)(?=\s|$)", e.response):
            if option in strings:
                checked += 1
                assert value in e.instruction, (e.instruction, e.response)
    assert checked > 10


def test_the_conversation_is_the_one_that_the_generator_holds() -> None:
    for row in rows("pnr"):
        system, user, last = row.example.messages
        assert (system.role, user.role, last.role) == ("system", "user", "assistant")
        assert system.content == SYSTEM_PROMPT
        assert row.pack.text in user.content and row.example.instruction.strip() in user.content
        assert not last.content.startswith("#!"), "the product puts the header"
        assert row.example.header == row.pack.domain.catalog.policy.required_header
        assert "\ue000" not in user.content + last.content


def test_the_scripts_packs_show_only_what_the_script_uses() -> None:
    found = [r for r in rows("pnr", chunks=3) if r.example.category == "script"]
    assert found
    for row in found:
        for name in row.example.symbols:
            dsl = next((d for d in row.pack.domain.catalog.dsls if d.name == name), None)
            assert (dsl.embedding.open.strip() if dsl else name) in row.example.response


def test_all_categories_come_up_in_their_shares() -> None:
    made = rows("pnr", chunks=6)
    counts = {c: sum(r.example.category == c for r in made) for c in {r.example.category for r in made}}
    assert set(counts) == {"script", "sweep", "production", "flow", "virtual", "repair", "clarification", "refusal"}
    asking = (counts["clarification"] + counts["refusal"]) / len(made)
    assert 0.15 < asking < 0.25
    assert counts["clarification"] > 10 and counts["refusal"] > 10


def test_styles_and_phases_come_up() -> None:
    made = rows("pnr", chunks=3)
    assert {r.example.style.partition("-")[0] for r in made} == {"natural", "terse", "instructional", "academic"}
    assert {r.example.style.partition("-")[2] for r in made} >= {"typo", "bare", "polite"}
    assert {r.example.phase for r in made} == {"micro", "multi", "flow"}


def test_renamed_names_are_nowhere_the_old_ones() -> None:
    """Names of procs, namespaces, options and DSL keywords change together in pack, task and answer."""
    domain = next(r for r in rows("pnr") if r.example.domain == "pnr").pack.domain
    spaces = {"fp::", "place::", "power::", "route::", "sta::"}
    renamed = [r for r in rows("pnr") if "~" in r.example.domain and r.example.category != "repair"]
    assert len(renamed) > 30 and domain.name == "pnr"
    for row in renamed:
        text = row.example.messages[1].content.partition("Context")[2] + row.example.response
        assert not [s for s in spaces if re.search(rf"(?<![\w:]){s}", text)], text
        assert "apply_to:" not in text and "dsl {" not in text


def test_each_renamed_example_has_names_of_its_own() -> None:
    names = [frozenset(p.name for p in r.pack.domain.catalog.procs) for r in rows("pnr") if "~" in r.example.domain]
    names = [n for n in names if n]
    assert len(names) == len(set(names))


def test_negatives_are_what_the_validator_says_they_are() -> None:
    found = [r for r in rows("pnr", chunks=3) if r.negative is not None]
    assert len(found) > 30
    for row in found:
        n = row.negative
        assert n is not None and n.valid is False
        report = validate_script(with_header(n.script, row.pack.domain), row.pack.domain, strict=True)
        assert not report.valid
        first = next(f for f in report.details if f.severity == "error")
        assert n.code == first.code and n.message.startswith(first.message)
        assert validate_script(with_header(n.correction, row.pack.domain), row.pack.domain, strict=True).valid
        assert n.of == row.example.id and n.split == row.split and n.family == row.example.family
    kinds = {r.negative.kind for r in found if r.negative}
    assert kinds >= {"argument-name", "enum-value", "undeclared-name", "missing-argument", "delimiter", "block"}


def test_repairs_show_the_broken_script_with_what_the_validator_says_of_it() -> None:
    found = [r for r in rows("pnr", chunks=3) if r.example.category == "repair"]
    assert len(found) > 10
    as_json = 0
    for row in found:
        text = row.example.instruction
        script, said = text.split("\n\nScript:\n")[1].split("\n\nValidator:\n")
        report = validate_script(script + "\n", row.pack.domain, strict=True)
        errors = [f for f in report.details if f.severity == "error"]
        assert errors and errors[0].code in said and errors[0].message in said.replace('\\"', '"')
        assert script.strip() != row.example.response.strip()
        if said.startswith("{"):
            as_json += 1
            assert json.loads(said.splitlines()[0])["code"] == errors[0].code
    assert 0 < as_json < len(found)


def test_questions_are_comments_that_no_tcl_would_run() -> None:
    found = [r for r in rows("pnr", chunks=2) if r.example.category in ASKING]
    for row in found:
        lines = row.example.response.splitlines()
        assert lines[0].startswith(ASK) and all(line.startswith("# ") and not line.endswith("\\") for line in lines)


def test_a_missing_value_is_asked_for_and_its_choices_are_named() -> None:
    found = [r for r in rows("pnr", chunks=4) if r.example.family.startswith("pnr/clarification/missing")]
    assert len(found) > 10
    for row in found:
        m = re.match(r"# ask: What is the (\S+)(?: \(in .*?\))? for (\S+)\?", row.example.response)
        assert m is not None
        proc = row.pack.domain.catalog.proc(m.group(2))
        assert proc is not None and proc.name in row.example.symbols
        arg = next(a for a in proc.args if a.name == m.group(1))
        assert arg.required
        for value in arg.values:
            assert f"# - {arg.name}: {value}" in row.example.response


def test_a_task_whose_symbols_are_not_in_the_context_is_refused_not_made_up() -> None:
    found = [r for r in rows("pnr", chunks=4) if "/lacking-" in r.example.family]
    assert {r.example.family.split("/")[2] for r in found} == {"lacking-partial", "lacking-absent"}
    for row in found:
        assert "does not look like a task for" in row.example.response


def test_virtual_catalogs_have_policies_and_grammars_of_their_own() -> None:
    virtual = [r for r in rows("pnr", chunks=4) if r.example.category == "virtual"]
    assert len({r.example.domain for r in virtual}) == len(virtual)
    assert len({r.pack.domain.catalog.policy.forbidden for r in virtual}) > 5
    with_dsl = [r for r in virtual if r.pack.domain.catalog.dsls]
    used = [r for r in with_dsl if r.pack.domain.catalog.dsls[0].embedding.open.strip() in r.example.response]
    assert used and all(r.pack.domain.grammars for r in with_dsl)
    assert len({r.pack.domain.catalog.dsls[0].embedding.open for r in with_dsl}) > 3


def test_a_broken_statement_in_a_virtual_dsl_is_no_longer_valid() -> None:
    """The grammar that is made for a virtual DSL is no rubber stamp."""
    for row in rows("pnr", chunks=4):
        dsls = row.pack.domain.catalog.dsls
        if row.example.category != "virtual" or not dsls or dsls[0].embedding.open.strip() not in row.example.response:
            continue
        lines = answer(row).split("\n")
        at = next(i for i, line in enumerate(lines) if line.strip() == dsls[0].embedding.open.strip()) + 1
        lines[at] += " zzz zzz"
        assert not validate_script("\n".join(lines), row.pack.domain, strict=True).valid


def test_the_smallest_catalog_is_enough() -> None:
    made = rows(MINIMAL)
    categories = {r.example.category for r in made}
    assert {"sweep", "production", "flow", "repair", "clarification", "refusal", "virtual"} <= categories


def test_a_domain_without_dsl_examples_docs(tmp_path: Path) -> None:
    catalog = {"procs": [{"name": "go", "args": [{"name": "where"}]}, {"name": "halt", "args": []}]}
    (tmp_path / "catalog.json").write_text(json.dumps(catalog), "utf-8")
    made = rows(str(tmp_path))
    assert len(made) > 150
    assert all(r.example.category != "production" for r in made)


def test_a_pure_dsl_is_trained_on_texts_of_its_grammar(tmp_path: Path) -> None:
    grammar = 'start: item+\nitem: "let" NAME "=" sum ";"\nsum: NUM ("+" (NUM | "(" sum ")"))*\n'
    grammar += "NAME: /[a-z]+/\nNUM: /[0-9]+/\n%ignore /\\s+/\n"
    catalog = {"host": "none", "dsl": {"embedding": {"open": "sums {", "close": "}"}, "grammar": "g.lark"}}
    (tmp_path / "catalog.json").write_text(json.dumps(catalog), "utf-8")
    (tmp_path / "g.lark").write_text(grammar, "utf-8")
    made = [r for r in rows(str(tmp_path)) if r.example.category == "production"]
    assert len(made) > 20
    for row in made:
        assert validate_script(row.example.response + "\n", row.pack.domain, strict=True).valid
    assert any("(" in r.example.response for r in made), "nested rules are sampled too"


def test_a_chunk_is_the_same_whoever_makes_it() -> None:
    first = [r.example for r in maker("pnr").chunk(1).rows]
    maker("pnr").chunk(5)
    assert [r.example for r in maker("pnr").chunk(1).rows] == first
