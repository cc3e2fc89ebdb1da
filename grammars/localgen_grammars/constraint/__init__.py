"""Context pack → constraint: one llguidance grammar per request, typed by the catalog, grounded in the instruction."""

from .compile import Constraint, compile_constraint

__all__ = ["Constraint", "compile_constraint"]
