"""Where a field stands in a catalog's text, so that an error can name the line.

Knows JSON and YAML, not catalogs. Only used once something is wrong: a scan costs more than the parse itself.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

FieldPath = tuple[str | int, ...]

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


@dataclass
class Positions:
    """The offset of every field (of its key) and list element, and the fields given more than once."""

    offsets: dict[FieldPath, int] = field(default_factory=lambda: {(): 0})
    repeated: list[FieldPath] = field(default_factory=list)

    def add_key(self, path: FieldPath, offset: int) -> None:
        """Note a key of an object; the last of several counts."""
        if path in self.offsets:
            self.repeated.append(path)
        self.offsets[path] = offset

    def locate(self, path: FieldPath) -> int:
        """The offset of a field, or of the nearest thing around it that is there (a missing key has its object's)."""
        return next(self.offsets[path[:n]] for n in range(len(path), -1, -1) if path[:n] in self.offsets)


@dataclass
class _Open:
    """A container being scanned: its path, the next index of a list, the key that waits for its value in an object."""

    path: FieldPath
    index: int | None
    key: str | None = None


def json_positions(text: str) -> Positions:
    """The positions in valid JSON."""
    found = Positions()
    stack: list[_Open] = []

    def value_path(offset: int) -> FieldPath:
        if not stack:
            return ()
        top = stack[-1]
        if top.index is None:
            return (*top.path, top.key or "")
        here = (*top.path, top.index)
        found.offsets[here] = offset
        top.index += 1
        return here

    for m in _TOKEN.finditer(text):
        token, at = m.group(), m.start()
        if token in ("}", "]"):
            stack.pop()
        elif token == ",":
            stack[-1].key = None
        elif token in ("{", "["):
            stack.append(_Open(value_path(at), 0 if token == "[" else None))
        elif token != ":":
            if stack and stack[-1].index is None and stack[-1].key is None:
                stack[-1].key = json.loads(token)
                found.add_key((*stack[-1].path, stack[-1].key or ""), at)
            else:
                value_path(at)
    return found


def yaml_positions(text: str) -> Positions:
    """The positions in valid YAML."""
    import yaml

    found = Positions()
    todo: list[tuple[FieldPath, Any, int]] = [((), yaml.compose(text, Loader=yaml.SafeLoader), 0)]
    while todo:
        path, node, depth = todo.pop()
        if depth > 30:  # an alias that contains itself
            continue
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                here = (*path, str(key.value))
                found.add_key(here, key.start_mark.index)
                todo.append((here, value, depth + 1))
        elif isinstance(node, yaml.SequenceNode):
            for i, value in enumerate(node.value):
                found.offsets[(*path, i)] = value.start_mark.index
                todo.append(((*path, i), value, depth + 1))
    return found


def line_column(text: str, offset: int) -> tuple[int, int]:
    """Line and column of an offset, both from 1."""
    return text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1


def field_name(path: FieldPath) -> str:
    """A path as people write it: `procs[3].args[1].type`."""
    out = ""
    for part in path:
        out += f"[{part}]" if isinstance(part, int) else f".{part}" if out else part
    return out or "(top level)"
