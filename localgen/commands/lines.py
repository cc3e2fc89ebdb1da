"""`generate --lines`: a conversation over standard input, for people and for programs that keep one process.

Each line is an instruction; after a question, the next line is the answer to it and goes on with the same task (an
empty line drops the task). What one line leads to is written before the next is read.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

from localgen.commands.batch import Generate
from localgen.commands.console import clear_status, fail, print_text
from localgen.inputs import check_instruction
from localgen.options import Options
from localgen.outcome import Outcome
from localgen_retrieval.errors import ExitCode, LocalgenError

PROGRAM = "generate"


def run_lines(
    lines: Iterable[bytes], generate: Generate, options: Options, context: dict[str, Any], *, as_json: bool = False
) -> int:
    """Answer line by line; the status is that of the last task.

    With `as_json` each answer is one document on one line; else scripts end with an empty line, questions go to stderr.

    Raises:
        LocalgenError: the first task already fails for a reason that is not its own (catalog, model).
    """
    status, alive = ExitCode.OK, False
    instruction, answers = "", list[str]()
    for number, data in enumerate(lines, 1):
        text = data.decode("utf-8", "replace").strip()
        if not text:
            instruction, answers = "", []
            continue
        if instruction:
            answers.append(text)
        else:
            instruction = text
        try:
            check_instruction(text, f"line {number}")
            outcome = generate(instruction, options, context, answers)
        except LocalgenError as error:
            if not alive and error.exit_code in (ExitCode.CATALOG, ExitCode.MODEL):
                raise
            _failed(error, as_json=as_json)
            status, instruction, answers = error.exit_code, "", []
            continue
        alive = True
        _show(outcome, as_json=as_json)
        if outcome.script is None:
            status = ExitCode.CLARIFICATION
        else:
            status, instruction, answers = ExitCode.OK if outcome.valid else ExitCode.INVALID, "", []
    return int(status)


def _show(outcome: Outcome, *, as_json: bool) -> None:
    clear_status()
    if as_json:
        print_text(json.dumps(outcome.to_document(), ensure_ascii=False) + "\n")
    elif outcome.script is not None:
        print_text(outcome.script + "\n")
    else:
        print(f"{PROGRAM}: {outcome.message}", *(f"  - {s}" for s in outcome.suggestions), sep="\n", file=sys.stderr)


def _failed(error: LocalgenError, *, as_json: bool) -> None:
    fail(PROGRAM, error.message, error.hint)
    if as_json:
        document = {"version": 1, "type": "error", "message": error.message, "hint": error.hint, "code": error.code}
        print_text(json.dumps(document) + "\n")
