"""How many slips `validate --fix` takes back: the right scripts of the held-out suites with one slip each.

    python bench/repairs.py [--each 200]

Per kind of slip, as shares of the slips that validation finds: *restored* is the script as it was (white space aside),
*other* a script that is valid again and not the same (wrong repairs, where the slip made another name of the catalog's
near), *open* one that still has errors. No times: shares of one run, the same for the same seed.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from localgen.validation.fixing import apply_safe_fixes
from localgen.validation.validate import validate_script
from localgen_bundle.domains import resolve_domain
from localgen_retrieval.catalog_io import Domain, load_domain

ROOT = Path(__file__).resolve().parents[1]

Slip = Callable[[str, Domain, random.Random], str | None]


def misspelt(word: str, rng: random.Random) -> str:
    """One letter left out, doubled, changed, or swapped with the next."""
    at = rng.randrange(1, len(word)) if len(word) > 1 else 0
    letter = rng.choice("abcdefghijklmnopqrstuvwxyz")
    ways = [word[:at] + word[at + 1 :], word[:at] + word[at] + word[at:], word[:at] + letter + word[at + 1 :]]
    if at + 1 < len(word):
        ways.append(word[:at] + word[at + 1] + word[at] + word[at + 2 :])
    return rng.choice(ways)


def _in_place(text: str, pattern: str, rng: random.Random, change: Callable[[str], str]) -> str | None:
    """The text with one random match of the pattern's group changed."""
    found = [m.span(1) for m in re.finditer(pattern, text, re.MULTILINE)]
    if not found:
        return None
    start, end = rng.choice(found)
    return text[:start] + change(text[start:end]) + text[end:]


def _word(pattern: str) -> Slip:
    return lambda text, _, rng: _in_place(text, pattern, rng, lambda w: misspelt(w, rng))


def enum_slip(text: str, domain: Domain, rng: random.Random) -> str | None:
    """A misspelt value of an enum, of four letters or more."""
    values = {v for p in domain.catalog.procs for a in p.args for v in a.values if len(v) > 3 and v.isalpha()}
    pattern = rf" ({'|'.join(map(re.escape, sorted(values)))})\b"
    return _in_place(text, pattern, rng, partial(misspelt, rng=rng)) if values else None


def dropped_brace(text: str, _: Domain, rng: random.Random) -> str | None:
    """A line with nothing but a closing brace left out."""
    return _in_place(text, r"^([ \t]*\}[ \t]*\n)", rng, lambda _: "")


def late_option(text: str, domain: Domain, rng: random.Random) -> str | None:
    """The positional of a call moved to its front."""
    return _in_place(text, r"^([ \t]*[\w:]+ -\w[^\n{}\[\]\"$]* [^-\s{}\[\]\"$]+)$", rng, _positional_first)


def _positional_first(call: str) -> str:
    words = call.split(" ")
    at = next(i for i, w in enumerate(words) if w)
    return " ".join((*words[: at + 1], words[-1], *words[at + 1 : -1]))


SLIPS: dict[str, Slip] = {
    "command": _word(r"^[ \t]*(\w+::\w+)"),
    "option": _word(r" -([A-Za-z_]{3,})\b"),
    "enum value": enum_slip,
    "closing brace": dropped_brace,
    "late option": late_option,
}


def suites() -> list[tuple[Domain, list[str]]]:
    """The held-out domains with the right scripts of their tasks, those that are valid as they are."""
    out = []
    for tasks in sorted(ROOT.glob("tests/heldout/*/tasks.jsonl")):
        own = (tasks.parent / "catalog.json").exists()
        domain = load_domain(tasks.parent) if own else resolve_domain(tasks.parent.name)
        lines = map(json.loads, tasks.read_text("utf-8").splitlines())
        scripts = [t["reference"] for t in lines if t.get("reference")]
        if domain.catalog.host == "tcl":
            out.append((domain, [s for s in scripts if validate_script(s, domain).valid]))
    return out


def main() -> None:
    """Print one row per kind of slip."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--each", type=int, default=200, help="slips of each kind (default: 200)")
    each: int = p.parse_args().each
    pool = [(d, s) for d, scripts in suites() for s in scripts]
    print(f"{'slip':14} {'slips':>6} {'found':>6} {'restored':>9} {'other':>6} {'open':>6}")
    for name, slip in SLIPS.items():
        rng, counts = random.Random(f"repairs-{name}"), Counter[str]()
        for _ in range(50 * each):
            if counts["slips"] == each:
                break
            domain, script = rng.choice(pool)
            broken = slip(script, domain, rng)
            if broken is None or broken == script:
                continue
            counts["slips"] += 1
            validate = partial(validate_script, domain=domain, strict=False)
            report = validate(broken)
            if report.valid:
                continue
            counts["found"] += 1
            fixed = apply_safe_fixes(broken, report, validate)
            same = fixed.text.split() == script.split()
            counts["restored" if same else "other" if fixed.report.valid else "open"] += 1
        shares = [f"{100 * counts[k] / max(counts['found'], 1):.0f} %" for k in ("restored", "other", "open")]
        print(f"{name:14} {counts['slips']:6} {counts['found']:6} {shares[0]:>9} {shares[1]:>6} {shares[2]:>6}")


if __name__ == "__main__":
    main()
