"""From the files and folders that a person names to the scripts to check, each with the settings that apply to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePath

from localgen.config import Config, ConfigFinder, matches
from localgen_retrieval.errors import UsageError

STDIN = "-"


@dataclass(frozen=True)
class Script:
    """A script to check: what reports call it, its file (None: standard input), and its configuration."""

    name: str
    path: Path | None
    config: Config


def discover(
    names: Sequence[str],
    *,
    stdin_name: str | None = None,
    config: Config | None = None,
    exclude: Sequence[str] = (),
    force_exclude: bool = False,
) -> list[Script]:
    """The scripts in the order of the names, each once; a folder's own come before those of its subfolders.

    Args:
        names: files, folders (searched for the scripts that the configuration includes), `-` for standard input.
        stdin_name: what standard input is called; its folder's configuration applies to it.
        config: counts for every script; without it each script's folder is searched upwards for one.
        exclude: patterns beside those of the configuration, relative to the working directory.
        force_exclude: leave out excluded files also where they are named, not only those found in folders.

    Raises:
        UsageError: nothing is named or found, standard input is named twice, or a configuration is bad.
    """
    if not names:
        raise UsageError("no script given", hint="validate FILE, or - for standard input", code="script-missing")
    if list(names).count(STDIN) > 1:
        raise UsageError("- is given twice", hint="standard input can be read once", code="script-missing")
    search = _Search(config, tuple(exclude))
    found: dict[str, Script] = {}
    for name in names:
        if name == STDIN:
            shown = stdin_name or "<stdin>"
            scripts = [Script(shown, None, search.config_of(Path(stdin_name).parent if stdin_name else Path()))]
            if force_exclude and stdin_name and search.excluded(Path(stdin_name)):
                scripts = []
        elif Path(name).is_dir():
            scripts = list(search.folder(name))
            if not scripts and not search.left_out:
                raise UsageError(
                    f"{name}: no script in this folder",
                    hint="scripts are *.tcl, or what `include` in the configuration says",
                    code="script-missing",
                )
        else:
            path = Path(name)
            scripts = [] if force_exclude and search.excluded(path) else [search.script(name)]
        for script in scripts:
            found.setdefault(os.path.realpath(script.path) if script.path else STDIN, script)
    return list(found.values())


class _Search:
    """Looks into folders; `left_out` counts what was excluded."""

    def __init__(self, config: Config | None, exclude: tuple[str, ...]) -> None:
        self.config_of: Callable[[Path], Config] = ConfigFinder().find if config is None else lambda folder: config
        self.exclude = exclude
        self.left_out = 0

    def script(self, name: str) -> Script:
        path = Path(name)
        return Script(name, path, self.config_of(path.parent))

    def excluded(self, path: Path) -> bool:
        """Whether a file is left out, by its configuration or by the command line."""
        config = self.config_of(path.parent)
        out = self._matches(path, Path(), self.exclude)
        return out or self._matches(path, config.folder or Path(), config.exclude)

    def _matches(self, path: Path, folder: Path, patterns: tuple[str, ...]) -> bool:
        if not patterns:
            return False
        relative = PurePath(os.path.relpath(os.path.abspath(path), os.path.abspath(folder)))
        return matches(relative, patterns)

    def folder(self, name: str) -> Iterator[Script]:
        """The scripts below a folder; hidden folders and links to folders are not entered."""
        for where, folders, files in os.walk(name, onerror=_refuse):
            folders[:] = sorted(f for f in folders if not f.startswith("."))
            here = Path(where)
            include = self.config_of(here).include
            kept = []
            for file in sorted(files):
                if any(fnmatchcase(file, pattern) for pattern in include):
                    if self.excluded(here / file):
                        self.left_out += 1
                    else:
                        kept.append(os.path.normpath(here / file))
            yield from map(self.script, kept)
            before = len(folders)
            folders[:] = [f for f in folders if not self.excluded(here / f)]
            self.left_out += before - len(folders)


def _refuse(error: OSError) -> None:
    # os.walk would pass over what it cannot read.
    raise error
