"""What constraint, candidates and caches are worth with a model of the size of Qwen2.5-Coder-1.5B.

    python bench/decoder_large.py [--tokens 40] [--k 8] [--vocabulary FILE] [--model FILE] [--keep]

Makes a model with random weights (about 1 GB, removed at the end without --keep), and prints a table. Processor time of
one thread, so that what else the machine does counts little. The prompts are short: what is compared is decoding, and
the share of a prompt that is not evaluated again. Takes about four minutes of processor time.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests")]

from _large_model import write_large_model  # noqa: E402

TASK = "Route net CLK on M3, keep 2.5 um away from RST, and set the corner to slow"
OTHER = "Keep 1.5 um clear around VREF and route net DATA on M2"
PROCS = 10
DISK, MEMORY = 4 << 30, 4 << 30


def show(what: str, value: str, target: str = "") -> None:
    """One line of the table."""
    print(f"{what:<66}{value:>14}   {target}", flush=True)


def timed(body: Callable[[], Any]) -> tuple[float, Any]:
    """(processor seconds, result) of a call."""
    start = time.process_time()
    made = body()
    return time.process_time() - start, made


def available_memory() -> int:
    """Bytes that can be taken without swapping; plenty where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
    except OSError:
        return MEMORY
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))


def decoding(path: Path, tokens: int, k: int) -> None:
    """Constrained against free, k against one: decoding alone, with the prompt evaluated before."""
    from constraint_kit import constraint, minimal

    from localgen.decoder.decode import DecodeSettings, GrammarEngine, decode
    from localgen.decoder.model import Continuation, LlamaModel
    from localgen.decoder.search import forget
    from localgen_retrieval.prompt import chat_messages

    spent, model = timed(lambda: LlamaModel(path, threads=1))
    built, engine = timed(lambda: GrammarEngine(model))
    show("load / tokenizer and its trie, s", f"{spent:.2f} / {built:.2f}")
    text = model.apply_chat_template(chat_messages("", TASK)) or TASK
    prompt = model.tokenize(text, special=True)
    rules = constraint(minimal(), TASK).grammar
    free = "start: /(?s:.){4000,8000}/\n"
    length = len(prompt) + k * (tokens + 64) + 64

    def run(grammar: str, count: int) -> tuple[float, int, int]:
        """(seconds without the prompt, tokens, forced ones)."""
        model.open(length=length, sequences=k)
        model.prompt(prompt, count)  # decode finds it evaluated
        taken, made = timed(lambda: decode(engine, grammar, prompt, DecodeSettings(count, 0.8, tokens, 0)))
        return taken, sum(c.tokens for c in made), sum(c.forced for c in made)

    run(free, 1)
    free_seconds, free_tokens, _ = run(free, 1)
    one, one_tokens, forced = run(rules, 1)
    many, many_tokens, _ = run(free, k)
    ratio = (one_tokens / one) / (free_tokens / free_seconds)
    share = forced / max(1, one_tokens)
    show("unconstrained, tokens/s", f"{free_tokens / free_seconds:.1f}")
    show("constrained over unconstrained, tokens/s", f"{ratio:.2f}", ">= 1.15")
    show("  share of forced tokens, bound if those cost nothing", f"{share:.2f}, {1 / max(1 - share, 0.01):.2f}")
    # Without a grammar, so that all texts have the same length.
    what = f"{k} texts over one, decoding, s ({many_tokens} over {free_tokens} tokens)"
    show(what, f"{many / free_seconds:.1f}", "<= 4")
    # What llama.cpp itself takes for a step of k sequences: nothing that calls it can be below that.
    model.open(length=length, sequences=k)
    model.prompt(prompt, k)

    def step(count: int) -> float:
        some = [Continuation(i, [prompt[i % len(prompt)]], len(prompt)) for i in range(count)]
        taken, _ = timed(lambda: model.step(some))
        for c in some:
            forget(model, c.sequence, len(prompt))
        return taken

    costs = [min(step(count) for _ in range(3)) for count in (1, k)]
    show(f"  of that llama.cpp's own: one step of {k} sequences over one of one", f"{costs[1] / costs[0]:.1f}")
    model.close()


