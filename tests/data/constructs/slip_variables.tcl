proc area {width height} {
    set result [expr {$widht * $height}]
    set unused 1
    return $result
}
puts [area 1 2]
puts $nowhere
