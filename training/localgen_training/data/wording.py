"""How tasks are worded: sentence forms by style, phrases for arguments, and the layout of several steps.

A pool of forms is divided among the splits by the forms' numbers (`splits`), so that validation and test ask in
sentences that training never has. `{act}` is an imperative without its end ("route one net"), `{args}` a list of
phrases, `{noun}` and `{value}` an argument's name in words and its spoken value.
"""

from __future__ import annotations

import random
import re
from typing import Literal

from localgen_retrieval.catalog import Arg, Proc, Value
from localgen_retrieval.text import name_words

from .marks import capital
from .splits import Split, pick

Style = Literal["natural", "terse", "instructional", "academic", "step"]
STYLES: tuple[Style, ...] = ("natural", "terse", "instructional", "academic")
STYLE_SHARES = (55, 15, 17, 13)

CALLS: dict[str, tuple[str, ...]] = {
    "step": (
        "{act} with {args}", "{act}, {args}", "{act} using {args}", "{act} over {args}", "{act} - {args}",
        "{act} and use {args}", "with {args} {act}", "{act}, setting {args}",
        "{act} given {args}", "{act} at {args}", "{act} where {args}", "{act} having {args}", "{act} on {args}",
        "for {args} {act}", "{act} by {args}", "{act} under {args}",
    ),
    "natural": (
        "{act} with {args}", "{act}, {args}", "{act}: {args}", "{act} using {args}", "with {args}, {act}",
        "we need to {act}, {args}", "{act} ({args})", "now {act}; {args}",
        "{act} and use {args}", "please {act} with {args}", "{act} - {args}", "could you {act} with {args}",
        "for {args}: {act}", "I want to {act}, with {args}", "{act}, taking {args}", "go on and {act}, {args}",
        "{act}. Use {args}", "let's {act}, {args}", "{act}, where the settings are {args}", "{act} given {args}",
        "I'd like you to {act} with {args}", "time to {act}: {args}", "{act}, having {args}", "next {act} at {args}",
    ),
    "terse": (
        "{act} {args}", "{act}: {args}", "{act}, {args}", "{act}; {args}", "{args}: {act}", "{act} / {args}",
        "{act} -> {args}", "{act} w/ {args}",
    ),
    "instructional": (
        "write a script that will {act} with {args}", "use the API to {act}; set {args}", "{act}. Settings: {args}",
        "your task: {act}, with {args}", "produce the commands that {act} using {args}",
        "make sure to {act} with {args}",
        "create a script in order to {act}: {args}", "follow this request: {act}, {args}",
        "the script should {act} with {args}", "generate what is needed to {act}, using {args}",
        "do the following: {act} with {args}", "prepare a script which has to {act}; values: {args}",
        "implement this: {act} with {args}", "you have to {act}, {args}", "instruct the tool to {act} with {args}",
        "provide code to {act}; take {args}",
    ),
    "academic": (
        "the objective is to {act}, given {args}", "it is required to {act} subject to {args}",
        "given {args}, {act}", "let the configuration be {args}; {act}", "we seek to {act} under {args}",
        "one is asked to {act} where {args} hold", "the aim of this step is to {act} with {args}",
        "consider {args}, and {act} accordingly",
        "under the assumption of {args}, {act}", "the procedure shall {act}, assuming {args}",
        "in this experiment, {act} with {args}", "the setup prescribes {args}; {act}",
        "for the purpose of this study, {act} with {args}", "to be carried out: {act}, with {args}",
        "it is proposed to {act} for {args}", "with the parameters {args}, {act}",
    ),
}  # fmt: skip
BARE: dict[str, tuple[str, ...]] = {
    "step": ("{act}", "{act} too", "also {act}", "{act} here", "just {act}", "{act} as usual", "{act} next",
    "simply {act}"),
    "natural": (
        "{act}", "please {act}", "now {act}", "we need to {act}", "let's {act}", "I want to {act}", "can you {act}",
        "go on and {act}",
    ),
    "terse": ("{act}", "{act} now", "next: {act}", "do: {act}", "todo: {act}", "step: {act}", "run: {act}", "> {act}"),
    "instructional": (
        "write a script that will {act}", "use the API to {act}", "your task: {act}", "make sure to {act}",
        "produce the command to {act}", "the script should {act}", "create a script in order to {act}",
        "provide code to {act}",
    ),
    "academic": (
        "the objective is to {act}", "it is required to {act}", "we seek to {act}", "the aim of this step is to {act}",
        "the procedure shall {act}", "in this experiment, {act}", "one is asked to {act}", "it is proposed to {act}",
    ),
}  # fmt: skip
PHRASES = (
    "{noun} {value}", "a {noun} of {value}", "{noun} set to {value}", "{noun} = {value}", "{value} as the {noun}",
    "the {noun} {value}", "{value} for the {noun}", "{noun}: {value}",
    "{noun} {value}", "{noun} being {value}", "{noun} at {value}", "{value} as {noun}", "{noun} {value}",
    "the {noun} at {value}", "{noun} is {value}", "{noun} equal to {value}",
)  # fmt: skip
FLAGS = (
    "with {noun}", "{noun} on", "also {noun}", "{noun} enabled", "use {noun}", "{noun}", "turn on {noun}",
    "switch {noun} on",
    "and {noun} too", "the {noun} option", "in {noun} mode", "including {noun}", "{noun} active", "apply {noun}",
    "plus {noun}", "{noun} as well",
)  # fmt: skip
SETTINGS = (
    "set the {noun} to {value}", "use {value} as the {noun}", "the {noun} should be {value}", "{noun} {value}",
    "change the {noun} to {value}", "with the {noun} at {value}", "put the {noun} at {value}",
    "make the {noun} {value}",
    "switch the {noun} to {value}", "let the {noun} be {value}", "select {value} for the {noun}", "{noun} = {value}",
    "go for a {noun} of {value}", "take {value} as {noun}", "keep the {noun} at {value}", "have the {noun} at {value}",
)  # fmt: skip
PRINTS = (
    "print {asked}", "show {asked}", "report {asked}", "tell me {asked}", "write out {asked}", "output {asked}",
    "display {asked}", "give me {asked}",
)  # fmt: skip
STORES = (
    "store {asked} in {name}", "keep {asked} in a variable {name}", "put {asked} into {name}", "save {asked} as {name}",
    "assign {asked} to {name}", "remember {asked} as {name}", "read {asked} into {name}", "hold {asked} in {name}",
)  # fmt: skip
LOOPS = (
    "for each {noun} in {values}, {act}", "{act} for each of {values}", "for {values}: {act}",
    "{act} for all of {values}",
    "do this for {noun} {values}: {act}", "loop over {values} and {act}", "{act}, once for each of {values}",
    "go through {values} and {act}",
    "for every {noun} of {values}, {act}", "sweep the {noun} over {values}: {act}",
    "{act} with {noun} {values} in turn",
    "repeat for {values}: {act}", "with each {noun} from {values}, {act}", "one after the other for {values}, {act}",
    "over {values}, {act}", "taking {values} in turn, {act}",
)  # fmt: skip
EACH_OF = (
    "for each of {asked}, {act}", "{act} for each of {asked}", "go through {asked} and {act}",
    "for all of {asked}: {act}",
    "loop over {asked} and {act}", "{act} for all of {asked}", "for every one of {asked}, {act}",
    "take {asked} and {act}",
)  # fmt: skip
CONDITIONS = (
    "if {condition}, {act}", "{act} if {condition}", "when {condition}, {act}", "{act}, but only if {condition}",
    "in case {condition}, {act}", "should it be that {condition}, {act}", "provided that {condition}, {act}",
    "only when {condition}: {act}",
)  # fmt: skip
RESULTS = (
    "get {asked}, then {act} with it as the {noun}", "{act} with {asked} as the {noun}",
    "take {asked} as the {noun} and {act}", "find {asked} and {act} with this as the {noun}",
    "use {asked} as the {noun}: {act}", "{act}, the {noun} being {asked}", "fetch {asked}; with that {noun}, {act}",
    "for {asked} as the {noun}, {act}",
)  # fmt: skip
STATEMENTS = (
    "add a {what}: {fields}", "{what}: {fields}", "write a {what} with {fields}", "declare a {what}, {fields}",
    "new {what} - {fields}", "I need a {what} with {fields}", "define a {what} for {fields}",
    "put in a {what}: {fields}",
    "add the {what} {fields}", "make a {what} with {fields}", "set up a {what}, {fields}", "include a {what}: {fields}",
    "state a {what} with {fields}", "enter a {what} ({fields})", "a {what} with {fields}", "specify a {what}: {fields}",
)  # fmt: skip
# (first, middle, last) of several steps, separated by `|`; `#` is the step's number.
LAYOUTS: dict[str, tuple[str, ...]] = {
    "natural": (
        "{0}|, then {0}|, then {0}", "{0}|; {0}|; {0}", "{0}|. Then {0}|. Then {0}", "{0}|, {0}|, and {0}",
        "First {0}|, then {0}|, and at the end {0}", "{0}|. After that, {0}|. Finally, {0}", "{0}|\n\n{0}|\n\n{0}",
        "Start: {0}|, next {0}|, lastly {0}",
    ),
    "terse": ("{0}|; {0}|; {0}", "{0}|\n{0}|\n{0}", "{0}| / {0}| / {0}", "{0}|, {0}|, {0}", "{0}| > {0}| > {0}",
              "- {0}|\n- {0}|\n- {0}", "{0}| + {0}| + {0}", "{0}| & {0}| & {0}"),
    "instructional": (
        "1. {0}|\n{#}. {0}|\n{#}. {0}", "Step 1: {0}|\nStep {#}: {0}|\nStep {#}: {0}",
        "Do these things in order: {0}|; {0}|; {0}", "(1) {0}| ({#}) {0}| ({#}) {0}", "- {0}|\n- {0}|\n- {0}",
        "First, {0}|. Second step: {0}|. Last step: {0}", "1) {0}|\n{#}) {0}|\n{#}) {0}", "* {0}|\n* {0}|\n* {0}",
    ),
    "academic": (
        "First, {0}|; subsequently, {0}|; finally, {0}", "Initially, {0}|. Thereafter, {0}|. In conclusion, {0}",
        "The sequence is as follows: {0}|; {0}|; {0}", "{0}|, whereupon {0}|, and ultimately {0}",
        "(i) {0}|; (next) {0}|; (last) {0}", "To begin with, {0}|. Following this, {0}|. To complete the work, {0}",
        "In order: {0}|, {0}|, and {0}", "At the outset, {0}|; afterwards, {0}|; at last, {0}",
    ),
}  # fmt: skip

