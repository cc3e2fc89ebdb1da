"""Checks of a script against Tcl, a domain's catalog, its DSL grammars and its policy (`validate.validate_script`)."""
