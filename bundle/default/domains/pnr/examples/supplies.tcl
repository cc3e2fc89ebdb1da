#!/usr/bin/env tclsh
# task: Declare VDD as a 0.8 V power net and VSS as ground, then draw a ring of both in M5 and M6, 4 um wide with 2 um spacing.
power::create_supply -net VDD -type power -voltage 0.8
power::create_supply -net VSS -type ground
power::add_ring -nets {VDD VSS} -layers {M5 M6} -width 4 -spacing 2