# What a summary that is no imperative begins with: it names what the proc answers.
_NOUNISH = re.compile(
    r"(?:number|total|whether|list|the|an?|names?|worst|best|current|minimum|maximum|average|all|true|is|are|how|what|count"
    r"|value|size|share|percentage|amount|sum|length|one|id|ids)\b",
    re.I,
)
_ANSWERING = re.compile(
    r"(?:returns?|gets?|reports?|tells?|prints?|lists?|counts?|queries|query|gives?|reads?|shows?|measures?|checks?)\s+(?=\w)",
    re.I,
)
_VERBS = {
    "create": ("make", "set up"), "add": ("put in", "insert"), "set": ("adjust", "choose"), "remove": ("delete",
    "take out"),
    "delete": ("remove", "drop"), "start": ("launch", "begin"), "stop": ("halt", "end"), "run": ("execute", "perform"),
    "write": ("save", "put out"), "change": ("modify", "alter"), "place": ("put", "position"), "move": ("shift",),
    "define": ("declare", "specify"), "insert": ("add", "put in"), "connect": ("hook up", "link"), "assign": ("give",),
    "open": ("unlock",), "build": ("construct", "make"), "draw": ("lay", "make"), "fix": ("lock",),
    "show": ("display",), "mark": ("flag",), "report": ("give a report on",), "declare": ("define",),
    "send": ("dispatch",), "load": ("read in",),
}  # fmt: skip


