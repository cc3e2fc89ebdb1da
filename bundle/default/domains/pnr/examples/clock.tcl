#!/usr/bin/env tclsh
# task: Create clock sys with a period of 1.25 ns on port clk, with 60 ps setup and 20 ps hold uncertainty.
sta::create_clock -name sys -period 1.25 clk
sta::set_uncertainty -clock sys -setup 60ps -hold 20ps
