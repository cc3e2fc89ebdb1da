"""Scripts from a model with random weights, and whether they are valid: by our validator, by real Tcl, by lark.

Shared by the tests and by bench/soak.py.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oracle import TCLSH, RealTcl, lark_complaints, real_tcl_complaint, script_options
from random_catalog import NASTY, random_name, write_random_domain

from localgen.choose import Choice
from localgen.models import Models
from localgen.options import Options
from localgen.outcome import Outcome
from localgen.pipeline import Generator
from localgen.rank import Ranked
from localgen.repair import finish
from localgen.scripts import called_procs, used_symbols
from localgen.validation.validate import validate_script
from localgen_retrieval.catalog_io import Domain, load_domain

ROOT = Path(__file__).resolve().parents[1]
PNR = ROOT / "bundle" / "default" / "domains" / "pnr"
MINIMAL = ROOT / "tests" / "data" / "minimal"
BUDGETS = (1, 5, 20, 60, 400)
_TEXT = """
route place the net cell on layer with width and then check in for each of all set report keep away from half two dozen
CLK DATA_0 VSS M2 met3 SR2 u_core/mem[3] out/final.rpt A B ff slow 0.12um 2.5 17 -4 19:30 100-400 2x2 50% 5V 250nm 1,000
1e3 three per cent
"""
_WORDS = _TEXT.split()


class RecordingGenerator(Generator):
    """A generator that keeps what it ranked, so that every candidate can be judged, not only the best."""

    ranked: Sequence[Ranked] = ()
    dropped: Sequence[str] = ()  # by the last gate, not by the budget

    def _choose(self, models: Models, ranked: list[Ranked], instruction: str) -> list[Choice]:
        self.ranked = ranked
        choices = super()._choose(models, ranked, instruction)
        self.dropped = choices[0].dropped
        return choices


@dataclass
class Tally:
    """What came of some scripts.

    Attributes:
        answers, calling: what `generate` answered (the others are its other candidates), and those with a call.
        scripts: judged; called: with a call of the catalog; effective: with a call, a DSL block or a catalog variable.
        dropped: statements that the last gate took out; failures: (max_tokens, complaint, script).
    """

    answers: int = 0
    calling: int = 0
    scripts: int = 0
    truncated: int = 0
    called: int = 0
    effective: int = 0
    dropped: int = 0
    with_dropped: int = 0
    seconds: float = 0.0
    dropped_examples: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add up."""
        counts = ("answers", "calling", "scripts", "truncated", "called", "effective", "dropped", "with_dropped")
        for name in (*counts, "seconds"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.dropped_examples += other.dropped_examples[:20]
        self.failures += other.failures

    def share(self, count: int) -> float:
        """A count as a share of the scripts."""
        return count / self.scripts if self.scripts else 0.0

    def __str__(self) -> str:
        return (
            f"{self.scripts:>6} scripts  {self.share(self.truncated):>6.1%} truncated  "
            f"{self.calling} of {self.answers} answers with a call  "
            f"{self.share(self.called):>6.1%} with a call  "
            f"{self.share(self.effective):>6.1%} with an effect  "
            f"{self.dropped:>4} statements dropped in {self.with_dropped} scripts  {len(self.failures)} invalid  "
            f"{self.seconds:>6.1f} s"
        )


class Judge:
    """What three judges that know nothing of each other say of a script; use it as a context manager."""

    def __init__(self, domain: Domain) -> None:
        self.domain = domain
        self._tcl = RealTcl(script_options(domain.catalog)) if TCLSH and domain.catalog.host == "tcl" else None

    def complaints(self, script: str) -> list[str]:
        """Empty for a valid script."""
        report = validate_script(script, self.domain, strict=True)
        out = [f"validator: {line}" for line in report.lines() if not report.valid]
        if self._tcl is not None and (complaint := real_tcl_complaint(script, self.domain.catalog, self._tcl)):
            out.append(f"tclsh: {complaint}")
        out += [f"lark: {c}" for c in lark_complaints(script, self.domain.catalog, self.domain.folder)]
        return out

    def __enter__(self) -> Judge:
        return self

    def __exit__(self, *error: Any) -> None:
        if self._tcl is not None:
            self._tcl.__exit__(None, None, None)


def random_instruction(rng: random.Random, domain: Domain) -> str:
    """Words at random: of a task, of the catalog, made up, numbers, quoted and bare nastiness."""
    catalog = domain.catalog
    names = [w for p in catalog.procs for w in (p.name, p.summary, *(a.name for a in p.args)) if w]
    values = [v for p in catalog.procs for a in p.args for v in a.values]
    tasks = [e.task for e in domain.examples]
    parts = []
    for _ in range(rng.randint(1, 14)):
        kind = rng.random()
        if kind < 0.35:
            parts.append(rng.choice(_WORDS))
        elif kind < 0.6 and names:
            parts.append(rng.choice(names))
        elif kind < 0.7 and values:
            parts.append(rng.choice(values))
        elif kind < 0.78:
            parts.append(random_name(rng).upper() + rng.choice(["", "_1", "[3]", "7"]))
        elif kind < 0.86:
            parts.append(rng.choice(NASTY))
        elif kind < 0.93:
            quote = rng.choice("\"'`")
            parts.append(quote + rng.choice((*NASTY, random_name(rng))) + quote)
        elif tasks:
            parts.append(rng.choice(tasks))
    return " ".join(parts) or "do it"


def attack(
    domain: Domain,
    model: Path,
    *,
    runs: Sequence[int],
    seed: int,
    cache_dir: Path,
    k: int = 3,
    grounding: bool | None = None,
) -> dict[int, Tally]:
    """Tallies by token budget of generations at random, one for each budget in `runs`, every candidate judged.

    Args:
        grounding: None switches it off in one run of eight.
    """
    rng = random.Random(seed)
    tallies: dict[int, Tally] = {}
    generator = RecordingGenerator(domain, model=model, cache_dir=cache_dir)
    try:
        with Judge(domain) as judge:
            for budget in runs:
                instruction = random_instruction(rng, domain)
                options = Options(
                    k=k,
                    temperature=1.5,
                    max_tokens=budget,
                    seed=rng.randrange(2**32),
                    ask=False,
                    grounding=rng.random() < 0.875 if grounding is None else grounding,
                )
                start = time.perf_counter()
                outcome = generator.generate(instruction, options)
                tally = tallies.setdefault(budget, Tally())
                tally.seconds += time.perf_counter() - start
                where = f"{domain.catalog.name}: {options} {instruction!r}"
                for i, (script, truncated, dropped) in enumerate(_scripts(generator, outcome)):
                    _count(tally, judge, script, truncated, dropped, where, answer=i == 0)
    finally:
        generator.close()
    return tallies


def _scripts(generator: RecordingGenerator, outcome: Outcome) -> Iterator[tuple[str, bool, list[str]]]:
    """(script, truncated, dropped statements) of the answer, then of the other candidates."""
    assert outcome.script is not None
    assert outcome.valid, outcome.script
    yield outcome.script, outcome.truncated, list(generator.dropped)
    others = {outcome.script}
    for r in generator.ranked:
        script, _, dropped = finish(r.text, generator.domain)
        if script not in others:
            others.add(script)
            yield script, r.truncated, dropped


def _count(
    tally: Tally, judge: Judge, script: str, truncated: bool, dropped: list[str], where: str, *, answer: bool
) -> None:
    catalog = judge.domain.catalog
    tally.scripts += 1
    tally.truncated += truncated
    tally.dropped += len(dropped)
    tally.with_dropped += bool(dropped)
    tally.dropped_examples += [f"{catalog.name}: {d}" for d in dropped[:3]]
    called = bool(called_procs(script, {p.name for p in catalog.procs}))
    tally.called += called
    effective = bool(used_symbols(script, catalog)) or (catalog.host == "none" and bool(script.strip()))
    tally.effective += effective
    tally.answers += answer
    tally.calling += answer and called
    complaints = judge.complaints(script)
    if complaints:
        tally.failures.append("\n".join([where, *complaints, script]))


def random_domain(folder: Path, seed: int, *, host: str = "tcl") -> Domain:
    """A domain made at random, loaded."""
    return load_domain(write_random_domain(folder / f"random{seed}", seed, host=host))


def budgets(n: int, long_share: float = 0.3) -> list[int]:
    """`n` token budgets, this share of them the longest, the others in turn."""
    long = round(n * long_share)
    return [BUDGETS[-1]] * long + [BUDGETS[i % (len(BUDGETS) - 1)] for i in range(n - long)]
