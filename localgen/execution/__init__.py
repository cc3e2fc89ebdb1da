"""Runs what validation only reads: a script in a safe Tcl interpreter (`trace`, `run_check`), a team's own checker."""
