#!/usr/bin/env tclsh
# task: Define the non-default rule ndr_clk with 0.2 um width and 0.25 um spacing and assign it to CLK and CLKB.
route::create_ndr -name ndr_clk -width 0.2um -spacing 0.25um
route::assign_ndr -name ndr_clk {CLK CLKB}
