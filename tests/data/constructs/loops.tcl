for {set i 0} {$i < 3} {incr i} {
    if {$i == 1} continue
    puts $i
}
while {1} { break }
foreach x {1 2 3} { puts $x }
foreach {a b} {1 2 3 4} c {5 6} { puts $a$b$c }
puts [lmap x {1 2} { expr {$x * 2} }]
