"""The symbol catalog: pydantic models of the public format (docs/catalog.md).

Pure values: reading them from disk is `catalog_io`'s business. Every key that the format marks as optional has the
format's default here, so that the smallest catalog (names, args, values, one embedding) is complete once loaded.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from localgen_retrieval.once import once_per_catalog

ArgType = Literal["string", "int", "float", "bool", "enum", "flag", "script", "expr"]

DEFAULT_BUILTINS = ("set", "puts", "foreach", "if", "expr", "list", "lindex", "llength", "incr")
BOOL_WORDS = ("0", "1", "true", "false", "yes", "no", "on", "off")


class _Model(BaseModel):
    # Deferred: one validator is built, of the whole catalog, instead of one more for each part of it.
    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True, defer_build=True)


class Value(_Model):
    """What args, variables and results share: the type of a value and its limits.

    A value with a `unit` is a number written bare, or with the unit attached where `unit_suffix` is true.
    `min`, `max` and `pattern` apply to each element of a list.
    """

    type: ArgType = "string"
    kind: str = ""
    unit: str = ""
    unit_suffix: bool = False
    values: tuple[str, ...] = ()
    min: float | None = None
    max: float | None = None
    pattern: str = ""
    list_: bool = Field(default=False, alias="list")
    min_items: int | None = None
    max_items: int | None = None
    doc: str = ""

    @field_validator("values", mode="before")
    @classmethod
    def _values_are_words(cls, v: Any) -> Any:
        # Anything but a scalar is left for pydantic to refuse.
        return tuple(word(x) if isinstance(x, (bool, int, float)) else x for x in v) if isinstance(v, list) else v

    @model_validator(mode="before")
    @classmethod
    def _values_mean_enum(cls, data: Any) -> Any:
        if isinstance(data, dict) and "type" not in data and data.get("values"):
            return {**data, "type": "enum"}
        return data

    @property
    def numeric(self) -> bool:
        """Whether the value is written as a number (a string with a unit is one)."""
        return self.type in ("int", "float") or (self.type == "string" and bool(self.unit))


class Arg(Value):
    """One argument of a proc."""

    name: str
    positional: bool = False
    required_: bool | None = Field(default=None, alias="required")
    default: Any = None

    @property
    def has_default(self) -> bool:
        """Whether the catalog gives a default, be it null."""
        return "default" in self.model_fields_set

    @property
    def required(self) -> bool:
        """True unless the arg has a default, is a flag, or says false."""
        if self.required_ is not None:
            return self.required_
        return not self.has_default and self.type != "flag"

    @property
    def default_text(self) -> str | None:
        """The default as a script would write it, None without one."""
        if not self.has_default or self.default is None:
            return None
        if isinstance(self.default, list):
            return " ".join(word(x) for x in self.default)
        return word(self.default)


class Deprecation(_Model):
    """Why a proc is deprecated, and what replaces it."""

    replacement: str = ""
    note: str = ""


class Returns(_Model):
    """The type of a proc's result."""

    type: str = ""
    kind: str = ""
    unit: str = ""
    list_: bool = Field(default=False, alias="list")


class Proc(_Model):
    """One proc of the team's API."""

    name: str
    summary: str = ""
    args: tuple[Arg, ...] = ()
    exclusive: tuple[tuple[str, ...], ...] = ()
    requires: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    returns: Returns | None = None
    side_effects: str = ""
    examples: tuple[str, ...] = ()
    notes: str = ""
    since: str = ""
    deprecated: Deprecation | None = None

    @field_validator("since", mode="before")
    @classmethod
    def _since_number(cls, v: Any) -> Any:
        return str(v) if isinstance(v, (int, float)) else v

    @field_validator("returns", mode="before")
    @classmethod
    def _returns_as_object(cls, v: Any) -> Any:
        if isinstance(v, str):
            return {"type": "string", "list": True} if v.startswith("list") else {"type": v} if v else None
        return v

    @field_validator("deprecated", mode="before")
    @classmethod
    def _deprecated_as_object(cls, v: Any) -> Any:
        if v is True:
            return {}
        if isinstance(v, str):
            return {"note": v}
        return None if v in (None, False) else v

    @field_validator("requires", mode="before")
    @classmethod
    def _requires_lists(cls, v: Any) -> Any:
        return {k: [x] if isinstance(x, str) else x for k, x in v.items()} if isinstance(v, dict) else v

    @property
    def options(self) -> tuple[Arg, ...]:
        """The args written `-name value` or, for flags, `-name`."""
        return tuple(a for a in self.args if not a.positional)

    @property
    def positionals(self) -> tuple[Arg, ...]:
        """The args written bare, after the options, in this order."""
        return tuple(a for a in self.args if a.positional)


