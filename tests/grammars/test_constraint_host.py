"""What the host's rules let a script say: calls, options, variables, bodies, blocks."""

from __future__ import annotations

import pytest
from constraint_kit import accepts, constraint, domain_of, minimal, one_proc, shipped, stuck_at

from localgen_retrieval.errors import GrammarError

ROUTE = "my::route -net A -layer M1\n"


@pytest.mark.parametrize(
    ("instruction", "script"),
    [
        ("Route net RESET on metal 2.", "my::route -net RESET -layer M2\n"),
        ("Route net RESET on metal 2.", "my::route -layer M2 -net RESET\n"),
        ("keep 1.5 um clear around VREF", "my::keepout -net VREF -width 1.5\n"),
        ("Spacing rule SR7: net DATA0 needs 0.3um.", 'dsl {\n  rule "SR7" apply_to: DATA0 spacing: 0.3um\n}\n'),
        (
            "In the fast corner, route A, B and C on M1.",
            "set ::tech::corner ff\nforeach net {A B C} {\n  my::route -net $net -layer M1\n}\n",
        ),
        (
            "x A 2",
            "if {[my::route -net A -layer M1] > 2} {\n  my::keepout -net A -width 2\n} else {\n"
            "  my::keepout -net x -width 2\n}\n",
        ),
        ("x A", f"set result [{ROUTE.strip()}]\nputs $result\n"),
        ("x A", f"{ROUTE}# a remark\n{ROUTE}"),
        (
            "rule SR1 on A 2um",
            'foreach net {A} {\n  dsl {\n    rule "SR1" apply_to: A spacing: 2um\n  }\n}\n'.replace(
                "    rule", "  rule"
            ),
        ),
        ("x A", f"puts [{ROUTE.strip()}]\n"),
    ],
)
def test_can_be_written_with_the_smallest_catalog(instruction: str, script: str) -> None:
    made = constraint(minimal(), instruction, script=script)
    at = stuck_at(made, script)
    assert at is None, f"stuck before {script[at:]!r}"


@pytest.mark.parametrize(
    ("why", "script"),
    [
        ("a required option is missing", "my::route -net A\n"),
        ("an option twice", "my::route -net A -net A -layer M1\n"),
        ("a word that the instruction does not have", "my::route -net B -layer M1\n"),
        ("a value outside the enum", "my::route -net A -layer M4\n"),
        ("a variable that nothing declares", "my::route -net $net -layer M1\n"),
        ("a loop variable after its loop", f"foreach net {{A}} {{\n  {ROUTE}}}\nmy::route -net $net -layer M1\n"),
        (
            "a result set in one branch only",
            f"if {{[{ROUTE.strip()}] > 0}} {{\n  set result [{ROUTE.strip()}]\n}}\nputs $result\n",
        ),
        ("a variable of another class", "foreach net {A} {\n  my::route -net A -layer $net\n}\n"),
        ("an empty body", "foreach net {A} {\n}\n"),
        ("a body of comments", "foreach net {A} {\n  # only this\n}\n"),
        ("an empty script", ""),
        ("only a comment", "# nothing\n"),
        ("an unknown proc", "my::other -net A\n"),
        ("a command outside the builtins", "exec ls\n"),
        ("an unfinished line", "my::route -net A -layer M1"),
        ("an unclosed body", f"foreach net {{A}} {{\n  {ROUTE}"),
        ("a wrong value of a catalog variable", "set ::tech::corner xx\n"),
        ("an option that is not there", "my::route -net A -layer M1 -width 2\n"),
        ("two statements on a line", "my::route -net A -layer M1; my::route -net A -layer M1\n"),
        ("an empty block", "dsl {\n}\n"),
        ("a block that is no rule", "dsl {\n  rule\n}\n"),
    ],
)
def test_cannot_be_written(why: str, script: str) -> None:
    assert not accepts(minimal(), "x A 2", script), why


def test_every_shipped_example_can_be_written_for_its_own_task() -> None:
    domain = shipped()
    assert domain.examples
    stuck = []
    for example in domain.examples:
        lines = [line for line in example.script.splitlines() if line.strip() and not line.startswith("#")]
        script = "\n".join(lines) + "\n"
        at = stuck_at(constraint(domain, example.task, script=script), script)
        if at is not None:
            stuck.append(f"{example.path}: {example.task!r} before {script[at : at + 60]!r}")
    assert not stuck, "\n".join(stuck)


OPTIONS = one_proc(
    {"name": "a", "values": ["x"]},
    {"name": "b", "values": ["x"], "required": False},
    {"name": "c", "values": ["x"], "required": False},
    {"name": "f", "type": "flag"},
    {"name": "d", "values": ["x"], "required": False},
    {"name": "p", "values": ["x", "y"], "positional": True},
    {"name": "q", "values": ["z"], "positional": True, "required": False},
    exclusive=[["b", "c"]],
    requires={"d": ["b"]},
)


