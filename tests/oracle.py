"""Oracles for tests: what real Tcl and lark say of a script, found independently of our own parser.

Real Tcl: `info complete`, then the bytecode compiler (`tcl::unsupported::getbytecode`), which leaves a `syntax`
instruction where a command cannot be compiled; bodies that Tcl does not inline are compiled one by one. Nothing of the
script is executed.
"""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import lark
import pytest

TCLSH = shutil.which("tclsh") or shutil.which("tclsh8.6")

requires_tcl = pytest.mark.skipif(TCLSH is None, reason="no tclsh on PATH: real Tcl cannot be asked")

_SERVER = r"""
fconfigure stdin -encoding ascii
fconfigure stdout -encoding ascii -buffering line
proc compiled {script depth} {
    if {$depth > 30} return
    if {$depth == 0 && ![info complete $script]} {error "incomplete"}
    set code [tcl::unsupported::getbytecode script $script]
    foreach {at instruction} [dict get $code instructions] {
        if {[lindex $instruction 0] eq "syntax"} {
            foreach literal [dict get $code literals] {
                if {[string match {-code 1 -level 0*} $literal]} {
                    error "line [dict get $literal -errorline]: [lindex [split [dict get $literal -errorinfo] \n] 0]"
                }
            }
            error "syntax error"
        }
    }
    foreach command [dict get $code commands] {
        if {[catch {inner [dict get $command script]} bodies]} continue
        foreach body $bodies {
            # A body that is computed (`catch [list …]`) is not in the text in braces.
            if {[string first "{$body}" [dict get $command script]] >= 0} {compiled $body [expr {$depth + 1}]}
        }
    }
}
# The bodies of one command's source text, where it is also a list.
proc inner {command} {
    regsub -all {\\\n[ \t]*} $command " " command
    set n [llength $command]
    set name [string trimleft [lindex $command 0] :]
    set last [lindex $command end]
    switch -- $name {
        proc {if {$n == 4} {return [list $last]}}
        namespace {if {$n == 4 && [lindex $command 1] eq "eval"} {return [list $last]}}
        eval - uplevel {if {$n == 2} {return [list $last]}}
        catch - time {if {$n > 1 && $n < 5 - ($name eq "time")} {return [list [lindex $command 1]]}}
        foreach - lmap {if {$n > 3} {return [list $last]}}
        while {if {$n == 3} {return [list $last]}}
        for {if {$n == 5} {return [list [lindex $command 1] [lindex $command 3] $last]}}
        apply {return [list [lindex $command 1 1]]}
        if {
            set bodies {}
            for {set i 2} {$i < $n} {incr i} {
                if {[lindex $command $i] eq "then"} {incr i}
                lappend bodies [lindex $command $i]
                if {[lindex $command [incr i]] eq "elseif"} {incr i} elseif {[lindex $command $i] ne "else"} {incr i -1}
            }
            return $bodies
        }
    }
    if {[info exists ::scripts($name)]} {
        set bodies {}
        foreach {option word} [concat {} [lrange $command 1 end]] {break}
        for {set i 1} {$i < $n} {incr i} {
            if {[string range [lindex $command $i] 1 end] in $::scripts($name)} {
                lappend bodies [lindex $command [incr i]]
            }
        }
        return $bodies
    }
    return {}
}
while {[gets stdin line] >= 0} {
    lassign [split $line] verb data
    set text [encoding convertfrom utf-8 [binary decode base64 $data]]
    if {$verb eq "scripts"} {
        array unset ::scripts
        array set ::scripts $text
        puts "ok "
        continue
    }
    if {$verb eq "call"} {
        # In an interpreter of its own, which can do no harm, and not for long.
        set child [interp create -safe]
        interp limit $child time -seconds [expr {[clock seconds] + 2}]
        set failed [catch {interp eval $child $text} message]
        interp delete $child
        puts [expr {$failed ? "bad [binary encode base64 [encoding convertto utf-8 $message]]" : "ok "}]
        continue
    }
    if {[catch {compiled $text 0} message]} {
        puts "bad [binary encode base64 [encoding convertto utf-8 $message]]"
    } else {
        puts "ok "
    }
}
"""


