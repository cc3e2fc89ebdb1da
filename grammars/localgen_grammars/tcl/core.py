"""Tcl's own commands (8.6): how many arguments each takes, and the subcommands of ensembles."""

from __future__ import annotations


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# name -> (at least, at most) words after the name; None: any number. What newer Tcls and Jim Tcl accept counts too.
ARITY: dict[str, tuple[int, int | None]] = {
    "after": (1, None), "append": (1, None), "apply": (1, None), "array": (1, None), "auto_execok": (1, 1),
    "auto_import": (1, 1), "auto_load": (1, 2), "auto_load_index": (0, 0), "auto_qualify": (2, 2), "binary": (1, None),
    "break": (0, 0), "catch": (1, 3), "cd": (0, 1), "chan": (1, None), "clock": (1, None), "close": (1, 2),
    "concat": (0, None), "continue": (0, 0), "coroutine": (2, None), "dict": (1, None), "encoding": (1, None),
    "eof": (1, 1), "error": (1, 3), "eval": (1, None), "exec": (1, None), "exit": (0, 1), "expr": (1, None),
    "fblocked": (1, 1), "fconfigure": (1, None), "fcopy": (2, None), "file": (1, None), "fileevent": (2, 3),
    "flush": (1, 1), "for": (4, 4), "foreach": (3, None), "format": (1, None), "gets": (1, 2), "glob": (0, None),
    "global": (0, None), "history": (0, None), "if": (2, None), "incr": (1, 2), "info": (1, None), "interp": (1, None),
    "join": (1, 2), "lappend": (1, None), "lassign": (1, None), "lindex": (1, None), "linsert": (2, None),
    "list": (0, None), "llength": (1, 1), "lmap": (3, None), "load": (1, None), "lrange": (3, 3), "lrepeat": (1, None),
    "lreplace": (3, None), "lreverse": (1, 1), "lsearch": (2, None), "lset": (2, None), "lsort": (1, None),
    "namespace": (1, None), "open": (1, 3), "package": (1, None), "parray": (1, None), "pid": (0, 1), "proc": (3, 3),
    "puts": (1, 3), "pwd": (0, 0), "read": (1, 2), "regexp": (2, None), "regsub": (3, None), "rename": (2, 2),
    "return": (0, None), "scan": (2, None), "seek": (2, 3), "set": (1, 2), "socket": (1, None), "source": (1, 3),
    "split": (1, 2), "string": (1, None), "subst": (1, None), "switch": (2, None), "tailcall": (0, None),
    "tclLog": (1, 1), "tell": (1, 1), "throw": (2, 2), "time": (1, 2), "timerate": (1, None), "trace": (1, None),
    "try": (1, None), "unknown": (0, None), "unload": (1, None), "unset": (0, None), "update": (0, 1),
    "uplevel": (1, None), "upvar": (2, None), "variable": (0, None), "vwait": (0, None), "while": (2, 2),
    "yield": (0, 1), "yieldto": (1, None), "zlib": (1, None),
}  # fmt: skip

# Subcommands that came after 8.6 are here too: a team's tool may have a newer Tcl.
ENSEMBLES: dict[str, tuple[str, ...]] = {
    "array": _names(
        "anymore default donesearch exists for get names nextelement set size startsearch statistics unset"
    ),
    "binary": _names("decode encode format scan"),
    "chan": _names(
        "blocked close configure copy create eof event flush gets names pending pipe pop postevent push puts read "
        "seek tell truncate"
    ),
    "clock": _names("add clicks format microseconds milliseconds scan seconds"),
    "dict": _names(
        "append create exists filter for get getdef getwithdefault incr info keys lappend map merge remove replace "
        "set size unset update values with"
    ),
    "encoding": _names("convertfrom convertto dirs names system"),
    "file": _names(
        "atime attributes channels copy delete dirname executable exists extension home isdirectory isfile join link "
        "lstat mkdir mtime nativename normalize owned pathtype readable readlink rename rootname separator size split "
        "stat system tail tempdir tempfile tildeexpand type volumes writable"
    ),
    "info": _names(
        "args body class cmdcount commands complete coroutine default errorstack exists frame functions globals "
        "hostname level library loaded locals nameofexecutable object patchlevel procs script sharedlibextension "
        "tclversion vars"
    ),
    "interp": _names(
        "alias aliases bgerror cancel children create debug delete eval exists expose hidden hide invokehidden issafe "
        "limit marktrusted recursionlimit share slaves target transfer"
    ),
    "namespace": _names(
        "children code current delete ensemble eval exists export forget import inscope origin parent path qualifiers "
        "tail unknown upvar which"
    ),
    "package": _names("forget ifneeded names prefer present provide require unknown vcompare versions vsatisfies"),
    "string": _names(
        "bytelength cat compare equal first index insert is last length map match range repeat replace reverse "
        "tolower totitle toupper trim trimleft trimright wordend wordstart"
    ),
    "trace": _names("add info remove variable vdelete vinfo"),
    "zlib": _names("adler32 compress crc32 decompress deflate gunzip gzip inflate push stream"),
}

# Variables that a Tcl program finds set.
PRESET_VARIABLES = frozenset(
    _names(
        "argc argv argv0 auto_index auto_path env errorCode errorInfo tcl_interactive tcl_library tcl_nonwordchars "
        "tcl_patchLevel tcl_pkgPath tcl_platform tcl_precision tcl_rcFileName tcl_traceCompile tcl_traceExec "
        "tcl_version tcl_wordchars"
    )
)

_OTHER = frozenset(
    ("oo::class", "oo::define", "oo::objdefine", "oo::object", "oo::copy", "tcl::prefix", "tcl::pkgconfig")
)


def is_core(name: str) -> bool:
    """Whether a command name (without leading `::`) is Tcl's own."""
    if name in ARITY or name in _OTHER:
        return True
    if "::" not in name:
        return False
    return name.startswith(("tcl::mathop::", "tcl::mathfunc::")) or core_subcommand(name) is not None


def core_subcommand(name: str) -> tuple[str, str] | None:
    """("file", "delete") for `tcl::file::delete`, the command behind a subcommand; else None."""
    parts = name.split("::")
    if len(parts) == 3 and parts[0] == "tcl" and parts[2] in ENSEMBLES.get(parts[1], ()):
        return parts[1], parts[2]
    return None


def full_subcommand(command: str, word: str) -> str | None:
    """The subcommand that a word means: itself or what it shortens uniquely; None where there is none."""
    names = ENSEMBLES.get(command, ())
    if word in names:
        return word
    matches = [n for n in names if n.startswith(word)] if word else []
    return matches[0] if len(matches) == 1 else None
