foreach x {1 2} {
    if {$x ==} {puts a}
    switch $x { 1 { puts "b"c } }
    catch { set y [list }
    try { puts {a}b } finally { puts $z( }
    namespace eval n { proc p {} { if {1 1} {} } }
}
