"""The plan written out: loops in the order that people mean, conditions on what a query returns."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from localgen.decoder.assignment import Assignment, Opening
from localgen.decoder.conditions import afterwards, comparison_of, in_either_case, is_condition, turns
from localgen.decoder.draft import Draft
from localgen.decoder.plan_lattice import Candidate
from localgen.decoder.said import Said, SaidValues
from localgen.decoder.task_plan import Planned
from localgen_grammars.constraint.grounding import words_of
from localgen_grammars.constraint.quantities import quantities_of
from localgen_grammars.dsl import load_grammar
from localgen_grammars.statements import statements_of
from localgen_retrieval.catalog import Catalog, Proc

from .readings import reading

RULES = """start: (s ";")+
?s: keep | share
keep: "keep" NAME "above" AMOUNT ("for" TIME)?
share: "share" NAME ("," NAME)*
NAME: /[A-Z][A-Za-z0-9_]*/
AMOUNT: /[0-9]+bar/
TIME: /[0-9]+min/
%import common.WS
%ignore WS
"""
CATALOG = Catalog.model_validate({
    "name": "plant",
    "procs": [
        {"name": "open", "args": [
            {"name": "by", "type": "string", "required": False},
            {"name": "valve", "type": "string", "positional": True},
        ]},
        {"name": "flush", "args": [{"name": "valve", "type": "string", "positional": True}]},
        {"name": "group", "args": [{"name": "fast", "type": "flag"}, {"name": "of", "type": "string", "list": True}]},
        {"name": "level", "args": [{"name": "tank", "type": "string", "positional": True}],
         "returns": {"type": "float", "unit": "m"}},
        {"name": "is_open", "args": [{"name": "valve", "type": "string", "positional": True}], "returns": "bool"},
        {"name": "who", "args": [], "returns": "string"},
    ],
    "variables": [{"name": "::mode", "values": ["day", "night"]}],
    "dsl": {"name": "rules", "embedding": {"open": "rules {", "close": "}"}},
})  # fmt: skip
STATEMENTS = statements_of(load_grammar(RULES))
SAID = SaidValues(reading("nothing"), words_of("nothing"))


def planned(
    branch: str, values: Mapping[str, tuple[str, ...]], span: tuple[int, int] = (0, 1), rule: int | None = None
) -> Planned:
    openings = tuple(
        Opening(name, tuple(Said(v, 0.0, -1) for v in given), 5.0, True, "value" if given else "flag")
        for name, given in values.items()
    )
    made = Assignment(openings, SAID, (), np.zeros(0))
    object.__setattr__(made.best, "values", dict(values))
    return Planned(Candidate(branch, np.zeros(2), openings, (), None if rule is None else (0, rule)), made, True, span)


def draft(*plan: Planned, said: str = "") -> str | None:
    return Draft(CATALOG, {0: STATEMENTS}).write(plan, said, quantities_of(said))


def test_statements_are_written_in_order_options_before_positionals_lists_in_braces() -> None:
    assert draft(
        planned("open", {"valve": ("V 1",), "by": ("ann",)}),
        planned("set ::mode", {"value": ("night",)}, (1, 2)),
        planned("group", {"of": ("A", "B"), "fast": ()}, (2, 3)),
    ) == "open -by ann {V 1}\nset ::mode night\ngroup -fast -of {A B}\n"  # fmt: skip


def test_a_statement_that_lacks_what_it_needs_is_no_draft() -> None:
    assert draft(planned("open", {"by": ("ann",)})) is None
    assert draft(planned("set ::mode", {})) is None
    assert draft(planned("rules {", {"1": ("P1",)}, rule=0)) is None
    assert draft() is None


def test_rules_stand_together_in_one_block_with_the_part_that_takes_their_values() -> None:
    first = planned("rules {", {"1": ("P1",), "3": ("4bar",)}, (0, 1), 0)
    longer = planned("rules {", {"1": ("P2",), "3": ("2bar",), "5": ("9min",)}, (1, 2), 0)
    shared = planned("rules {", {"1": ("A", "B", "C")}, (2, 3), 1)
    call = planned("flush", {"valve": ("V1",)}, (3, 4))
    assert draft(first, longer, shared, call) == (
        "rules {\n  keep P1 above 4bar ;\n  keep P2 above 2bar for 9min ;\n  share A , B , C ;\n}\nflush V1\n"
    )


def test_calls_over_the_same_names_are_done_name_by_name() -> None:
    opened = [planned("open", {"valve": (v,)}, (0, 5)) for v in ("V1", "V2")]
    flushed = [planned("flush", {"valve": (v,)}, (5, 9)) for v in ("V1", "V2")]
    assert draft(*opened, *flushed) == "open V1\nflush V1\nopen V2\nflush V2\n"
    other = [planned("flush", {"valve": (v,)}, (5, 9)) for v in ("V1", "V3")]
    assert draft(*opened, *other) == "open V1\nopen V2\nflush V1\nflush V3\n"


@pytest.mark.parametrize(
    ("said", "clauses", "expected"),
    [
        ("If T1 is above 3 m, open V1", (("level", "T1"), ("open", "V1")), "if {[level T1] > 3} {\n  open V1\n}\n"),
        (
            "If V1 isn't open, open V1, otherwise flush V1, in any case flush V2",
            (("is_open", "V1"), ("open", "V1"), ("flush", "V1"), ("flush", "V2")),
            "if {![is_open V1]} {\n  open V1\n} else {\n  flush V1\n}\nflush V2\n",
        ),
        (
            "Flush V2, and then open V1 when T1 holds, less than 40 cm",
            (("flush", "V2"), ("open", "V1"), ("", ""), ("", "")),
            None,
        ),
        ("Flush V2, but only if T1 holds at most 40 cm", (("flush", "V2"), ("level", "T1")),
         "if {[level T1] <= 0.4} {\n  flush V2\n}\n"),
    ],
)  # fmt: skip
def test_a_query_in_a_clause_that_says_when_is_the_condition(
    said: str, clauses: tuple[tuple[str, str], ...], expected: str | None
) -> None:
    at, plan = 0, list[Planned]()
    for (branch, value), clause in zip(clauses, said.split(", "), strict=False):
        name = "tank" if branch == "level" else "valve"
        if branch:
            plan.append(planned(branch, {name: (value,)}, (at, at + len(clause) + 2)))
        at += len(clause) + 2
    made = draft(*plan, said=said)
    assert made == (expected or "flush V2\nopen V1\n")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("if T1 is over 2.5 m", "[level T1] > 2.5"),
        ("when less than 30 cm are in T1", "[level T1] < 0.3"),
        ("should T1 hold 4 m or more", "[level T1] >= 4"),
        ("if there is nothing in T1", "[level T1] == 0"),
        ("if anything is left in T1", "[level T1] > 0"),
        ("unless T1 holds at least 2 m", "[level T1] < 2"),
        ("if the level of T1 is below -2 m", "[level T1] < -2"),
        ("when the level of R-12 is at 3 m or more", "[level T1] >= 3"),
        ("is it lower than 3 m?", "[level T1] < 3"),
    ],
)
def test_a_number_is_compared_as_the_words_say_in_the_unit_of_the_result(words: str, expected: str) -> None:
    proc = CATALOG.proc("level")
    assert proc is not None
    assert comparison_of(proc, "level T1", ["T1"], words, 0, quantities_of(words)) == expected


def test_a_text_is_no_test() -> None:
    proc = CATALOG.proc("who")
    assert proc is not None
    assert comparison_of(proc, "who", [], "if anyone", 0, ()) is None


def test_words_that_make_and_end_a_condition() -> None:
    assert is_condition("should it rain") and is_condition("Is V1 open?") and not is_condition("open V1")
    assert turns("otherwise close it") and turns("or else close it") and turns("close it if not.")
    assert turns("if it isn't, close it") and turns("Failing that, close it")
    assert not turns("if V2 isn't shut, close it")
    assert afterwards("shut it. Then ") and afterwards("shut it; after that, ") and not afterwards("shut it and then ")
    assert in_either_case("flush V2 in any case") and not in_either_case("flush V2 in the case of fire")


@pytest.mark.parametrize(
    ("name", "words", "negated"),
    [
        ("berth::free", "If nobody is lying at B4", False),
        ("berth::isFree", "Should B4 still be occupied", True),
        ("berth::isFree", "if B4 isn't free yet", True),
        ("tank_is_empty", "If T5 has no wafers in it", False),
        ("tank_is_empty", "should there still be something in T5", True),
        ("pump_runs", "if P1 doesn't run", True),
        ("pump_runs", "should P1 be down", True),
        ("pump_is_down", "should P1 be down", False),
        ("pump_runs", "is P1 running?", False),
    ],
)
def test_the_opposite_is_asked_for_where_the_words_say_so(name: str, words: str, negated: bool) -> None:
    proc = Proc.model_validate({"name": name, "returns": {"type": "bool"}})
    assert comparison_of(proc, name, (), words, 0, ()) == ("!" if negated else "") + f"[{name}]"
