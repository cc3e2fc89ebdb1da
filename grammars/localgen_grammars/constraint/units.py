"""Units: their names, what they measure, how many of a base unit each is; rates as one unit per another.

A canonical unit is a key of the table (`um`, `min`) or two of them (`m/s`, `L/min`), the second a time.
"""

from __future__ import annotations

import re
from decimal import Decimal

# Unit → (dimension, how many of the dimension's base unit).
_SCALES: dict[str, tuple[str, str]] = {
    "pm": ("length", "1e-12"), "nm": ("length", "1e-9"), "um": ("length", "1e-6"), "mm": ("length", "1e-3"),
    "cm": ("length", "1e-2"), "dm": ("length", "0.1"), "m": ("length", "1"), "km": ("length", "1e3"),
    "mil": ("length", "2.54e-5"), "in": ("length", "0.0254"), "fs": ("time", "1e-15"), "ps": ("time", "1e-12"),
    "ns": ("time", "1e-9"), "us": ("time", "1e-6"), "ms": ("time", "1e-3"), "s": ("time", "1"), "min": ("time", "60"),
    "h": ("time", "3600"), "d": ("time", "86400"), "wk": ("time", "604800"),
    "uV": ("voltage", "1e-6"), "mV": ("voltage", "1e-3"), "V": ("voltage", "1"), "kV": ("voltage", "1e3"),
    "nA": ("current", "1e-9"), "uA": ("current", "1e-6"),
    "mA": ("current", "1e-3"), "A": ("current", "1"), "Hz": ("frequency", "1"), "kHz": ("frequency", "1e3"),
    "MHz": ("frequency", "1e6"), "GHz": ("frequency", "1e9"), "uW": ("power", "1e-6"), "mW": ("power", "1e-3"),
    "W": ("power", "1"), "kW": ("power", "1e3"), "MW": ("power", "1e6"), "fF": ("capacitance", "1e-15"),
    "pF": ("capacitance", "1e-12"), "nF": ("capacitance", "1e-9"), "uF": ("capacitance", "1e-6"),
    "ohm": ("resistance", "1"), "kohm": ("resistance", "1e3"), "Mohm": ("resistance", "1e6"), "B": ("data", "1"),
    "kB": ("data", "1e3"), "MB": ("data", "1e6"), "GB": ("data", "1e9"), "TB": ("data", "1e12"),
    "kbps": ("rate", "1e3"), "Mbps": ("rate", "1e6"), "Gbps": ("rate", "1e9"), "mg": ("mass", "1e-3"),
    "g": ("mass", "1"), "kg": ("mass", "1e3"), "m3": ("volume", "1e3"), "t": ("mass", "1e6"),
    "uL": ("volume", "1e-6"), "mL": ("volume", "1e-3"), "L": ("volume", "1"), "deg": ("angle", "3600"),
    "arcmin": ("angle", "60"), "arcsec": ("angle", "1"), "%": ("ratio", "0.01"), "ppm": ("ratio", "1e-6"),
    "degC": ("temperature", "1"), "dB": ("level", "1"), "mbar": ("pressure", "1e-3"), "bar": ("pressure", "1"),
    "Pa": ("pressure", "1e-5"), "hPa": ("pressure", "1e-3"), "kPa": ("pressure", "1e-2"), "MPa": ("pressure", "10"),
    "GPa": ("pressure", "1e4"), "N": ("force", "1"), "kN": ("force", "1e3"), "Nm": ("torque", "1"),
    "kNm": ("torque", "1e3"), "GW": ("power", "1e9"), "VA": ("apparent power", "1"), "kVA": ("apparent power", "1e3"),
    "MVA": ("apparent power", "1e6"), "Wh": ("energy", "1"), "kWh": ("energy", "1e3"), "MWh": ("energy", "1e6"),
    "lx": ("illuminance", "1"), "rpm": ("rotation", "1"),
}  # fmt: skip
_NAMES: dict[str, tuple[str, ...]] = {
    "nm": ("nanometre", "nanometer"), "um": ("micron", "micrometre", "micrometer", "µm", "μm"),
    "mm": ("millimetre", "millimeter"), "cm": ("centimetre", "centimeter"), "m": ("metre", "meter"),
    "km": ("kilometre", "kilometer"), "in": ("inch", "inches"), "ps": ("picosecond",), "ns": ("nanosecond", "nsec"),
    "us": ("microsecond", "usec", "µs", "μs"), "ms": ("millisecond", "msec"), "s": ("second", "sec"),
    "min": ("minute", "mins"), "h": ("hour", "hr", "hrs"), "d": ("day",), "wk": ("week",),
    "mV": ("millivolt",), "V": ("volt", "v"), "kV": ("kilovolt",),
    "uA": ("microamp", "µA"), "mA": ("milliamp",), "A": ("amp", "ampere"), "Hz": ("hertz", "hz"),
    "kHz": ("kilohertz", "khz"), "MHz": ("megahertz", "mhz"), "GHz": ("gigahertz", "ghz"), "mW": ("milliwatt",),
    "W": ("watt",), "kW": ("kilowatt",), "MW": ("megawatt",), "fF": ("femtofarad",), "pF": ("picofarad",),
    "ohm": ("Ω", "ohms"), "kohm": ("kilohm", "kΩ"), "kB": ("kilobyte", "KB", "kb"), "MB": ("megabyte", "meg", "mb"),
    "GB": ("gigabyte", "gig", "gb"), "TB": ("terabyte",), "Mbps": ("Mbit/s",), "mg": ("milligram",), "g": ("gram",),
    "kg": ("kilogram", "kilo"), "uL": ("microlitre", "microliter", "ul"), "mL": ("millilitre", "milliliter", "ml"),
    "L": ("litre", "liter", "l"), "m3": ("cubic metre", "cubic metres", "cubic meter", "cubic meters"),
    "deg": ("degree", "°"),
    "arcmin": ("arcminute",), "arcsec": ("arcsecond",), "%": ("percent", "per cent", "pct"),
    "t": ("tonne", "ton"), "Pa": ("pascal",), "hPa": ("hectopascal",), "kPa": ("kilopascal",), "MPa": ("megapascal",),
    "N": ("newton",), "kN": ("kilonewton",), "GW": ("gigawatt",), "lx": ("lux",), "rpm": ("revs",),
    "mbar": ("millibar",), "degC": ("celsius", "°C", "centigrade"), "dB": ("decibel", "db"),
}  # fmt: skip
_UNIT_OF: dict[str, str] = {
    **{u: u for u in _SCALES}, **{n: u for u, names in _NAMES.items() for n in names},
    **{f"{n}s": u for u, names in _NAMES.items() for n in names if n.isalpha() and len(n) > 2},
}  # fmt: skip
# Rates that are written as one word.
_RATES = {
    "mps": "m/s", "kph": "km/h", "kmh": "km/h", "kmph": "km/h", "mpm": "m/min", "mmps": "mm/s", "lps": "L/s",
    "lpm": "L/min", "lph": "L/h", "slpm": "L/min",
}  # fmt: skip
_PER = r"(?:\s*/\s*|\s+(?:of\s+\w+\s+)?(?:per|an?|each|every)\s+)"
_TIMES = {n: u for n, u in _UNIT_OF.items() if _SCALES[u][0] == "time" and n not in ("d", "fs")}
_RATE_TAIL = re.compile(rf"{_PER}({'|'.join(sorted(map(re.escape, _TIMES), key=len, reverse=True))})\b")
_UNIT_BEFORE = re.compile(r"([A-Za-zµμΩ°%]+3?|cubic met(?:re|er)s?)$")


