# Routes three nets; every call but the first is wrong in one way.
set layers {M1 M2 M4}
my::route -net CLK -layer M1
foreach layer $layers {
    my::route -net DATA -layer $layer -width 12
}
if {[my::count] > 0} {
    my::rout -net RESET -layer M2
    my::route -net RESET -layr M2
} else {
    my::route RESET -layer M3
}
