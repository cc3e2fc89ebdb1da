"""`validate --hints --fix --diff`: what is written to files, and what is printed of changes.

Files are written at the end, when every check has come through, so that an error before it has changed nothing.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from localgen.commands.console import Parser

if TYPE_CHECKING:
    from localgen.checking import Change, Checked


def add_repair_options(p: Parser) -> None:
    """Add the options to a command line."""
    group = p.add_argument_group("what is repaired")
    group.add_argument("--hints", action="store_true", help="print the fixes of each finding too")
    group.add_argument("--fix", action="store_true", help="apply the safe fixes; of standard input the text is printed")
    group.add_argument("--diff", action="store_true", help="print what --fix changes; without --fix nothing is written")


def write_changes(checked: Sequence[Checked]) -> None:
    """Write the repaired files; those without a change are not touched.

    Raises:
        UsageError: one of them cannot be written; then none is.
    """
    from localgen.outputs import AtomicFile, check_target

    changes = [c.change for c in checked if c.change is not None and c.change.after != c.change.before]
    changed = {change.path: change.after for change in changes if change.path is not None}
    for path in changed:
        check_target(path)
    for path, text in changed.items():
        with AtomicFile(path) as file:
            file.write(text)


def changes_shown(checked: Sequence[Checked], args: Namespace) -> str | None:
    """What goes to standard output in place of the findings: diffs, or the repaired standard input; None: nothing."""
    changes = [c.change for c in checked if c.change is not None]
    if args.diff:
        return "".join(change.diff for change in changes)
    piped = [change.after for change in changes if change.path is None]
    return piped[0] if piped else None


def document(change: Change | None) -> dict[str, Any]:
    """What the JSON document of a script says of its change."""
    if change is None:
        return {}
    text = {"text": change.after} if change.path is None else {}
    return {"fixed": {"applied": list(change.applied), "diff": change.diff, **text}}
