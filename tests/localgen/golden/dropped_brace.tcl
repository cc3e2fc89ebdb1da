proc route_all {nets} {
    foreach net $nets {
        if {$net ne {CLK}} {
            my::route -net $net -layer M1
        my::note -text "routed $net
    }
}
my::route -net CLK
