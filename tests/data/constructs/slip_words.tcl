set a 1 2
foreach x {1 2}
string lenght abc
if {1} {puts a} else {puts b} {puts c}
proc p {a} {}
p
catch {set a 1 2}
