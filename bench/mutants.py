"""Do the tests notice a change in the parser or the checks? Samples mutants of their code and runs the tests on each.

    python bench/mutants.py [--count 200] [--seed 1] [--timeout 60] [--only TEXT]

A mutant changes one place of one function: a comparison, `and`/`or`, `not`, an arithmetic operator, a number, a
condition that is always true or false, a string constant of one or two characters. It is killed where a test fails or
runs out of time. Annotations, docstrings and hints' texts are left alone.

All happens in memory: the tests are collected once, each mutant lives in a process forked from there, in which the
function's code is exchanged, and only the tests that call the function are run, short ones first. Mutants known to
change nothing are listed in `bench/equivalent_mutants.toml`, each with the reason, and counted by themselves.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import select
import signal
import sys
import time
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {"localgen_grammars": ROOT / "grammars", "localgen": ROOT}
MODULES = ("grammars/localgen_grammars/tcl", "localgen/validation/tcl", "localgen/validation/values.py")
TESTS = ("tests/grammars/test_tcl_*.py", "tests/localgen/test_validation_*.py")
EQUIVALENT = Path(__file__).with_name("equivalent_mutants.toml")
_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change of one function; `code` is the function's code with it, `source` the expression that was changed."""

    path: str
    module: str
    function: str
    line: int
    first_line: int
    source: str
    what: str
    code: CodeType

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What names it in the list of equivalent ones, whatever its line."""
        return self.path, self.function, self.source, self.what


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


def _functions(tree: ast.AST, within: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    """The functions and methods of a module by their qualified names, functions inside functions left to these."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            yield within + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{within}{node.name}.")


def _code_nodes(tree: ast.AST) -> Iterator[tuple[str, ast.FunctionDef, ast.AST]]:
    """The nodes of function bodies, without annotations and docstrings, each with its function."""
    for name, function in _functions(tree):
        for statement in function.body:
            if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
                for node in _inside(statement):
                    yield name, function, node


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not isinstance(child, ast.JoinedStr):
                yield from _inside(child)


def mutants(count: int, seed: int, only: str = "") -> list[Mutant]:
    """A sample of all mutants of the modules; `only` is a part of the path that they must have."""
    places: list[tuple[Path, int, int]] = []
    for start in MODULES:
        for path in sorted((ROOT / start).rglob("*.py")) if (ROOT / start).is_dir() else [ROOT / start]:
            if only in path.as_posix():
                nodes = [node for _, _, node in _code_nodes(ast.parse(path.read_text("utf-8")))]
                places += [(path, i, j) for i, node in enumerate(nodes) for j, _ in enumerate(_changes(node))]
    return [_mutant(*place) for place in random.Random(seed).sample(places, min(count, len(places)))]


def _mutant(path: Path, i: int, j: int) -> Mutant:
    tree = ast.parse(path.read_text("utf-8"))
    name, function, node = list(_code_nodes(tree))[i]
    what, new = list(_changes(node))[j]
    source = ast.unparse(node.test if isinstance(node, ast.If) else node)
    first = min([function.lineno, *(d.lineno for d in function.decorator_list)])
    changed = ast.fix_missing_locations(_Replace(node, new).visit(tree))
    assert isinstance(changed, ast.Module)
    code = next(c for c in _codes(compile(changed, str(path), "exec")) if c.co_firstlineno == first)
    package = next(p for p, folder in PACKAGES.items() if path.is_relative_to(folder / p))
    module = ".".join(path.relative_to(PACKAGES[package]).with_suffix("").parts).removesuffix(".__init__")
    relative = path.relative_to(ROOT).as_posix()
    return Mutant(relative, module, name, getattr(node, "lineno", 0), first, source, what, code)


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def _function(mutant: Mutant) -> FunctionType:
    """The function object that a mutant changes, behind properties and caches."""
    found: Any = import_module(mutant.module)
    for part in mutant.function.split("."):
        found = vars(found)[part]
    for name in ("fget", "func", "__func__", "__wrapped__"):
        found = getattr(found, name, None) or found
    assert isinstance(found, FunctionType) and found.__code__.co_firstlineno == mutant.first_line, mutant.function
    return found


