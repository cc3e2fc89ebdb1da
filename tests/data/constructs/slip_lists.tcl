switch a { a {puts 1} b }
proc p {a {b c d}} {}
apply {only} 1
foreach {} {1 2} {puts x}
