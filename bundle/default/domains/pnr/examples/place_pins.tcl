#!/usr/bin/env tclsh
# task: Put the pins clk, rst_n and scan_en on the left side in M3, 4 um apart.
fp::place_pins -side left -layer M3 -pitch 4 {clk rst_n scan_en}
