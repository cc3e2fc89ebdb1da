#!/usr/bin/env tclsh
# task: Add VDD and VSS stripes on M5, 2 um wide, every 40 um, and connect them down to M1.
power::add_stripes -nets {VDD VSS} -layer M5 -width 2 -pitch 40
power::connect_layers -from M1 -to M5
