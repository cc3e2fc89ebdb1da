"""Tcl's commands that define, rename or call commands by name in the abstract run."""

from __future__ import annotations

import re
from collections.abc import Sequence

from localgen.validation.tcl.flow.calls import Arg, Call, Context, Frame
from localgen.validation.tcl.flow.control import case_body
from localgen.validation.tcl.flow.interpreter import Builtin, Flow, Result
from localgen.validation.tcl.flow.procedures import Procedure, call_procedure
from localgen.validation.tcl.flow.state import State
from localgen.validation.tcl.flow.values import EMPTY, UNKNOWN, Unknown, Value, concatenate, known, texts
from localgen_grammars.tcl.core import full_subcommand
from localgen_grammars.tcl.lists import ListError, list_values, split_list
from localgen_grammars.tcl.parser import Tree


def proc(flow: Flow, call: Call, state: State) -> Result:
    """`proc name params body`."""
    params = call.text(1)
    if params is not None:
        try:
            lengths = [len(list_values(p)) for p in list_values(params)]
        except ListError as e:
            flow.misuse("TCL013", call.args[1].start, call.args[1].end, str(e))
            return state, EMPTY
        if not all(1 <= n <= 2 for n in lengths):
            message = "too many fields in an argument specifier" if max(lengths) > 2 else "argument with no name"
            flow.misuse("TCL013", call.args[1].start, call.args[1].end, message)
            return state, EMPTY
    name = call.text(0)
    if name is not None:
        flow.define(name, call.value(1), call.args[2], call)
    return state, EMPTY


def apply(flow: Flow, call: Call, state: State) -> Result:
    """`apply {params body ?namespace?} arg …`."""
    arg = call.args[0]
    text, word = arg.text, arg.word
    if text is None:
        flow.watcher.computed_command(arg.start, arg.end, "code")
        return state, UNKNOWN
    here = word is not None and word.kind == "braced" and call.ctx.span is None
    try:
        if here and word is not None:
            elements = split_list(call.ctx.tree.text, word.inner_start, word.inner_end)
        else:
            elements = split_list(text)
    except ListError:
        elements = []
    if len(elements) not in (2, 3):
        flow.misuse("TCL013", arg.start, arg.end, f"can't interpret {text[:40]!r} as a lambda expression")
        return state, UNKNOWN
    body = case_body(elements[1], arg, here=here)
    procedure = Procedure("apply", texts([elements[0].value]), body, call.ctx)
    return call_procedure(flow, procedure, call.args[1:], call.ctx, state, (call.name_start, call.name_end))


def eval_(flow: Flow, call: Call, state: State) -> Result:
    """`eval arg …`."""
    return _joined(flow, call.args, call.ctx, state, call)


def uplevel(flow: Flow, call: Call, state: State) -> Result:
    """`uplevel ?level? arg …`."""
    args = list(call.args)
    level = args[0].text if len(args) > 1 else None
    frame = call.ctx.frame.caller or call.ctx.frame
    if level is not None and (level.isdigit() or level.startswith("#")):
        args = args[1:]
        if level == "#0":
            frame = Frame("::")
        elif level == "0":
            frame = call.ctx.frame
    return _joined(flow, args, call.ctx.changed(frame=frame), state, call)


def _joined(flow: Flow, args: Sequence[Arg], ctx: Context, state: State, call: Call) -> Result:
    """Run words as `eval` does: one as a script, several joined by spaces."""
    if len(args) == 1 and not args[0].many:
        return flow.body(args[0], ctx, state)
    values: list[Value] = []
    for i, arg in enumerate(args):
        if arg.many:
            values.append(UNKNOWN)
            break
        values += [(" ",), arg.value] if i else [arg.value]
    whole = concatenate(values) if values else EMPTY
    if isinstance(whole, Unknown):
        # What is certain is the command's name, if the text before the first unknown part has it.
        head = re.match(r"\s*([^\s$\[\\{\";]+)\s", whole.prefix)
        if head is not None:
            first = Arg((head[1],), call.start, call.end)
            return flow.invoke([first, Arg(UNKNOWN, call.start, call.end, many=True)], ctx, state, None, partial=True)
    return flow.body(Arg(whole, call.args[0].start, call.end), ctx, state)


def prefix(flow: Flow, arg: Arg, ctx: Context, state: State) -> None:
    """A word that Tcl keeps and calls later with more words added."""
    text = arg.text
    if text is None:
        flow.watcher.computed_command(arg.start, arg.end, "callback")
        return
    try:
        words = list_values(text)
    except ListError:
        return
    if words:
        args = [Arg(texts([w]), arg.start, arg.end) for w in words]
        flow.invoke([*args, Arg(UNKNOWN, arg.start, arg.end, many=True)], ctx, state.copy(), None, partial=True)


def callback(position: int) -> Builtin:
    """A command whose argument at `position` (from the end if negative) is kept and called later."""

    def run(flow: Flow, call: Call, state: State) -> Result:
        if -len(call.args) <= position < len(call.args):
            prefix(flow, call.args[position], call.ctx, state)
        return state, UNKNOWN

    return run


def called_words(first: int) -> Builtin:
    """A command whose words from `first` on are a call (`tailcall cmd arg …`)."""

    def run(flow: Flow, call: Call, state: State) -> Result:
        if first < len(call.args):
            flow.invoke(list(call.args[first:]), call.ctx, state, None)
        return state, UNKNOWN

    return run


def after(flow: Flow, call: Call, state: State) -> Result:
    """`after ms script …`, `after idle script …`."""
    if len(call.args) > 1 and call.text(0) not in ("cancel", "info"):
        _joined(flow, call.args[1:], call.ctx.changed(frame=Frame("::")), state.copy(), call)
    return state, UNKNOWN


