"""The Tcl host of the constraint: statements over the procs, variables and DSLs of one context pack.

What the rules guarantee: only the pack's procs; every required option, each option once, in any order, before the
positionals; exclusive groups and `requires`; typed and grounded values; variables read only where they are declared and
where their type fits; bodies and blocks closed and indented; no empty body and no empty script.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from localgen_retrieval.catalog import Arg, Proc, Value, Variable

from ..quoting import quote_word
from .dsl_rules import DslRules
from .grounding import Words, takes_text
from .layout import (
    BLOCKS,
    CLEAR_BOTH,
    CLEAR_EFFECT,
    CLEAR_OPTIONS,
    DEPTH,
    EFFECT,
    MAX_DEPTH,
    MAX_NESTING,
    NESTING,
    NEVER,
    OPTIONS,
    all_of,
    any_of,
    effect_and,
    settle,
)
from .patterns import alternatives
from .quantities import number_texts
from .values import MAX_ITEMS, ValueClass, class_key, literals, said_numbers, takes_result
from .variables import LoopVariable, ResultVariable, plan_variables

_NUMBER = r"/-?(0|[1-9][0-9]{0,8})(\.[0-9]{1,6})?/"
_COMPARE = "/ (==|!=|<=|>=|<|>) /"


@dataclass
class HostBlock:
    """A DSL as the host embeds it."""

    open: str
    close: str
    rules: DslRules


@dataclass
class TclHost:
    """Collects the rules of one constraint.

    Attributes:
        excluded: procs that cannot be written, and why.
        plain: only calls, catalog variables and blocks; no variables or comments, no body that is not required.
    """

    procs: tuple[Proc, ...]
    catalog_variables: tuple[Variable, ...]
    blocks: list[HostBlock]
    words: Words | None
    builtins: frozenset[str]
    instruction: str
    max_blocks: int | None = None
    plain: bool = False
    excluded: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._terminals: dict[str, str] = {}
        self._started: set[str] = set()
        self._value_rules: dict[tuple[str, bool], str] = {}
        self._classes: dict[str, ValueClass] = {}
        for p in self.procs:
            for a in p.args:
                if a.type not in ("flag", "script", "expr"):
                    self._note_class(a, a.name)
        for v in self.catalog_variables:
            self._note_class(v, v.name.rsplit("::", 1)[-1])
        reserved = frozenset(v.name.removeprefix("::") for v in self.catalog_variables)
        loop_classes = [c for c in self._classes.values() if not c.value.list_]
        self._loops: list[LoopVariable]
        self._results: list[ResultVariable]
        self._loops, self._results = plan_variables(loop_classes, self.instruction, reserved)
        self._live = self._writable_procs()
        # What stands in `[…]` must not need another command's result itself: nesting would have no end to fall back on.
        self._queries = [p for p in self._live if self._self_contained(p)]
        self._rule_of = {p.name: f"c{i}" for i, p in enumerate(self._live)}

    # ---------------------------------------------------------------- what can be written

    def _note_class(self, value: Value, name: str) -> None:
        key = self._key(value, name)
        old = self._classes.get(key)
        names = (*(old.names if old else ()), name)
        self._classes[key] = ValueClass(
            key, old.value if old else value, self._is_text(value, name), tuple(dict.fromkeys(names))
        )

    def _is_text(self, value: Value, name: str) -> bool:
        return value.type == "string" and not value.unit and not value.pattern and takes_text(name, value.kind)

    def _key(self, value: Value, name: str) -> str:
        return class_key(value, self._is_text(value, name))

    def _class_of(self, value: Value, name: str) -> ValueClass:
        return self._classes[self._key(value, name)]

    def _has_literal(self, arg: Arg) -> bool:
        if arg.type in ("flag", "script"):
            return True
        if arg.type == "expr":
            return True
        found = literals(self._class_of(arg, arg.name), self.words, positional=arg.positional)
        single_ok = (arg.min_items or 1) <= 1
        return (found.single is not None and (not arg.list_ or single_ok)) or (arg.list_ and found.element is not None)

    def _writable_procs(self) -> list[Proc]:
        """Procs whose required args can all be written, by a literal or another writable proc's result."""
        live: list[Proc] = []
        pending = list(self.procs)
        while True:
            more = [p for p in pending if self._writable(p, [q for q in live if self._self_contained(q)])]
            if not more:
                break
            live += more
            pending = [p for p in pending if p not in more]
        for p in pending:
            self.excluded.setdefault(
                p.name, "no value for " + ", ".join(a.name for a in p.args if a.required and not self._has_literal(a))
            )
        order = {p.name: i for i, p in enumerate(self.procs)}
        return sorted(live, key=lambda p: order[p.name])

    def _fits(self, v: LoopVariable, cls: ValueClass) -> bool:
        """Whether a variable's value may stand where a class is wanted; one element without spaces is a list too."""
        if v.cls.key == cls.key:
            return True
        if not cls.value.list_ or (cls.value.min_items or 1) > 1:
            return False
        single = cls.value.model_copy(update={"list_": False, "min_items": None, "max_items": None})
        bare = self.words is None or not any(" " in w for w in self.words.content)
        return bare and class_key(single, cls.text) == v.cls.key

    def _settable(self, v: Variable) -> bool:
        """Whether there is a literal for a catalog variable, and `set` to write it with."""
        if "set" not in self.builtins:
            return False
        found = literals(self._class_of(v, v.name.rsplit("::", 1)[-1]), self.words)
        return found.single is not None or (v.list_ and found.element is not None)

    def _self_contained(self, proc: Proc) -> bool:
        """Whether a call can be written with literals alone: no body, no condition."""
        required = [a for a in proc.args if a.required]
        return all(a.type not in ("script", "expr") and self._has_literal(a) for a in required)

    def _writable(self, proc: Proc, live: list[Proc]) -> bool:
        required = {a.name for a in proc.args if a.required}
        if any(len(required & set(group)) > 1 for group in proc.exclusive):
            self.excluded[proc.name] = "its required arguments exclude each other"
            return False
        return all(
            self._has_literal(a) or any(takes_result(self._class_of(a, a.name), q.returns) for q in live)
            for a in proc.args
            if a.required
        )

    # ---------------------------------------------------------------- rules

    def build(self) -> list[str]:
        """The grammar's lines; the start rule is `start`. Empty if nothing at all can be written."""
        statements = self._statements()
        if not statements:
            return []
        head = ["start: s::0x0", f's::_: "" %if bit_set({EFFECT})']
        # The indented brace is a lexeme of its own: were it `ind` and a brace, llguidance (1.9) would take the indent
        # of a statement in the body for the brace's, since both are the rule `ind` at one place.
        body = [_at_depth("ind", ""), _at_depth("cl", "}"), f'blk::_: "{{\\n" s::incr({DEPTH}){NEVER}']
        for block in self.blocks:
            body += block.rules.lines
        head[1] += "".join(f"\n  | {s}" for s in statements)
        terminals = [f"{name}: {expression}" for expression, name in self._terminals.items()]
        return [*settle([line for line in [*head, *body, *self.lines] if line]), *terminals]

    def _begun(self, rule: str) -> bool:
        """Whether a shared rule is there or being written (rules refer to each other); notes that it is from now on."""
        if rule in self._started:
            return True
        self._started.add(rule)
        return False

    def _terminal(self, expression: str) -> str:
        """The name of a terminal with this expression; equal ones share it."""
        if expression not in self._terminals:
            self._terminals[expression] = f"K{len(self._terminals)}"
        return self._terminals[expression]

    def _statements(self) -> list[str]:
        if not (self._live or self.blocks or any(self._settable(v) for v in self.catalog_variables)):
            return []
        effects = self._effects()
        out: list[str] = []
        if effects:
            self.lines.append("e::_: " + "\n  | ".join(effects))
            out.append(f'ind::_ e::_ "\\n" s::set_bit({EFFECT})')
        for i, block in enumerate(self.blocks):
            limit = [f"lt({BLOCKS}, {min(self.max_blocks, 3)})"] if self.max_blocks is not None else []
            self.lines += [f'sb{i}::_: "\\n" s::set_bit({EFFECT}){NEVER}', f"b{i}::_: {self._block(block)}"]
            out.append(f"ind::_ b{i}::_ sb{i}::incr({BLOCKS}){all_of(limit)}")
        if self.plain:
            return out
        if "set" in self.builtins:
            for r in self._results:
                queries = [q for q in self._queries if self._result_kind(q) == r.kind]
                others = [f"bit_clear({o.bit})" for o in self._results if o.name == r.name and o is not r]
                if queries:
                    calls = self._substitution(queries, f"q{r.kind}")
                    out.append(
                        f'ind::_ "set {r.name}" " " {calls} "\\n" s::{effect_and(r.bit)}{all_of(others)}'
                    )
            for v in self._loops:
                rule = self._value_rule(v.cls, positional=False, literal_only=True)
                if rule:
                    out.append(f'ind::_ "set {v.name}" {rule}::_ "\\n" s::set_bit({v.bit}) %if bit_clear({v.bit})')
                queries = [q for q in self._queries if takes_result(v.cls, q.returns)]
                if queries:
                    calls = self._substitution(queries, f"qv{v.bit}")
                    out.append(f'ind::_ "set {v.name}" " " {calls} "\\n" s::{effect_and(v.bit)}')
        if "puts" in self.builtins:
            variables: list[LoopVariable | ResultVariable] = [*self._loops, *self._results]
            printed = [f'" ${v.name}"{all_of([f"bit_set({v.bit})"])}' for v in variables]
            if self.words is not None and self.words.quoted:
                printed.append(
                    f'" " {self._terminal("/" + alternatives(quote_word(q) for q in self.words.quoted) + "/")}'
                )
            if printed:
                self.lines.append("pv::_: " + " | ".join(printed))
                bits = [f"bit_set({v.bit})" for v in variables]
                anything = self.words is not None and bool(self.words.quoted)
                known = [f"bit_set({EFFECT})"] if anything or not bits else [any_of(bits)]
                out.append(f'ind::_ "puts" pv::_ "\\n" s::_{all_of(known)}')
        comment = self._terminal(r"/# [A-Za-z0-9][A-Za-z0-9 ,.:_-]{0,40}/")
        out.append(f'ind::_ {comment} "\\n" s::_ %if bit_set({EFFECT})')
        return out

    def _effects(self) -> list[str]:
        """Statements that do something."""
        shallow = f" %if lt({DEPTH}, {MAX_DEPTH})"
        out = [f"{self._call(p)}::_{shallow if _needs_body(p) else ''}" for p in self._live]
        if "set" in self.builtins:
            for v in self.catalog_variables:
                rule = self._value_rule(self._class_of(v, v.name.rsplit("::", 1)[-1]), positional=False)
                if rule and self._settable(v):
                    out.append(f'"set {v.name}" {rule}::_')
        if self.plain:
            return out
        queries = [q for q in self._queries if q.returns is not None and q.returns.type]
        if "puts" in self.builtins and queries:
            out.append(f'"puts" " " {self._substitution(queries, "qany")}')
        if "foreach" in self.builtins:
            for rule, bit in self._foreach_rules():
                out.append(f"{rule}::_{all_of([f'lt({DEPTH}, {MAX_DEPTH})', f'bit_clear({bit})'])}")
        condition = self._condition() if "if" in self.builtins else None
        if condition:
            self.lines.append(f'ifs::_: "if {{" {condition}::_ "}} " blk::{CLEAR_EFFECT} cl::_ els::_')
            self.lines.append(f'els::_: "" | " else " blk::{CLEAR_EFFECT} cl::_')
            out.append(f"ifs::_{all_of([f'lt({DEPTH}, {MAX_DEPTH})', *self._condition_when()])}")
        return out

    def _foreach_rules(self) -> list[tuple[str, int]]:
        """(rule, bit of its variable) of each loop."""
        out: list[tuple[str, int]] = []
        for v in self._loops:
            found = literals(v.cls, self.words)
            lists = []
            if found.element is not None:
                element = self._terminal(found.element)
                lists.append(f'" {{" {element} (" " {element}){{0,{self._most_items() - 1}}} "}}"')
            sources = [
                q
                for q in self._queries
                if q.returns and q.returns.list_ and takes_result(v.cls, q.returns.model_copy(update={"list_": False}))
            ]
            if sources:
                lists.append(f'" " {self._substitution(sources, f"ql{v.bit}")}')
            if lists:
                self.lines += [
                    f'fe{v.bit}::_: "foreach {v.name}" fl{v.bit}::_ fb{v.bit}::set_bit({v.bit}) cl::_',
                    f'fb{v.bit}::_: " " blk::{CLEAR_EFFECT}{NEVER}',
                    f"fl{v.bit}::_: " + " | ".join(lists),
                                    ]
                out.append((f"fe{v.bit}", v.bit))
        return out

    def _most_items(self) -> int:
        """How many elements a list has at most: no more than the instruction has words."""
        said = len(self.words.content) + len(self.words.quantities) if self.words is not None else MAX_ITEMS
        return max(2, min(MAX_ITEMS, said))

    def _block(self, block: HostBlock) -> str:
        open_ = block.open.strip()
        bracketed = open_[-1:] in "{([<" and len(block.close.strip()) == 1
        if not bracketed:
            return f"{json.dumps(open_ + chr(10))} {block.rules.start} {json.dumps(chr(10) + block.close.strip())}"
        if block.rules.multiline:
            # One lexeme from the line end to the bracket: `\n` alone would be taken for the space between two tokens.
            close = f"close{len(self._started)}"
            self._started.add(close)
            self.lines.append(_at_depth(close, block.close.strip(), before="\n"))
            opened = open_ if block.rules.leads else open_ + chr(10) + "  "
            return f"{json.dumps(opened)} {block.rules.start} {close}::_"
        return f"{json.dumps(open_)} {block.rules.start} {json.dumps(block.close.strip())}"

    def _substitution(self, procs: Iterable[Proc], name: str) -> str:
        """A reference to a rule for `[…]` that calls one of these procs."""
        rule = f"sub{name}"
        if not self._begun(rule):
            calls = " | ".join(f'"[" {self._call(p)}::incr({NESTING}) "]"' for p in procs)
            self.lines.append(f"{rule}::_: {calls}{NEVER}")
        return f"{rule}::{CLEAR_OPTIONS}"

    def _call(self, proc: Proc) -> str:
        """The rule of a call of one proc, with its options and positionals."""
        rule = self._rule_of[proc.name]
        if f"{rule}::_" in self._value_rules.values():
            return rule
        self._value_rules[(rule, False)] = f"{rule}::_"
        self.lines.append("")  # the place of this rule, filled below; its values may refer to other calls
        place = len(self.lines) - 1
        options = [a for a in proc.options if a.type in ("flag", "script", "expr") or self._usable(a)]
        if self.plain:
            options = [a for a in options if a.required or a.type != "script"]
        options.sort(key=lambda a: not a.required)
        options = options[:OPTIONS]
        bit = {a.name: i for i, a in enumerate(options)}
        required = sum(a.required for a in options)
        ends = [f"is_ones([0:{required}])"] if required else []
        alternatives_ = []
        for a in options:
            conditions = [f"bit_clear({bit[a.name]})"]
            conditions += _where(a)
            if a.type == "script":
                # Last of the required ones, so that closing the body can end the call at any budget.
                conditions += [f"bit_set({bit[o.name]})" for o in options if o.required and o.type != "script"]
            for group in proc.exclusive:
                if a.name in group:
                    conditions += [f"bit_clear({bit[o]})" for o in group if o != a.name and o in bit]
            needs = proc.requires.get(a.name, ())
            if any(n not in bit and not any(p.name == n and p.required for p in proc.positionals) for n in needs):
                continue
            ends += [any_of([f"bit_clear({bit[a.name]})", f"bit_set({bit[n]})"]) for n in needs if n in bit]
            alternatives_.append(f"{self._option(a)} {rule}o::set_bit({bit[a.name]}){all_of(conditions)}")
        alternatives_.insert(0, f"{rule}p::_{all_of(ends)}")
        self.lines[place] = f"{rule}::_: {json.dumps(proc.name)} {rule}o::_"
        self.lines.append(f"{rule}o::_: " + "\n  | ".join(alternatives_))
        self._positionals(proc, rule)
        return rule

    def _usable(self, a: Arg) -> bool:
        """Whether there is surely a value to write after the option's name.

        An optional number is written only where the instruction says one: nothing asks for an invented one.
        """
        if a.numeric and not a.required and self.words is not None and not said_numbers(a, self.words):
            return False
        return self._has_literal(a) or (a.required and bool(self._result_procs(a)))

    def _result_procs(self, a: Arg) -> list[Proc]:
        return [q for q in self._queries if takes_result(self._class_of(a, a.name), q.returns)]

    def _option(self, a: Arg) -> str:
        name = json.dumps(f" -{a.name}")
        return name if a.type == "flag" else f"{name} {self._value(a)}"

    def _value(self, a: Arg) -> str:
        if a.type == "script":
            return f'" " blk::{CLEAR_BOTH} cl::_'
        if a.type == "expr":
            condition = None if self._condition_when() else self._condition()
            return f'" {{" {condition}::_ "}}"' if condition else f'" {{" {self._bound()} "}}"'
        rule = self._value_rule(self._class_of(a, a.name), positional=a.positional)
        return f"{rule}::_"

    def _positionals(self, proc: Proc, rule: str) -> None:
        args = list(proc.positionals)
        last = max((i for i, a in enumerate(args) if a.required), default=-1)
        must = [self._value(a) for a in args[: last + 1]]
        rest = [a for a in args[last + 1 :] if a.type in ("script", "expr") or self._usable(a)]
        self.lines.append(
            f"{rule}p::_: " + " ".join([*must, f"{rule}p0::_" if rest else ""]).strip()
            if must or rest
            else f'{rule}p::_: ""'
        )
        for i, a in enumerate(rest):
            more = f" {rule}p{i + 1}::_" if i + 1 < len(rest) else ""
            self.lines.append(f'{rule}p{i}::_: "" | {self._value(a)}{more}{all_of(_where(a))}')

    def _value_rule(self, cls: ValueClass, *, positional: bool, literal_only: bool = False) -> str | None:
        """The rule for a value of a class, with the space before it; None if nothing can be written there."""
        key = (cls.key + ("literal" if literal_only else ""), positional)
        if key in self._value_rules:
            return self._value_rules[key] or None
        rule = f"v{len(self._value_rules)}"
        self._value_rules[key] = rule
        found = literals(cls, self.words, positional=positional)
        options: list[str] = []
        low = cls.value.min_items or 1
        high = min(cls.value.max_items or MAX_ITEMS, max(low, self._most_items()))
        if found.single is not None and (not cls.value.list_ or low <= 1):
            word = self._terminal(found.single)
            options.append(self._terminal(f'" " {word}'))
        if cls.value.list_ and found.element is not None and high >= 2:
            element = self._terminal(found.element)
            options.append(f'" {{" {element} (" " {element}){{{max(low, 2) - 1},{high - 1}}} "}}"')
        if not literal_only:
            options += [f'" ${v.name}"{all_of([f"bit_set({v.bit})"])}' for v in self._loops if self._fits(v, cls)]
            options += self._result_values(cls, rule)
        if not options:
            self._value_rules[key] = ""
            return None
        self.lines.append(f"{rule}::_: " + " | ".join(options))
        return rule

    def _result_values(self, cls: ValueClass, rule: str) -> list[str]:
        from localgen_retrieval.catalog import Returns

        out = [
            f'" ${r.name}"{all_of([f"bit_set({r.bit})"])}'
            for r in self._results
            if takes_result(cls, Returns(type=r.kind))
        ]
        queries = [q for q in self._queries if takes_result(cls, q.returns)]
        if queries:
            out.append(f'" " {self._substitution(queries, rule)}{all_of([f"lt({NESTING}, {MAX_NESTING})"])}')
        calculable = cls.numeric and cls.value.type != "int" and takes_result(cls, Returns(type="int"))
        if calculable and "expr" in self.builtins:
            operands = self._numbers()
            if operands:
                number = self._bound()
                when = all_of(self._number_when())
                out.append(f'" [expr {{" {operands}::_ {self._terminal("/ [-+*] /")} {number} "}}]"{when}')
        return out

    def _result_kind(self, proc: Proc) -> str:
        r = proc.returns
        if r is None or not r.type or r.list_:
            return ""
        return {"int": "int", "float": "float", "bool": "int"}.get(r.type, "string")

    def _numbers(self) -> str | None:
        """A rule for an operand that is a number known at run time."""
        if self._begun("num"):
            return "num"
        queries = [q for q in self._queries if q.returns and q.returns.type in ("int", "float") and not q.returns.list_]
        options = [f'"${r.name}"{all_of([f"bit_set({r.bit})"])}' for r in self._results if r.kind != "string"]
        options += [
            f'"${v.name}"{all_of([f"bit_set({v.bit})"])}'
            for v in self._loops
            if v.cls.numeric and not v.cls.value.unit_suffix
        ]
        options += [
            f'"${v.name}"' for v in self.catalog_variables if v.numeric and not v.list_ and v.default is not None
        ]
        if not queries and not options:
            self._started.discard("num")
            return None
        self.lines.append("")
        place = len(self.lines) - 1
        if queries:
            options.append(
                f'{self._substitution(queries, "qnum")}{all_of([f"lt({NESTING}, {MAX_NESTING})"])}'
            )
        self.lines[place] = "num::_: " + " | ".join(options)
        return "num"

    def _number_when(self) -> list[str]:
        """When `_numbers` surely has something to write; no condition for always. A grammar cannot look ahead: what may
        lead nowhere must not be begun."""
        if any(v.numeric and not v.list_ and v.default is not None for v in self.catalog_variables):
            return []
        bits = [r.bit for r in self._results if r.kind != "string"]
        bits += [v.bit for v in self._loops if v.cls.numeric and not v.cls.value.unit_suffix]
        when = [f"bit_set({b})" for b in bits]
        if any(q.returns and q.returns.type in ("int", "float") and not q.returns.list_ for q in self._queries):
            when.append(f"lt({NESTING}, {MAX_NESTING})")
        return [any_of(when)] if when else ["false"]

    def _condition_when(self) -> list[str]:
        """When `_condition` surely has something to write."""
        tests = any(q.returns and q.returns.type == "bool" and not q.returns.list_ for q in self._queries)
        texts = self.words is not None and any(self._result_kind(q) == "string" for q in self._queries)
        enums = any(
            v.type == "enum" and not v.list_ and any(not set(x) & set('\\$[]{}"') for x in v.values)
            for v in self.catalog_variables
        )
        return [] if tests or enums or (texts and self._texts()) else self._number_when()

    def _texts(self) -> list[str]:
        """Words that something may be compared with, in double quotes."""
        return [w for w in (self.words.content if self.words else ()) if '"' not in w and not set(w) & set("\\$[]{}")]

    def _bound(self) -> str:
        """The terminal for a number that something is compared or calculated with."""
        said = number_texts(self.words.quantities, "", integer=False, low=None, high=None) if self.words else []
        return self._terminal(f"/{alternatives(said)}/" if said else _NUMBER)

    def _condition(self) -> str | None:
        """The rule for what stands in `if {…}`; None if there is nothing to ask."""
        if self._begun("cond"):
            return "cond"
        options: list[str] = []
        self.lines.append("")
        place = len(self.lines) - 1
        numbers = self._numbers()
        if numbers:
            options.append(f"{numbers}::_ {self._terminal(_COMPARE)} {self._bound()}")
        tests = [q for q in self._queries if q.returns and q.returns.type == "bool" and not q.returns.list_]
        if tests:
            sub = self._substitution(tests, "qbool")
            options += [sub, f'"!" {sub}']
        texts = [q for q in self._queries if self._result_kind(q) == "string"]
        words = self._texts()
        if texts and words:
            quoted = self._terminal('/"' + alternatives(words) + '"/')
            options.append(f'{self._substitution(texts, "qtext")} {self._terminal("/ (eq|ne) /")} {quoted}')
        for v in self.catalog_variables:
            if v.type == "enum" and v.values and not v.list_:
                plain = [x for x in v.values if not set(x) & set('\\$[]{}"')]
                if not plain:
                    continue
                quoted = self._terminal('/"' + alternatives(plain) + '"/')
                options.append(f'"${v.name}" {self._terminal("/ (eq|ne) /")} {quoted}')
        if not options:
            self.lines.pop(place)
            self._started.discard("cond")
            return None
        self.lines[place] = "cond::_: cone::_ | cone::_ " + self._terminal("/ (&&|\\|\\|) /") + " cone::_"
        self.lines.append("cone::_: " + " | ".join(options))
        return "cond"


def _at_depth(rule: str, text: str, before: str = "") -> str:
    """A rule for a text indented by the depth of the body."""
    depths = [f"is_zeros({DEPTH})", *(f"eq({DEPTH}, {d})" for d in range(1, MAX_DEPTH + 1))]
    options = [f"{json.dumps(before + '  ' * d + text)} %if {when}" for d, when in enumerate(depths)]
    return f"{rule}::_: {' | '.join(options)}"


def _where(arg: Arg) -> list[str]:
    """Where an arg may be written: bodies and conditions only outside `[…]`, or a call could nest for ever."""
    outside = [f"is_zeros({NESTING})"] if arg.type in ("script", "expr") else []
    return outside + ([f"lt({DEPTH}, {MAX_DEPTH})"] if arg.type == "script" else [])


def _needs_body(proc: Proc) -> bool:
    """Whether a call always has a body, so that it cannot stand at the greatest depth."""
    return any(a.type == "script" and a.required for a in proc.args)
