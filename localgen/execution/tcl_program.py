"""Which Tcl runs scripts: a tclsh on PATH, or the one that Python's tkinter brings."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from functools import cache
from pathlib import Path

from localgen_retrieval.errors import ToolError

_NAMES = ("tclsh", "tclsh8.6", "tclsh9.0")
# A process of its own, as tclsh would be: nothing of this program is imported there.
_BY_TKINTER = "import sys, tkinter; tkinter.Tcl().call('source', sys.argv[1])"


@cache
def tcl_command(script: Path) -> tuple[str, ...]:
    """The command line that runs a Tcl file.

    Raises:
        ToolError: there is neither tclsh nor tkinter.
    """
    for name in _NAMES:
        found = shutil.which(name)
        if found is not None:
            return found, str(script)
    if importlib.util.find_spec("_tkinter") is not None:
        return sys.executable, "-I", "-c", _BY_TKINTER, str(script)
    raise ToolError(
        "there is no Tcl: neither tclsh on PATH nor Python's tkinter",
        hint="install Tcl 8.6 (apt install tcl, or apt install python3-tk)",
        code="tcl-missing",
    )
