"""One program in a process group of its own, under limits; whatever it does, this returns.

The limits are the operating system's (`setrlimit`) where it has them, and a clock here. The program gets its input on
standard input; output beyond the limit is not kept and ends it.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

Stopped = Literal["time", "output", "memory"]

_CHUNK = 65536
_running: set[subprocess.Popen[bytes]] = set()
_TOOK_TOO_MUCH = (b"unable to alloc", b"unable to realloc", b"out of memory")


@dataclass(frozen=True)
class Limits:
    """What a program may take.

    Attributes:
        seconds: wall-clock time.
        memory: bytes of address space, 0 for any.
        output: bytes of standard output, and of standard error.
        files: whether it may write files.
    """

    seconds: float
    memory: int = 0
    output: int = 1 << 20
    files: bool = False


@dataclass(frozen=True)
class Finished:
    """How a program ended: its status (negative for a signal), and the limit that stopped it, or None."""

    status: int
    stdout: bytes
    stderr: bytes
    stopped: Stopped | None


def run_limited(
    command: Sequence[str],
    data: bytes,
    limits: Limits,
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Finished:
    """Run a program to its end or to a limit; nothing that it started in its group is left running.

    Raises:
        OSError: the program cannot be started.
    """
    process: subprocess.Popen[bytes] | None = None
    try:
        # An interrupt between the start and here would leave a program that nobody knows of.
        with _interrupts_later() as mask:
            process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=cwd,
                env=None if environment is None else dict(environment),
                start_new_session=True,
                preexec_fn=_limiter(limits, mask) if os.name == "posix" else None,
            )
            _running.add(process)
        kept, stopped = _exchange(process, data, limits)
    finally:
        if process is not None:
            _end(process)
            _running.discard(process)
    out, err = kept
    if stopped is None and process.returncode < 0 and any(words in err for words in _TOOK_TOO_MUCH):
        stopped = "memory"
    if stopped is None and process.returncode == -getattr(signal, "SIGXCPU", 0):
        stopped = "time"
    return Finished(process.returncode, out, err, stopped)


def end_all() -> None:
    """Kill all that is running, for a process that is about to end itself."""
    for process in list(_running):
        _kill(process)


def _exchange(
    process: subprocess.Popen[bytes], data: bytes, limits: Limits
) -> tuple[tuple[bytes, bytes], Stopped | None]:
    """Write the input and read both outputs, until they close or a limit is met."""
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    kept: dict[IO[bytes], bytearray] = {process.stdout: bytearray(), process.stderr: bytearray()}
    end, at = time.monotonic() + limits.seconds, 0
    stopped: Stopped | None = None
    with selectors.DefaultSelector() as selector:
        for stream in kept:
            selector.register(stream, selectors.EVENT_READ)
        os.set_blocking(process.stdin.fileno(), False)
        selector.register(process.stdin, selectors.EVENT_WRITE)
        while selector.get_map() and stopped is None:
            left = end - time.monotonic()
            if left <= 0:
                stopped = "time"
                break
            for key, _ in selector.select(left):
                stream = key.fileobj  # type: ignore[assignment]
                if stream is process.stdin:
                    at = _write(stream, data, at)
                    if at >= len(data):
                        selector.unregister(stream)
                        with contextlib.suppress(OSError):
                            stream.close()
                    continue
                chunk = os.read(stream.fileno(), _CHUNK)
                if not chunk:
                    selector.unregister(stream)
                    continue
                kept[stream] += chunk[: limits.output - len(kept[stream])]
                if len(kept[stream]) >= limits.output:
                    stopped = "output"
        if stopped is None:
            try:
                process.wait(max(end - time.monotonic(), 0.01))
            except subprocess.TimeoutExpired:
                stopped = "time"
    return (bytes(kept[process.stdout]), bytes(kept[process.stderr])), stopped


def _write(stream: IO[bytes], data: bytes, at: int) -> int:
    """How far the input is written; a reader that has gone needs no more of it."""
    try:
        return at + os.write(stream.fileno(), data[at : at + _CHUNK])
    except BlockingIOError:
        return at
    except BrokenPipeError:
        return len(data)


def _end(process: subprocess.Popen[bytes]) -> None:
    _kill(process)
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the whole group: a program may have left children behind."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


@contextlib.contextmanager
def _interrupts_later() -> Iterator[set[int]]:
    """Hold SIGINT back; yields the signals that were held back before."""
    if os.name != "posix":
        yield set()
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield {int(s) for s in before}
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _limiter(limits: Limits, mask: set[int]) -> Callable[[], None]:
    """What the child does before the program starts; `mask` are the signals that it holds back."""
    import resource

    wanted = {resource.RLIMIT_CORE: 0}
    if limits.memory:
        wanted[resource.RLIMIT_AS] = limits.memory
    if not limits.files:
        wanted[resource.RLIMIT_FSIZE] = 0
        wanted[resource.RLIMIT_CPU] = int(limits.seconds) + 1

    def limit() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for what, most in wanted.items():
            with contextlib.suppress(ValueError, OSError):  # some systems know no such limit
                resource.setrlimit(what, (most, most))

    return limit
