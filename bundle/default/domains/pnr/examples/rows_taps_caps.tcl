#!/usr/bin/env tclsh
# task: Create rows for site core7t, then insert TAPX1 taps every 25 um and ENDCAP1 end caps.
fp::create_rows -site core7t
fp::add_tap_cells -cell TAPX1 -distance 25
fp::add_end_caps -left ENDCAP1
