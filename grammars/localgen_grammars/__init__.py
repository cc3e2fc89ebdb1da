"""Languages: the Tcl parser, the teams' DSL grammars, embedded blocks, and the constraint compiler."""
