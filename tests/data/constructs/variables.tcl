set a(1) x
set a(b\ c) y
set i 1
set a($i,[expr {$i + 1}]) z
set {odd name} 2
namespace eval n { variable v 3 }
puts "$a(1) $a($i,[expr {$i + 1}]) ${odd name} $n::v $::n::v ${::n::v} $"
puts $a(b\ c)
