set d [dict create a 1 b 2]
dict set d c 3
dict for {key value} $d { puts $key=$value }
puts [dict map {key value} $d { incr value }]
dict with d { puts $a$b$c }
dict update d a first { incr first }
puts [dict filter $d script {key value} { expr {$value > 1} }]
