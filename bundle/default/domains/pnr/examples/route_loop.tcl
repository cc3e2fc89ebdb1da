#!/usr/bin/env tclsh
# task: Route nets A, B and C on M2, then shield each of them with VSS.
foreach net {A B C} {
  route::route_net -net $net -layer M2
  route::shield_net -net $net
}
