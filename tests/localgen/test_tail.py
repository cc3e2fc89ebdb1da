"""The tail of a catalog: names that are no part of the pack can be written, and are typed before their arguments."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from constraint_kit import domain_of, grammars, pack_of, stuck_at

from localgen.advice import Weights
from localgen.decoder.candidate import Candidate
from localgen.decoder.decode import DecodeSettings, GrammarEngine, Vote, decode
from localgen.decoder.masks import log_softmax
from localgen.decoder.model import Continuation, LlamaModel
from localgen.decoder.search import SEARCHES, Boundary, Search
from localgen.decoder.tail import Tail, Typed
from localgen.decoder.tail_scores import TailScores
from localgen.options import Options
from localgen.pipeline import Generator
from localgen.validation.validate import validate_script
from localgen_grammars.constraint import Constraint, compile_constraint
from localgen_retrieval.catalog_io import Domain
from localgen_retrieval.pack import with_proc
from localgen_retrieval.retrieve import Ranking
from localgen_retrieval.symbols import Symbol

TASK = "Route net CLK on M3, place RST and trim VREF"
NET = {"name": "net", "kind": "net"}
LAYER = {"name": "layer", "values": ["M1", "M2", "M3"]}
DOMAIN = domain_of({
    "procs": [
        {"name": "lab::route", "args": [NET, LAYER], "summary": "Route a net on a layer"},
        {"name": "lab::trim", "args": [NET]},
        {"name": "lab::trim_all", "args": [{**NET, "positional": True}, {"name": "fast", "type": "flag"}]},
        {"name": "lab::never", "args": [NET, LAYER], "exclusive": [["net", "layer"]]},
        {"name": "lab::bare", "args": []},
        {"name": "old", "args": [], "deprecated": True},
        {"name": "barred", "args": []},
    ],
    "policy": {"forbidden": ["barred"]},
})  # fmt: skip
PROCS = {p.name: p for p in DOMAIN.catalog.procs}


def compiled(*typed: str, task: str = TASK, domain: Domain = DOMAIN) -> Constraint:
    """The constraint with the first proc and those named in the pack, the others in the tail."""
    pack = pack_of(domain.catalog, more=1)
    for name in typed:
        pack = with_proc(pack, PROCS[name])
    return compile_constraint(domain, pack, {}, task, tail=True)


def test_a_pack_shows_a_proc_that_joins_it_behind_its_procs() -> None:
    pack = with_proc(with_proc(pack_of(DOMAIN.catalog, more=0), PROCS["lab::route"], 1.5), PROCS["lab::bare"])
    assert pack.symbols[:2] == ("lab::route", "lab::bare") and pack.proc_scores == (1.5, 0.0)
    assert pack.text == "lab::route -net <net> -layer M1|M2|M3 : Route a net on a layer\nlab::bare"


# ---------------------------------------------------------------- the constraint


def test_the_tail_is_what_may_be_called_and_is_not_in_the_pack() -> None:
    assert compiled().procs == ("lab::route",)
    assert compiled().tail == {"lab::trim", "lab::trim_all", "lab::never", "lab::bare"}
    assert compiled("lab::trim").tail == {"lab::trim_all", "lab::never", "lab::bare"}
    assert not compile_constraint(DOMAIN, pack_of(DOMAIN.catalog, more=1), {}, TASK).tail


def test_a_name_of_the_tail_can_be_written_as_far_as_what_ends_it() -> None:
    inside = ("foreach net {CLK} {\n  lab::bare\n", "lab::route -net CLK -layer M3\nlab::trim ")
    for text in ("lab::trim -", "lab::trim_all ", "lab::bare\n", *inside):
        assert stuck_at(compiled(), text) in (None, len(text)), text
    for text in ("lab::trimmed ", "old\n", "barred\n", "lab::trim -net", "lab::bare\nlab::bare\n"):
        taken = stuck_at(compiled(), text)
        assert taken is not None and taken < len(text), text


def test_a_proc_of_the_pack_stays_typed_beside_names_that_begin_alike() -> None:
    made = compiled("lab::trim")
    assert stuck_at(made, "lab::trim -net CLK\n") is None
    assert stuck_at(made, "lab::trim -layer M3\n") == len("lab::trim -")
    assert stuck_at(made, "lab::trim_all ") is None, "the end of a name of the tail ends the constraint"


def test_a_domain_without_tcl_has_no_tail() -> None:
    grammar = 'start: "go"'
    domain = domain_of(
        {"host": "none", "dsl": {"name": "d", "grammar": "d.lark", "embedding": {"open": "d {", "close": "}"}},
         "procs": [{"name": "x", "args": []}]}, d=grammar,
    )  # fmt: skip
    pack = pack_of(domain.catalog, more=0)
    assert not compile_constraint(domain, pack, grammars(domain), "go", tail=True).tail


# ---------------------------------------------------------------- decoding


@pytest.fixture(scope="module")
def engine(random_model: Path) -> Iterator[GrammarEngine]:
    model = LlamaModel(random_model)
    yield GrammarEngine(model)
    model.close()


class Typer:
    """Types procs of the test's domain, and says which were asked for."""

    def __init__(self, engine: GrammarEngine, more_prompt: str = " and {}") -> None:
        self.asked: list[tuple[str, ...]] = []
        self._engine, self._more = engine, more_prompt

    def prompt(self, names: tuple[str, ...] = ()) -> list[int]:
        """The task behind a pack with these names."""
        text = "pack lab::route" + "".join(self._more.format(n) for n in names) + "\n" + TASK
        return self._engine.model.tokenize(text, special=True)

    def __call__(self, names: tuple[str, ...]) -> Typed | None:
        self.asked.append(names)
        made = compiled(*names)
        return Typed(made.grammar, made.tail, self.prompt(names)) if names[-1] in made.procs else None


