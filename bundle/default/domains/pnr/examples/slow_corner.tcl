#!/usr/bin/env tclsh
# task: Set the corner to ss and the temperature to 125 degrees, then report the 50 worst hold paths to hold.rpt.
set ::tech::corner ss
set ::tech::temperature 125
sta::report_paths -check hold -count 50 -file hold.rpt
