#!/usr/bin/env tclsh
# task: Lock u_pll if it is placed, otherwise place it at (100, 200).
if {[place::is_placed u_pll]} {
  place::fix u_pll
} else {
  place::place_cell -cell u_pll -x 100 -y 200
}
