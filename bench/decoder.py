"""What the constraint costs: compile times, masks at a 100k vocabulary, decoding with it and without.

    python bench/decoder.py [--runs 3] [--tokens 120] [--vocabulary FILE]

Ratios of one run on one machine, medians of several rounds, in processor time (other programs do not count; the prompt
does). The vocabulary for mask times is a tiktoken file (base64
token, rank per line), named by --vocabulary or LOCALGEN_BENCH_VOCABULARY; without one those lines are left out. It is
given to llguidance as a tokenizer, and to llama.cpp's grammar engine as a GGUF file of a vocabulary alone.
"""

from __future__ import annotations

import argparse
import base64
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from _timing import seconds, show

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

TASK = "Route net CLK on M3, set the corner to slow and add a rule with 0.2 um spacing for net RST"


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


def write_vocabulary(path: Path, tokens: Sequence[bytes]) -> None:
    """A GGUF file of a vocabulary alone, the end token last; its merges are not needed to take tokens apart."""
    import gguf
    from tiny_model import byte_characters

    characters = byte_characters()
    texts = ["".join(characters[b] for b in t) for t in tokens]
    writer: Any = gguf.GGUFWriter(path, "llama")
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_vocab_size(len(texts) + 1)
    writer.add_token_list([*texts, "<|end|>"])
    writer.add_token_types([gguf.TokenType.NORMAL] * len(texts) + [gguf.TokenType.CONTROL])
    writer.add_token_merges([f"{characters[ord('t')]} {characters[ord('h')]}"])
    writer.add_eos_token_id(len(texts))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


def gbnf_times(tokens: list[bytes], length: int) -> None:
    """One constraint along one random walk: a mask by this loop, and llama.cpp's grammar engine on the same step.

    Both begin where the candidates of a step are ready: our buffer, its array of all tokens.
    """
    import ctypes

    import llama_cpp
    import llguidance
    from constraint_kit import constraint, shipped

    from localgen.decoder.masks import TokenMasks
    from localgen.remote import gbnf_of
    from localgen_retrieval.llama_quiet import silence

    silence()
    made = constraint(shipped(), TASK, plain=True)
    end = len(tokens)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "vocabulary.gguf"
        write_vocabulary(path, tokens)
        params = llama_cpp.llama_model_default_params()
        params.vocab_only = True
        model = llama_cpp.llama_model_load_from_file(str(path).encode(), params)
    vocab: Any = llama_cpp.llama_model_get_vocab(model)
    sampler = llama_cpp.llama_sampler_init_grammar(vocab, gbnf_of(made).encode(), b"root")
    fresh = (llama_cpp.llama_token_data * (end + 1))(*(llama_cpp.llama_token_data(i, 0.0, 0.0) for i in range(end + 1)))
    array = (llama_cpp.llama_token_data * (end + 1))()
    logits = np.frombuffer(array, np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)]))["logit"]
    tokenizer = llguidance.LLTokenizer(_wrapped(tokens))
    masks = TokenMasks(end + 1, tokenizer.vocab_size)
    rng = np.random.default_rng(0)

    def ours(token: int | None, matcher: Any) -> tuple[float, Any]:
        if token is not None:
            matcher.consume_token(token)
        start = time.process_time()
        allowed = masks.allowed(matcher)
        return time.process_time() - start, allowed

    def theirs(token: int | None) -> float:
        if token is not None:
            llama_cpp.llama_sampler_accept(sampler, token)
        ctypes.memmove(array, fresh, ctypes.sizeof(fresh))
        data = llama_cpp.llama_token_data_array(array, end + 1, -1, False)
        start = time.process_time()
        llama_cpp.llama_sampler_apply(sampler, ctypes.byref(data))
        return time.process_time() - start

    # Both together find a walk that either can go (GBNF has options in one order); then each goes it alone, with its
    # own data in the processor's caches.
    walk: list[int | None] = [None]
    matcher = llguidance.LLMatcher(tokenizer, made.grammar, log_level=0)
    while len(walk) <= length:
        allowed = ours(walk[-1], matcher)[1]
        theirs(walk[-1])
        both = [t for t in allowed.tolist() if t != end and np.isfinite(logits[t])]
        if not both:
            break
        walk.append(int(rng.choice(both)))
    matcher = llguidance.LLMatcher(tokenizer, made.grammar, log_level=0)
    our_costs = [ours(token, matcher)[0] for token in walk]
    llama_cpp.llama_sampler_reset(sampler)
    theirs_costs = [theirs(token) for token in walk]
    llama_cpp.llama_sampler_free(sampler)
    llama_cpp.llama_model_free(model)
    show(f"mask, {end + 1} tokens: ours, p50 / mean, us", "{:.0f} / {:.0f}".format(*_typical(our_costs)))
    show("  llama.cpp's GBNF, p50 / mean, us", "{:.0f} / {:.0f}".format(*_typical(theirs_costs)))
    ratios = [b / a for a, b in zip(_typical(our_costs), _typical(theirs_costs), strict=True)]
    show(f"  times faster ({len(walk)} steps)", "{:.0f} / {:.0f}".format(*ratios), ">= 100")


def _typical(costs: list[float]) -> tuple[float, float]:
    """(median, mean) in microseconds."""
    return statistics.median(costs) * 1e6, statistics.mean(costs) * 1e6


def shipped_vocabulary() -> list[bytes]:
    """The pieces of the shipped model's tokens."""
    from localgen.decoder.model import LlamaModel
    from localgen_bundle.default import model_path

    model = LlamaModel(model_path())
    pieces = [model.piece(i) for i in range(model.n_vocab)]
    model.close()
    return [p for p in dict.fromkeys(pieces) if p]


def decoding(runs: int, length: int) -> None:
    """Tokens a second of the shipped model, with the constraint over without it, and eight candidates over one."""
    from constraint_kit import constraint, shipped

    from localgen.decoder.decode import DecodeSettings, GrammarEngine, decode
    from localgen.decoder.model import Continuation, LlamaModel
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

    def alone() -> None:
        """As many tokens without any grammar: the likeliest each time."""
        row = model.prompt(prompt, 1)
        for i in range(short):
            row = model.step([Continuation(0, [int(row.argmax())], len(prompt) + i)])[0]

    bare = seconds(runs, alone)
    compiled = seconds(runs, lambda: engine.matcher(made.grammar))
    model.close()
    ratio = rates["constrained"] / rates["free"]
    show("shipped model, constrained over a free text, tokens/s", f"{ratio:.2f}", ">= 1.0")
    show(f"  over a free text of as many tokens ({short})", f"{rates['constrained'] * like / short:.2f}", ">= 1.0")
    show("  over as many tokens without this loop", f"{rates['constrained'] * bare / short:.2f}")
    written = short / rates["constrained"] - compiled
    show("  the same, with the grammar compiled before", f"{bare / written:.2f}", ">= 1.0")
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
        tokens = vocabulary(Path(args.vocabulary))
        mask_times(tokens, args.tokens * 4)
        gbnf_times(tokens, args.tokens)
    else:
        print("mask times at a large vocabulary: left out, no --vocabulary")
        gbnf_times(shipped_vocabulary(), args.tokens)
    decoding(args.runs, args.tokens)
    return 0


if __name__ == "__main__":
    sys.exit(main())
