#!/usr/bin/env tclsh
# task: If any cells overlap, legalize the placement.
if {[place::overlap_count] > 0} {
  place::legalize
}
