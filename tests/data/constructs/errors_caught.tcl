if {[catch {error "no such thing"} message options]} {
    puts "$message [dict get $options -code]"
}
try {
    throw {MY ERROR} text
} on ok {} {
    puts fine
} trap {MY ERROR} {message options} {
    puts $message$options
} on error message - on return message {
    puts $message
} finally {
    puts done
}
