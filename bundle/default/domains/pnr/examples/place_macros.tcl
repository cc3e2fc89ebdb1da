#!/usr/bin/env tclsh
# task: Place macro u_ram0 at (40, 60) rotated by 90 degrees and lock it, with a halo of 5 um.
fp::place_macro -macro u_ram0 -x 40 -y 60 -orient R90 -fixed
fp::add_halo -macro u_ram0 -size 5
