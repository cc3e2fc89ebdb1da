#!/usr/bin/env tclsh
# task: Add keepout rule KO1: 5 um around u_pll on M1 and M2.
dsl {
  keepout "KO1" around: u_pll distance: 5um layers: M1, M2
}
