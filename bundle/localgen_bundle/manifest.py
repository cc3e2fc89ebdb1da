"""The manifest of a bundle folder: which files belong to it, with sizes and sha256, and the versions it was made with.

    python -m localgen_bundle.manifest write bundle/default
    python -m localgen_bundle.manifest verify bundle/default

Whoever changes a file of a bundle writes its manifest anew; the tests verify the one that ships.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath
from typing import Any

from localgen_bundle.default import DOMAINS, default_folder
from localgen_retrieval.errors import LocalgenError, ModelError

NAME = "manifest.json"
FORMAT = 1

# What the files' meaning depends on: the reader of the GGUF files, and the engine that the grammars are written for.
_TOOLS = ("llama-cpp-python", "llguidance")


@dataclass(frozen=True)
class Entry:
    """One file: its path inside the bundle (with `/`), its size in bytes, its sha256 in hex."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a bundle consists of.

    Attributes:
        versions: by name: the domains' (`domain NAME`), and of the tools that the bundle was made and tested with.
    """

    name: str
    versions: dict[str, str]
    files: tuple[Entry, ...]


def build(folder: Path) -> Manifest:
    """The manifest that fits the folder as it is."""
    from localgen_retrieval.catalog_io import load_domain

    versions = {tool: _installed(tool) for tool in _TOOLS}
    for domain in sorted(p for p in (folder / DOMAINS).iterdir() if p.is_dir()):
        versions[f"domain {domain.name}"] = load_domain(domain).catalog.version
    return Manifest(folder.name, versions, tuple(_entry(folder, path) for path in _paths(folder)))


def write(folder: Path) -> Manifest:
    """Make the folder's manifest and save it there."""
    manifest = build(folder)
    data = {
        "format": FORMAT,
        "name": manifest.name,
        "versions": manifest.versions,
        "files": [{"path": e.path, "size": e.size, "sha256": e.sha256} for e in manifest.files],
    }
    partial = folder / (NAME + ".partial")
    partial.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", "utf-8")
    partial.replace(folder / NAME)
    return manifest


def read(folder: Path) -> Manifest:
    """The saved manifest.

    Raises:
        ModelError: it is missing or not a manifest.
    """
    path = folder / NAME
    try:
        data: dict[str, Any] = json.loads(path.read_text("utf-8"))
        if data["format"] != FORMAT:
            raise ModelError(
                f"{path}: format {data['format']}, this localgen reads {FORMAT}",
                hint="update localgen",
                code="bundle-format",
            )
        files = tuple(Entry(str(f["path"]), int(f["size"]), str(f["sha256"])) for f in data["files"])
        return Manifest(str(data["name"]), {str(k): str(v) for k, v in data["versions"].items()}, files)
    except FileNotFoundError:
        raise ModelError(f"{path}: missing", hint=_AGAIN, code="bundle-missing") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as err:
        raise ModelError(f"{path}: not a manifest: {err!r}", hint=_AGAIN, code="bundle-damaged") from None


def verify(folder: Path | None = None) -> Manifest:
    """Compare a bundle (the default one) with its manifest, file by file, in both directions.

    Raises:
        ModelError: a file is missing, altered, or not in the manifest; the message names every such file.
    """
    folder = default_folder() if folder is None else folder
    manifest = read(folder)
    there = {_relative(folder, path): path for path in _paths(folder)}
    wrong: list[str] = []
    for entry in manifest.files:
        path = there.pop(entry.path, None)
        if path is None:
            wrong.append(f"{entry.path} is missing")
        elif path.stat().st_size != entry.size:
            wrong.append(f"{entry.path} has {path.stat().st_size} bytes, not {entry.size}")
        elif _sha256(path) != entry.sha256:
            wrong.append(f"{entry.path} was altered")
    wrong += [f"{name} is not in the manifest" for name in there]
    if wrong:
        raise ModelError(f"{folder}: {'; '.join(wrong)}", hint=_AGAIN, code="bundle-damaged")
    return manifest


_AGAIN = "install localgen again, or write the manifest anew if the change is meant"


def _paths(folder: Path) -> list[Path]:
    found = (p for p in folder.rglob("*") if p.is_file() and p != folder / NAME)
    return sorted(p for p in found if not any(part.startswith((".", "__")) for part in p.relative_to(folder).parts))


def _relative(folder: Path, path: Path) -> str:
    return str(PurePosixPath(*path.relative_to(folder).parts))


def _entry(folder: Path, path: Path) -> Entry:
    return Entry(_relative(folder, path), path.stat().st_size, _sha256(path))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _installed(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        raise ModelError(
            f"{distribution} is not installed, so its version cannot be noted",
            hint="write manifests in an environment with localgen installed",
            code="bundle-tools",
        ) from None


def main(argv: Sequence[str] | None = None) -> int:
    """Write or verify the manifest of a bundle folder."""
    args = list(sys.argv[1:] if argv is None else argv)
    if len(args) not in (1, 2) or args[0] not in ("write", "verify"):
        print("usage: python -m localgen_bundle.manifest write|verify [FOLDER]", file=sys.stderr)
        return 2
    try:
        folder = Path(args[1]) if len(args) == 2 else default_folder()
        manifest = write(folder) if args[0] == "write" else verify(folder)
    except LocalgenError as err:
        print(f"manifest: {err}", file=sys.stderr)
        return int(err.exit_code)
    print(f"{folder}: {len(manifest.files)} files, {sum(e.size for e in manifest.files) / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