def wanting(engine: GrammarEngine, *wanted: str) -> Vote:
    """A vote for what leads to one of these statements."""

    def vote(text: str, tokens: Any, log_probs: Any) -> Any:
        line = text[text.rfind("\n") + 1 :]
        out = log_probs.copy()
        for k, token in enumerate(tokens.tolist()):
            more = line + engine.model.piece(token).decode("utf-8", "replace")
            out[k] += 30.0 * any(w.startswith(more) or (more.startswith(w) and len(line) < len(w)) for w in wanted)
        return out

    return vote


def write(
    engine: GrammarEngine, typer: Typer, vote: Vote | None = None, *, k: int = 1, seed: int = 0, budget: int = 80,
    search: Search = "sample",
) -> list[Candidate]:  # fmt: skip
    settings = DecodeSettings(k, 1.5, budget, seed, boundary=Boundary(search))
    made = compiled()
    return decode(engine, made.grammar, typer.prompt(), settings, vote, tail=Tail(made.tail, typer))


@pytest.mark.parametrize("name", ["lab::trim", "lab::trim_all"])
def test_a_name_of_the_tail_that_is_chosen_is_typed_before_its_arguments(engine: GrammarEngine, name: str) -> None:
    typer = Typer(engine)
    made = write(engine, typer, wanting(engine, f"{name} ", f"{name}\n"))[0]
    assert typer.asked[0] == (name,) and made.typed[0] == name
    assert name in [line.split()[0] for line in made.whole.splitlines() or made.text.splitlines()]
    assert validate_script(made.text, DOMAIN, strict=True).valid, made.text


def test_several_names_are_typed_one_after_the_other(engine: GrammarEngine) -> None:
    typer = Typer(engine)
    first, second = wanting(engine, "lab::trim -net CLK\n"), wanting(engine, "lab::bare\n")

    def vote(text: str, tokens: Any, log_probs: Any) -> Any:
        return (first if "\n" not in text else second)(text, tokens, log_probs)

    made = write(engine, typer, vote)[0]
    assert typer.asked[:2] == [("lab::trim",), ("lab::trim", "lab::bare")] == [made.typed[:1], made.typed[:2]]
    assert validate_script(made.text, DOMAIN, strict=True).valid, made.text


def test_candidates_share_what_one_of_them_had_typed(engine: GrammarEngine) -> None:
    typer = Typer(engine)
    made = write(engine, typer, wanting(engine, "lab::trim "), k=6)
    assert sum(c.typed[:1] == ("lab::trim",) for c in made) == 6
    assert typer.asked.count(("lab::trim",)) == 1


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("seed", range(4))
def test_random_weights_write_valid_scripts_over_the_whole_catalog(
    engine: GrammarEngine, search: Search, seed: int
) -> None:
    wanted = wanting(engine, "lab::trim ", "lab::bare\n") if seed % 2 else None
    for c in write(engine, Typer(engine), wanted, k=4, seed=seed, search=search):
        assert c.finished
        assert validate_script(c.text, DOMAIN, strict=True).valid, c.text