@pytest.mark.parametrize(
    ("script", "fine"),
    [
        ("do -a x y\n", True),
        ("do -f -a x -b x -d x y z\n", True),
        ("do -d x -b x -a x y\n", True),
        ("do -c x -a x y\n", True),
        ("do -a x\n", False),
        ("do y -a x\n", False),
        ("do -a x -b x -c x y\n", False),
        ("do -a x -d x y\n", False),
        ("do -a x -f -f y\n", False),
        ("do -a x -f x y\n", False),
        ("do -a x y z z\n", False),
        ("do -b x y\n", False),
    ],
)
def test_options_once_in_any_order_then_positionals(script: str, fine: bool) -> None:
    assert accepts(OPTIONS, "do it", script) is fine


def test_a_proc_whose_value_cannot_be_grounded_is_left_out_and_named() -> None:
    domain = domain_of(
        {
            "procs": [
                {"name": "open_at", "args": [{"name": "code", "pattern": "[A-Z]{3}[0-9]"}]},
                {"name": "close_all", "args": []},
            ]
        }
    )
    made = constraint(domain, "open it please")
    assert made.procs == ("close_all",)
    assert "code" in made.excluded["open_at"]
    assert accepts(domain, "open ABC7 please", "open_at -code ABC7\n")


def test_a_positional_before_a_required_one_has_to_be_writable_too() -> None:
    code = {"name": "code", "pattern": "[A-Z]{3}[0-9]", "positional": True, "required": False}
    lane = {"name": "lane", "type": "enum", "values": ["left", "right"], "positional": True}
    domain = domain_of({"procs": [{"name": "open_at", "args": [code, lane]}, {"name": "close_all", "args": []}]})
    made = constraint(domain, "open it please")
    assert made.procs == ("close_all",)
    assert "code" in made.excluded["open_at"]
    assert accepts(domain, "open ABC7 please", "open_at ABC7 left\n")


def test_grounding_is_given_up_only_where_nothing_could_be_written() -> None:
    domain = one_proc({"name": "code", "pattern": "[A-Z]{3}[0-9]"})
    made = constraint(domain, "open it please")
    assert made.relaxed
    assert stuck_at(made, "do -code QQQ1\n") is None
    assert not constraint(domain, "open ABC7").relaxed
    free = constraint(minimal(), "x", grounding=False)
    assert stuck_at(free, "my::route -net ANYTHING -layer M1\n") is None


def test_more_sources_are_as_good_as_the_instruction() -> None:
    script = "my::route -net SEL -layer M1\n"
    assert not accepts(minimal(), "route the selected net", script)
    assert accepts(minimal(), "route the selected net", script, more_sources=("SEL",))


def test_forbidden_and_deprecated_procs_and_policy() -> None:
    domain = domain_of(
        {
            "procs": [
                {"name": "good", "args": [], "returns": "int"},
                {"name": "bad", "args": []},
                {"name": "old", "args": [], "deprecated": {"replacement": "good"}},
            ],
            "policy": {"forbidden": ["bad"], "allowed_builtins": ["puts"]},
        }
    )
    for script, fine in {
        "good\n": True,
        "puts [good]\n": True,
        "bad\n": False,
        "old\n": False,
        "set result [good]\n": False,
        "if {[good] > 0} {\n  good\n}\n": False,
    }.items():
        assert accepts(domain, "do good", script) is fine, script


def test_script_arguments_are_bodies_at_every_depth() -> None:
    domain = domain_of(
        {
            "procs": [
                {"name": "each", "args": [{"name": "body", "type": "script"}]},
                {"name": "go", "args": []},
            ]
        }
    )
    assert accepts(domain, "go", "each -body {\n  go\n}\n")
    assert accepts(domain, "go", "each -body {\n  each -body {\n    go\n  }\n}\n")
    assert not accepts(domain, "go", "each -body {\n}\n")
    # What cannot be finished cannot be begun.
    deep = "each -body {\n  each -body {\n    each -body {\n"
    at = stuck_at(constraint(domain, "go"), deep)
    assert at is not None and at < len(deep), "a body is opened in which nothing can be written"


@pytest.mark.parametrize(
    ("script", "fine"),
    [
        ("each -body {\n  each -body {\n    go\n    go\n  }\n  go\n}\n", True),
        ("each -body {\n  each -body {\n    go\n  go\n  }\n}\n", False),
        ("each -body {\n  go\n  }\n", False),
        ("foreach n {A B} {\n  go\n  }\n", False),
        ("each -body {\n    go\n}\n", False),
    ],
)
def test_every_line_is_indented_by_its_depth(script: str, fine: bool) -> None:
    domain = domain_of(
        {
            "procs": [
                {"name": "each", "args": [{"name": "body", "type": "script"}]},
                {"name": "go", "args": [{"name": "n", "type": "string", "required": False}]},
            ]
        }
    )
    assert accepts(domain, "go A B", script) is fine


