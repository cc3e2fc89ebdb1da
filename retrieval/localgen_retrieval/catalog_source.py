"""A catalog's text, as JSON or YAML, and the way from one of its fields back to a line of the file."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError

from localgen_retrieval.catalog import Catalog
from localgen_retrieval.catalog_checks import Finding, nearest
from localgen_retrieval.errors import CatalogError
from localgen_retrieval.positions import FieldPath, Positions, field_name, json_positions, line_column, yaml_positions

_EXPECTED = {
    "string_type": "a string",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "tuple_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}


def read_text(path: Path) -> str:
    """A text file of a domain, without byte-order mark and carriage returns; a CatalogError if it is no UTF-8 text."""
    try:
        return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as err:
        line = err.object[: err.start].count(b"\n") + 1
        raise CatalogError(f"{path}:{line}: not UTF-8 text", hint="save it as UTF-8", code="catalog-encoding") from None
    except OSError as err:
        raise CatalogError(f"{path}: cannot be read: {err.strerror}", code="catalog-missing") from None


@dataclass
class CatalogSource:
    """A catalog's text, and the way from a field to its line."""

    path: Path
    text: str
    repeats: bool = False
    positions: Positions | None = None

    @classmethod
    def read(cls, path: Path) -> CatalogSource:
        """Read the file; a CatalogError if it is not there or not UTF-8."""
        return cls(path, read_text(path))

    @property
    def is_json(self) -> bool:
        """Whether the text is JSON (by the file's name), else YAML."""
        return self.path.suffix.lower() not in (".yaml", ".yml")

    def parse(self) -> dict[str, Any]:
        """The catalog as plain data; a CatalogError with line and column where it is not even that."""
        try:
            data = self._parse_json() if self.is_json else self._parse_yaml()
        except RecursionError:
            raise CatalogError(f"{self.path}: nested too deeply", code="catalog-syntax") from None
        if not isinstance(data, dict):
            found = "nothing" if data is None else _kind(data)
            raise CatalogError(
                f"{self.path}:1: expected one object at the top level, found {found}",
                hint='a catalog begins like {"procs": [...]}',
                code="catalog-type",
            )
        return data

    def _parse_json(self) -> Any:
        repeats: list[bool] = []

        def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
            out = dict(items)
            if len(out) < len(items):
                repeats.append(True)
            return out

        def constant(text: str) -> NoReturn:
            raise ValueError(f"{text} is not JSON")

        try:
            data = json.loads(self.text, object_pairs_hook=pairs, parse_constant=constant)
        except json.JSONDecodeError as err:
            where = f"{self.path}:{err.lineno}:{err.colno}"
            hint = "the file is empty" if not self.text.strip() else "check commas, quotes and brackets just before it"
            raise CatalogError(f"{where}: not valid JSON: {err.msg}", hint=hint, code="catalog-syntax") from None
        except ValueError as err:
            raise CatalogError(f"{self.path}: not valid JSON: {err}", code="catalog-syntax") from None
        self.repeats = bool(repeats)
        return data

    def _parse_yaml(self) -> Any:
        import yaml

        try:
            loader = _yaml_loader()(self.text)
            data = loader.get_single_data()
            self.repeats = loader.repeats
            return data
        except yaml.MarkedYAMLError as err:
            mark = err.problem_mark or err.context_mark
            where = f"{self.path}:{mark.line + 1}:{mark.column + 1}" if mark else str(self.path)
            raise CatalogError(
                f"{where}: not valid YAML: {err.problem or err.context}",
                hint="check the indentation, and quote values with `: ` or ` #` in them, or one of :[]{}*&@ in front",
                code="catalog-syntax",
            ) from None
        except (yaml.YAMLError, ValueError) as err:
            raise CatalogError(f"{self.path}: not valid YAML: {err}", code="catalog-syntax") from None

    def validate(self, data: dict[str, Any]) -> Catalog:
        """The catalog model of parsed data; a CatalogError that names up to five fields of a wrong type."""
        try:
            return Catalog.model_validate(data)
        except ValidationError as err:
            problems = [self._problem(e) for e in err.errors(include_url=False)]
        except RecursionError:
            raise CatalogError(f"{self.path}: nested too deeply", code="catalog-syntax") from None
        shown = [self.place(p.path, p.message, "") for p in problems[:5]]
        if len(problems) > 5:
            shown.append(f"and {len(problems) - 5} more")
        raise CatalogError("\n".join(shown), hint=problems[0].hint, code="catalog-type")

    def _problem(self, error: Any) -> Finding:
        path: FieldPath = tuple(error["loc"])
        kind, found = error["type"], error["input"]
        if kind == "missing":
            return Finding(path, "missing", "this key is required")
        if kind == "literal_error":
            options = re.findall(r"'([^']*)'", error["ctx"]["expected"])
            hint = nearest(found, options) if isinstance(found, str) else ""
            return Finding(path, f"expected one of {', '.join(options)}, found {_show(found)}", hint)
        if kind in _EXPECTED:
            return Finding(path, f"expected {_EXPECTED[kind]}, found {_show(found)}")
        return Finding(path, f"{error['msg'].removeprefix('Value error, ')}, found {_show(found)}")

    def repeated(self) -> list[FieldPath]:
        """The fields that are given more than once (the last one counts)."""
        return self._positions().repeated if self.repeats else []

    def _positions(self) -> Positions:
        if self.positions is None:
            try:
                self.positions = json_positions(self.text) if self.is_json else yaml_positions(self.text)
            except Exception:  # the finding to be reported matters more than its line
                self.positions = Positions()
        return self.positions

    def place(self, path: FieldPath, message: str, hint: str) -> str:
        """One line for a field: `catalog.json:12: procs[0].args[1].type: …`."""
        found = self._positions()
        # One DSL may stand without its list; findings still count it as dsl[0].
        if path[:2] == ("dsl", 0) and path[:2] not in found.offsets:
            path = ("dsl", *path[2:])
        line, _ = line_column(self.text, found.locate(path))
        return f"{self.path}:{line}: {field_name(path)}: {message}" + (f" ({hint})" if hint else "")

    def fail(self, path: FieldPath, message: str, hint: str, code: str = "catalog-value") -> NoReturn:
        """Raise the CatalogError for one field."""
        raise CatalogError(self.place(path, message, ""), hint=hint, code=code)


def _yaml_loader() -> Any:
    """A SafeLoader of YAML 1.2's scalars: `on`, `no`, dates and `1:30` stay the words that the team wrote."""
    import yaml

    class Loader(yaml.SafeLoader):
        repeats = False

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode) and key.value != "<<"]
            self.repeats = self.repeats or len(set(keys)) < len(keys)
            return super().construct_mapping(node, deep)

    Loader.yaml_implicit_resolvers = {}
    for tag, pattern, first in (
        ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
        ("int", r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),
        ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
        ("null", r"^(?:~|null|Null|NULL|)$", "~nN\0"),
        ("merge", r"^<<$", "<"),
    ):
        resolver_first: list[str | None] = [c if c != "\0" else "" for c in first]
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), resolver_first)
    return Loader


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", int: "a number", float: "a number"}
    return names.get(type(value), "null")


def _show(value: Any) -> str:
    if isinstance(value, (dict, list)) or value is None:
        return _kind(value)
    text = json.dumps(value, ensure_ascii=False, default=str)
    return f"{_kind(value)} {text if len(text) <= 60 else text[:57] + '…'}"