class RealTcl:
    """One tclsh that compiles scripts; use it as a context manager.

    Args:
        script_options: for each command of a team's own, the options whose value is a script.
    """

    def __init__(self, script_options: Mapping[str, Iterable[str]] | None = None) -> None:
        assert TCLSH is not None
        self._process = subprocess.Popen(
            [TCLSH],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="ascii",
        )
        assert self._process.stdin is not None
        self._process.stdin.write(f"eval [encoding convertfrom utf-8 [binary decode base64 {_encode(_SERVER)}]]\n")
        spec = " ".join(f"{{{name}}} {{{' '.join(options)}}}" for name, options in (script_options or {}).items())
        self._ask("scripts", spec)

    def check(self, script: str) -> str | None:
        """None where Tcl compiles the script, else its complaint."""
        return self._complaint("script", script)

    def call(self, command: str) -> str | None:
        """None where one command runs by itself in a safe interpreter, else what Tcl says."""
        return self._complaint("call", command)

    def _complaint(self, verb: str, script: str) -> str | None:
        status, _, data = self._ask(verb, script).partition(" ")
        if status == "ok":
            return None
        return base64.b64decode(data).decode("utf-8", "replace") or "error"

    def _ask(self, verb: str, text: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{verb} {_encode(text)}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().rstrip("\n")

    def __enter__(self) -> RealTcl:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()


def _encode(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii")


def script_options(catalog: Any) -> dict[str, list[str]]:
    """The options of a catalog's procs whose values are scripts, as `RealTcl` takes them."""
    found = {p.name: [a.name for a in p.args if a.type == "script" and not a.positional] for p in catalog.procs}
    return {name: options for name, options in found.items() if options}


def embedded(text: str, opening: str, closing: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, inner text) of each block of one embedding, by plain text search (comments left out)."""
    pairs = {"{": "}", "(": ")", "[": "]", "<": ">"}
    opener = re.compile(r"\s*".join(re.escape(w) for w in opening.split()))
    last, close, at = opening.rstrip()[-1], closing.strip(), 0
    while (m := opener.search(text, at)) is not None:
        at = m.end()
        line = text[text.rfind("\n", 0, m.start()) + 1 : m.start()]
        if line.lstrip().startswith("#") or re.search(r"[\w:$]$", line):
            continue
        if pairs.get(last) == close:
            end = _bracket_end(text, m.end(), last, close)
            if end is None:
                continue
            yield m.start(), end, text[m.end() : end - 1]
            at = end
        else:
            found = re.compile(rf"(?m)^[ \t]*{re.escape(close)}[ \t]*$").search(text, m.end())
            if found is None:
                continue
            yield m.start(), found.end(), text[m.end() : found.start()]
            at = found.end()


def without_cut_blocks(text: str, catalog: Any) -> str:
    """The script with every block whose embedding is not braces replaced by a harmless command."""
    for dsl in catalog.dsls:
        opening, closing = dsl.embedding.open, dsl.embedding.close
        if opening.rstrip().endswith("{") and closing.strip() == "}":
            continue
        while (block := next(embedded(text, opening, closing), None)) is not None:
            text = text[: block[0]] + "list block" + text[block[1] :]
    return text


def real_tcl_complaint(text: str, catalog: Any, tcl: RealTcl) -> str | None:
    """None where real Tcl compiles the script once its cut-out blocks are gone, else its complaint."""
    return tcl.check(without_cut_blocks(text, catalog))


def lark_complaints(text: str, catalog: Any, folder: Path) -> list[str]:
    """What lark says of each embedded block, with the grammar files of a domain's folder."""
    out = []
    for dsl in catalog.dsls:
        if not dsl.grammar:
            continue
        parser = lark_parser((folder / dsl.grammar).read_text(encoding="utf-8"), folder)
        texts = (
            [text]
            if catalog.host == "none"
            else [b[2] for b in embedded(text, dsl.embedding.open, dsl.embedding.close)]
        )
        for inner in texts:
            try:
                parser.parse(inner)
            except lark.exceptions.LarkError as e:
                # A heredoc's text is the lines between its delimiters; a grammar may not know their line ends.
                heredoc = dsl.embedding.close.strip() not in ("}", ")", "]", ">")
                if not (heredoc and _accepts(parser, inner[1:].removesuffix("\n"))):
                    out.append(f"{dsl.name}: {e}")
    return out


def _accepts(parser: lark.Lark, text: str) -> bool:
    try:
        parser.parse(text)
    except lark.exceptions.LarkError:
        return False
    return True


_PARSERS: dict[tuple[str, Path], lark.Lark] = {}


def lark_parser(grammar: str, folder: Path) -> lark.Lark:
    """The grammar as LALR, else as Earley."""
    key = (grammar, folder)
    if key not in _PARSERS:
        options: dict[str, Any] = {"start": "start", "keep_all_tokens": True, "import_paths": [str(folder)]}
        try:
            _PARSERS[key] = lark.Lark(grammar, parser="lalr", **options)
        except lark.exceptions.GrammarError:
            _PARSERS[key] = lark.Lark(grammar, parser="earley", **options)
    return _PARSERS[key]


def _bracket_end(text: str, at: int, opening: str, closing: str) -> int | None:
    depth, quoted = 1, False
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 1
        elif char == '"' and opening != "{":
            quoted = not quoted
        elif not quoted:
            depth += (char == opening) - (char == closing)
            if not depth:
                return at + 1
        at += 1
    return None
