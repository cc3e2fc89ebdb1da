#!/usr/bin/env tclsh
# task: Reroute the critical net of clock sys on M6.
set net [sta::critical_net -clock sys]
route::rip_up $net
route::route_net -net $net -layer M6
