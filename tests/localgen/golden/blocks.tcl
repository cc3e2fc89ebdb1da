dsl {
    rule "SR1" apply_to: CLK spacing: 0.2um
    rule "SR2" apply_to: CLK spacing: 0.2
}
if {[my::count]} {
    @dsl(
        rule "SR3" apply_to: 9CLK spacing: 1um
    )
}
rules <<END
rule "SR4" apply_to: RST spacing: 1um
rule SR5 apply_to: RST spacing: 1um
END
dsl