def rename(flow: Flow, call: Call, state: State) -> Result:
    """`rename old new`: the new name means what the old one did."""
    old, new = call.text(0), call.text(1)
    if old is None:
        flow.watcher.computed_command(call.args[0].start, call.args[0].end, "word")
        return state, EMPTY
    _mention(flow, [call.args[0]], call, state)
    if new:
        bare = new.lstrip(":")
        flow.watcher.defined(bare, call.start, call.end)
        flow.alias(bare, ((old,),))
    return state, EMPTY


def interp(flow: Flow, call: Call, state: State) -> Result:
    """`interp alias`, `eval`, `invokehidden`, `expose`; interpreters are not told apart."""
    sub = full_subcommand("interp", call.text(0) or "")
    args = call.args[1:]
    if sub == "alias" and len(args) >= 4:
        _mention(flow, list(args[3:]), call, state)
        name = args[1].text
        if name is not None:
            flow.watcher.defined(name.lstrip(":"), call.start, call.end)
            flow.alias(name.lstrip(":"), tuple(a.value for a in args[3:]))
    elif sub == "eval" and len(args) > 1:
        _joined(flow, args[1:], call.ctx.changed(frame=Frame("?")), State(open=frozenset("*")), call)
    elif sub == "invokehidden" and len(args) > 1:
        rest = list(args[1:])
        while len(rest) > 1 and (rest[0].text or "").startswith("-"):
            rest = rest[2 if rest[0].text == "-namespace" else 1 :]
        flow.invoke(rest, call.ctx, state, None)
    elif sub in ("expose", "hide") and len(args) > 1:
        _mention(flow, [args[1]], call, state)
    return state, UNKNOWN


def _mention(flow: Flow, words: list[Arg], call: Call, state: State) -> None:
    """A command that gets another name is judged as if it were called with unknown words."""
    rest = Arg(UNKNOWN, call.start, call.end, many=True)
    flow.invoke([*words, rest], call.ctx, state.copy(), None, partial=True)


def namespace(flow: Flow, call: Call, state: State) -> Result:
    """`namespace eval`, `inscope`, `current`, `tail`, `qualifiers`, `import`, `ensemble`, `unknown`."""
    sub = full_subcommand("namespace", call.text(0) or "")
    args = call.args[1:]
    if sub in ("eval", "inscope") and len(args) >= 2:
        name = args[0].text
        if name is None:
            return flow.body(Arg(UNKNOWN, args[1].start, args[1].end), call.ctx, state)
        inner = name.strip(":") if name.startswith("::") else "::".join(filter(None, (call.ctx.namespace, name)))
        # A level of its own: what `variable` links in it is linked nowhere else.
        level = Frame("::", caller=call.ctx.frame)
        return _joined(flow, args[1:], call.ctx.changed(namespace=inner, frame=level), state, call)
    if sub == "current":
        return state, ("::" + call.ctx.namespace,)
    if sub in ("tail", "qualifiers") and len(args) == 1:
        text = args[0].text
        if text is None:
            return state, UNKNOWN
        return state, (text.rpartition("::")[2 if sub == "tail" else 0],)
    if sub == "upvar":
        for arg in args[2::2]:
            flow.write(arg.value, UNKNOWN, call.ctx, state, arg.start, arg.end)
    if sub == "import":
        for arg in args:
            name = arg.text
            if name is not None and not name.startswith("-") and "*" not in name:
                flow.alias(name.rpartition("::")[2], ((name,),))
    if sub in ("unknown", "code") and args:
        prefix(flow, args[-1], call.ctx, state)
    return state, UNKNOWN


def subst(flow: Flow, call: Call, state: State) -> Result:
    """`subst`: brackets in the text run."""
    options = {a.text for a in call.args[:-1]}
    arg = call.args[-1]
    text = arg.text
    if text is None:
        if "-nocommands" not in options and isinstance(arg.value, Unknown):
            flow.watcher.computed_command(arg.start, arg.end, "code")
        return state, UNKNOWN
    if options:
        return state, (text,) if not set(text) & set("$[\\") else UNKNOWN
    tree = Tree(text, parse=False)
    ctx = call.ctx.changed(tree=tree, span=call.ctx.span or (arg.start, arg.end))
    return state, flow.parts(tree.substitutions(0, len(text)), ctx, state)


def foreign(flow: Flow, call: Call, state: State) -> Result:
    """`source`, `load` and the like: what they define is not known."""
    state.open |= {"*"}
    return state, UNKNOWN


def trace(flow: Flow, call: Call, state: State) -> Result:
    """`trace add type name ops callback`."""
    if len(call.args) >= 4:
        prefix(flow, call.args[-1], call.ctx, state)
    return state, UNKNOWN


def lsort_callback(flow: Flow, call: Call, state: State) -> None:
    """`lsort -command callback`."""
    for option, arg in zip(call.args, call.args[1:], strict=False):
        if option.text == "-command" and known(arg.value) is not None:
            prefix(flow, arg, call.ctx, state)


NAMING: dict[str, Builtin] = {
    "after": after,
    "apply": apply,
    "coroutine": called_words(1),
    "eval": eval_,
    "fileevent": callback(2),
    "interp": interp,
    "load": foreign,
    "namespace": namespace,
    "package": callback(3),
    "proc": proc,
    "rename": rename,
    "source": foreign,
    "subst": subst,
    "tailcall": called_words(0),
    "trace": trace,
    "unknown": called_words(0),
    "uplevel": uplevel,
    "yieldto": called_words(0),
}
