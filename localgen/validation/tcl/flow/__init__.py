"""What a script's values may be: an abstract run of a Tcl script, without executing anything.

Constants are followed through variables, loops and Tcl's pure commands; what a team's command returns, or what depends
on it, is unknown. Where a condition is unknown both ways are followed.
"""
