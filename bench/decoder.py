"""What the constraint costs: compile times, masks at a 100k vocabulary, decoding with it and without.

    python bench/decoder.py [--runs 3] [--tokens 120] [--vocabulary FILE]

Ratios of one run on one machine, medians of several rounds, in processor time (other programs do not count; the prompt
does). The vocabulary for mask times is a tiktoken file (base64
token, rank per line), named by --vocabulary or LOCALGEN_BENCH_VOCABULARY; without one those lines are left out. It is
given to llguidance as a tokenizer, and to llama.cpp's grammar engine as the candidates of one step each.
"""

from __future__ import annotations

import argparse
import base64
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

TASK = "Route net CLK on M3, set the corner to slow and add a rule with 0.2 um spacing for net RST"


def seconds(runs: int, body: Callable[[], Any]) -> float:
    """Median seconds of a call."""
    taken = []
    for _ in range(runs):
        start = time.process_time()
        body()
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def show(what: str, value: str, target: str = "") -> None:
    """One line of the table."""
    print(f"{what:<58}{value:>14}   {target}", flush=True)


def compile_times(runs: int) -> None:
    """From a pack to a start state."""
    import llguidance
    from constraint_kit import domain_of, pack_of

    from localgen_grammars.constraint import compile_constraint

    tokenizer = llguidance.LLTokenizer("byte")
    for count, target in ((20, "<= 10"), (1000, "<= 150")):
        procs = [
            {"name": f"lib{i % 7}::{verb}_{i}", "args": [
                {"name": "net", "kind": "net"}, {"name": "layer", "values": ["M1", "M2", "M3"]},
                {"name": "width", "type": "float", "unit": "um", "min": 0, "max": 10, "required": False},
                {"name": "fast", "type": "flag"}]}
            for i, verb in zip(range(count), ["route", "place", "check", "report"] * count, strict=False)
        ]
        domain = domain_of({"procs": procs})
        pack = pack_of(domain.catalog, more=count)
        text = compile_constraint(domain, pack, {}, TASK).grammar
        ours = seconds(runs, lambda d=domain, p=pack: compile_constraint(d, p, {}, TASK))
        engine = seconds(runs, lambda t=text: llguidance.LLMatcher(tokenizer, t, log_level=0))
        show(f"compile, {count} procs: text / engine, ms", f"{ours * 1e3:.1f} / {engine * 1e3:.1f}", target)


def vocabulary(path: Path) -> list[bytes]:
    """Tokens of a tiktoken file by rank."""
    lines = [line.split() for line in path.read_text("ascii").splitlines() if line]
    return [base64.b64decode(token) for token, _ in lines]


def mask_times(tokens: list[bytes], length: int) -> None:
    """Microseconds per mask along a random walk, llguidance against llama.cpp's GBNF on the same constraint."""
    import llguidance
    from constraint_kit import constraint, shipped

    from localgen.decoder.masks import TokenMasks, draw, log_softmax

    made = constraint(shipped(), TASK, plain=True)
    tokenizer = llguidance.LLTokenizer(_wrapped(tokens))
    matcher = llguidance.LLMatcher(tokenizer, made.grammar, log_level=0)
    masks = TokenMasks(len(tokens) + 1, tokenizer.vocab_size)
    rng = np.random.default_rng(0)
    row = rng.normal(size=len(tokens) + 1).astype(np.float32)
    costs: list[float] = []
    written: list[int] = []
    while len(written) < length and not matcher.is_stopped():
        forced = matcher.compute_ff_tokens()
        if forced:
            matcher.try_consume_tokens(forced)
            written += forced
            continue
        start = time.process_time()
        allowed = masks.allowed(matcher)
        token = int(allowed[draw(log_softmax(row, allowed), 1.0, rng)]) if len(allowed) else len(tokens)
        costs.append(time.process_time() - start)
        if token == len(tokens):
            matcher = llguidance.LLMatcher(tokenizer, made.grammar, log_level=0)
            continue
        matcher.consume_token(token)
        written.append(token)
    p50, p99 = np.percentile(costs, [50, 99]) * 1e6
    show("mask and sampling of a free token, p50 / p99, us", f"{p50:.0f} / {p99:.0f}", "<= 60 / 1500")
    show("  free tokens, share that is forced", f"{len(costs)}, {1 - len(costs) / len(written):.2f}")


def _wrapped(tokens: list[bytes]) -> Any:
    """A vocabulary as llguidance takes one; text is cut greedily into the longest tokens."""
    from llguidance import TokenizerWrapper

    class Vocabulary:
        eos_token_id = len(tokens)
        bos_token_id = None

        def __init__(self) -> None:
            self.tokens = [*tokens, b"<|end|>"]
            self._of = {t: i for i, t in enumerate(tokens)}
            self.special_token_ids = [len(tokens)]

        def __call__(self, text: bytes | str) -> list[int]:
            data = text.encode() if isinstance(text, str) else text
            out, at = [], 0
            while at < len(data):
                end = next(e for e in range(min(len(data), at + 40), at, -1) if data[at:e] in self._of)
                out.append(self._of[data[at:end]])
                at = end
            return out

    return TokenizerWrapper(Vocabulary())


