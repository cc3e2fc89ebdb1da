set a [list 1 2
set b 3
set c $d(1
set e ${f
puts done
