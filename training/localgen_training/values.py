"""Values for examples: how a value is written in a script, and how a person says it."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from .families import ArgSpec

UNIT_WORDS: dict[str, tuple[str, ...]] = {
    "um": ("microns", "micron", "micrometres"), "nm": ("nanometres", "nanometers"),
    "mm": ("millimetres", "millimeters"), "cm": ("centimetres",), "m": ("metres", "meters"), "km": ("kilometres",),
    "ms": ("milliseconds", "msec"), "s": ("seconds", "sec", "secs"), "us": ("microseconds",), "ns": ("nanoseconds",),
    "ps": ("picoseconds",), "min": ("minutes", "mins"), "h": ("hours", "hrs"), "d": ("days",), "V": ("volts",),
    "mV": ("millivolts",), "A": ("amps",), "mA": ("milliamps",), "W": ("watts",), "kW": ("kilowatts",),
    "Hz": ("hertz",), "kHz": ("kilohertz",), "MHz": ("megahertz",), "GHz": ("gigahertz",),
    "%": ("percent", "per cent"), "dB": ("decibels",), "degC": ("degrees", "degrees C", "C"), "deg": ("degrees",),
    "kB": ("kilobytes",), "MB": ("megabytes", "megs"), "GB": ("gigabytes", "gigs"), "kg": ("kilograms", "kilos"),
    "g": ("grams",), "ml": ("millilitres",), "mL": ("millilitres",), "l": ("litres",), "L": ("litres",),
    "bar": ("bar",), "uL": ("microlitres",), "N": ("newtons",), "K": ("kelvin",), "px": ("pixels",),
    "pt": ("points",), "EUR": ("euros",), "fps": ("frames per second",), "MW": ("megawatts",),
    "kbps": ("kilobits per second",), "mm/s": ("millimetres per second",), "km/h": ("kilometres per hour",),
    "m/s": ("metres per second",), "rpm": ("revs per minute",), "dBm": ("dBm",), "fF": ("femtofarads",),
    "pF": ("picofarads",), "ohm": ("ohms",), "kohm": ("kilohms",), "Mbps": ("megabits per second",),
}  # fmt: skip
NUMBER_WORDS = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
]  # fmt: skip
_TENS = {
    20: "twenty", 30: "thirty", 40: "forty", 50: "fifty", 60: "sixty", 80: "eighty", 90: "ninety", 100: "a hundred",
}  # fmt: skip
_STEMS = [
    "clk", "rst", "data", "addr", "bus", "net", "sig", "u_core", "top", "io", "pad", "reg", "fifo", "ctl", "tmp", "run",
    "lot", "cell", "unit", "node", "line", "host", "job", "item", "alpha", "beta", "delta", "north", "south", "east",
    "west", "main", "aux", "left", "right", "front", "back", "old", "new", "x", "y", "z",
]  # fmt: skip


@dataclass(frozen=True)
class Spoken:
    """A value twice: as the script has it (unquoted) and as the instruction says it."""

    written: str
    said: str


def draw_number(spec: ArgSpec, rng: random.Random) -> str:
    """A number within the spec's range, in canonical form (no trailing zeros)."""
    low, high = spec.low, spec.high
    if low > 0 and high / low > 50 and rng.random() < 0.5:
        v = low * (high / low) ** rng.random()
    else:
        v = rng.uniform(low, high)
    if spec.type == "int":
        step = spec.step or (10 if high > 1000 and rng.random() < 0.6 else 1)
        return str(min(int(high), max(int(low), int(round(v / step) * step))))
    if spec.step:
        v = round(v / spec.step) * spec.step
        digits = len(f"{spec.step:.6f}".rstrip("0").split(".")[1])
    else:
        digits = rng.choice([1, 2]) if high <= 100 else rng.choice([0, 1])
    text = f"{min(high, max(low, v)):.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def say_number(text: str, unit: str, rng: random.Random) -> str:
    """How a person says a number: digits with the unit attached, apart, in words or left out; small ones in words."""
    said = text
    if text.isdigit() and rng.random() < 0.07:
        n = int(text)
        said = NUMBER_WORDS[n] if n < len(NUMBER_WORDS) else _TENS.get(n, text)
    if not unit:
        return said
    r = rng.random()
    if said == text and r < 0.25:
        return f"{text}{unit}"
    if r < 0.62:
        return f"{said} {unit}"
    if r < 0.9 and unit in UNIT_WORDS:
        return f"{said} {rng.choice(UNIT_WORDS[unit])}"
    return said if rng.random() < 0.6 else f"{said} {unit}"


def invent_name(rng: random.Random) -> str:
    """A name nobody has seen: letters, digits, separators in one of many shapes."""
    r = rng.random()
    stem = rng.choice(_STEMS) if rng.random() < 0.5 else "".join(
        rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(1, 5)))
    if rng.random() < 0.4:
        stem = stem.upper()
    if r < 0.35:
        return f"{stem}{rng.randint(0, 99)}"
    if r < 0.6:
        return f"{stem}_{rng.choice([str(rng.randint(0, 31)), rng.choice(_STEMS)])}"
    if r < 0.7:
        return f"{stem}/{rng.choice(_STEMS)}{rng.randint(0, 9)}"
    if r < 0.78:
        return f"{stem}-{rng.randint(1, 99)}"
    if r < 0.86:
        return f"{stem}.{rng.choice(['v', 'txt', 'csv', 'dat', 'json', 'rpt', 'cfg', 'log'])}"
    if r < 0.9:
        return f"{stem}[{rng.randint(0, 15)}]"
    if r < 0.94:
        return f"{stem}*"
    return stem if len(stem) > 2 else stem + "q"


def draw_string(pool: tuple[str, ...], rng: random.Random, identifier: bool = False) -> str:
    """A string value from the pool, or an invented one; `identifier` asks for one that any DSL would take bare."""
    for _ in range(20):
        v = invent_name(rng) if rng.random() < 0.45 else rng.choice(pool)
        if not identifier or re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", v):
            return v
    return f"n{rng.randint(1, 99)}"


def say_list(items: list[str], rng: random.Random) -> str:
    """Several values in a sentence: "A, B and C", "A B C", …"""
    if len(items) == 1:
        return items[0]
    r = rng.random()
    if r < 0.6:
        return f"{', '.join(items[:-1])} and {items[-1]}"
    if r < 0.8:
        return ", ".join(items)
    if r < 0.9:
        return " ".join(items)
    return f"{', '.join(items[:-1])}, and {items[-1]}"
