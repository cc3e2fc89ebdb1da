set a}b 1
set a 1
set c {a"b}
set d a]b
set e [list }]
set f a#b
set {} empty
puts [set {}]${}
puts $a}b
puts "}" ; puts "\{" ; puts {"}
puts [string map {\{ ( \} )} $c$d$e$f]
"puts" x
{puts} y
pu\x74s z
