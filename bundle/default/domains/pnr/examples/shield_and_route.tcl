#!/usr/bin/env tclsh
# task: Route SCL on M4 and add shield rule SH1 for it with VSS on M4.
route::route_net -net SCL -layer M4
dsl {
  shield "SH1" apply_to: SCL with: VSS layer: M4
}
