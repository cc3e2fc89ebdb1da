#!/usr/bin/env tclsh
# task: Add limit rules LR1 and LR2: SCL at most 250 um long, SDA at most 300 um.
dsl {
  limit "LR1" apply_to: SCL length: 250um
  limit "LR2" apply_to: SDA length: 300um
}
