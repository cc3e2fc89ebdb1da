#!/usr/bin/env tclsh
# task: Add density rule DR1 on M4 between 20% and 70%, and antenna rule AR1 with a max ratio of 400 on M3.
dsl {
  density "DR1" layer: M4 min: 20% max: 70%
  antenna "AR1" layer: M3 max_ratio: 400
}