def test_a_body_comes_after_the_other_required_options_so_that_closing_it_can_end_the_call() -> None:
    args = [{"name": "body", "type": "script", "required": False}, {"name": "n", "type": "string"}]
    domain = domain_of({"procs": [{"name": "each", "args": args}, {"name": "go", "args": []}]})
    assert accepts(domain, "A", "each -n A -body {\n  go\n}\n")
    assert not accepts(domain, "A", "each -body {\n  go\n} -n A\n")


def test_a_call_in_brackets_has_no_body_and_no_condition_so_it_cannot_nest_for_ever() -> None:
    when = {"name": "when", "type": "expr", "required": False}
    body = {"name": "body", "type": "script", "required": False}
    domain = domain_of({"procs": [{"name": "size", "args": [when, body], "returns": "bool"}]})
    assert accepts(domain, "2", "size -when {[size]}\n")
    assert accepts(domain, "2", "puts [size]\n")
    assert not accepts(domain, "2", "size -when {[size -when {[size]}]}\n")
    assert not accepts(domain, "2", "puts [size -body {\n  size\n}]\n")


def test_a_catalog_of_nothing_usable_is_refused() -> None:
    domain = domain_of({"procs": [{"name": "old", "args": [], "deprecated": True}]})
    with pytest.raises(GrammarError) as caught:
        constraint(domain, "do it")
    assert caught.value.code == "nothing-to-write"


def test_results_of_many_kinds_in_conditions_and_arguments() -> None:
    # Calls in conditions of script arguments of calls in conditions: every rule is still made once.
    returns = {"int": "n", "bool": "b", "string": "s"}
    procs = [
        {
            "name": name,
            "args": [
                {"name": "when", "type": "expr", "required": False},
                {"name": "then", "type": "script", "required": False},
                {"name": "count", "type": "int", "required": False},
            ],
            "returns": kind,
        }
        for kind, name in returns.items()
    ]
    domain = domain_of({"procs": procs, "variables": [{"name": "level", "type": "int", "default": 1}]})
    made = constraint(domain, "count to 3 and 4")
    assert stuck_at(made, "if {[n] > 3} {\n  b -when {[n] < 4} -count 3\n}\n") is None


NUMBERS = domain_of({
    "procs": [
        {"name": "lab::width", "args": [], "returns": {"type": "float"}},
        {"name": "extent", "args": [{"name": "net", "kind": "net"}], "returns": {"type": "float"}},
        {"name": "e", "args": [], "returns": {"type": "int"}},
        {
            "name": "lab::draw",
            "args": [{"name": "by", "type": "float"}, {"name": "n", "type": "int", "required": False}],
        },
    ],
    "variables": [{"name": "lab::scale", "type": "float", "default": 1.0}],
})  # fmt: skip


@pytest.mark.parametrize(
    "value",
    ["2.5", "[lab::width]", "[extent -net A]", "[e]", "[expr {[lab::width] * 3}]", "[expr {[e] * 3}]",
     "[expr {$lab::scale * 3}]"],
)  # fmt: skip
@pytest.mark.parametrize("script", ["lab::draw -by {}\n", "lab::draw -n [e] -by {}\n", "set lab::scale {}\n"])
def test_a_number_is_said_or_what_a_call_gives_or_calculated_from_one(script: str, value: str) -> None:
    assert accepts(NUMBERS, "Draw by 2.5 and 3 on net A", script.replace("{}", value))


def test_max_dsl_blocks_is_kept() -> None:
    grammar = 'start: "go" NAME\nNAME: /[a-z]+/\n%ignore " "\n'
    domain = domain_of(
        {
            "procs": [],
            "dsl": {"embedding": {"open": "dsl {", "close": "}"}, "grammar": "g.lark"},
            "policy": {"max_dsl_blocks": 2},
        },
        g=grammar,
    )
    made = constraint(domain, "go up")
    layouts = [f"dsl {{{a}go up{b}}}\n" for a in ("", " ") for b in ("", " ")]
    block = next(b for b in layouts if stuck_at(made, b) is None)
    assert [stuck_at(made, block * n) is None for n in (1, 2, 3)] == [True, True, False]


def test_an_optional_list_of_at_most_one_element_that_no_bare_word_can_be_is_left_out() -> None:
    level = {"name": "level", "list": True, "pattern": ".*", "min_items": 0, "max_items": 1, "required": False}
    domain = domain_of({"procs": [{"name": "go", "args": [{"name": "to"}, level]}]})
    made = constraint(domain, "out/final.rpt tail\\ on net DATA_0 level a[0] width dozen")
    assert stuck_at(made, "go -to DATA_0\n") is None
    assert stuck_at(made, "go -to DATA_0 -level width\n") is not None
