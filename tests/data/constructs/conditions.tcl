set a 1
if {$a} {puts 1}
if {$a} then {puts 1} elseif {$a > 2} then {puts 2} else {puts 3}
if $a {puts 1} {puts 2}
if {$a == 1
    && $a != 2} {
    puts 1
} elseif {$a} {
    puts 2
} else {
    puts 3
}
