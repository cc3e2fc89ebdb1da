#!/usr/bin/env tclsh
# task: With 16 threads, run global routing, then detailed routing with antenna repair, and write the DEF to out/top.def; add spacing rule SR1 for CLK of 0.2 um on M3 first.
set ::flow::threads 16
dsl {
  rule "SR1" apply_to: CLK spacing: 0.2um layer: M3
}
route::global_route
route::detail_route -fix_antenna
route::write_def -file out/top.def