def requests(path: Path, tokens: int, k: int, folder: Path) -> None:
    """Whole requests: k against one, and the prompt of a second one in the same process and in another."""
    from constraint_kit import domain_of, shipped

    from localgen.decoder.model import LlamaModel
    from localgen.options import Options
    from localgen.pipeline import Generator

    catalog = shipped().catalog
    domain = domain_of({
        "procs": [p.model_dump(by_alias=True, exclude_unset=True) for p in catalog.procs[:PROCS]],
        "policy": catalog.policy.model_dump(by_alias=True, exclude_unset=True),
    })  # fmt: skip
    prompts: list[tuple[float, int, int]] = []
    real = LlamaModel.prompt

    def measured(self: LlamaModel, ids: list[int], sequences: int) -> Any:
        self.worth_seconds = 0.0
        taken, row = timed(lambda: real(self, ids, sequences))
        prompts.append((taken, self.reused, len(ids)))
        return row

    LlamaModel.prompt = measured  # type: ignore[method-assign]

    def generate(generator: Generator, task: str, count: int) -> float:
        options = Options(k=count, temperature=0.8, max_tokens=tokens, ask=False)
        return timed(lambda: generator.generate(task, options))[0]

    def first(generator: Generator, task: str, count: int = 1) -> tuple[float, float, str]:
        """(seconds of the request, to its first token, what of the prompt was reused)."""
        prompts.clear()
        whole = generate(generator, task, count)
        seconds, reused, length = prompts[0]
        return whole, seconds, f"{reused} of {length}"

    cold = Generator(domain, model=path, cache_dir=folder)
    cold.request(TASK, Options(ask=False))  # loads everything
    whole_one, begin, what = first(cold, TASK)
    show(f"first request: prompt, s ({what} tokens reused)", f"{begin:.1f}")
    _, again, what = first(cold, OTHER)
    show(f"another task, same process: first token, times faster ({what})", f"{begin / again:.1f}", ">= 3")
    cold.close()
    warm = Generator(domain, model=path, cache_dir=folder)
    _, loaded, what = first(warm, OTHER)
    show(f"another process, other task: first token, times faster ({what})", f"{begin / loaded:.1f}", ">= 3")
    # The prompt costs the same for both: it need not be evaluated a third time.
    whole_many, spent, _ = first(warm, TASK, k)
    warm.close()
    show(f"{k} candidates over one, whole request", f"{(whole_many - spent + begin) / whole_one:.1f}", "<= 2.5")
    LlamaModel.prompt = real  # type: ignore[method-assign]


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Decoding and caches with a model of 1.5 billion weights.")
    parser.add_argument("--tokens", type=int, default=40, help="length of each text (default 40)")
    parser.add_argument("--k", type=int, default=8)
    parser.add_argument("--model", type=Path, help="a GGUF file to take, or to make and keep")
    parser.add_argument("--vocabulary", default=os.environ.get("LOCALGEN_BENCH_VOCABULARY"), help="a tiktoken file")
    parser.add_argument("--keep", action="store_true", help="do not remove the model")
    args = parser.parse_args(argv)
    folder = Path(tempfile.mkdtemp(prefix="localgen-bench-"))
    path: Path = args.model or folder / "large.gguf"
    try:
        if available_memory() < MEMORY:
            print("less than 4 GB of memory are free", file=sys.stderr)
            return 1
        if not path.is_file():
            if shutil.disk_usage(path.parent).free < DISK:
                print(f"{path.parent}: less than 4 GB of disk are free", file=sys.stderr)
                return 1
            write_large_model(path, Path(args.vocabulary) if args.vocabulary else None)
        load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
        print(f"{path}, {path.stat().st_size / 1e9:.2f} GB; load of the machine {load}")
        show("", "measured", "target")
        decoding(path, args.tokens, args.k)
        requests(path, args.tokens, args.k, folder / "cache")
    finally:
        if args.keep or args.model:
            print(f"kept: {path}")
        if not (args.keep and path.parent == folder):
            shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
