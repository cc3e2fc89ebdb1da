proc set_in_caller {name value} {
    upvar 1 $name local
    set local $value
}
proc use_global {} {
    global total
    incr total
    set ::other $total
}
proc level {} { uplevel 1 { set here 1 } }
proc caller {} {
    set_in_caller x 5
    level
    return $x$here
}
use_global
puts "[caller] $total $other"
