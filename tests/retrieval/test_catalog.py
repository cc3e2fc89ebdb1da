"""Reading a domain folder: what must load, and what a bad catalog is told."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localgen_retrieval.catalog_io import load_domain
from localgen_retrieval.errors import CatalogError, ExitCode
from localgen_retrieval.positions import field_name, json_positions, line_column

MakeDomain = Callable[..., Path]


def refused(folder: Path) -> CatalogError:
    with pytest.raises(CatalogError) as caught:
        load_domain(folder)
    assert caught.value.exit_code == ExitCode.CATALOG
    return caught.value


def proc(**fields: Any) -> dict[str, Any]:
    return {"procs": [{"name": "p", "args": [], **fields}]}


def arg(**fields: Any) -> dict[str, Any]:
    return proc(args=[{"name": "x", **fields}])


# ---------------------------------------------------------------- what loads


def test_the_smallest_catalog_loads_with_every_default(make_domain: MakeDomain) -> None:
    domain = load_domain(make_domain())
    catalog = domain.catalog
    assert domain.name == "dom" and catalog.host == "tcl" and domain.warnings == ()
    net, layer = catalog.procs[0].args
    assert (net.type, layer.type, layer.values) == ("string", "enum", ("M1", "M2", "M3"))
    assert net.required and not net.positional and not net.has_default
    assert catalog.variables[0].type == "enum"
    assert [d.name for d in catalog.dsls] == ["dsl"] and domain.grammars["dsl"].startswith("start:")
    assert catalog.policy.allowed_builtins[:2] == ("set", "puts") and catalog.policy.forbidden == ()
    assert domain.examples == () and domain.mocks is None


def test_the_smallest_catalog_loads_from_yaml(make_domain: MakeDomain) -> None:
    text = """\
procs:
  - name: my::route
    args:
      - name: net
      - {name: layer, values: [M1, M2]}
variables:
  - name: ::tech::corner
    values: [tt, ss]
dsl:
  embedding: {open: "dsl {", close: "}"}
  grammar: rules.lark