def noun_of(value: Value, name: str, rng: random.Random, *, documented: bool = True) -> str:
    """What a person calls an argument: its name in words, or a short doc."""
    words = name_words(name.rpartition("::")[2] or name).lower()
    doc = re.split(r"[.;:,(]", value.doc, maxsplit=1)[0].strip()
    if documented and doc and len(doc.split()) <= 4 and (rng.random() < 0.5 or len(words) < 3):
        return _lower(re.sub(r"^(?:the|an?)\s+", "", doc, flags=re.I))
    return words or name


def phrase(arg: Arg, said: str, split: Split, rng: random.Random, style: str) -> str:
    """An argument with its value, as part of a list."""
    noun = noun_of(arg, arg.name, rng)
    if arg.type == "flag":
        doc = arg.doc.rstrip(".")
        if doc and len(doc.split()) <= 8 and rng.random() < 0.5:
            return _lower(doc)
        return pick(FLAGS, split, rng)[1].format(noun=noun)
    if style == "terse":
        return f"{noun} {said}"
    return pick(PHRASES, split, rng)[1].format(noun=noun, value=said)


def act_of(proc: Proc, rng: random.Random, style: str = "natural", *, query: bool = False) -> str:
    """What a proc does as an imperative: its summary, or its name in words; `query`: it only tells something."""
    words = name_words(proc.name.rpartition("::")[2] or proc.name).lower()
    summary = _summary(proc)
    if not summary or (style == "terse" and rng.random() < 0.5) or rng.random() < 0.15:
        return words if rng.random() < 0.6 or "::" not in proc.name else name_words(proc.name).lower()
    if query or _NOUNISH.match(summary):
        return f"{rng.choice(('get', 'find', 'determine', 'look up'))} {asked_of(proc, rng)}"
    head, _, rest = _lower(summary).partition(" ")
    head = _imperative(head)
    if head in _VERBS and rng.random() < 0.3:
        head = rng.choice(_VERBS[head])
    return f"{head} {rest}".strip()


