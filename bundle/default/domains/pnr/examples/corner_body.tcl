#!/usr/bin/env tclsh
# task: At the fast corner, fix hold violations with 10 ps of margin.
sta::with_corner -corner ff {
  sta::fix_timing -check hold -margin 10ps
}
