#!/usr/bin/env tclsh
# task: Run timing-driven global placement at high effort, legalize, and print the number of overlaps.
place::global_place -effort high -timing_driven
place::legalize
puts [place::overlap_count]