def test_a_name_whose_call_cannot_be_written_is_taken_back(engine: GrammarEngine) -> None:
    typer = Typer(engine)
    made = write(engine, typer, wanting(engine, "lab::never "))[0]
    assert typer.asked[0] == ("lab::never",)
    assert "lab::never" not in made.text and "lab::never" not in made.typed
    assert typer.asked.count(("lab::never",)) == 1, "what came of it is remembered"
    assert validate_script(made.text, DOMAIN, strict=True).valid


@pytest.mark.parametrize("more_prompt", [" and {}", " and {}" + " more" * 400], ids=["room for it", "no room"])
def test_the_model_reads_the_text_behind_the_larger_pack(engine: GrammarEngine, more_prompt: str) -> None:
    """What it thinks of the next token is what it thinks when it is asked afresh; without room, behind the old pack."""
    typer, model = Typer(engine, more_prompt), engine.model
    heard: list[tuple[str, Any, Any]] = []
    wanted = wanting(engine, "lab::trim ")

    def vote(text: str, tokens: Any, log_probs: Any) -> Any:
        heard.append((text, tokens, log_probs))
        return wanted(text, tokens, log_probs)

    made = write(engine, typer, vote, k=3, budget=40)[0]
    after = [h for h in heard if h[0].startswith("lab::trim -net ")]
    assert made.typed[:1] == ("lab::trim",) and after
    text, tokens, log_probs = after[0]
    prompt = typer.prompt(("lab::trim",) if more_prompt == " and {}" else ())
    ids = [*prompt, *engine.tokenizer.tokenize_str(text)]
    model.open(length=len(ids) + 64, sequences=1)
    model.prompt(prompt, 1)
    row = model.step([Continuation(0, ids[len(prompt) :], len(prompt))])[0]
    assert np.allclose(log_softmax(row, tokens), log_probs, atol=0.05)


def test_a_prompt_after_a_typed_one_is_evaluated_anew(engine: GrammarEngine) -> None:
    typer = Typer(engine)
    once = write(engine, typer, wanting(engine, "lab::trim "))[0].text
    assert write(engine, typer, wanting(engine, "lab::trim "))[0].text == once
    grammar, prompt, settings = compiled().grammar, typer.prompt(), DecodeSettings(1, 0, 40, 0)
    plain = decode(engine, grammar, prompt, settings, wanting(engine, "lab::route"))
    model = LlamaModel(engine.model.path)
    fresh = decode(GrammarEngine(model), grammar, prompt, settings, wanting(engine, "lab::route"))
    model.close()
    assert [c.text for c in plain] == [c.text for c in fresh]


# ---------------------------------------------------------------- votes


def ranking(**scores: float) -> Ranking:
    names = [n.replace("__", "::") for n in scores]
    row = np.array(list(scores.values()), np.float32)
    symbols = tuple(Symbol("proc", n, n, i) for i, n in enumerate(names))
    return Ranking("x", ("x",), symbols, row, row[None], row, row, row)


def test_the_votes_of_all_names_that_a_text_leads_to_add_up() -> None:
    scores = TailScores(ranking(a__x=1, a__xy=2, b__z=3, other=9), {"a::x", "a::xy", "b::z"}, 1.0)
    assert (scores.count("a"), scores.count("a::xy"), scores.count("c"), scores.count("")) == (2, 1, 0, 3)
    both = float(np.log(np.exp(0) + np.exp(1)))
    assert scores.leading("a::") == [pytest.approx(both)]
    assert scores.leading("a::x") == [pytest.approx(both)]
    assert scores.leading("a::x ") == scores.leading("a::x -") == scores.leading("a::x\n") == [pytest.approx(0)]
    assert scores.leading("b") == [pytest.approx(2)]
    assert scores.leading("other") == scores.leading("a::q") == scores.leading("a: ") == []


# ---------------------------------------------------------------- the whole way


def test_a_request_reaches_procs_outside_its_pack(random_model: Path, tmp_path: Path) -> None:
    procs = [{"name": f"lab::do_{i}_{w}", "summary": f"{w} number {i}", "args": [NET, LAYER]}
             for i in range(30) for w in ("spin", "heat", "cool")]  # fmt: skip
    domain = domain_of({"procs": procs})
    generator = Generator(domain, model=random_model, cache_dir=tmp_path, weights=Weights(statements=0))
    request = generator.request("Spin CLK on M3", Options(), plain=False)
    assert not request.constraint.tail, "another engine could not stop at a name"
    outside = 0
    for seed in range(6):
        made = generator.generate("Spin CLK on M3", Options(ask=False, seed=seed, max_tokens=60, temperature=2.0))
        assert made.valid, made.script
        outside += any(s not in request.constraint.procs for s in made.symbols)
    generator.close()
    assert outside
