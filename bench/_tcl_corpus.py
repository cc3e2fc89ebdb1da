"""The Tcl files that measurements run on: `code-*.jsonl.xz`, each line `{"text", "kind", "source", "path"}`.

The folder is `$LOCALGEN_CORPUS`, else `../shared/corpus` beside the checkout. It is not part of this repository.

    python bench/_tcl_corpus.py      how many files there are, by source
"""

from __future__ import annotations

import json
import lzma
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(os.environ.get("LOCALGEN_CORPUS") or Path(__file__).resolve().parents[2] / "shared" / "corpus")
ABSENT = f"no Tcl corpus in {FOLDER} (set LOCALGEN_CORPUS)"


@dataclass(frozen=True)
class TclFile:
    """One file of the corpus; `source` is the repository it comes from."""

    source: str
    path: str
    text: str


def tcl_files(source: str = "", *, folder: Path = FOLDER) -> Iterator[TclFile]:
    """The Tcl files whose source contains a text, in the order of the shards; none where there is no corpus."""
    for shard in sorted(folder.glob("code-*.jsonl.xz")):
        with lzma.open(shard, "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                if row["kind"] == "tcl" and source in row["source"]:
                    yield TclFile(row["source"], row["path"], row["text"])


def main() -> int:
    """Print the table."""
    found = Counter(file.source for file in tcl_files())
    if not found:
        print(ABSENT)
    for source, files in found.most_common():
        print(f"{source:<50}{files:>8}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
