if {$argc = 1} {puts a}
if {argc} {puts b}
while {1 +} {puts c}
set x [expr {(1 + 2}]
set y [expr {1 2}]
if {} {puts d}
for {} {1 &&} {} {puts e}
set z [expr {foo(1)}]