def canonical_unit(unit: str) -> str:
    """A unit's canonical name; "" for an unknown one."""
    found = _UNIT_OF.get(unit) or _UNIT_OF.get(unit.lower(), "")
    if found:
        return found
    if unit.lower() in _RATES:
        return _RATES[unit.lower()]
    amount, slash, time = unit.partition("/")
    over = _TIMES.get(time.strip(), "") if slash else ""
    of = canonical_unit(amount.strip()) if over else ""
    return f"{of}/{over}" if of and not is_rate(of) else ""


def scale_of(unit: str) -> tuple[str, Decimal]:
    """(dimension, how many of its base unit) of a canonical unit.

    Raises:
        KeyError: no canonical unit.
    """
    amount, slash, time = unit.partition("/")
    dimension, scale = _SCALES[amount]
    if not slash:
        return dimension, Decimal(scale)
    return f"{dimension}/time", Decimal(scale) / Decimal(_SCALES[time][1])


def is_rate(unit: str) -> bool:
    """Whether a canonical unit is an amount per time."""
    return "/" in unit


def is_time(unit: str) -> bool:
    """Whether a canonical unit measures time."""
    return scale_of(unit)[0] == "time"


def alike(unit: str) -> list[str]:
    """The canonical units of the same dimension."""
    amount, slash, _ = unit.partition("/")
    same = [u for u, (dimension, _) in _SCALES.items() if dimension == _SCALES[amount][0]]
    return [f"{u}/{t}" for u in same for t in ("s", "min", "h")] if slash else same


def with_rate(unit: str, rest: str) -> str:
    """A unit, as a rate where the words behind it say so: `km` before " an hour"."""
    m = _RATE_TAIL.match(rest)
    return f"{unit}/{_TIMES[m.group(1)]}" if m and unit and not is_rate(unit) and not is_time(unit) else unit


def per_places(text: str) -> list[tuple[int, int]]:
    """Where a text says "an hour" as the second half of a rate: no quantity of its own."""
    out = []
    for m in _RATE_TAIL.finditer(text):
        before = _UNIT_BEFORE.search(text[: m.start()])
        unit = canonical_unit(before.group(1)) if before else ""
        if unit and not is_time(unit):
            out.append(m.span())
    return out