def _imperative(word: str) -> str:
    """The verb of "Opens a valve" as in "open a valve"; other words unchanged."""
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("shes", "ches", "sses", "xes", "zes", "oes")) else word[:-1]


def asked_of(proc: Proc, rng: random.Random) -> str:
    """What a proc answers as a noun phrase: "the number of overlaps"."""
    summary = _ANSWERING.sub("", _summary(proc), count=1)
    words = name_words(proc.name.rpartition("::")[2] or proc.name).lower()
    if not summary or rng.random() < 0.2:
        return f"the {words}"
    summary = _lower(summary)
    if re.match(r"(?:whether|if|the|an?|all|how|what)\b", summary):
        return summary
    return f"the {summary}"


def _summary(proc: Proc) -> str:
    text = re.split(r"(?<=[.!?])\s|[;:]\s", " ".join(proc.summary.split()), maxsplit=1)[0]
    return text.rstrip(" .")


def _lower(text: str) -> str:
    """The text with a small first letter, unless its first word is an abbreviation."""
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


def lay_out(steps: list[str], style: Style, split: Split, rng: random.Random) -> tuple[str, str]:
    """(text, form) of several steps as one instruction."""
    if len(steps) == 1:
        return _ended(capital(steps[0]) if style != "terse" else steps[0], style, rng), ""
    number, layout = pick(LAYOUTS[style], split, rng)
    first, middle, last = layout.split("|")
    text = first.replace("{0}", steps[0])
    for i, step in enumerate(steps[1:], 2):
        form = last if i == len(steps) else middle
        text += form.replace("{#}", str(i)).replace("{0}", step)
    return _ended(capital(text) if style != "terse" else text, style, rng), f"{style}{number}"


def _ended(text: str, style: str, rng: random.Random) -> str:
    if style == "terse" or text[-1] in ".?!" or (style == "natural" and rng.random() < 0.3):
        return text
    return text + "."
