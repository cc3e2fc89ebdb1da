set pairs {
    a 1
    b {2 3}
}
foreach {name value} $pairs {
    puts "$name: [lindex $value 0]"
}
set callback [list apply {{a b} { puts $a$b }} 1]
{*}$callback 2
lsort -command {apply {{a b} { expr {$a - $b} }}} {3 1 2}
