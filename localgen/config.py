"""A team's settings: `localgen.toml`, or `[tool.localgen]` in pyproject.toml, found from a script's folder upwards.

The nearest file counts alone; nothing is merged. Knows what may be written there, and not what the command line says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import Any, NoReturn

from localgen.validation.codes import CODES, GROUPS, LEVELS, Level
from localgen_bundle.default import domain_folders
from localgen_retrieval.errors import UsageError

FILE = "localgen.toml"
_TABLE = "tool.localgen"
_KEYS = ("domain", "strict", "severity", "include", "exclude")


@dataclass(frozen=True)
class Config:
    """What a configuration file says; as it stands, what counts where there is none.

    Attributes:
        path: the file, None where there is none.
        domain: a bundled domain's name, or a folder (in the file, one relative to it); None where it is not said.
        strict: warnings about contract and policy are errors.
        severity: levels by code or group of codes.
        include: which files of a folder are scripts.
        exclude: files and folders that are left out.
    """

    path: Path | None = None
    domain: str | None = None
    strict: bool = False
    severity: Mapping[str, Level] = field(default_factory=dict)
    include: tuple[str, ...] = ("*.tcl",)
    exclude: tuple[str, ...] = ()

    @property
    def folder(self) -> Path | None:
        """The folder that patterns and a relative domain folder are relative to."""
        return None if self.path is None else self.path.parent


class ConfigFinder:
    """Finds configurations, each file read once."""

    def __init__(self) -> None:
        self._known: dict[Path, Config] = {}

    def find(self, folder: Path) -> Config:
        """The configuration for scripts in a folder: the nearest file in it or above it.

        Raises:
            UsageError: the file cannot be read, or says what is not understood.
        """
        return self._nearest(folder.resolve())

    def _nearest(self, folder: Path) -> Config:
        if folder not in self._known:
            here = _config_in(folder)
            if here is None:
                here = Config() if folder.parent == folder else self._nearest(folder.parent)
            self._known[folder] = here
        return self._known[folder]


def read_config(path: Path) -> Config:
    """A configuration file: any TOML file, or a pyproject.toml with its table.

    Raises:
        UsageError: the file cannot be read, or says what is not understood.
    """
    document = _toml(path)
    if path.name != "pyproject.toml":
        return _config(path.resolve(), document)
    table = _table_of(path, document)
    if table is None:
        raise UsageError(f"{path}: no table [{_TABLE}]", hint=f"add one, or use a {FILE}", code="config-missing")
    return _config(path.resolve(), table, _TABLE)


def _config_in(folder: Path) -> Config | None:
    own = folder / FILE
    if own.is_file():
        return read_config(own)
    project = folder / "pyproject.toml"
    if project.is_file() and (table := _table_of(project, _toml(project))) is not None:
        return _config(project, table, _TABLE)
    return None


def parse_level(name: str, level: object, where: str) -> Level:
    """The level that a rule is given; `where` begins the message.

    Raises:
        UsageError: no such rule or level.
    """
    if name not in CODES and name not in GROUPS:
        _refuse(f"{where}: there is no rule {name}", name, (*CODES, *GROUPS))
    for known in LEVELS:
        if level == known:
            return known
    _refuse(f"{where}: {_shown(level)} is not a severity", str(level), LEVELS)


def parse_levels(options: Iterable[str]) -> dict[str, Level]:
    """Levels as the command line gives them, `CODE=LEVEL` each.

    Raises:
        UsageError: not of that form, or no such rule or level.
    """
    out: dict[str, Level] = {}
    for option in options:
        name, is_, level = option.partition("=")
        if not is_:
            raise UsageError(f"--severity {option}: no level", hint="write CODE=LEVEL", code="config-value")
        out[name] = parse_level(name, level, f"--severity {option}")
    return out


def matches(path: PurePath, patterns: Iterable[str]) -> bool:
    """Whether a relative path, or a folder that it is in, is meant by one of the patterns.

    A pattern without a slash is about names anywhere, one with a slash about paths; `*` matches slashes too.
    """
    names = path.parts
    paths = ["/".join(names[: i + 1]) for i in range(len(names))]
    for pattern in patterns:
        plain = pattern.removeprefix("./").removesuffix("/")
        if any(fnmatchcase(part, plain) for part in (paths if "/" in plain else names)):
            return True
    return False


def _toml(path: Path) -> dict[str, Any]:
    # Only those with a file pay for its parser.
    import tomllib

    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise UsageError(f"{path}: not TOML: {err}", hint="see docs/validation.md", code="config-syntax") from None
    except OSError as err:
        raise UsageError(
            f"{path}: cannot be read: {err.strerror}", hint="--config takes a TOML file", code="config-missing"
        ) from None


def _table_of(path: Path, document: dict[str, Any]) -> dict[str, Any] | None:
    tool = document.get("tool", {})
    table = tool.get("localgen") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise UsageError(f"{path}: {_TABLE}: not a table", hint=f"write [{_TABLE}]", code="config-value")
    return table


def _config(path: Path, table: dict[str, Any], prefix: str = "") -> Config:
    dot = f"{prefix}." if prefix else ""
    for key in table:
        if key not in _KEYS:
            _refuse(f"{path}: {dot}{key}: no such key", key, _KEYS)
    severity = _typed(path, dot, table, "severity", dict, "a table of levels by rule")
    return Config(
        path=path,
        domain=_domain(path, dot, _typed(path, dot, table, "domain", str, "a name or a folder")),
        strict=bool(_typed(path, dot, table, "strict", bool, "true or false")),
        severity={
            name: parse_level(name, level, f"{path}: {dot}severity.{name}") for name, level in (severity or {}).items()
        },
        include=_patterns(path, dot, table, "include", Config.include),
        exclude=_patterns(path, dot, table, "exclude", Config.exclude),
    )


def _domain(path: Path, dot: str, domain: str | None) -> str | None:
    if domain is None or domain in (bundled := domain_folders()):
        return domain
    folder = path.parent / Path(domain).expanduser()
    if not folder.exists():
        _refuse(f"{path}: {dot}domain: {_shown(domain)}: no such domain or folder", domain, bundled)
    return str(folder)


def _patterns(path: Path, dot: str, table: dict[str, Any], key: str, default: tuple[str, ...]) -> tuple[str, ...]:
    patterns = _typed(path, dot, table, key, list, "a list of patterns")
    if patterns is None:
        return default
    if not all(isinstance(p, str) for p in patterns):
        raise UsageError(f"{path}: {dot}{key}: not a list of texts", hint=f'write {key} = ["…"]', code="config-value")
    return tuple(patterns)


def _typed(path: Path, dot: str, table: dict[str, Any], key: str, kind: type, what: str) -> Any:
    value = table.get(key)
    if value is not None and not isinstance(value, kind):
        message = f"{path}: {dot}{key}: {_shown(value)} is not {what}"
        raise UsageError(message, hint="see docs/validation.md", code="config-value")
    return value


def _shown(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


def _refuse(message: str, name: str, known: Iterable[str]) -> NoReturn:
    names = list(known)
    lowered = {n.lower(): n for n in names}
    near = [lowered[n] for n in get_close_matches(name.lower(), lowered, 1, 0.5)]
    few = f"known are {', '.join(names)}" if len(names) <= 8 else "docs/rules has them all"
    raise UsageError(message, hint=f"did you mean {near[0]}?" if near else few, code="config-key")
