"""The checks of a Tcl script, one subject each; `check` runs them all."""
