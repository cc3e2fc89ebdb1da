lassign {1 2 3} one two three
regexp {(a)(b)} ab all first second
regsub a abc x changed
scan "1 2" "%d %d" left right
binary scan abc a1a1 byte next
set channel [open /dev/null]
gets $channel line
close $channel
catch {incr missing} result details
array set table {a 1 b 2}
foreach {key value} [array get table] { puts $key$value }
puts "$one$two$three $all$first$second $changed $left$right $byte$next $line $result $details $table(a)"