"""
    domain = load_domain(make_domain(text, file="catalog.yaml"))
    assert domain.catalog.procs[0].args[1].values == ("M1", "M2")
    assert domain.catalog.variables[0].name == "::tech::corner"


def test_yaml_words_stay_words(make_domain: MakeDomain) -> None:
    values = "[on, off, yes, no, 1:30, 2020-01-01, 0x1F, 3]"
    text = f"version: 1.20\nprocs:\n- name: p\n  args:\n  - name: x\n    values: {values}\n"
    domain = load_domain(make_domain(text, file="catalog.yaml"))
    assert domain.catalog.procs[0].args[0].values == ("on", "off", "yes", "no", "1:30", "2020-01-01", "0x1F", "3")
    assert domain.catalog.version == "1.2"


def test_json_is_preferred_to_yaml(make_domain: MakeDomain) -> None:
    folder = make_domain("procs: []\n", file="catalog.yaml")
    make_domain()
    assert len(load_domain(folder).catalog.procs) == 2


def test_a_catalog_file_stands_for_its_folder(make_domain: MakeDomain) -> None:
    folder = make_domain()
    assert load_domain(folder / "catalog.json") == load_domain(folder)


def test_numbers_and_booleans_among_values_become_words(make_domain: MakeDomain) -> None:
    domain = load_domain(make_domain(arg(values=[1, 2.5, 3.0, True, "x"])))
    assert domain.catalog.procs[0].args[0].values == ("1", "2.5", "3", "true", "x")


@pytest.mark.parametrize(
    ("fields", "required"),
    [
        ({}, True),
        ({"default": 1}, False),
        ({"type": "flag"}, False),
        ({"required": False}, False),
        ({"default": 1, "required": True}, True),
    ],
)
def test_required_unless_default_flag_or_said(make_domain: MakeDomain, fields: dict[str, Any], required: bool) -> None:
    assert load_domain(make_domain(arg(**fields))).catalog.procs[0].args[0].required is required


@pytest.mark.parametrize(
    ("deprecated", "note", "replacement"),
    [(True, "", ""), ("old", "old", ""), ({"replacement": "p", "note": "n"}, "n", "p")],
)
def test_every_form_of_deprecated(make_domain: MakeDomain, deprecated: Any, note: str, replacement: str) -> None:
    catalog = load_domain(make_domain(proc(deprecated=deprecated))).catalog
    found = catalog.procs[0].deprecated
    assert found is not None and (found.note, found.replacement) == (note, replacement)
    assert catalog.live_procs == ()


@pytest.mark.parametrize("deprecated", [None, False])
def test_not_deprecated(make_domain: MakeDomain, deprecated: Any) -> None:
    assert load_domain(make_domain(proc(deprecated=deprecated))).catalog.procs[0].deprecated is None


def test_byte_order_mark_and_carriage_returns_do_not_matter(make_domain: MakeDomain) -> None:
    folder = make_domain()
    text = (folder / "catalog.json").read_text("utf-8")
    plain = load_domain(folder)
    (folder / "catalog.json").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert load_domain(folder) == plain


def test_several_dsls_without_names_are_told_apart(make_domain: MakeDomain) -> None:
    dsls = [{"embedding": {"open": o, "close": c}} for o, c in (("a {", "}"), ("@b(", ")"), ("<<END", "END"))]
    assert [d.name for d in load_domain(make_domain({"procs": [], "dsl": dsls})).catalog.dsls] == [
        "dsl",
        "dsl2",
        "dsl3",
    ]


def test_a_dsl_without_grammar_loads(make_domain: MakeDomain) -> None:
    domain = load_domain(make_domain({"procs": [], "dsl": {"embedding": {"open": "dsl {", "close": "}"}}}))
    assert domain.grammars == {}


def test_examples_and_mocks(make_domain: MakeDomain) -> None:
    folder = make_domain(
        examples__b_tcl="#!/usr/bin/env tclsh\n# Task:  Route CLK.  \nmy::route -net CLK -layer M1\n",
        examples__a_tcl="# task: Keep 2 um clear.\n\nmy::keepout -net A -width 2\n",
        mocks_tcl="proc my::route args {}\n",
    )
    domain = load_domain(folder)
    assert [(e.path, e.task) for e in domain.examples] == [
        ("examples/a.tcl", "Keep 2 um clear."),
        ("examples/b.tcl", "Route CLK."),
    ]
    assert domain.examples[1].script == "#!/usr/bin/env tclsh\nmy::route -net CLK -layer M1\n"
    assert domain.mocks == folder / "mocks.tcl"


def test_an_example_without_task_is_ignored_with_a_warning(make_domain: MakeDomain) -> None:
    domain = load_domain(make_domain(examples__a_tcl="my::route -net A -layer M1\n# task: too late\n"))
    assert domain.examples == () and "a.tcl:1: ignored" in domain.warnings[0]


# ---------------------------------------------------------------- the digest


def test_digest_changes_with_every_file_that_matters(make_domain: MakeDomain) -> None:
    folder = make_domain(examples__a_tcl="# task: t\nputs 1\n", mocks_tcl="# m\n")
    seen = {load_domain(folder).digest}
    for name in ("catalog.json", "rules.lark", "examples/a.tcl", "mocks.tcl"):
        path = folder / name
        path.write_text(path.read_text("utf-8") + "\n", encoding="utf-8")
        seen.add(load_domain(folder).digest)
    assert len(seen) == 5
    (folder / "notes.txt").write_text("nothing to do with it", encoding="utf-8")
    assert load_domain(folder).digest in seen


# ---------------------------------------------------------------- warnings


def test_unknown_key_gets_a_warning_with_line_and_nearest_name(make_domain: MakeDomain) -> None:
    text = '{"procs": [\n {"name": "p",\n  "sumary": "s",\n  "args": [{"name": "x", "requird": false}]}\n]}'
    warnings = load_domain(make_domain(text)).warnings
    assert re.search(
        r"catalog\.json:3: procs\[0\]\.sumary: unknown key, ignored \(did you mean `summary`\?\)", warnings[0]
    )
    assert re.search(r"catalog\.json:4: procs\[0\]\.args\[0\]\.requird: .*`required`", warnings[1])


def test_unknown_keys_inside_a_single_dsl_and_policy(make_domain: MakeDomain) -> None:
    catalog = {"procs": [], "dsl": {"embedding": {"open": "d {", "close": "}", "opn": 1}}, "policy": {"forbiden": []}}
    text = "\n".join(load_domain(make_domain(catalog)).warnings)
    assert "dsl.embedding.opn" in text and "did you mean `forbidden`" in text


def test_a_key_given_twice_is_a_warning(make_domain: MakeDomain) -> None:
    text = '{"procs": [{"name": "p",\n "summary": "a",\n "summary": "b"}]}'
    domain = load_domain(make_domain(text))
    assert domain.catalog.procs[0].summary == "b"
    assert any("catalog.json:3: procs[0].summary: given twice" in w for w in domain.warnings)


def test_a_key_given_twice_in_yaml_is_a_warning(make_domain: MakeDomain) -> None:
    domain = load_domain(make_domain("procs:\n- name: p\n  summary: a\n  summary: b\n", file="catalog.yaml"))
    assert any("catalog.yaml:4: procs[0].summary: given twice" in w for w in domain.warnings)


@pytest.mark.parametrize(
    ("catalog", "expected"),
    [
        (arg(values=["a", "b"], default="c"), "`c` is not one of its values (a, b)"),
        (proc(deprecated={"replacement": "nope"}), "the replacement `nope` is not a proc"),
        ({**proc(), "policy": {"forbidden": ["p"]}}, "`p` is forbidden, so it is never used"),
        ({**proc(), "policy": {"order": [["p", "q"]]}}, "`q` is not in the catalog"),
        (
            proc(args=[{"name": "a"}, {"name": "b"}], exclusive=[["a", "b"]]),
            "a and b exclude each other and are both required",
        ),
    ],
)
def test_what_only_costs_quality_is_a_warning(make_domain: MakeDomain, catalog: Any, expected: str) -> None:
    assert any(expected in w for w in load_domain(make_domain(catalog)).warnings)


# ---------------------------------------------------------------- not even data


def test_missing_folder_and_missing_catalog(tmp_path: Path) -> None:
    assert "no such domain folder" in refused(tmp_path / "nowhere").message
    error = refused(tmp_path)
    assert "no catalog.json or catalog.yaml" in error.message and error.hint and error.code == "catalog-missing"


def test_invalid_json_names_line_and_column(make_domain: MakeDomain) -> None:
    error = refused(make_domain('{"procs": [\n  {"name": "a" "args": []}\n]}'))
    assert re.search(r"catalog\.json:2:16: not valid JSON", error.message) and error.code == "catalog-syntax"


@pytest.mark.parametrize("text", ["", " \n", "{", "[1, 2]", "null", '"x"', "NaN", '{"procs": NaN}', "[" * 100_000])
def test_text_that_is_no_catalog(make_domain: MakeDomain, text: str) -> None:
    error = refused(make_domain(text))
    assert "catalog.json" in error.message


def test_an_empty_file_is_called_empty(make_domain: MakeDomain) -> None:
    assert "empty" in refused(make_domain("")).hint


def test_invalid_yaml_names_line_and_column(make_domain: MakeDomain) -> None:
    error = refused(make_domain("procs:\n  - name: [a\n  - b: c\n", file="catalog.yaml"))
    assert re.search(r"catalog\.yaml:\d+:\d+: not valid YAML", error.message)


@pytest.mark.parametrize("text", ["", "- a\n", "just words", "a: !!python/object:os.system x\n", "--- a\n--- b\n"])
def test_yaml_that_is_no_catalog(make_domain: MakeDomain, text: str) -> None:
    assert "catalog.yaml" in refused(make_domain(text, file="catalog.yaml")).message


def test_binary_catalog(make_domain: MakeDomain) -> None:
    folder = make_domain()
    (folder / "catalog.json").write_bytes(b'{"procs":\n "\xff\xfe"}')
    error = refused(folder)
    assert "catalog.json:2: not UTF-8" in error.message and error.code == "catalog-encoding"


# ---------------------------------------------------------------- wrong types


def test_wrong_type_names_path_line_field_and_what_was_expected(make_domain: MakeDomain) -> None:
    text = """{
 "procs": [
  {"name": "a", "args": []},
  {"name": "b", "args": [
    {"name": "x"},
    {"name": "y",
     "type": "strng"}]}
 ]
}"""
    error = refused(make_domain(text))
    assert re.search(r"catalog\.json:7: procs\[1\]\.args\[1\]\.type: expected one of string, int, ", error.message)
    assert 'found a string "strng"' in error.message and "`string`" in error.hint


@pytest.mark.parametrize(
    ("catalog", "expected"),
    [
        ({"procs": {"p": 1}}, "procs: expected a list, found an object"),
        ({"procs": ["p"]}, "procs[0]: expected an object, found a string"),
        ({"procs": [{"args": []}]}, "procs[0].name: missing"),
        ({"procs": [{"name": 5}]}, "procs[0].name: expected a string, found a number 5"),
        ({"procs": [{"name": None}]}, "procs[0].name: expected a string, found null"),
        (proc(args=None), "procs[0].args: expected a list, found null"),
        (arg(min="low"), 'procs[0].args[0].min: expected a number, found a string "low"'),
        (arg(min_items=1.5), "procs[0].args[0].min_items: expected a whole number"),
        (arg(required="maybe"), "procs[0].args[0].required: expected true or false"),
        (arg(list=3), "procs[0].args[0].list: expected true or false"),
        (arg(values="a b"), "procs[0].args[0].values: expected a list"),
        (arg(values=[["a"]]), "procs[0].args[0].values[0]: expected a string"),
        (arg(values=[None]), "procs[0].args[0].values[0]: expected a string, found null"),
        (proc(exclusive=["a"]), "procs[0].exclusive[0]: expected a list"),
        (proc(requires=["a"]), "procs[0].requires: expected an object"),
        (proc(returns=3), "procs[0].returns: expected an object"),
        ({"host": "perl"}, "host: expected one of tcl, none"),
        ({"dsl": "x"}, "dsl: expected a list"),
        ({"dsl": {"name": "x"}}, "dsl.embedding: missing"),
        ({"dsl": {"embedding": {"open": "a {"}}}, "dsl.embedding.close: missing"),
        ({"dsl": [{"embedding": {"open": 1, "close": "}"}}]}, "dsl[0].embedding.open: expected a string"),
        ({"policy": {"forbidden": "exec"}}, "policy.forbidden: expected a list"),
        ({"policy": {"order": [["a"]]}}, "policy.order[0][1]: missing"),
        ({"checker": {}}, "checker.command: missing"),
        ({"variables": [{"values": ["a"]}]}, "variables[0].name: missing"),
    ],
)
def test_wrong_types(make_domain: MakeDomain, catalog: Any, expected: str) -> None:
    error = refused(make_domain(catalog))
    assert expected in error.message and re.search(r"catalog\.json:\d+: ", error.message)


def test_many_problems_are_listed_up_to_five(make_domain: MakeDomain) -> None:
    message = refused(make_domain({"procs": [{"name": i} for i in range(9)]})).message
    assert message.count("catalog.json:") == 5 and message.endswith("and 4 more")


def test_yaml_problems_name_their_line(make_domain: MakeDomain) -> None:
    text = "procs:\n- name: a\n  args:\n  - name: x\n    type: integer\n"
    assert "catalog.yaml:5: procs[0].args[0].type" in refused(make_domain(text, file="catalog.yaml")).message


# ---------------------------------------------------------------- values that cannot be meant


@pytest.mark.parametrize(
    ("catalog", "expected"),
    [
        (
            {"procs": [{"name": "a"}, {"name": "b"}, {"name": "::a"}]},
            "procs[2].name: proc `a` is defined twice, first as procs[0]",
        ),
        (proc(args=[{"name": "x"}, {"name": "x"}]), "procs[0].args[1].name: argument `x` is defined twice"),
        ({"variables": [{"name": "v"}, {"name": "::v"}]}, "variables[1].name: variable `v` is defined twice"),
        (proc(name=""), "procs[0].name: the proc's name is empty"),
        (proc(name="a b"), "procs[0].name: the proc name 'a b' contains white space"),
        (proc(name="a;b"), "contains `;`"),
        (proc(name="[exit]"), "contains `[`"),
        (proc(name="$p"), "begins with `$`"),
        (proc(name="#p"), "is not a proc name"),
        (proc(name="my::"), "is not a proc name"),
        (arg(name="a b"), "procs[0].args[0].name: the argument name 'a b' contains white space"),
        (arg(name="-x"), "`-x` begins with `-`"),
        (arg(name="5x"), "`-5x` would be read as a number"),
        ({"variables": [{"name": "$v"}]}, "begins with `$`"),
        ({"variables": [{"name": "v", "type": "flag"}]}, "a variable cannot be a flag"),
        (arg(type="enum"), "procs[0].args[0].type: an enum needs `values`"),
        (arg(type="flag", positional=True), "a flag cannot be positional"),
        (arg(type="int", min=3, max=1), "min 3 is above max 1"),
        (arg(list=True, min_items=3, max_items=1), "no list has that many items"),
        (arg(pattern="[a-"), "procs[0].args[0].pattern: not a regular expression"),
        (arg(default={"a": 1}), "procs[0].args[0].default: expected one value"),
        (proc(args=[{"name": "width"}], exclusive=[["width", "shield"]]), "`p` has no argument `shield`"),
        (proc(args=[{"name": "width"}], requires={"width": ["widht"]}), "`p` has no argument `widht`"),
        ({"policy": {"required_calls": ["nope"]}}, "policy.required_calls[0]: `nope` is not in the catalog"),
        ({"host": "none"}, "no `dsl` has a grammar"),
        (
            {"dsl": {"embedding": {"open": " ", "close": "}"}}},
            "dsl.embedding.open: the text that opens a block is empty",
        ),
        (
            {"dsl": [{"name": n, "embedding": {"open": "d {", "close": "}"}} for n in "ab"]},
            "`a` opens its blocks with the same text",
        ),
        (
            {"dsl": [{"name": "d", "embedding": {"open": o, "close": "}"}} for o in ("a {", "b {")]},
            "DSL `d` is defined twice",
        ),
    ],
)
def test_values_that_cannot_be_meant(make_domain: MakeDomain, catalog: Any, expected: str) -> None:
    error = refused(make_domain(catalog))
    assert expected in error.message and re.search(r"catalog\.json:\d+: ", error.message)
    assert error.code == "catalog-value"


def test_positional_args_may_begin_with_a_digit(make_domain: MakeDomain) -> None:
    load_domain(make_domain(arg(name="2nd", positional=True)))


# ---------------------------------------------------------------- grammar files


def with_grammar(path: str) -> dict[str, Any]:
    return {"dsl": {"embedding": {"open": "dsl {", "close": "}"}, "grammar": path}}


def test_missing_grammar_names_the_field_and_the_files_there(make_domain: MakeDomain) -> None:
    error = refused(make_domain(with_grammar("ruels.lark")))
    assert "dsl.grammar: the grammar file" in error.message and "ruels.lark does not exist" in error.message
    assert "rules.lark" in error.hint and error.code == "grammar-missing"


@pytest.mark.parametrize("path", ["../rules.lark", "/etc/passwd", "a/../../x.lark", "..\\x.lark", "C:\\x.lark"])
def test_grammar_outside_the_domain_is_refused(make_domain: MakeDomain, path: str) -> None:
    assert "outside the domain's folder" in refused(make_domain(with_grammar(path))).message


def test_binary_grammar(make_domain: MakeDomain) -> None:
    folder = make_domain()
    (folder / "rules.lark").write_bytes(b"start: \xff")
    assert "rules.lark:1: not UTF-8" in refused(folder).message


# ---------------------------------------------------------------- positions

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(json_values, st.sampled_from([None, 0, 2]))
def test_every_field_of_any_json_is_found_where_it_stands(value: Any, indent: int | None) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=bool(indent))
    found = json_positions(text).offsets
    paths: set[tuple[str | int, ...]] = set()

    def walk(v: Any, path: tuple[str | int, ...]) -> None:
        paths.add(path)
        for key, inner in v.items() if isinstance(v, dict) else enumerate(v) if isinstance(v, list) else ():
            walk(inner, (*path, key))
            decoded = json.JSONDecoder().raw_decode(text[found[(*path, key)] :])[0]
            assert decoded == (key if isinstance(v, dict) else inner)

    walk(value, ())
    assert set(found) == paths


def test_field_names_and_lines() -> None:
    assert field_name(("procs", 3, "args", 1, "type")) == "procs[3].args[1].type"
    assert field_name(()) == "(top level)"
    assert line_column("ab\ncd", 4) == (2, 2)
