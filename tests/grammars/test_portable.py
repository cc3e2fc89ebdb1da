"""A team's Lark grammar for other engines: lark, llguidance and llama.cpp give the same verdict on every text."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import lark
import pytest
from constraint_kit import PNR, ROOT, constraint, one_proc, shipped, stuck_at
from grammar_engines import LlamaGrammars, llguidance_accepts
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample
from hypothesis.extra.lark import from_lark
from lark_zoo import ZOO

from localgen.repair import with_header
from localgen.validation.validate import validate_script
from localgen_grammars.dsl import DslGrammar, load_grammar
from localgen_grammars.portable import emit_grammar, exact_grammar
from localgen_grammars.portable.cfg import Cfg
from localgen_grammars.portable.request import request_grammar
from localgen_retrieval.errors import GrammarError

_TEAMS = ("harbour/standing.lark", "irrigation/flow.lark", "ski_resort/night.lark")
SHIPPED = {
    path.stem: path.read_text("utf-8")
    for path in (PNR / "rules.lark", *(ROOT / "tests" / "heldout" / name for name in _TEAMS))
}
GRAMMARS = {**{name: text for name, (text, _) in ZOO.items()}, **SHIPPED}


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaGrammars]:
    made = LlamaGrammars(tmp_path_factory.mktemp("llama"))
    yield made
    made.close()


@cache
def grammar(name: str) -> DslGrammar:
    return load_grammar(GRAMMARS[name], name)


@cache
def exact(name: str) -> Cfg:
    return exact_grammar(grammar(name))


def sampled(cfg: Cfg, rng: random.Random) -> str:
    """A text of a grammar: random choices, the shortest ways out once it has grown."""
    cost: dict[str, int] = {}
    while True:
        before = dict(cost)
        for name, alternatives in cfg.rules.items():
            costs = [sum(1 if isinstance(s, int) else cost.get(s, 1 << 30) for s in a) for a in alternatives]
            cost[name] = min(1 << 30, 1 + min(costs))
        if cost == before:
            break
    out: list[str] = []
    todo: list[str | int] = [cfg.start]
    steps = 0
    while todo:
        symbol = todo.pop()
        steps += 1
        if isinstance(symbol, int):
            out.append(piece(cfg, symbol, rng))
            continue
        choices = cfg.rules[symbol]
        if steps > 60:
            choices = [min(choices, key=lambda a: sum(1 if isinstance(s, int) else cost[s] for s in a))]
        todo += reversed(rng.choice(choices))
    return "".join(out)


def piece(cfg: Cfg, number: int, rng: random.Random) -> str:
    dfa = cfg.pieces[number]
    state, text = 0, ""
    while True:
        if dfa.tags[state] is not None and (not dfa.moves[state] or rng.random() < 0.3):
            return text
        c, state = rng.choice(sorted(dfa.moves[state].items()))
        low, high = rng.choice(cfg.classes[c])
        text += chr(rng.randint(max(low, 1), min(high, low + 90)))  # llama.cpp's texts end at NUL


def mutated(text: str, alphabet: str, rng: random.Random) -> str:
    """A text with some characters dropped, doubled, exchanged or put in."""
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        i = rng.randrange(len(text) + 1)
        how = rng.randrange(5)
        if how == 0:
            text = text[:i] + text[i + 1 :]
        elif how == 1:
            text = text[:i] + rng.choice(alphabet) + text[i:]
        elif how == 2:
            text = text[:i] + rng.choice(alphabet) + text[i + 1 :]
        elif how == 3:
            text = text[:i] + text[i : i + 3] + text[i:]
        else:
            j = rng.randrange(len(text) + 1)
            text = text[: min(i, j)] + text[max(i, j) :]
    return text


@pytest.mark.parametrize("name", GRAMMARS)
def test_three_engines_give_the_same_verdict(name: str, llama: LlamaGrammars) -> None:
    rng = random.Random(name)
    own, cfg = grammar(name), exact(name)
    guided, sampler = emit_grammar(cfg, "llguidance"), llama.compile(emit_grammar(cfg, "gbnf"))
    assert sampler is not None
    samples = [sampled(cfg, rng) for _ in range(40)]
    given_texts = list(ZOO[name][1]) if name in ZOO else []
    for text in (*samples, *given_texts):
        assert own.accepts(text), ("written by the exact grammar, refused by lark", text)
    alphabet = "".join(sorted(set("".join((*samples, *given_texts))[:400]) | set(" \n\"'x1.-/#")))
    verdicts: list[bool] = []
    changed = [mutated(rng.choice([*given_texts, *samples]), alphabet, rng) for _ in range(110)]
    for text in (*given_texts, *samples, *changed):
        text = text[:90]
        wanted = own.accepts(text)
        verdicts.append(wanted)
        assert llguidance_accepts(guided, text) is wanted, ("llguidance", text)
        assert llama.accepts(sampler, text) is wanted, ("llama.cpp", text)
    assert verdicts.count(False) > 20 and verdicts.count(True) > 8
    llama.free(sampler)


@pytest.mark.parametrize("name", sorted(ZOO))
def test_texts_made_from_the_lark_file_by_a_third_party_are_judged_alike(name: str) -> None:
    own, guided = grammar(name), emit_grammar(exact(name), "llguidance")
    if name == "looks":  # hypothesis does not read the terminals' look-ahead
        pytest.skip("hypothesis cannot generate from a look-ahead")

    @given(from_lark(own.lark, start="start", alphabet=st.characters(max_codepoint=0x2FF, exclude_categories=["Cs"])))
    @settings(max_examples=20, deadline=None, database=None, derandomize=True,
              suppress_health_check=list(HealthCheck), phases=[Phase.generate])
    def judged(text: str) -> None:
        assert llguidance_accepts(guided, text) is own.accepts(text), text

    judged()


@pytest.mark.parametrize("name", GRAMMARS)
def test_the_lark_text_has_the_same_language(name: str) -> None:
    rng = random.Random(name)
    again = lark.Lark(emit_grammar(exact(name), "lark"), parser="earley", lexer="dynamic_complete", start="start")
    own = grammar(name)
    samples = [sampled(exact(name), rng)[:60] for _ in range(6)]
    alphabet = "".join(sorted(set("".join(samples)))) or "a"
    for text in (*samples, *(mutated(rng.choice(samples), alphabet, rng) for _ in range(12))):
        try:
            again.parse(text)
            accepted = True
        except lark.exceptions.LarkError:
            accepted = False
        assert accepted is own.accepts(text), text


@pytest.mark.parametrize(
    ("terminal", "construct"),
    [
        (r"X: /(a|b)\1/", "back-reference"),
        (r"X: /a(?=bc)bcd/", "look-ahead or look-behind of more than one"),
        (r"X: /\bword\b/", "word boundary"),
        (r"X: /ab(?!c)/", "look-ahead at its end"),
        (r"X: /(?<!a)b/", "look-behind at its beginning"),
        (r"X: /(a)?(?(1)b|c)/", "conditional group"),
        (r"X: /(?>a+)b/", "atomic group"),
        (r"X: /a++b/", "possessive"),
        (r"X: /[a-z]{0,30000}x/", "repetitions that are too large"),
        ("%declare X", "declared but not defined"),
    ],
)
def test_what_no_engine_expresses_is_refused_with_file_and_line(terminal: str, construct: str, tmp_path: Path) -> None:
    path = tmp_path / "team.lark"
    path.write_text(f"start: X Y\nY: /y/\n\n{terminal}\n")
    with pytest.raises(GrammarError, match=construct) as caught:
        exact_grammar(load_grammar(path.read_text(), "team", path))
    assert f"{path}:4" in caught.value.message
    assert "X" in caught.value.message


def test_what_lark_itself_loses_to_its_tables_is_no_text_elsewhere(llama: LlamaGrammars) -> None:
    # The rules derive "a": `maybe` may be empty. Lark shifts the first "a" into `maybe` and misses the second.
    own, cfg = grammar("shifted"), exact("shifted")
    assert not own.accepts("a") and own.accepts("aa")
    sampler = llama.compile(emit_grammar(cfg, "gbnf"))
    for text, wanted in (("a", False), ("aa", True), ("aaca", False), ("aacaa", True)):
        assert own.accepts(text) is wanted
        assert llguidance_accepts(emit_grammar(cfg, "llguidance"), text) is wanted
        assert llama.accepts(sampler, text) is wanted
    llama.free(sampler)


def test_a_keyword_is_a_name_where_only_a_name_can_stand_and_nowhere_else() -> None:
    own, guided = grammar("contextual"), emit_grammar(exact("contextual"), "llguidance")
    texts = {"let let be 1.": True, "run with with let .": True, "let be be 1.": True, "be be 1.": False}
    for text, wanted in texts.items():
        assert own.accepts(text) is wanted
        assert llguidance_accepts(guided, text) is wanted


def test_a_word_is_not_cut_in_two() -> None:
    own = load_grammar('start: NAME NAME\nNAME: /[a-z]+/\n%ignore " "\n')
    for text in (emit_grammar(exact_grammar(own), "llguidance"),):
        assert not llguidance_accepts(text, "ab")
        assert llguidance_accepts(text, "a b")


def test_a_grammar_without_any_text_is_refused() -> None:
    with pytest.raises(GrammarError, match="no text"):
        exact_grammar(load_grammar('start: "a" start\n'))


def test_left_recursion_is_taken_out_for_llama_cpp(llama: LlamaGrammars) -> None:
    text = 'start: a\na: b "x" | "1"\nb: a "y" | b "z" | "2"\n'
    own = load_grammar(text)
    made = llama.compile(emit_grammar(exact_grammar(own), "gbnf"))
    assert made is not None
    for word in ("1", "2x", "1yx", "2zzx", "1yzx", "2xyx", "2", "1y", "x", "1yxyzx"):
        assert llama.accepts(made, word) is own.accepts(word), word
    llama.free(made)


def test_hypothesis_finds_no_text_that_only_one_engine_takes() -> None:
    own = grammar("comments")
    guided = emit_grammar(exact("comments"), "llguidance")
    with pytest.raises(NoSuchExample):
        find(
            st.text("a=;/*{}#\n 1", max_size=14),
            lambda text: llguidance_accepts(guided, text) is not own.accepts(text),
            settings=settings(max_examples=300, deadline=None, database=None, derandomize=True),
        )


# ---------------------------------------------------------------- a request's constraint


def test_a_request_without_parameters_is_never_wider_than_its_constraint(llama: LlamaGrammars) -> None:
    domain = shipped()
    task = "Route net CLK on M3, set the corner to slow and add a rule with 0.2 um spacing for net RST"
    made = constraint(domain, task, plain=True)
    cfg = request_grammar(made.grammar)
    sampler = llama.compile(emit_grammar(cfg, "gbnf"))
    assert sampler is not None
    rng = random.Random(3)
    # llguidance takes ` [` before a call for the beginning of ` [expr {`: it does not write what is legal there.
    texts = [t for t in (sampled(cfg, rng) for _ in range(60)) if " [" not in t]
    assert len(texts) > 20
    for text in texts:
        assert stuck_at(made, text) is None, text
        assert validate_script(with_header(text, domain), domain).valid, text
        assert llama.accepts(sampler, text[:400]) or len(text) > 400


def test_options_of_a_request_without_parameters_are_each_once_and_required_ones_there(llama: LlamaGrammars) -> None:
    domain = one_proc(
        {"name": "a", "values": ["x", "y"]}, {"name": "b", "type": "int", "min": 1, "max": 12, "required": False},
        {"name": "c", "type": "flag"}, {"name": "d", "type": "flag"}, exclusive=[["c", "d"]],
    )
    cfg = request_grammar(constraint(domain, "do it with 7", plain=True).grammar)
    sampler = llama.compile(emit_grammar(cfg, "gbnf"))
    good = ["do -a x\n", "do -a y -b 7\n", "do -a x -c\n", "do -a x -b 7 -d\n"]
    bad = ["do\n", "do -b 7\n", "do -a x -a y\n", "do -a x -c -d\n", "do -a z\n", "do -a x -b 13\n", "do -a x", ""]
    assert [t for t in good if not llama.accepts(sampler, t)] == []
    assert [t for t in bad if llama.accepts(sampler, t)] == []
