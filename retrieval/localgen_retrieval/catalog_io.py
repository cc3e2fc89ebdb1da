"""Reads a domain folder: the catalog, its grammars and its examples, with errors that name file, line and field.

Grammars are read here, not compiled (`localgen_grammars` does that), and mocks are only found.
"""

from __future__ import annotations

import hashlib
import re
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from pydantic import BaseModel

from localgen_retrieval.catalog import Catalog
from localgen_retrieval.catalog_checks import Finding, check_catalog, nearest
from localgen_retrieval.catalog_source import CatalogSource, read_text
from localgen_retrieval.errors import CatalogError
from localgen_retrieval.positions import FieldPath

CATALOG_NAMES = ("catalog.json", "catalog.yaml", "catalog.yml")
_TASK_LINE = re.compile(r"#[ \t]*task:[ \t]*(.*\S)[ \t]*$", re.IGNORECASE)


@dataclass(frozen=True)
class Example:
    """A good script of the team: the instruction it answers, its text without the task line, its file in the domain."""

    task: str
    script: str
    path: str


@dataclass(frozen=True)
class Domain:
    """A domain folder, read.

    Attributes:
        grammars: Lark text by DSL name; a DSL without a grammar has no entry.
        digest: sha256 (hex) over the names and contents of all files that matter.
        warnings: what was ignored or looks wrong, one line each.
    """

    name: str
    folder: Path
    catalog: Catalog
    grammars: dict[str, str]
    grammar_paths: dict[str, Path]
    examples: tuple[Example, ...]
    mocks: Path | None
    digest: str
    warnings: tuple[str, ...]


def load_domain(folder: Path) -> Domain:
    """Read a domain folder (or the catalog file in it).

    Raises:
        CatalogError: no catalog there, or one that cannot be used; the message has path, line and field.
    """
    folder = Path(folder)
    source = CatalogSource.read(_find_catalog(folder))
    folder = source.path.parent
    data = source.parse()
    warnings = [source.place(f.path, f.message, f.hint) for f in _unknown_keys(data, Catalog, ())]
    warnings += [source.place(p, "given twice, the last one counts", "") for p in source.repeated()]
    _name_dsls(data)
    catalog = source.validate(data)
    name = catalog.name or folder.resolve().name
    for finding in check_catalog(catalog):
        if finding.error:
            source.fail(finding.path, finding.message, finding.hint)
        warnings.append(source.place(finding.path, finding.message, finding.hint))

    files: dict[str, str] = {source.path.name: source.text}
    grammars, grammar_paths = _grammars(source, catalog)
    files.update({path.relative_to(folder).as_posix(): grammars[dsl] for dsl, path in grammar_paths.items()})
    examples: list[Example] = []
    for path in _example_files(folder, catalog.host):
        text = read_text(path)
        relative = path.relative_to(folder).as_posix()
        files[relative] = text
        example = _example(text, relative)
        if example is None:
            warnings.append(f"{path}:1: ignored: the first comment line is not `# task: <instruction>`")
        else:
            examples.append(example)
    mocks = folder / "mocks.tcl"
    if mocks.is_file():
        files["mocks.tcl"] = read_text(mocks)
    return Domain(
        name=name,
        folder=folder,
        catalog=catalog,
        grammars=grammars,
        grammar_paths=grammar_paths,
        examples=tuple(examples),
        mocks=mocks if mocks.is_file() else None,
        digest=_digest(files),
        warnings=tuple(warnings),
    )


def _find_catalog(folder: Path) -> Path:
    if folder.is_file():
        return folder
    if not folder.is_dir():
        raise CatalogError(
            f"{folder}: no such domain folder", hint="give a folder with a catalog.json", code="catalog-missing"
        )
    for name in CATALOG_NAMES:
        if (folder / name).is_file():
            return folder / name
    raise CatalogError(
        f"{folder}: no catalog.json or catalog.yaml in this folder",
        hint="a domain is a folder with a catalog in it (see docs/catalog.md)",
        code="catalog-missing",
    )


def _unknown_keys(data: Any, model: type[BaseModel], path: FieldPath) -> Iterator[Finding]:
    """A warning for every key that the format does not have."""
    if not isinstance(data, dict):
        return
    fields = {f.alias or name: f for name, f in model.model_fields.items()}
    for key, value in data.items():
        if key not in fields:
            hint = nearest(str(key), list(fields))
            yield Finding((*path, str(key)), "unknown key, ignored", hint, error=False)
            continue
        inner = _model_in(fields[key].annotation)
        if inner is not None:
            items = enumerate(value) if isinstance(value, list) else [(None, value)]
            for i, item in items:
                yield from _unknown_keys(item, inner, (*path, key) if i is None else (*path, key, i))


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for a in typing.get_args(annotation) if (m := _model_in(a)) is not None), None)


def _name_dsls(data: dict[str, Any]) -> None:
    """Several DSLs without a name get `dsl`, `dsl2`, …"""
    dsls = data.get("dsl")
    if not isinstance(dsls, list):
        return
    taken = {d["name"] for d in dsls if isinstance(d, dict) and isinstance(d.get("name"), str)}
    for i, dsl in enumerate(dsls):
        if isinstance(dsl, dict) and "name" not in dsl:
            dsl["name"] = "dsl" if "dsl" not in taken else f"dsl{i + 1}"
            taken.add(dsl["name"])


def _grammars(source: CatalogSource, catalog: Catalog) -> tuple[dict[str, str], dict[str, Path]]:
    texts: dict[str, str] = {}
    paths: dict[str, Path] = {}
    for i, dsl in enumerate(catalog.dsls):
        if not dsl.grammar:
            continue
        field: FieldPath = ("dsl", i, "grammar")
        pure, windows = PurePosixPath(dsl.grammar), PureWindowsPath(dsl.grammar)
        if pure.is_absolute() or windows.is_absolute() or ".." in (*pure.parts, *windows.parts):
            source.fail(field, f"`{dsl.grammar}` is outside the domain's folder", "put the grammar beside the catalog")
        path = source.path.parent / dsl.grammar
        if not path.is_file():
            there = sorted(p.name for p in source.path.parent.glob("*.lark"))
            hint = nearest(dsl.grammar, there) or (
                f"found {', '.join(there[:5])}" if there else "no *.lark file is there"
            )
            source.fail(field, f"the grammar file {path} does not exist", hint, code="grammar-missing")
        texts[dsl.name], paths[dsl.name] = read_text(path), path
    return texts, paths


def _example_files(folder: Path, host: str) -> list[Path]:
    # A purely synthetic DSL has no .tcl scripts; whatever lies there carries the task line in front of its text.
    found = (folder / "examples").glob("*.tcl" if host == "tcl" else "*")
    return sorted(p for p in found if p.is_file() and not p.name.startswith("."))


def _example(text: str, path: str) -> Example | None:
    lines = text.split("\n")
    for i, line in enumerate(lines):
        if not line.lstrip().startswith("#"):
            if line.strip():
                return None
            continue
        m = _TASK_LINE.match(line.strip())
        if m:
            script = "\n".join(lines[:i] + lines[i + 1 :]).strip("\n")
            return Example(m.group(1), script + "\n", path) if script.strip() else None
    return None


def _digest(files: dict[str, str]) -> str:
    total = hashlib.sha256()
    for name in sorted(files):
        data = files[name].encode("utf-8", "surrogatepass")
        total.update(f"{name}\0{len(data)}\0".encode())
        total.update(data)
    return total.hexdigest()
