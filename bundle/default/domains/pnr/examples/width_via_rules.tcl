#!/usr/bin/env tclsh
# task: Add width rule WR1 for VDD from 0.4 um to 2 um, and via rule VR1 with 2 cuts between M2 and M3.
dsl {
  width "WR1" apply_to: VDD min: 0.4um max: 2um
  via "VR1" from: M2 to: M3 cuts: 2
}
