"""Times of day that an instruction says in words, as `HH:MM`: "half past nine in the evening" is 21:30."""

from __future__ import annotations

import re
from functools import lru_cache

_HOURS = ("twelve", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven")
_MINUTES = {
    "five": 5, "ten": 10, "quarter": 15, "a quarter": 15, "twenty": 20, "twenty five": 25, "twenty-five": 25,
    "half": 30,
}  # fmt: skip
_HOUR = rf"(?P<hour>\d{{1,2}}|{'|'.join(_HOURS)})"
# "5 to 8" in digits is a range far more often than a time.
_WORDS = "|".join(sorted(_MINUTES, key=len, reverse=True))
_PAST = rf"(?:(?:(?P<minutes>{_WORDS})\s+(?P<way>past|to)|(?P<count>\d{{1,2}})\s+past)\s+)?"
_PART = (
    r"(?:\s*(?P<part>a\.?m\b|p\.?m\b|in the morning|in the afternoon|in the evening|at night|tonight|at noon)"
    r"|\s*(?P<sharp>o'?clock)(?:\s+(?P<later>in the morning|in the afternoon|in the evening|at night|tonight))?)?"
)
_TIME = re.compile(rf"\b{_PAST}{_HOUR}(?::(?P<digits>[0-5]\d))?{_PART}(?![\w%]|[.,:]\d)", re.IGNORECASE)
_NAMED = {"noon": "12:00", "midday": "12:00", "midnight": "00:00"}


@lru_cache(maxsize=64)
def clocks_of(text: str) -> dict[str, tuple[tuple[int, int], ...]]:
    """The times of day of a text and where they are said; a bare number is none without a word that makes it one."""
    found: dict[str, tuple[tuple[int, int], ...]] = {}
    for m in _TIME.finditer(text):
        part = (m["part"] or m["later"] or "").lower().replace(".", "")
        if not (m["minutes"] or part or m["sharp"] or m["digits"]):
            continue
        hour = int(m["hour"]) if m["hour"].isdigit() else _HOURS.index(m["hour"].lower())
        if hour > 24:
            continue
        if part in ("pm", "in the afternoon", "in the evening", "at night", "tonight") and hour < 12:
            hour += 12 if hour else 0
        elif part in ("am", "in the morning") and hour == 12:
            hour = 0
        minutes = int(m["digits"] or m["count"] or 0)
        if m["minutes"]:
            amount = _MINUTES[" ".join(m["minutes"].lower().split())]
            minutes = amount if m["way"].lower() == "past" else -amount
        total = (hour * 60 + minutes) % (24 * 60)
        time = f"{total // 60:02d}:{total % 60:02d}"
        found[time] = (*found.get(time, ()), m.span())
    for word, time in _NAMED.items():
        for m in re.finditer(rf"\b{word}\b", text, re.IGNORECASE):
            found[time] = (*found.get(time, ()), m.span())
    return found
