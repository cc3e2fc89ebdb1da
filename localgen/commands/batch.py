"""The batch form of `generate`: many tasks in, one answer line each, in the same order (docs/catalog.md).

A bad line gets an error line and stops nothing. The results are written line by line beside the target and put in its
place at the end; after an interruption the finished lines stay there, under the name that is printed.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from localgen.commands.console import Bar, clear_status, on_terminal, print_text, remark
from localgen.inputs import check_instruction
from localgen.options import Options
from localgen.outcome import Outcome
from localgen.outputs import AtomicFile
from localgen_retrieval.errors import ExitCode, LocalgenError, UsageError


class Generate(Protocol):
    """Answers one instruction (`Generator.generate`)."""

    def __call__(
        self, instruction: str, options: Options, context: dict[str, Any] | None, answers: Sequence[str]
    ) -> Outcome: ...


@dataclass(frozen=True)
class Batch:
    """An open batch file.

    Attributes:
        lines: the lines that are not blank, each with its number, as bytes.
        total: how many there are; 0 where that is not known before the end (a pipe).
    """

    lines: Iterable[tuple[int, bytes]]
    total: int


@contextlib.contextmanager
def open_batch(source: str) -> Iterator[Batch]:
    """Open a batch file (`-` is standard input).

    Raises:
        UsageError: it is missing or unreadable.
    """
    if source == "-":
        yield Batch(_numbered(sys.stdin.buffer), 0)
        return
    path = Path(source)
    try:
        file = path.open("rb")
        total = sum(1 for line in file if line.strip()) if path.is_file() and on_terminal() else 0
        if total:
            file.seek(0)
    except OSError as err:
        raise UsageError(
            f"{source}: cannot be read: {err.strerror}",
            hint='--batch takes a file with a line {"id": …, "instruction": …} per task',
            code="batch-missing",
        ) from None
    with file:
        yield Batch(_numbered(file), total)


def _numbered(file: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    return ((number, line) for number, line in enumerate(file, 1) if line.strip())


def run_batch(tasks: Batch, out: str, generate: Generate, options: Options, context: dict[str, Any], bar: Bar) -> int:
    """Answer every line of the batch and keep the bar moving; 0 once every line has its answer."""
    bar.show()
    counts: dict[str, int] = {}
    lines = answers(tasks.lines, generate, options, context)
    if out == "-":
        for answer in lines:
            clear_status()
            _count(counts, answer, bar, print_text)
    else:
        file = AtomicFile(Path(out), keep=True)
        try:
            with file:
                for answer in lines:
                    _count(counts, answer, bar, file.write)
        except KeyboardInterrupt:
            clear_status()
            done = f"; the {bar.done} finished answers are in {file.partial_path}" if file.partial_path.exists() else ""
            print(f"generate: interrupted, {out} was not written{done}", file=sys.stderr)
            return int(ExitCode.INTERRUPTED)
    remark(", ".join(f"{n} {kind}{'s' * (n != 1)}" for kind, n in sorted(counts.items(), reverse=True)) or "no tasks")
    return int(ExitCode.OK)


def _count(counts: dict[str, int], answer: dict[str, Any], bar: Bar, write: Callable[[str], None]) -> None:
    write(json.dumps(answer, ensure_ascii=False) + "\n")
    counts[answer["type"]] = counts.get(answer["type"], 0) + 1
    bar.step()


def answers(
    lines: Iterable[tuple[int, bytes]], generate: Generate, options: Options, context: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """The output line for each input line, in order.

    Raises:
        LocalgenError: the first task already fails for a reason that is not its own (catalog, model).
    """
    alive = False
    asked: dict[Any, tuple[str, list[str], dict[str, Any]]] = {}
    for number, line in lines:
        id: Any = None
        try:
            task = _parse(line, number)
            id = task.get("id")
            answers = _answers(task, number)
            key = json.dumps(id)
            if answers and "instruction" not in task:  # goes on with the task of this id that was asked about
                if key not in asked:
                    raise _bad(number, "an answer, but no question was asked about a task of this id")
                instruction, before, situation = asked.pop(key)
                answers = [*before, *answers]
            else:
                instruction = check_instruction(_instruction(task, number), f"line {number}")
                situation = {**context, **_context(task, number)}
            outcome = generate(instruction, options, situation, answers)
            asked.pop(key, None)
            if outcome.script is None:
                asked[key] = instruction, answers, situation
            yield outcome.to_batch_line(id)
            alive = True
        except LocalgenError as err:
            if not alive and err.exit_code in (ExitCode.CATALOG, ExitCode.MODEL):
                raise
            yield error_line(id, str(err))
        except Exception as err:
            # A bug that one task meets must not cost the answers of the others.
            yield error_line(id, f"internal error: {type(err).__name__}: {err}")


def error_line(id: Any, message: str) -> dict[str, Any]:
    """The output line for a task that could not be answered."""
    return {"id": id, "type": "error", "message": message}


def _parse(line: bytes, number: int) -> dict[str, Any]:
    try:
        task = json.loads(line.decode("utf-8-sig"))
    except json.JSONDecodeError as err:
        raise _bad(number, f"not JSON: {err.msg} at column {err.colno}") from None
    except (UnicodeDecodeError, RecursionError):
        raise _bad(number, "not JSON text") from None
    if not isinstance(task, dict):
        raise _bad(number, "not a JSON object")
    return task


def _instruction(task: dict[str, Any], number: int) -> str:
    instruction = task.get("instruction")
    if not isinstance(instruction, str):
        raise _bad(number, "no instruction" if instruction is None else "the instruction is not a string")
    return instruction


def _answers(task: dict[str, Any], number: int) -> list[str]:
    given = task.get("answer")
    answers = [] if given is None else [given] if isinstance(given, str) else given
    if not isinstance(answers, list) or not all(isinstance(a, str) for a in answers):
        raise _bad(number, "the answer is neither a string nor a list of strings")
    return answers


def _context(task: dict[str, Any], number: int) -> dict[str, Any]:
    context = task.get("context")
    if context is None:
        return {}
    if not isinstance(context, dict):
        raise _bad(number, "the context is not an object")
    return context


def _bad(number: int, reason: str) -> UsageError:
    return UsageError(f"line {number}: {reason}", code="batch-line")