class Variable(Value):
    """A variable of the team's environment that scripts may set or read."""

    name: str
    default: Any = None


class Embedding(_Model):
    """The literal text that opens and closes a block of a DSL."""

    open: str
    close: str

    @property
    def braced(self) -> bool:
        """Whether a block is a Tcl command with a braced word (`dsl {`), not text cut out before Tcl."""
        return self.open.rstrip().endswith("{") and self.close.strip() == "}"

    @property
    def words(self) -> tuple[str, ...]:
        """The command words before the brace: ("db", "eval") for `db eval {`; empty if not braced."""
        return tuple(self.open.rstrip()[:-1].split()) if self.braced else ()


class Production(_Model):
    """One statement kind of a DSL, as the catalog describes it."""

    name: str
    summary: str = ""
    example: str = ""


class Dsl(_Model):
    """One embedded language."""

    name: str = "dsl"
    embedding: Embedding
    grammar: str = ""
    grammar_summary: str = ""
    productions: tuple[Production, ...] = ()


class Policy(_Model):
    """What scripts of this domain may and must do."""

    forbidden: tuple[str, ...] = ()
    allowed_builtins: tuple[str, ...] = DEFAULT_BUILTINS
    required_header: str = ""
    max_dsl_blocks: int | None = None
    required_calls: tuple[str, ...] = ()
    order: tuple[tuple[str, str], ...] = ()
    abbreviations: bool = True


class Checker(_Model):
    """A program that checks a script for real."""

    command: tuple[str, ...]
    success: str = ""
    error: str = ""


class Catalog(_Model):
    """A team's API: everything the agent may use, and nothing else."""

    name: str = ""
    version: str = ""
    description: str = ""
    host: Literal["tcl", "none"] = "tcl"
    procs: tuple[Proc, ...] = ()
    variables: tuple[Variable, ...] = ()
    dsls: tuple[Dsl, ...] = Field(default=(), alias="dsl")
    policy: Policy = Policy()
    checker: Checker | None = None

    @field_validator("version", mode="before")
    @classmethod
    def _version_number(cls, v: Any) -> Any:
        return str(v) if isinstance(v, (int, float)) else v

    @field_validator("dsls", mode="before")
    @classmethod
    def _dsl_as_list(cls, v: Any) -> Any:
        if v is None:
            return ()
        return [v] if isinstance(v, dict) else v

    @field_validator("policy", mode="before")
    @classmethod
    def _no_policy(cls, v: Any) -> Any:
        return {} if v is None else v

    def proc(self, name: str) -> Proc | None:
        """The proc of that name (a leading `::` is ignored), or None."""
        return _by_name(self.procs).get(name.removeprefix("::"))

    @property
    def live_procs(self) -> tuple[Proc, ...]:
        """The procs that may be generated: all but the deprecated ones."""
        return tuple(p for p in self.procs if p.deprecated is None)


@once_per_catalog
def _by_name(procs: tuple[Proc, ...]) -> dict[str, Proc]:
    """Procs by their names without a leading `::`; of several with the same one, the first."""
    return {p.name.removeprefix("::"): p for p in reversed(procs)}


def word(x: Any) -> str:
    """A JSON scalar as a script writes it."""
    if isinstance(x, bool):
        return "true" if x else "false"
    if isinstance(x, float) and abs(x) < 1e15 and x == int(x):
        return str(int(x))
    return str(x)
