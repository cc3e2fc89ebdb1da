#!/usr/bin/env tclsh
# task: Route RXP and RXN as a differential pair on M6 with a 0.3 um gap and add match rule MR1 for them with 0.5 um tolerance.
route::route_pair -positive RXP -negative RXN -layer M6 -gap 0.3
dsl {
  match "MR1" nets: RXP, RXN tolerance: 0.5um
}
