proc none {} {}
proc some {a {b 1} {c {x y}} args} {
    return [list $a $b $c $args]
}
namespace eval spaced {}
proc ::spaced::name {} { return 1 }
puts [some 1 2 3 4 5]
none
puts [spaced::name]
puts [apply {{x {y 2}} { expr {$x + $y} }} 1]
puts [apply {x { return $x } ::} 1]
