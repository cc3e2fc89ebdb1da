"""All checks of a Tcl script: parse once, then syntax, DSL blocks, and the abstract run with its judge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from localgen.validation.findings import Collector, Places
from localgen.validation.suppressions import DIRECTIVE
from localgen.validation.tcl.commands import Commands
from localgen.validation.tcl.dsl_blocks import BlockChecks
from localgen.validation.tcl.flow.classes import CLASSES
from localgen.validation.tcl.flow.control import CONTROL
from localgen.validation.tcl.flow.data import DATA
from localgen.validation.tcl.flow.interpreter import MAX_STEPS, Builtin, Flow
from localgen.validation.tcl.flow.naming import NAMING
from localgen.validation.tcl.flow.values import UNKNOWN, Value, texts
from localgen.validation.tcl.flow.variables import VARIABLES
from localgen.validation.tcl.judge import Judge
from localgen.validation.tcl.policy import PolicyChecks
from localgen.validation.tcl.syntax import check_commands, check_text, report_problem
from localgen.validation.tcl.unused import check_unused
from localgen_grammars.blocks import cut_blocks
from localgen_grammars.tcl.bodies import Visit, by_name, walk
from localgen_grammars.tcl.nodes import SyntaxProblem
from localgen_grammars.tcl.parser import Tree, parse
from localgen_retrieval.catalog import Catalog, Variable, word

if TYPE_CHECKING:
    from localgen_grammars.dsl import DslGrammar

BUILTINS: dict[str, Builtin] = {**CLASSES, **CONTROL, **DATA, **NAMING, **VARIABLES}


def check_tcl(text: str, catalog: Catalog, grammars: Mapping[str, DslGrammar], collector: Collector) -> int:
    """Check a script whose line ends are newlines; findings go to the collector.

    Returns:
        how many DSL blocks it has.
    """
    check_text(text, collector)
    cut = cut_blocks(" " + text[1:] if text.startswith("\ufeff") else text, catalog.dsls)
    tree = parse(cut.text)
    commands = Commands(catalog)
    problems: list[SyntaxProblem] = []
    visits = list(walk(tree, commands.code_words, problems))
    named = by_name(visits)
    for problem in (*tree.problems, *problems):
        report_problem(problem, collector)
    check_commands(visits, named, collector)

    blocks = BlockChecks(text, catalog, grammars, collector)
    blocks.cut_out(cut, visits)
    blocks.braced(named)

    commands.note(named)
    policy = PolicyChecks(catalog.policy, commands.procs, collector)
    judge = Judge(commands, policy, blocks, collector, damaged=bool(tree.problems))
    initial = {v.name: _initial(v) for v in catalog.variables}
    flow = Flow(judge, tree, BUILTINS, initial, MAX_STEPS if commands.matter(text, named) else 0)
    end = flow.run_all(visits)
    judge.finish()
    if not tree.problems:
        check_unused(cut.text, named, collector)
    policy.whole(text, end, blocks.places)
    collector.places = Places(_comments(tree, visits) if DIRECTIVE in text else [], blocks.places)
    return len(blocks.places)


def _comments(tree: Tree, visits: Iterable[Visit]) -> list[tuple[int, int]]:
    scripts = {id(s): s for s in (tree.script, *(visit.script for visit in visits))}
    return [(c.start, c.end) for s in scripts.values() for c in s.comments]


def _initial(variable: Variable) -> Value:
    """What a catalog variable holds before the script sets it."""
    default = variable.default
    if default is None or isinstance(default, (list, dict)):
        return UNKNOWN
    return texts([word(default)])
