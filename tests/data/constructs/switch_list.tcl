set x b
switch $x {
    a { puts 1 }
    b -
    c { puts 2 }
    default { puts 3 }
}
switch -glob -- $x { a* {puts 1} [bc] {puts 2} }
switch -regexp -matchvar m -- $x {
    {^(b)$} { puts [lindex $m 1] }
}
