#!/usr/bin/env tclsh
# task: Add a 3 um halo to every macro that is placed.
foreach macro [fp::list_macros -status placed] {
  fp::add_halo -macro $macro -size 3
}
