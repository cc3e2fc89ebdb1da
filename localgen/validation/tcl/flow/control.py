"""Tcl's conditions and ways out in the abstract run: `if`, `switch`, `catch`, `try`, `return`, `error`."""

from __future__ import annotations

import fnmatch
import re

from localgen.validation.nearest import did_you_mean
from localgen.validation.tcl.flow.calls import Arg, Call, Context
from localgen.validation.tcl.flow.interpreter import Builtin, Flow, Result
from localgen.validation.tcl.flow.loops import LOOPS, known_list, together
from localgen.validation.tcl.flow.numbers import truth
from localgen.validation.tcl.flow.state import State, merge
from localgen.validation.tcl.flow.values import EMPTY, UNKNOWN, Value, known, texts
from localgen_grammars.tcl.lists import Element, ListError, split_list
from localgen_grammars.tcl.nodes import Word


def if_(flow: Flow, call: Call, state: State) -> Result:
    """`if`: the branch that is taken, or all that may be."""
    branches = _branches(flow, call)
    if branches is None:
        return state, UNKNOWN
    done: State | None = None
    value: Value | None = None
    for test, body in branches:
        outcome = True if test is None else truth(flow.condition(test, call.ctx, state))
        if outcome is False:
            continue
        end, result = flow.body(body, call.ctx, state if outcome else state.copy())
        done = merge(done, end)
        value = result if value is None else UNKNOWN
        if outcome:
            return done, value
    return merge(done, state), EMPTY if value is None else UNKNOWN


def _branches(flow: Flow, call: Call) -> list[tuple[Arg | None, Arg]] | None:
    """Condition (None for `else`) and body of each branch; None, and a finding, where the words are not such."""
    args = call.args
    out: list[tuple[Arg | None, Arg]] = []
    wrong = hint = ""
    i, n = 0, len(args)
    while True:
        test = args[i] if i < n else None
        i += 1
        if i < n and args[i].text == "then":
            i += 1
        if test is None or i >= n:
            wrong = 'no expression after "if" argument' if test is None else "no script following a condition"
            break
        out.append((test, args[i]))
        i += 1
        if i < n and args[i].text == "elseif":
            i += 1
            continue
        explicit = i < n and args[i].text == "else"
        i += explicit
        if i < n:
            out.append((None, args[i]))
        elif explicit:
            wrong = 'no script following "else"'
        if i + 1 < n:
            wrong = 'extra words after "else" clause in "if" command'
            hint = did_you_mean(args[i].text or "", ("else", "elseif")) if not explicit else ""
        break
    if wrong:
        flow.misuse("TCL011", call.name_start, call.name_end, f"wrong # args: {wrong}", hint)
        return None
    return out


def switch(flow: Flow, call: Call, state: State) -> Result:
    """`switch`: the case that matches, or all that may."""
    args = list(call.args)
    mode, nocase, i = "-exact", False, 0
    while i < len(args) - 1:
        option = args[i].text
        if option is None or not option.startswith("-") or (len(args) - i == 2 and option != "--"):
            break
        i += 1
        if option == "--":
            break
        if option in ("-exact", "-glob", "-regexp"):
            mode = option
        elif option == "-nocase":
            nocase = True
        elif option in ("-matchvar", "-indexvar") and i < len(args):
            flow.write(args[i].value, UNKNOWN, call.ctx, state, args[i].start, args[i].end)
            i += 1
    subject = args[i].value if i < len(args) else UNKNOWN
    cases = _cases(flow, args[i + 1 :], call)
    if cases is None:
        return state, UNKNOWN
    text = known(subject)
    done: State | None = None
    for pattern, body in cases:
        last = pattern == "default" and (pattern, body) == cases[-1]
        matches = True if last else _matches(pattern, text, mode, nocase)
        if matches is False:
            continue
        end, value = flow.body(body, call.ctx, state if matches else state.copy())
        done = merge(done, end)
        if matches:
            return done, value if text is not None else UNKNOWN
    return merge(done, state), EMPTY if text is not None else UNKNOWN


def _cases(flow: Flow, args: list[Arg], call: Call) -> list[tuple[str | None, Arg]] | None:
    """Pattern and body of each case, bodies `-` replaced by the next real one."""
    pairs: list[tuple[str | None, Arg]]
    if len(args) == 1:
        found = _braced_cases(flow, args[0], call)
        if found is None:
            return None
        pairs = found
    else:
        pairs = [(p.text, b) for p, b in zip(args[::2], args[1::2], strict=False)]
        if len(args) % 2:
            flow.misuse("TCL011", call.start, call.end, "extra switch pattern with no body")
            return None
    out: list[tuple[str | None, Arg]] = []
    following: Arg | None = None
    for pattern, body in reversed(pairs):
        following = following if body.text == "-" and following is not None else body
        out.append((pattern, following))
    return out[::-1]


