"""Writes files so that a reader sees the old text or the new one, never half of it."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import tempfile
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from localgen.encoding import encoded
from localgen_retrieval.errors import UsageError


def check_target(path: Path) -> None:
    """Find out before any work whether a file can be written there; leaves nothing behind.

    Raises:
        UsageError: the folder is missing or read-only, or the target is a folder or a protected file.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise _unwritable(path, "is a folder")
    if target.exists() and not os.access(target, os.W_OK):
        raise _unwritable(path, "is read-only")
    if _is_special(target):
        return
    if not target.parent.is_dir():
        raise _unwritable(path, f"there is no folder {target.parent}")
    try:
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as err:
        raise _unwritable(path, f"the folder {target.parent} cannot be written: {err.strerror}") from None


class AtomicFile:
    """A file under way: written beside its target, put in its place at the end, keeping the target's permissions.

    A context manager: an exception inside leaves the target as it was. Devices and pipes are written directly.

    Args:
        path: the target; a symbolic link is followed.
        keep: after an exception keep what was written, under `partial_path`, if it is anything.

    Raises:
        UsageError: the file cannot be written.
    """

    def __init__(self, path: Path, *, keep: bool = False) -> None:
        self._shown = path
        self._target = Path(os.path.realpath(path))
        self._keep = keep
        self._written = 0
        self._direct = _is_special(self._target)
        self.partial_path = self._target.parent / f".localgen-{secrets.token_hex(4)}.partial"
        self._file: BinaryIO | None = None

    def __enter__(self) -> AtomicFile:
        try:
            self._file = self._target.open("wb") if self._direct else self.partial_path.open("xb")
        except OSError as err:
            raise _unwritable(self._shown, str(err.strerror)) from None
        return self

    def write(self, text: str) -> None:
        """Append text (UTF-8) and hand it to the operating system."""
        assert self._file is not None
        try:
            self._file.write(encoded(text))
            self._file.flush()
        except BrokenPipeError:
            raise
        except OSError as err:
            raise _unwritable(self._shown, str(err.strerror)) from None
        self._written += len(text)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._file is not None
        if self._direct:
            self._file.close()
            return
        if kind is None:
            try:
                self._finish(self._file)
                return
            except OSError as err:
                failed = _unwritable(self._shown, str(err.strerror))
            self._discard()
            raise failed
        if not (self._keep and self._written):
            self._discard()
        self._file.close()

    def _finish(self, file: BinaryIO) -> None:
        with contextlib.suppress(FileNotFoundError):
            before = self._target.stat()
            with contextlib.suppress(OSError):
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
            os.fchmod(file.fileno(), stat.S_IMODE(before.st_mode))
        os.fsync(file.fileno())
        file.close()
        self.partial_path.replace(self._target)

    def _discard(self) -> None:
        assert self._file is not None
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            self.partial_path.unlink()


def _is_special(target: Path) -> bool:
    return target.exists() and not target.is_file()


def _unwritable(path: Path, reason: str) -> UsageError:
    return UsageError(
        f"{path}: cannot be written: {reason}",
        hint="give a file in a writable folder, or - for standard output",
        code="output-unwritable",
    )
