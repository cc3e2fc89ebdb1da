#!/usr/bin/env tclsh
# task: Route CLK on M3 with a width of 0.2 um and 2 cuts per via.
route::route_net -net CLK -layer M3 -width 0.2 -vias 2