def _braced_cases(flow: Flow, arg: Arg, call: Call) -> list[tuple[str | None, Arg]] | None:
    text, word = arg.text, arg.word
    if text is None:
        return None
    here = word is not None and word.kind == "braced" and call.ctx.span is None
    try:
        if here and word is not None:
            elements = split_list(call.ctx.tree.text, word.inner_start, word.inner_end)
        else:
            elements = split_list(text)
    except ListError as e:
        flow.misuse("TCL013", arg.start, arg.end, str(e))
        return None
    if len(elements) % 2:
        flow.misuse("TCL011", arg.start, arg.end, "extra switch pattern with no body")
        return None
    pairs = zip(elements[::2], elements[1::2], strict=True)
    return [(p.value, case_body(b, arg, here=here)) for p, b in pairs]


def case_body(element: Element, arg: Arg, *, here: bool) -> Arg:
    """A list element as a body: in place where the list is in the file as it is."""
    if not here or element.kind != "braced":
        return Arg(texts([element.value]), arg.start, arg.end)
    word = Word(element.start, element.end, "braced", element.inner_start, element.inner_end, element.value)
    return Arg(texts([element.value]), element.start, element.end, word)


def _matches(pattern: str | None, text: str | None, mode: str, nocase: bool) -> bool | None:
    if pattern is None or text is None:
        return None
    if nocase:
        pattern, text = pattern.lower(), text.lower()
    if mode == "-exact":
        return pattern == text
    if mode == "-glob":
        return None if "\\" in pattern or "[" in pattern else fnmatch.fnmatchcase(text, pattern)
    try:
        return re.search(pattern, text) is not None if re.fullmatch(r"[\w\s^$.|*+?()-]*", pattern) else None
    except re.error:
        return None


def return_(flow: Flow, call: Call, state: State) -> Result:
    """`return ?-option value …? ?result?`."""
    args = list(call.args)
    options: dict[str, str | None] = {}
    while len(args) >= 2 and (args[0].text or "").startswith("-"):
        options[args[0].text or ""] = args[1].text
        args = args[2:]
    value = args[0].value if args else EMPTY
    if options.get("-level") == "0" and options.get("-code", "ok") in ("ok", "0"):
        return state, value
    if options.get("-code", "ok") in ("ok", "0"):
        flow.returns[-1].append((state, value))
    else:
        _fail(flow, state)
    return None, value


def error(flow: Flow, call: Call, state: State) -> Result:
    """`error`, `throw` and `exit`: nothing after them runs."""
    _fail(flow, state)
    return None, EMPTY


def _fail(flow: Flow, state: State) -> None:
    if flow.failures:
        flow.failures[-1].append(state)


def catch(flow: Flow, call: Call, state: State) -> Result:
    """`catch script ?result? ?options?`: the script may stop anywhere."""
    before = state.copy()
    after = _guarded(flow, call.args[0], call.ctx, state)
    end = merge(before, after)
    assert end is not None
    for arg in call.args[1:]:
        flow.write(arg.value, UNKNOWN, call.ctx, end, arg.start, arg.end)
    return end, UNKNOWN


def _guarded(flow: Flow, body: Arg, ctx: Context, state: State) -> State | None:
    flow.failures.append([])
    loops, flow.loops = flow.loops, [*flow.loops, ([], [])]
    after, _ = flow.body(body, ctx, state)
    caught = flow.loops[-1]
    flow.loops = loops
    return together(after, [*flow.failures.pop(), *caught[0], *caught[1]])


def try_(flow: Flow, call: Call, state: State) -> Result:
    """`try body ?on code vars body? ?trap pattern vars body? ?finally body?`."""
    args, ctx = call.args, call.ctx
    before = state.copy()
    after = _guarded(flow, args[0], ctx, state)
    failed = merge(before, after.copy() if after is not None else None)
    assert failed is not None
    end, i = after, 1
    last: Arg | None = None
    while i < len(args):
        kind = args[i].text
        if kind == "finally" and i + 2 == len(args):
            last = args[i + 1]
            break
        if kind not in ("on", "trap") or i + 3 >= len(args):
            message = "wrong # args to a handler of try"
            flow.misuse("TCL011", call.name_start, call.name_end, message)
            return state, UNKNOWN
        way = failed.copy()
        for name in known_list(flow, args[i + 2]) or ():
            flow.write((name,), UNKNOWN, ctx, way, args[i + 2].start, args[i + 2].end)
        if args[i + 3].text != "-":
            handled, _ = flow.body(args[i + 3], ctx, way)
            end = merge(end, handled)
        i += 4
    if last is not None:
        ended, _ = flow.body(last, ctx, end if end is not None else failed)
        end = ended if end is not None else None
    return end, UNKNOWN


def time_(flow: Flow, call: Call, state: State) -> Result:
    """`time script ?count?`."""
    end, _ = flow.body(call.args[0], call.ctx, state)
    return end, UNKNOWN


CONTROL: dict[str, Builtin] = {
    **LOOPS,
    "catch": catch,
    "error": error,
    "exit": error,
    "if": if_,
    "return": return_,
    "switch": switch,
    "throw": error,
    "time": time_,
    "try": try_,
}
