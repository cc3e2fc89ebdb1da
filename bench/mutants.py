"""Do the tests notice a change in the parser or the checks? Samples mutants of their code and runs the tests on each.

    python bench/mutants.py [--count 200] [--seed 1] [--timeout 180]

A mutant changes one place of one module: a comparison, `and`/`or`, `not`, an arithmetic operator, a number, a condition
that is always true or false, a string constant of one or two characters. It is killed where a test fails or runs out of
time. Annotations, docstrings and hints' texts are left alone. The checkout is not touched: the code is copied.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODULES = ("grammars/localgen_grammars/tcl", "localgen/validation/tcl", "localgen/validation/values.py")
TESTS = ("tests/grammars/test_tcl_parser.py", "tests/grammars/test_tcl_lists.py", "tests/localgen/test_validation_*.py")
_COPIED = ("localgen", "grammars", "retrieval", "bundle/localgen_bundle", "tests", "bench", "pyproject.toml", "docs")
_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change: the module (relative path), the line, and the module's new text."""

    module: str
    line: int
    what: str
    text: str


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Changed copies of one node, each with what was done."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        other = _COMPARE[type(node.ops[0])]()
        what = f"{type(node.ops[0]).__name__} -> {type(other).__name__}"
        yield what, ast.Compare(node.left, [other], node.comparators)
    elif isinstance(node, ast.BoolOp):
        other_op: ast.boolop = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield "and <-> or", ast.BoolOp(other_op, node.values)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not x -> x", node.operand
    elif isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        sign: ast.operator = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        yield "+ <-> -", ast.BinOp(node.left, sign, node.right)
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield f"{node.value} -> {node.value + 1}", ast.Constant(node.value + 1)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and 0 < len(node.value) <= 2:
        yield f"{node.value!r} -> 'XX'", ast.Constant("XX")
    elif isinstance(node, ast.If):
        for value in (True, False):
            yield f"if {value}", ast.If(ast.Constant(value), node.body, node.orelse)


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return ast.copy_location(self.new, node) if node is self.old else self.generic_visit(node)


def _code_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes of function bodies, without annotations and docstrings."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for statement in function.body:
                if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
                    yield from _inside(statement)


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not isinstance(child, (ast.FunctionDef, ast.JoinedStr)):
                yield from _inside(child)


def mutants(count: int, seed: int) -> list[Mutant]:
    """A sample of all mutants of the modules."""
    places: list[tuple[Path, int, int]] = []
    for start in MODULES:
        for path in sorted((ROOT / start).rglob("*.py")) if (ROOT / start).is_dir() else [ROOT / start]:
            nodes = list(_code_nodes(ast.parse(path.read_text("utf-8"))))
            places += [(path, i, j) for i, node in enumerate(nodes) for j, _ in enumerate(_changes(node))]
    found = []
    for path, i, j in random.Random(seed).sample(places, min(count, len(places))):
        tree = ast.parse(path.read_text("utf-8"))
        node = list(_code_nodes(tree))[i]
        what, new = list(_changes(node))[j]
        changed = ast.fix_missing_locations(_Replace(node, new).visit(tree))
        found.append(Mutant(path.relative_to(ROOT).as_posix(), getattr(node, "lineno", 0), what, ast.unparse(changed)))
    return found


def killed(mutant: Mutant, copy: Path, seconds: float) -> bool:
    """Whether a test fails on the mutant."""
    target = copy / mutant.module
    sound = target.read_text("utf-8")
    target.write_text(mutant.text, encoding="utf-8")
    try:
        return not _passes(copy, seconds)
    finally:
        target.write_text(sound, encoding="utf-8")


def _passes(copy: Path, seconds: float) -> bool:
    folders = [copy, *(copy / name for name in ("retrieval", "grammars", "bundle"))]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders)), "PYTHONDONTWRITEBYTECODE": "1"}
    tests = [str(path) for pattern in TESTS for path in sorted(copy.glob(pattern))]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def main(argv: Sequence[str] | None = None) -> int:
    """Print the share of mutants that the tests kill, and those that live."""
    parser = argparse.ArgumentParser(description="Mutation testing of the validator.")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=180, help="seconds for the tests of one mutant")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        for name in _COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.gguf", "heldout"))
            else:
                shutil.copy(source, copy / name)
        if not _passes(copy, args.timeout):
            sys.exit("the tests fail without any change")
        dead = 0
        sample = mutants(args.count, args.seed)
        for number, mutant in enumerate(sample, 1):
            if killed(mutant, copy, args.timeout):
                dead += 1
            else:
                print(f"  lives: {mutant.module}:{mutant.line}: {mutant.what}", flush=True)
            if number % 10 == 0:
                print(f"{dead} of {number} killed", flush=True)
    print(f"{dead} of {len(sample)} mutants killed ({100 * dead / max(len(sample), 1):.0f} %)")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
