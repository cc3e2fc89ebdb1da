proc counter {} {
    yield [info coroutine]
    set n 0
    while {1} { yield [incr n] }
}
coroutine next_number counter
puts [next_number]
proc outer {} { tailcall counter }
