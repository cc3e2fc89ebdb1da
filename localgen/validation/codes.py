"""The codes of findings: one table, from which the documentation is made. Codes are stable; gaps may be filled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "hint"]
Level = Literal["error", "warning", "hint", "off"]

LEVELS: tuple[Level, ...] = ("off", "hint", "warning", "error")


@dataclass(frozen=True)
class Code:
    """What a code stands for, and how grave it is without and with `--strict`."""

    title: str
    severity: Level = "error"
    strict: Level = "error"


GROUPS: dict[str, str] = {
    "TCL": "Tcl syntax",
    "CAT": "Catalog",
    "DSL": "Embedded DSL blocks",
    "POL": "Policy",
    "VAR": "Variables",
    "RUN": "Execution check",
    "CHK": "The domain's own checker",
    "SUP": "Suppression comments",
}

CODES: dict[str, Code] = {
    "TCL001": Code("A brace that is opened is never closed"),
    "TCL002": Code("A double quote that is opened is never closed"),
    "TCL003": Code("A bracket that is opened is never closed"),
    "TCL004": Code("A variable's name or array index is not closed"),
    "TCL005": Code("Characters directly after a closing quote or brace"),
    "TCL006": Code("A closing brace or bracket without its opening one"),
    "TCL007": Code("The script ends in a line continuation"),
    "TCL008": Code("Nested more deeply than can be checked"),
    "TCL009": Code("A byte-order mark, which Tcl reads as part of the first command"),
    "TCL010": Code("An expression that `expr` does not accept"),
    "TCL011": Code("A Tcl command with too few or too many words"),
    "TCL012": Code("A subcommand that the Tcl command does not have"),
    "TCL013": Code("A list that Tcl cannot take apart"),
    "TCL014": Code("A math function that does not exist, or with a wrong number of arguments"),
    "TCL015": Code("A stray double quote inside a word", "warning", "warning"),
    "TCL016": Code("Bytes that are not UTF-8", "warning", "warning"),
    "CAT001": Code("A command that neither the catalog, Tcl nor the script defines"),
    "CAT002": Code("An option that the proc does not have"),
    "CAT003": Code("A shortened option that fits several options"),
    "CAT004": Code("A shortened option where options are to be written out", "off"),
    "CAT005": Code("A required argument is missing"),
    "CAT006": Code("An option is given twice"),
    "CAT007": Code("Options that exclude each other"),
    "CAT008": Code("An option without another one that it needs"),
    "CAT009": Code("An option after a positional argument"),
    "CAT010": Code("More arguments than the proc takes"),
    "CAT011": Code("An option without its value"),
    "CAT012": Code("A value of the wrong type"),
    "CAT013": Code("A value that is not one of those allowed"),
    "CAT014": Code("A number out of its range"),
    "CAT015": Code("A number with a wrong, missing or superfluous unit"),
    "CAT016": Code("A value that does not match its pattern"),
    "CAT017": Code("A value that is not a Tcl list"),
    "CAT018": Code("A list with too few or too many elements"),
    "CAT019": Code("A deprecated proc", "warning"),
    "CAT020": Code("An argument that does not read as an expression", "warning", "warning"),
    "CAT021": Code("A variable that is not in the catalog, though its name is close to one", "warning", "warning"),
    "DSL001": Code("A DSL block that its grammar does not accept"),
    "DSL002": Code("A DSL block that is not closed"),
    "DSL003": Code("A DSL's opening word used without a block"),
    "DSL004": Code("A DSL block where no statement may stand", "warning"),
    "DSL005": Code("A DSL block whose text is computed and cannot be checked", "warning"),
    "POL001": Code("A forbidden command is called"),
    "POL002": Code("A Tcl command outside the allowed ones", "warning"),
    "POL003": Code("The required header is missing"),
    "POL004": Code("A required call is missing"),
    "POL005": Code("Calls in the wrong order"),
    "POL006": Code("More DSL blocks than allowed"),
    "POL007": Code("A command that is only known when the script runs", "warning"),
    "POL008": Code("A command of the catalog or of Tcl is redefined", "warning"),
    "VAR001": Code("A variable is read before anything sets it", "warning"),
    "VAR002": Code("A variable of a proc that is set but never used", "hint", "hint"),
    "VAR003": Code("A variable in the wrong namespace, or without the one it is in", "warning"),
    "RUN001": Code("The script fails when it runs"),
    "RUN002": Code("The script meets a limit of the execution check"),
    "CHK001": Code("The domain's own checker reports an error"),
    "CHK002": Code("The domain's own checker does not accept the script, or came to no end"),
    "SUP001": Code("A suppression comment with an unknown rule or form", "warning", "warning"),
    "SUP002": Code("A suppression comment that suppresses nothing", "warning", "warning"),
}


def level_of(code: str, *, strict: bool) -> Level:
    """How grave a code is by itself. Raises KeyError for one that is not in the table."""
    entry = CODES[code]
    return entry.strict if strict else entry.severity


def codes_of(name: str) -> Iterable[str]:
    """The codes that a name stands for: itself, or those of a group; none for an unknown name."""
    if name in GROUPS:
        return [code for code in CODES if code.startswith(name)]
    return [name] if name in CODES else []


def levels_by_code(levels: Mapping[str, Level]) -> dict[str, Level]:
    """Levels given by code or group, by code; a code's own level wins over its group's."""
    groups_first = sorted(levels, key=lambda name: name not in GROUPS)
    return {code: levels[name] for name in groups_first for code in codes_of(name)}
