#!/usr/bin/env tclsh
# task: Start a floorplan with an 800 by 600 um die and a core margin of 20 um.
fp::create_die -width 800 -height 600 -core_margin 20
