proc first {a} {
    if {$a} {
        puts 1
    puts 2
}
proc second {} {
    puts "still checked"b
}
