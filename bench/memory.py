"""Whether a long-lived process grows: resident memory over many generations with the shipped model.

    python bench/memory.py [--generations 1000]

The instructions are all different (other names, numbers and order of wishes), as those of a server are: what is cached
by text would show. Prints the memory at intervals, and the slope after the first fifth, by least squares.
"""

from __future__ import annotations

import argparse
import gc
import random
import sys
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

WISHES = (
    "Route net {a} on {m}",
    "place macro {a} at {x} {y}",
    "set the corner to {c}",
    "add a rule with {x} um spacing for net {a}",
    "create a ring of {x} um on {m}",
    "report the timing of {a} to {b}.rpt",
)


def instruction(seed: int) -> str:
    """One that no other seed gives."""
    rng = random.Random(seed)

    def name() -> str:
        return f"{rng.choice(['CLK', 'DATA', 'RST', 'U', 'BLK'])}_{seed}_{rng.randint(1, 99)}"

    wishes = rng.sample(WISHES, rng.choice([1, 1, 2, 3]))
    return ", ".join(wishes).format(
        a=name(), b=name().lower(), m=f"M{rng.randint(1, 6)}", x=rng.randint(1, 400) / 100, y=rng.randint(1, 9),
        c=rng.choice(["slow", "fast", "typical"]),
    )  # fmt: skip


def resident() -> int:
    """Resident bytes of this process.

    Raises:
        OSError: the system has no /proc.
    """
    import resource

    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize()


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Memory of a process that generates many scripts.")
    parser.add_argument("--generations", type=int, default=1000)
    parser.add_argument("--max-tokens", type=int, default=60, help="length of the scripts (default 60)")
    parser.add_argument("--k", type=int, default=2)
    parser.add_argument("--trace", action="store_true", help="show which lines hold what was added (slow)")
    args = parser.parse_args(argv)
    if not Path("/proc/self/statm").exists():
        print("left out: this system does not say how much memory a process has")
        return 0
    from constraint_kit import shipped

    from localgen.options import Options
    from localgen.pipeline import Generator

    generator = Generator(shipped())
    warm = max(10, args.generations // 5)
    points: list[int] = []
    before = None
    for i in range(args.generations):
        # Different seeds, so that the sampled texts differ, too.
        generator.generate(instruction(i), Options(k=args.k, max_tokens=args.max_tokens, ask=False, seed=i))
        if i == warm and args.trace:
            tracemalloc.start(12)
            before = tracemalloc.take_snapshot()
        if i % 10 == 9:
            gc.collect()
        points.append(resident())
        if i % max(1, args.generations // 10) == 0:
            print(f"{i:>6} generations {points[-1] / 1e6:>9.1f} MB", flush=True)
    if before is not None:
        for line in tracemalloc.take_snapshot().compare_to(before, "lineno")[:15]:
            print(line)
    generator.close()
    slope = float(np.polyfit(np.arange(len(points) - warm), np.array(points[warm:]), 1)[0])
    print(f"after {warm} generations: {slope * 100 / 1e6:+.2f} MB per 100 generations")
    return 0


if __name__ == "__main__":
    sys.exit(main())
