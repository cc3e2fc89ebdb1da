"""Chunks made by this process or by several, in their order.

Of processes only a few chunks ahead are asked for, so that memory does not grow. A worker whose master was killed ends
by itself.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection, get_context, parent_process
from typing import Any

from localgen_retrieval.errors import UsageError

from .paraphrase_model import open_paraphraser
from .progress import chunk_bytes
from .rows import RowMaker
from .settings import DataSettings, Material, read_material

MadeChunk = tuple[bytes, dict[str, Any]]
_AHEAD = 2
_maker: RowMaker | None = None


def chunks_from(
    settings: DataSettings, material: Material, done: range, jobs: int
) -> Iterator[tuple[int, MadeChunk | None]]:
    """(number, rows and statistics) of one chunk after the other; None for those of `done`, which begin at 0.

    Raises:
        UsageError: a process was ended from outside.
        ModelError, ToolError: of the model that words tasks anew.
    """
    for number in done:
        yield number, None
    if jobs <= 1:
        maker = RowMaker(settings, material, open_paraphraser(settings.paraphrase))
        number = len(done)
        while True:
            yield number, _made(maker, number)
            number += 1
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), _start, (settings,))
    waiting: deque[tuple[int, Future[MadeChunk]]] = deque()
    number = len(done)
    try:
        while True:
            while len(waiting) < jobs * _AHEAD:
                waiting.append((number, pool.submit(_work, number)))
                number += 1
            first, future = waiting.popleft()
            yield first, future.result()
    except BrokenProcessPool:
        hint = "is there enough memory? run it again with fewer --jobs: what is done is kept"
        raise UsageError("a process that makes examples was ended", hint=hint, code="process-ended") from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _made(maker: RowMaker, number: int) -> MadeChunk:
    chunk = maker.chunk(number)
    stats = {
        "tried": chunk.tried, "passed": len(chunk.rows), "reasons": dict(sorted(chunk.reasons.items())),
        "counts": dict(sorted(chunk.counts.items())),
    }  # fmt: skip
    return chunk_bytes(chunk), stats


def _start(settings: DataSettings) -> None:
    """Prepare a worker: it reads the material itself, and ends when its master does."""
    global _maker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_master, daemon=True).start()
    _maker = RowMaker(settings, read_material(settings), open_paraphraser(settings.paraphrase))


def _end_with_master() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _work(number: int) -> MadeChunk:
    assert _maker is not None
    return _made(_maker, number)
