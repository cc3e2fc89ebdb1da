"""Values for examples: how a value is written in a script, and how a person says it."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from localgen_grammars.constraint.number_words import ONES, TENS

from .families import ArgSpec, plain_words

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
_SHARES = {
    "10": "a tenth", "20": "a fifth", "25": "a quarter", "30": "three tenths", "50": "half", "60": "three fifths",
    "70": "seven tenths", "75": "three quarters", "80": "eight tenths", "90": "nine tenths",
}  # fmt: skip
# unit → other units that people say its values in, and how many of the unit one of those is.
_OTHER_UNITS: dict[str, tuple[tuple[str, str, float], ...]] = {
    "s": (("minutes", "minute", 60), ("hours", "hour", 3600)),
    "ms": (("seconds", "second", 1000),),
    "min": (("hours", "hour", 60), ("seconds", "second", 1 / 60)),
    "h": (("days", "day", 24), ("minutes", "minute", 1 / 60)),
    "d": (("hours", "hour", 1 / 24),),
    "us": (("milliseconds", "millisecond", 1000),),
    "ns": (("microseconds", "microsecond", 1000), ("picoseconds", "picosecond", 0.001)),
    "um": (("nanometres", "nanometre", 0.001), ("nm", "nm", 0.001), ("millimetres", "millimetre", 1000)),
    "nm": (("microns", "micron", 1000), ("um", "um", 1000)),
    "mm": (("centimetres", "centimetre", 10), ("cm", "cm", 10)),
    "cm": (("metres", "metre", 100), ("mm", "mm", 0.1)),
    "m": (("centimetres", "centimetre", 0.01), ("km", "km", 1000)),
    "V": (("millivolts", "millivolt", 0.001), ("mV", "mV", 0.001)),
    "mV": (("volts", "volt", 1000), ("V", "V", 1000)),
    "mA": (("amps", "amp", 1000), ("A", "A", 1000)),
    "A": (("milliamps", "milliamp", 0.001), ("mA", "mA", 0.001)),
    "Hz": (("kHz", "kHz", 1000),),
    "kHz": (("megahertz", "megahertz", 1000), ("MHz", "MHz", 1000)),
    "MHz": (("gigahertz", "gigahertz", 1000), ("GHz", "GHz", 1000)),
    "GHz": (("MHz", "MHz", 0.001),),
    "kB": (("megabytes", "megabyte", 1000),),
    "MB": (("gigabytes", "gigabyte", 1000), ("GB", "GB", 1000)),
    "GB": (("terabytes", "terabyte", 1000),),
    "g": (("kilograms", "kilogram", 1000), ("kg", "kg", 1000)),
    "kg": (("grams", "gram", 0.001), ("g", "g", 0.001)),
    "mL": (("litres", "litre", 1000),),
    "ml": (("litres", "litre", 1000),),
    "L": (("millilitres", "millilitre", 0.001),),
    "l": (("millilitres", "millilitre", 0.001),),
    "W": (("kilowatts", "kilowatt", 1000), ("kW", "kW", 1000)),
    "kW": (("watts", "watt", 0.001),),
    "bar": (("millibar", "millibar", 0.001), ("mbar", "mbar", 0.001)),
    "mbar": (("bar", "bar", 1000),),
    "deg": (("arcminutes", "arcminute", 1 / 60),),
}
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
    """How a person says a number: digits with the unit attached, apart, in words or left out; in words; in other units.

    Whatever is said, `quantities_of` reads the number out of it again (a test holds the two together).
    """
    r = rng.random()
    if unit == "%" and text in _SHARES and r < 0.12:
        return _SHARES[text]
    if unit in _OTHER_UNITS and r < 0.15:
        other = _in_other_unit(text, unit, rng)
        if other:
            return other
    said = text
    if text.startswith("-") and rng.random() < 0.5:
        said = f"minus {text[1:]}"
    elif text.isdigit() and int(text) < 100 and rng.random() < 0.13:
        said = in_words(int(text))
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


def in_words(n: int) -> str:
    """A number below 100 in words."""
    if n < 20:
        return ONES[n]
    tens, ones = divmod(n, 10)
    return TENS[tens - 2] + (f"-{ONES[ones]}" if ones else "")


def _in_other_unit(text: str, unit: str, rng: random.Random) -> str:
    """The number in another unit of its dimension, where it is short there: "90" s as "a minute and a half"."""
    many, one, factor = rng.choice(_OTHER_UNITS[unit])
    v = float(text) / factor
    short = f"{v:.4f}".rstrip("0").rstrip(".")
    if v <= 0 or abs(float(short) * factor - float(text)) > 1e-9 * abs(float(text)) or len(short.replace(".", "")) > 4:
        return ""
    article = "an" if one[0] in "aeiouh" and one != "half" else "a"
    phrase = {"0.5": f"half {article} {one}", "0.25": f"a quarter of {article} {one}",
              "0.75": f"three quarters of {article} {one}", "1": f"{article} {one}",
              "1.5": f"{article} {one} and a half"}.get(short)
    if phrase and len(one) > 3 and rng.random() < 0.7:
        return phrase
    if short.isdigit() and int(short) < 100 and rng.random() < 0.4:
        short = in_words(int(short))
    return f"{short} {many if short not in ('1', 'one') else one}"


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
    """A string value from the pool, an invented one or a plain word; `identifier`: one that any DSL would take bare."""
    for _ in range(20):
        r = rng.random()
        v = invent_name(rng) if r < 0.35 else rng.choice(plain_words()) if r < 0.5 else rng.choice(pool)
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