class Mutation:
    """Runs in place of pytest's own loop over the tests that it collected."""

    def __init__(self, sample: Sequence[Mutant], seconds: float) -> None:
        self.sample = sample
        self.seconds = seconds
        self.items: list[pytest.Item] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Print what lives, and the share of the killed."""
        # Each mutant meets the same examples.
        settings.register_profile("mutants", deadline=None, derandomize=True, database=None)
        settings.load_profile("mutants")
        self.items = session.items
        outcome, told = _in_child(self._baseline, 20 * self.seconds)
        if outcome != 0:
            sys.exit(f"the tests cannot be run: {told[-300:]}")
        calls, seconds, failed = json.loads(told)
        print(*(f"  left out, fails without any change: {name}" for name in failed), sep="\n")
        if len(failed) > len(self.items) // 100:
            sys.exit("too many tests fail without any change")
        equivalent = {(e["module"], e["function"], e["source"], e["change"]) for e in
                      tomllib.loads(EQUIVALENT.read_text("utf-8"))["mutant"]}  # fmt: skip
        dead = same = 0
        for number, mutant in enumerate(self.sample, 1):
            tests = calls.get(f"{ROOT / mutant.path}:{mutant.first_line}", [])
            chosen = [self.items[i] for i in sorted(tests, key=lambda i: seconds[i])]
            outcome, _ = _in_child(lambda m=mutant, c=chosen: self._with(m, c), self.seconds)  # type: ignore[misc]
            name = f"{mutant.path}:{mutant.line}: {mutant.function}: {mutant.what}: {mutant.source[:90]}"
            if outcome != 0:
                dead += 1
            elif mutant.key in equivalent:
                same += 1
                print(f"  changes nothing: {name}", flush=True)
            else:
                print(f"  lives ({len(chosen)} tests): {name}", flush=True)
            if number % 10 == 0:
                print(f"{dead} of {number} killed", flush=True)
        real = max(len(self.sample) - same, 1)
        print(f"{dead} of {real} mutants killed ({100 * dead / real:.0f} %), {same} more change nothing")
        return True

    def _baseline(self) -> str:
        """Run every test once: which functions each calls, and how long it takes."""
        called: dict[str, set[int]] = defaultdict(set)
        took: list[float] = []
        failed: list[str] = []
        roots = tuple(str(ROOT / start) for start in MODULES)
        now: set[tuple[str, int]] = set()

        def trace(frame: FrameType, event: str, arg: object) -> None:
            code = frame.f_code
            if code.co_filename.startswith(roots):
                now.add((code.co_filename, code.co_firstlineno))

        for i, item in enumerate(self.items):
            now.clear()
            begin = time.perf_counter()
            sys.setprofile(trace)
            try:
                following = self.items[i + 1] if i + 1 < len(self.items) else None
                reports = runtestprotocol(item, log=False, nextitem=following)
            finally:
                sys.setprofile(None)
            took.append(time.perf_counter() - begin)
            if any(report.failed for report in reports):
                # It fails without any change (a limit of time on a busy machine, say): it can kill nothing.
                failed.append(item.nodeid)
                continue
            for place in now:
                called["{}:{}".format(*place)].add(i)
        return json.dumps([{place: sorted(tests) for place, tests in called.items()}, took, failed])

    def _with(self, mutant: Mutant, chosen: Sequence[pytest.Item]) -> str:
        _function(mutant).__code__ = mutant.code
        assert self._passes(chosen)
        return ""

    def _passes(self, items: Sequence[pytest.Item]) -> bool:
        for item, following in zip(items, [*items[1:], None], strict=True):
            if any(report.failed for report in runtestprotocol(item, log=False, nextitem=following)):
                return False
        return True


def _in_child(work: Callable[[], str], seconds: float) -> tuple[int, str]:
    """The status of a forked process (1 where the work fails or takes too long), and what the work gives."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            os.setpgid(0, 0)
            silence = os.open(os.devnull, os.O_RDWR)
            for number in (1, 2):
                os.dup2(silence, number)
            try:
                told, status = work(), 0
            except BaseException as err:  # whatever goes wrong is a test that fails
                told = f"{type(err).__name__}: {err}"
            with os.fdopen(write, "w") as pipe:
                pipe.write(told)
        finally:
            os._exit(status)
    os.close(write)
    chunks, until = [], time.monotonic() + seconds
    while select.select([read], [], [], max(0.0, until - time.monotonic()))[0]:
        chunk = os.read(read, 1 << 16)
        if not chunk:
            break
        chunks.append(chunk)
    else:
        os.killpg(child, signal.SIGKILL)
    os.close(read)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), b"".join(chunks).decode("utf-8", "replace")


def main(argv: Sequence[str] | None = None) -> int:
    """Print the share of mutants that the tests kill, and those that live."""
    parser = argparse.ArgumentParser(description="Mutation testing of the validator.")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=60, help="seconds for the tests of one mutant")
    parser.add_argument("--only", default="", metavar="TEXT", help="only modules whose path has this")
    args = parser.parse_args(argv)
    tests = [str(path) for pattern in TESTS for path in sorted(ROOT.glob(pattern))]
    plugin = Mutation(mutants(args.count, args.seed, args.only), args.timeout)
    options = ["-q", "-p", "no:cacheprovider", "--rootdir", str(ROOT), "-s", *tests]
    return int(pytest.main(options, plugins=[plugin]))


if __name__ == "__main__":
    raise SystemExit(main())