def gbnf_times(length: int) -> None:
    """Microseconds per step of llama.cpp's grammar engine and of llguidance over the shipped model's vocabulary."""
    import ctypes

    import llama_cpp
    from constraint_kit import constraint, shipped

    from localgen.decoder.decode import GrammarEngine
    from localgen.decoder.model import LlamaModel
    from localgen.remote import gbnf_of
    from localgen_bundle.default import model_path

    made = constraint(shipped(), TASK, plain=True)
    model = LlamaModel(model_path())
    engine = GrammarEngine(model)
    sampler = llama_cpp.llama_sampler_init_grammar(model.vocab, gbnf_of(made).encode(), b"root")
    array = (llama_cpp.llama_token_data * model.n_vocab)()
    rng = np.random.default_rng(0)
    ours: list[float] = []
    theirs: list[float] = []
    matcher = engine.matcher(made.grammar)
    for _ in range(length):
        start = time.process_time()
        allowed = engine.allowed(matcher)
        ours.append(time.process_time() - start)
        for i in range(model.n_vocab):
            array[i] = llama_cpp.llama_token_data(i, 0.0, 0.0)
        data = llama_cpp.llama_token_data_array(array, model.n_vocab, -1, False)
        start = time.process_time()
        llama_cpp.llama_sampler_apply(sampler, ctypes.byref(data))
        theirs.append(time.process_time() - start)
        both = [t for t in allowed if np.isfinite(array[int(t)].logit) and not engine.is_end(int(t))]
        if not both:
            break
        token = int(rng.choice(both))
        matcher.consume_token(token)
        llama_cpp.llama_sampler_accept(sampler, token)
    llama_cpp.llama_sampler_free(sampler)
    model.close()
    a, b = statistics.mean(ours) * 1e6, statistics.mean(theirs) * 1e6
    show("mask, shipped vocabulary: llguidance / GBNF, mean us", f"{a:.0f} / {b:.0f}")
    show("  times faster", f"{b / a:.0f}", ">= 100")


def decoding(runs: int, length: int) -> None:
    """Tokens a second of the shipped model, with the constraint over without it, and eight candidates over one."""
    from constraint_kit import constraint, shipped

    from localgen.decoder.decode import DecodeSettings, GrammarEngine, decode
    from localgen.decoder.model import LlamaModel
    from localgen_bundle.default import model_path
    from localgen_retrieval.prompt import compact_prompt

    model = LlamaModel(model_path())
    engine = GrammarEngine(model)
    made = constraint(shipped(), TASK, plain=True)
    prompt = model.tokenize(compact_prompt("", TASK), special=True)
    free = 'start: /(?s:.){2000,4000}/\n'
    rates: dict[str, float] = {}
    forced = 0.0
    for name, grammar, k in (("free", free, 1), ("constrained", made.grammar, 1), ("eight", made.grammar, 8)):
        taken = []
        for _ in range(runs):
            start = time.process_time()
            done = decode(engine, grammar, prompt, DecodeSettings(k, 0.3, length, 0))
            total = time.process_time() - start
            taken.append(sum(c.tokens for c in done) / total if name != "eight" else total)
            if name == "constrained":
                forced = done[0].forced / max(1, done[0].tokens)
                one, short = total, done[0].tokens
        rates[name] = statistics.median(taken)
    # A short text bears the prompt and the grammar's compilation with fewer tokens: compared at its own length too.
    like = seconds(runs, lambda: decode(engine, free, prompt, DecodeSettings(1, 0.3, short, 0)))
    model.close()
    ratio = rates["constrained"] / rates["free"]
    show("shipped model, constrained over a free text, tokens/s", f"{ratio:.2f}", ">= 1.0")
    show(f"  over a free text of as many tokens ({short})", f"{rates['constrained'] * like / short:.2f}", ">= 1.0")
    show("  share of forced tokens, bound that it sets", f"{forced:.2f}, {1 / (1 - forced):.2f}")
    show("  eight candidates over one, seconds", f"{rates['eight'] / one:.1f}", "<= 4")


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="What the constraint costs.")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=120)
    parser.add_argument("--vocabulary", default=os.environ.get("LOCALGEN_BENCH_VOCABULARY"))
    args = parser.parse_args(argv)
    show("", "measured", "target")
    compile_times(args.runs)
    if args.vocabulary:
        mask_times(vocabulary(Path(args.vocabulary)), args.tokens * 4)
    else:
        print("mask times at a large vocabulary: left out, no --vocabulary")
    gbnf_times(min(args.tokens, 60))
    decoding(args.runs, args.tokens)
    return 0


if __name__ == "__main__":
    sys.exit(main())
