#!/usr/bin/env tclsh
# task: Write spacing rule SR2: net CLK needs 0.12 um.
dsl {
  rule "SR2" apply_to: CLK spacing: 0.12um
}
