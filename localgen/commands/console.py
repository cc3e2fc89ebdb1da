"""What the commands share: exit statuses, messages on stderr, a status line, output that survives a closed pipe."""

from __future__ import annotations

import json
import os
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import Any, NoReturn

from localgen.encoding import encoded
from localgen_retrieval.errors import ExitCode, LocalgenError

# A bug of ours (sysexits' EX_SOFTWARE), so that no crash looks like an invalid script.
INTERNAL_ERROR = 70


class Parser(ArgumentParser):
    """An argument parser that says what to do next, and takes no shortened options."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        """Print the message and exit with the status of a usage error."""
        fail(self.prog, message, f"{self.prog} --help lists the options")
        sys.exit(int(ExitCode.USAGE))


def main_of(
    program: str, args: Namespace, body: Callable[[Namespace], int], *, as_json: Callable[[Namespace], bool]
) -> int:
    """What every command does with its arguments: answers `--version`, else runs the body."""
    if args.version:
        from localgen import __version__

        print(f"{program} {__version__}")
        return 0
    # A command is a process of its own, and pydantic's search for plugins would be a twentieth of a short one's time.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    return run(program, lambda: body(args), as_json=as_json(args))


def run(program: str, body: Callable[[], int], *, as_json: bool = False) -> int:
    """The exit status of `body`; what it raises becomes a message and the status of its kind.

    With `as_json` an error is a document on standard output too.
    """
    try:
        status = int(body())
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except LocalgenError as err:
        fail(program, err.message, err.hint)
        if as_json:
            print_json({"version": 1, "type": "error", "message": err.message, "hint": err.hint, "code": err.code})
        return int(err.exit_code)
    except KeyboardInterrupt:
        fail(program, "interrupted, nothing was written")
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # The reader has gone; without this the interpreter complains once more when it closes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.OK)
    except OSError as err:
        fail(program, f"{err.filename}: {err.strerror}" if err.filename else str(err))
        return int(ExitCode.USAGE)
    except Exception:
        import traceback

        traceback.print_exc()
        fail(program, "this is a bug in localgen", "report it with the lines above")
        return INTERNAL_ERROR


def fail(program: str, message: str, hint: str = "") -> None:
    """Print an error, and its hint on a line of its own, to stderr."""
    _end_status_line()
    _stderr(f"{program}: {message}\n" + (f"  hint: {hint}\n" if hint else ""))


def warn(program: str, message: str) -> None:
    """Print a warning to stderr."""
    _end_status_line()
    _stderr(f"{program}: warning: {message}\n")


def remark(message: str) -> None:
    """Print a line to stderr if a person is looking."""
    if on_terminal():
        _end_status_line()
        _stderr(message + "\n")


def print_text(text: str) -> None:
    """Write text to standard output as UTF-8, whatever the locale says."""
    sys.stdout.flush()
    sys.stdout.buffer.write(encoded(text))
    sys.stdout.buffer.flush()


def print_beside(text: str) -> None:
    """Write text to stderr, where standard output has something else."""
    _end_status_line()
    _stderr(text)


def print_json(document: dict[str, Any]) -> None:
    """Write one indented JSON document to standard output."""
    print_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def on_terminal() -> bool:
    """Whether stderr is a terminal."""
    return sys.stderr is not None and sys.stderr.isatty()


def status(text: str) -> None:
    """Show what is going on, on the last line of a terminal; on anything else nothing."""
    global _status_shown
    if on_terminal():
        width = _columns()
        _stderr("\r\x1b[K" + text[: width - 1])
        _status_shown = True


class Bar:
    """A progress bar on the status line.

    Args:
        total: how many steps there are, 0 if nobody knows.
        what: the name of a step, plural.
    """

    def __init__(self, total: int, what: str) -> None:
        self.total = total
        self.what = what
        self.done = 0
        self._start = time.monotonic()

    def show(self, doing: str = "") -> None:
        """Draw the bar; `doing` stands behind it."""
        spent = time.monotonic() - self._start
        if not self.total:
            status(f"{self.done} {self.what}  {clock(spent)}  {doing}")
            return
        filled = 24 * self.done // self.total
        left = f", {clock(spent / self.done * (self.total - self.done))} left" if self.done else ""
        bar = "#" * filled + "." * (24 - filled)
        status(f"[{bar}] {self.done}/{self.total} {self.what}  {clock(spent)}{left}  {doing}")

    def step(self) -> None:
        """One more is done."""
        self.done += 1
        self.show()


def clock(seconds: float) -> str:
    """Seconds as m:ss or h:mm:ss."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


_status_shown = False


def _end_status_line() -> None:
    global _status_shown
    if _status_shown:
        _stderr("\r\x1b[K")
        _status_shown = False


def clear_status() -> None:
    """Take the status line away, before something else is printed."""
    _end_status_line()


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except OSError:
        return 80


def _stderr(text: str) -> None:
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except UnicodeEncodeError:
        sys.stderr.write(text.encode("ascii", "backslashreplace").decode())
        sys.stderr.flush()
